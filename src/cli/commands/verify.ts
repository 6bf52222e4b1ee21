/**
 * `hermetic verify`: the certificates of one server, as it sends them, against TLSA records or roots, names and a time; one verdict, offline unless the
 * chain is to be fetched (`--from`).
 *
 * Here are only the options: each is checked and turned into what judgement/verify.ts is asked. Exit 0: authenticated. 1: not. 2: only in part, as
 * there was no usable record, or nobody said which name to look for.
 */
import { exitCodeOf, verifyChain } from '../../judgement/verify.ts'
import type { KeyExchange } from '../../judgement/verify-document.ts'
import { verifyText } from '../../judgement/verify-text.ts'
import { visible } from '../../judgement/visible.ts'
import { parseTlsa, tlsaText } from '../../protocol/dane/tlsa.ts'
import type { Tlsa } from '../../protocol/dane/types.ts'
import type { Certificate, Profile, Purpose, Read } from '../../protocol/x509/model.ts'
import { readCertificates, readRoots } from '../certificate-file.ts'
import type { Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { publicSuffixes } from '../public-suffixes.ts'
import { referenceName } from '../reference-name.ts'
import { type ServerPlace, serverPlace } from '../server-place.ts'
import { timeOption } from '../time-option.ts'

/** As commander hands them over: choices and numbers are checked. */
export interface VerifyOptions {
  readonly chain?: string
  readonly from?: string
  readonly name?: readonly string[]
  readonly tlsa?: readonly string[]
  readonly roots?: string
  readonly at?: string
  readonly known?: string
  readonly keyExchange?: KeyExchange
  readonly profile: Profile
  readonly purpose: Purpose
  readonly maxDepth?: number
  readonly cnFallback?: true
  readonly anyName?: true
}

/**
 * Prints the verdict on one chain and returns the exit code: 0 authenticated, 1 not, 2 only in part.
 *
 * @throws CliFailure For wrong usage (64), and for a file without certificates (65).
 */
export async function run(options: VerifyOptions, context: Context): Promise<number> {
  // What was typed is looked at before any file.
  const anyName = options.anyName === true ? 'any' : 'checked'
  if (anyName === 'any' && options.name !== undefined)
    throw new CliFailure('cli.usage', '--any-name and --name exclude each other', 'Leave one of them out.')
  const source = sourceOf(options)
  const given = (options.name ?? []).map(name => referenceName(name, '--name'))
  const isOwnName = typeof source !== 'string' && !source.isAddress && given.length === 0 && anyName === 'checked'
  const names = [...new Set(isOwnName ? [source.host] : given)]
  const records = (options.tlsa ?? []).map(tlsaRecord)
  const atMs = options.at === undefined ? Date.now() : timeOption(options.at, '--at')
  const tlsa = records.length === 0 ? null : records
  if ([options.chain, options.roots, options.known].filter(file => file === '-').length > 1)
    throw new CliFailure('cli.usage', 'only one file can come from standard input', 'Name the others.')
  // What asks a server is not needed for a file, and takes a while to load.
  const chain =
    typeof source === 'string'
      ? readCertificates(source, '--chain')
      : await (await import('../chain-from.ts')).chainFrom(source, context)
  const document = verifyChain({
    chain,
    names,
    anyName,
    tlsa,
    roots: await rootsOf(options.roots, tlsa, chain),
    rootsGiven: options.roots !== undefined,
    known: options.known === undefined ? [] : readRoots(options.known, '--known'),
    atMs,
    keyExchange: options.keyExchange ?? null,
    profile: options.profile,
    purpose: options.purpose,
    maxIntermediates: options.maxDepth ?? defaultMaxIntermediates,
    cnFallback: options.cnFallback === true ? 'if-no-dns-id' : 'never',
    isPublicSuffix: await publicSuffixes(chain),
  })
  if (options.cnFallback === true && tlsa !== null)
    context.remark(
      'hermetic: --cn-fallback changes nothing beside --tlsa: a record of usage 2 takes the common name as it is.',
    )
  context.answer({ ...document }, verifyText(document, context.paint))
  return exitCodeOf(document, anyName)
}

/** A file, or the server that is to be asked. @throws CliFailure 64 unless exactly one was given */
function sourceOf({ chain, from }: VerifyOptions): string | ServerPlace {
  if (chain !== undefined && from !== undefined)
    throw new CliFailure('cli.usage', '--chain and --from exclude each other', 'Leave one of them out.')
  if (chain !== undefined) return chain
  if (from !== undefined) return serverPlace(from)
  throw new CliFailure(
    'cli.usage',
    "required option '--chain <file>' not specified",
    "Or --from mx.example.org:25, to fetch the chain there. 'hermetic verify --help' lists what it takes.",
  )
}

function tlsaRecord(text: string): Tlsa {
  const parsed = parseTlsa(text)
  if (parsed.kind === 'record') return parsed.record
  const { says, hint } = ofZoneFile(text) ?? { says: parsed.says, hint: tlsaHint }
  throw new CliFailure('cli.usage', `--tlsa '${visible(text, 60)}': ${says}`, hint)
}

/** What stands in zone files around a record's data, and is no part of it; null when it is something else that is wrong. */
function ofZoneFile(text: string): { readonly says: string; readonly hint: string } | null {
  const uncommented = text.replaceAll(/;[^\n]*/g, '').trim()
  const data = uncommented.replace(/^.*?\bTLSA\s+/is, '').trim()
  const parsed = data.length < text.length ? parseTlsa(data) : null
  const example = parsed?.kind === 'record' ? `: --tlsa "${tlsaText(parsed.record)}"` : '.'
  if (data !== uncommented)
    return {
      says: 'this is a line of a zone file, and the data of the record alone is wanted.',
      hint: `Leave out everything up to TLSA${text.includes(';') ? ', and the comment' : ''}${example}`,
    }
  if (text.includes(';'))
    return {
      says: "a ';' begins a comment in zone files, which is no part of the record.",
      hint: `Leave the comment out${example}`,
    }
  return null
}

/** Mozilla's are loaded only where they decide. */
async function rootsOf(
  file: string | undefined,
  tlsa: readonly Tlsa[] | null,
  chain: readonly Read[],
): Promise<readonly Certificate[]> {
  if (file !== undefined) return readRoots(file, '--roots')
  return tlsa === null ? (await import('../public-roots.ts')).publicRootsFor(chain) : []
}

const tlsaHint =
  'Usage, selector and matching type from 0 to 255, then hex digits, all in quotes: --tlsa "3 1 1 0B9F..."'

/** Real chains have one to three. */
const defaultMaxIntermediates = 10
