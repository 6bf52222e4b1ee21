/**
 * A file of certificates (PEM, RFC 7468) as `verify`, `tlsa create` and `cert show` are given it; `-` is standard input.
 *
 * Success means at least one block that calls itself a certificate; whether each is one stands in the `Read`. A file that cannot be read, is larger
 * than the limit, or holds no such block is a `CliFailure` (65) that says what the file is instead, and how to convert it. The file is only read, and never
 * further than the limit: a device that never ends is refused like a large file.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { visible } from '../judgement/visible.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import { readChain } from '../protocol/x509/pem.ts'
import { CliFailure } from './failure.ts'
import { shellWord } from './shell-word.ts'

/** Every certificate that browsers trust together is a quarter of a megabyte. */
const maxFileBytes = 10 * 1024 * 1024
/** Systems carry some 150. */
const maxRoots = 2_000

/** @param option What the file was named by, for the message: `--chain`. */
export function readCertificates(file: string, option: string): readonly Read[] {
  const bytes = readBounded(file, option)
  const text = textOf(bytes)
  const chain = readChain(text)
  if (chain.length > 0) return chain
  const { says, hint } = whatElse(bytes, text, file, serverFirst)
  throw new CliFailure('cli.bad-input', `${option}: ${nameOf(file)} ${says}`, hint)
}

/** Roots to trust, or certificates that are known: all blocks must be certificates, for a root that is left out would be called untrusted. */
export function readRoots(file: string, option: string): readonly Certificate[] {
  const wanted = option === '--roots' ? 'root certificates' : 'certificates'
  const bytes = readBounded(file, option, {
    bytes: maxFileBytes,
    hint: `Give it a file of ${wanted} in PEM, one after the other.`,
  })
  const text = textOf(bytes)
  const read = readChain(text, maxRoots)
  const broken = read.findIndex(({ kind }) => kind === 'malformed')
  const detail = read[broken]
  if (detail?.kind === 'malformed')
    throw new CliFailure(
      'cli.bad-input',
      `${option}: block ${broken + 1} of ${nameOf(file)} is no certificate: ${visible(detail.detail)}`,
      'Take it out of the file, or put the whole certificate there.',
    )
  if (read.length > 0) return certificatesOf(read)
  const { says, hint } = whatElse(bytes, text, file, 'in any order')
  throw new CliFailure('cli.bad-input', `${option}: ${nameOf(file)} ${says}`, hint)
}

/** Those that can be read, in their order; blocks that are malformed are left out. */
export function certificatesOf(chain: readonly Read[]): readonly Certificate[] {
  return chain.flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
}

/** How large a file may be, and what to do about one that is larger or cannot be read. */
export interface FileLimit {
  readonly bytes: number
  readonly hint: string
}

/** The octets of a file, or of standard input. */
export function readBounded(file: string, option: string, limit: FileLimit | null = null): Buffer {
  try {
    const opened = file === '-' ? 0 : openSync(file, 'r')
    try {
      return readAll(opened, file, option, limit)
    } finally {
      if (opened !== 0) closeSync(opened)
    }
  } catch (error) {
    if (error instanceof CliFailure) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new CliFailure(
      'cli.bad-input',
      `${option}: ${nameOf(file)} cannot be read: ${unreadable.get(code) ?? code}`,
      limit?.hint ?? 'Give it a file of certificates in PEM, as the server sends them.',
    )
  }
}

function readAll(opened: number, file: string, option: string, limit: FileLimit | null): Buffer {
  const maxBytes = limit?.bytes ?? maxFileBytes
  const pieces: Buffer[] = []
  let length = 0
  while (length <= maxBytes) {
    const piece = Buffer.allocUnsafe(65_536)
    const read = readPiece(opened, piece)
    if (read === 0) return Buffer.concat(pieces, length)
    pieces.push(piece.subarray(0, read))
    length += read
  }
  throw new CliFailure(
    'cli.bad-input',
    `${option}: ${nameOf(file)} is larger than ${maxBytes / 1024 / 1024} MB`,
    limit?.hint ?? 'A chain is a few kilobytes: give it only the certificates of one server.',
  )
}

function readPiece(opened: number, piece: Buffer): number {
  for (;;)
    try {
      return readSync(opened, piece)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      // Standard input that somebody made non-blocking, and has nothing yet.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
      else if (code === 'EOF') return 0
      else throw error
    }
}

/** PEM is ASCII; what stands around the blocks may be anything. Windows' shells redirect in UTF-16. */
export function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le')
  return bytes.toString('latin1')
}

/** @param order Of the certificates that are wanted, in words. */
function whatElse(bytes: Buffer, text: string, file: string, order: string): { says: string; hint: string } {
  const pemHint = `It must be PEM: blocks that begin with -----BEGIN CERTIFICATE-----, ${order}.`
  const from = file === '-' ? '' : ` -in ${shellWord(file)}`
  if (bytes.length === 0) return { says: 'is empty', hint: pemHint }
  const labels = [
    ...new Set([...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g)].map(match => match[1] ?? '')),
  ]
  if (labels.some(label => label === 'PKCS7' || label === 'CMS'))
    return {
      says: 'holds its certificates in a PKCS #7 envelope',
      hint: `Unpack it: openssl pkcs7 -print_certs${from} -out chain.pem`,
    }
  if (labels.length > 0)
    return {
      says: `holds no certificate, only ${labels
        .slice(0, 5)
        .map(label => label.toLowerCase())
        .join(', ')}`,
      hint: `Give it the file with the CERTIFICATE blocks, ${order}.`,
    }
  // A SEQUENCE: an X.509 certificate begins with another one inside, PKCS #7 with an OID, PKCS #12 with a number.
  if (bytes[0] === 0x30) {
    const inner = bytes[contentStart(bytes)]
    if (inner === 0x30)
      return {
        says: 'is DER, not PEM',
        hint: `Convert it: openssl x509 -inform der${from} -out chain.pem`,
      }
    if (inner === 0x06)
      return {
        says: 'is a PKCS #7 file in DER, not PEM',
        hint: `Convert it: openssl pkcs7 -inform der -print_certs${from} -out chain.pem`,
      }
    if (inner === 0x02)
      return {
        says: 'is a PKCS #12 file or a key in DER, not PEM',
        hint: `Take the certificates out of a PKCS #12 file: openssl pkcs12 -nokeys${from} -out chain.pem`,
      }
  }
  return { says: 'holds no certificate', hint: pemHint }
}

/** Where the content begins, behind tag and length (X.690 §8.1.3). */
function contentStart(bytes: Buffer): number {
  const length = bytes[1] ?? 0
  return length < 0x80 ? 2 : 2 + (length & 0x7f)
}

/** A file in a sentence: its name as typed, made safe to show; `-` is standard input. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : visible(file, 200)
}

const serverFirst = 'the certificate of the server first'

const unreadable: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'there is no such file'],
  ['EACCES', 'this user may not read it'],
  ['EPERM', 'this user may not read it'],
  ['EISDIR', 'it is a directory'],
  ['ELOOP', 'its links lead round in a circle'],
  ['ENAMETOOLONG', 'no file has a name so long'],
])
