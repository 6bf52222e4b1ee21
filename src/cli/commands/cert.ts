/**
 * `hermetic cert show FILE`: a chain in words, `hermetic.cert/1`. Offline; no name and no TLSA record is asked, which `verify` does.
 *
 * Exit 0: whole, in date, and by the rules of `verify`, up to a certificate that signed itself or below a known root. Exit 1: something in it would be refused. Revocation lists and
 * OCSP responses are reported beside it, and change neither.
 */
import { certDocument, type RevocationReport } from '../../judgement/cert-document.ts'
import { outlineChain } from '../../judgement/chain-outline.ts'
import { chainOutlineText } from '../../judgement/chain-outline-text.ts'
import { createBudget } from '../../protocol/x509/budget.ts'
import type { Certificate, Read } from '../../protocol/x509/model.ts'
import { readCertificates, readRoots } from '../certificate-file.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { publicRootsFor } from '../public-roots.ts'
import { publicSuffixes } from '../public-suffixes.ts'
import { timeOption } from '../time-option.ts'

export interface CertShowOptions {
  readonly roots?: string
  readonly at?: string
  readonly crl?: readonly string[]
  readonly ocsp?: readonly string[]
}

/**
 * Prints a chain in words and returns the exit code: 0 when nothing in it would be refused, 1 when something would; revocation changes neither.
 *
 * @throws CliFailure For wrong usage (64), and for a file that holds nothing of its kind (65).
 */
export async function show(file: string, options: CertShowOptions, context: Context): Promise<number> {
  const atMs = options.at === undefined ? Date.now() : timeOption(options.at, '--at')
  const { crl = [], ocsp = [] } = options
  const files = [file, ...crl, ...ocsp, ...(options.roots === undefined ? [] : [options.roots])]
  if (files.filter(one => one === '-').length > 1)
    throw new CliFailure('cli.usage', 'only one file can come from standard input', 'Name the others.')
  const chain = readCertificates(file, 'cert show')
  const own = options.roots === undefined ? [] : readRoots(options.roots, '--roots')
  const roots = [...own, ...publicRootsFor(chain)]
  const isPublicSuffix = await publicSuffixes(chain)
  const outline = outlineChain({ chain, roots, atMs, budget: createBudget(), isPublicSuffix })
  const revocation = crl.length + ocsp.length === 0 ? [] : await reported({ chain, roots, atMs, crl, ocsp })
  const document = certDocument(outline, chain, revocation)
  context.answer({ ...document }, chainOutlineText(document, context.paint))
  return outline.sound ? asHoped : answerIsNo
}

interface Asked {
  readonly chain: readonly Read[]
  readonly roots: readonly Certificate[]
  readonly atMs: number
  readonly crl: readonly string[]
  readonly ocsp: readonly string[]
}

async function reported({ chain, roots, atMs, crl, ocsp }: Asked): Promise<readonly RevocationReport[]> {
  const [{ reportRevocation }, { readOcspResponses, readRevocationLists }] = await Promise.all([
    import('../../judgement/revocation.ts'),
    import('../revocation-file.ts'),
  ])
  const sources = [...crl.flatMap(one => readRevocationLists(one, chain)), ...ocsp.flatMap(readOcspResponses)]
  return reportRevocation({ chain, roots, atMs, budget: createBudget(), sources })
}
