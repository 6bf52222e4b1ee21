/**
 * PEM: the textual encoding of certificates (RFC 7468 §2, §5).
 *
 * Success means that every block of a wanted label was found, in the order of the text. What stands between blocks is ignored, as RFC 7468 §2 wants, and so
 * are blocks of other labels. Base64 is strict (RFC 4648 §4) but for blanks and line breaks, which may stand anywhere. A block that does not end, or does not
 * decode, is told with its line; it hides none of the others.
 *
 * The text is gone through once.
 */
import { maxCertificateBytes, parseCertificate } from './certificate.ts'
import type { Read } from './model.ts'

export interface PemBlock {
  readonly label: string
  /** Of its BEGIN, counted from 1. */
  readonly line: number
  /** What it encodes, or what is wrong with it. */
  readonly body:
    | { readonly kind: 'octets'; readonly octets: Uint8Array }
    | { readonly kind: 'broken'; readonly problem: string }
}

/** More than any server sends. Handshakes stop long before. */
export const maxChainCertificates = 100

/**
 * Certificates of a chain file, as sent: leaf first. Blocks are CERTIFICATE, or X509 CERTIFICATE as some write it.
 *
 * @param maxCertificates So many are read. If there are more, one `malformed` stands for all the rest, so that nobody takes the part for the whole.
 * @returns empty when the text has no such block.
 */
export function readChain(text: string, maxCertificates = maxChainCertificates): readonly Read[] {
  const blocks = readPemBlocks(text, certificateLabels, maxCertificates + 1)
  return blocks.map(({ line, body }, index) => {
    if (index === maxCertificates)
      return malformed(`more than ${maxCertificates} certificates; the rest was not read, from line ${line} on`)
    if (body.kind === 'broken') return malformed(`${body.problem}, in the block at line ${line}`)
    const read = parseCertificate(body.octets)
    return read.kind === 'malformed' ? { ...read, detail: `${read.detail}, in the block at line ${line}` } : read
  })
}

/**
 * The first `maxBlocks` blocks with one of `labels`.
 * @param maxOctets What one block may encode.
 */
export function readPemBlocks(
  text: string,
  labels: readonly string[],
  maxBlocks: number,
  maxOctets = maxCertificateBytes,
): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  let open: { readonly label: string; readonly from: number; readonly line: number } | null = null
  let line = 1
  let counted = 0
  const close = (problem: string | null, end: number) => {
    if (open === null || !labels.includes(open.label)) return
    const body =
      problem === null ? decode(text, open.from, end, maxOctets) : ({ kind: 'broken', problem } as const)
    blocks.push({ label: open.label, line: open.line, body })
  }
  for (const match of text.matchAll(boundary)) {
    if (blocks.length === maxBlocks) return blocks
    const [found, edge, label = ''] = match
    line += linesIn(text, counted, match.index)
    counted = match.index
    if (edge === 'END') {
      close(open?.label === label ? null : `the block ends as ${label}`, match.index)
      open = null
    } else {
      close('the block has no END', match.index)
      open = { label, from: match.index + found.length, line }
    }
  }
  if (blocks.length < maxBlocks) close('the block has no END', text.length)
  return blocks
}

function decode(text: string, from: number, end: number, maxOctets: number): PemBlock['body'] {
  // A third more than the octets, and as much again for blanks and line breaks.
  if (end - from > maxOctets * 2) return broken('the block is too long')
  const digits = text.slice(from, end).replace(blanks, '')
  if (digits.length % 4 !== 0 || !base64.test(digits)) return broken('the block is not base64')
  const octets = Buffer.from(digits, 'base64')
  return { kind: 'octets', octets: new Uint8Array(octets.buffer, octets.byteOffset, octets.length) }
}

function broken(problem: string): PemBlock['body'] {
  return { kind: 'broken', problem }
}

function malformed(detail: string): Read {
  return { kind: 'malformed', der: new Uint8Array(0), detail }
}

/** Looks at no character outside its part, however long the line. */
function linesIn(text: string, from: number, end: number): number {
  let lines = 0
  for (let at = from; at < end; at++) if (text.charCodeAt(at) === lineFeed) lines++
  return lines
}

const lineFeed = 0x0a
/** Anywhere in a line, so that indented blocks, and files joined without a line break between, are read as well. */
const boundary = /-----(BEGIN|END) ([A-Z0-9 ]{0,60})-----/g
const blanks = /[ \t\r\n]+/g
const base64 = /^[A-Za-z0-9+/]*={0,2}$/
/** RFC 7468 §5.1, and a label of old. */
const certificateLabels = ['CERTIFICATE', 'X509 CERTIFICATE'] as const
