/**
 * Revocation lists (PEM or DER) and OCSP responses (DER, as `openssl ocsp -respout` writes them, or PEM) as `cert show` is given them; `-` is standard input.
 *
 * Success means that every list or response in the file was read whole. A file that is anything else is a `CliFailure` (65), which says what it is instead. Loaded only
 * when such a file is given.
 */
import type { RevocationSource } from '../judgement/revocation.ts'
import { visible } from '../judgement/visible.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import type { Read } from '../protocol/x509/model.ts'
import { maxOcspBytes, parseOcspResponse } from '../protocol/x509/ocsp-response.ts'
import { type PemBlock, readPemBlocks } from '../protocol/x509/pem.ts'
import { maxRevocationListBytes, parseRevocationList } from '../protocol/x509/revocation-list.ts'
import { certificatesOf, nameOf, readBounded, textOf } from './certificate-file.ts'
import { CliFailure } from './failure.ts'

/** The lists of one file. @param chain Whose serial numbers are looked for. */
export function readRevocationLists(file: string, chain: readonly Read[]): readonly RevocationSource[] {
  const serials = certificatesOf(chain).map(({ serial }) => serial)
  return octetsIn(file, crlFile).map(({ octets, where }): RevocationSource => {
    const read = parseRevocationList(octets, serials)
    if (read.kind === 'malformed') throw notWhatItShouldBe(file, crlFile, octets, where, read.detail)
    return { kind: 'crl', file, list: read.list }
  })
}

/** The OCSP responses of one file: one, in DER. */
export function readOcspResponses(file: string): readonly RevocationSource[] {
  return octetsIn(file, ocspFile).map(({ octets, where }): RevocationSource => {
    const read = parseOcspResponse(octets)
    if (read.kind === 'malformed') throw notWhatItShouldBe(file, ocspFile, octets, where, read.detail)
    return { kind: 'ocsp', file, response: read.response }
  })
}

interface FileKind {
  readonly option: '--crl' | '--ocsp'
  /** With its article. */
  readonly what: string
  readonly label: string
  readonly maxBytes: number
  readonly hint: string
}

interface Found {
  readonly octets: Uint8Array
  /** ` in the block at line 7`, or nothing. */
  readonly where: string
}

function octetsIn(file: string, kind: FileKind): readonly Found[] {
  // Base64 and its line breaks take two fifths more.
  const bytes = readBounded(file, kind.option, { bytes: kind.maxBytes * 1.5, hint: kind.hint })
  if (bytes[0] === sequenceTag)
    return [{ octets: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), where: '' }]
  const text = textOf(bytes)
  const blocks = readPemBlocks(text, [kind.label], maxBlocks + 1, kind.maxBytes)
  if (blocks.length === 0) throw badInput(file, kind, `holds no ${kind.label}${instead(text)}`)
  if (blocks.length > maxBlocks) throw badInput(file, kind, `holds more than ${maxBlocks} of them`)
  return blocks.map(block => octetsOf(block, file, kind))
}

function octetsOf({ line, body }: PemBlock, file: string, kind: FileKind): Found {
  const where = ` in the block at line ${line}`
  if (body.kind === 'broken') throw badInput(file, kind, `is broken${where}: ${body.problem}`)
  return { octets: body.octets, where }
}

/** What other blocks there are. */
function instead(text: string): string {
  const labels = new Set(
    [...text.slice(0, 100_000).matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g)].map(([, label = '']) => label),
  )
  return labels.size === 0 ? '' : `, only ${[...labels].slice(0, 5).join(', ')}`
}

function notWhatItShouldBe(
  file: string,
  kind: FileKind,
  octets: Uint8Array,
  where: string,
  detail: string,
): CliFailure {
  const others: readonly (readonly [string, () => boolean])[] = [
    ['a certificate', () => parseCertificate(octets).kind === 'certificate'],
    ['a revocation list, which belongs to --crl', () => parseRevocationList(octets, []).kind === 'list'],
    ['an OCSP response, which belongs to --ocsp', () => parseOcspResponse(octets).kind === 'response'],
  ]
  const other = others.find(([, isIt]) => isIt())
  return badInput(
    file,
    kind,
    other === undefined ? `is not ${kind.what}${where}: ${visible(detail)}` : `is ${other[0]}`,
  )
}

function badInput(file: string, { option, hint }: FileKind, says: string): CliFailure {
  return new CliFailure('cli.bad-input', `${option}: ${nameOf(file)} ${says}`, hint)
}

const crlFile: FileKind = {
  option: '--crl',
  what: 'a revocation list',
  label: 'X509 CRL',
  maxBytes: maxRevocationListBytes,
  hint: 'Give it a revocation list in DER or PEM, as the address under "revocation" in the output of \'hermetic cert show\' has it.',
}

const ocspFile: FileKind = {
  option: '--ocsp',
  what: 'an OCSP response',
  label: 'OCSP RESPONSE',
  maxBytes: maxOcspBytes,
  hint: 'Write one with: openssl ocsp -issuer issuer.pem -cert leaf.pem -url http://... -respout answer.der',
}

const sequenceTag = 0x30
/** Of one file. */
const maxBlocks = 20
