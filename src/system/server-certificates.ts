/**
 * The certificates that our TLS servers show: read from files, checked, chosen by the name a client asks for (SNI, RFC 6066 §3).
 *
 * Success is a usable TLS context for each pair of files: a chain with the server's certificate first, and the key that belongs to it. What is
 * wrong is a value, one sentence each, with what to do. It does not judge whether clients will trust the chain; an expired one is served, with a warning.
 *
 * Every context refuses renegotiation (a man in the middle could splice two conversations, RFC 5746 §1) and resumption: ticket keys would be the one
 * long-lived secret, and mail servers seldom come back within a ticket's life. TLS 1.2 and 1.3 only.
 * No finite-field DHE in TLS 1.2: its work is the server's, and who speaks TLS 1.2 has elliptic curves.
 */
import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'

/** PEM files. */
export interface CertificateFiles {
  /** The server's certificate, then the intermediates in their order. */
  readonly chain: string
  readonly key: string
}

export interface ServerCertificate {
  readonly files: CertificateFiles
  readonly leaf: X509Certificate
  readonly context: SecureContext
}

/** One thing that is wrong, and what to do about it. */
export interface CertificateProblem {
  readonly file: string
  readonly says: string
  readonly hint: string
}

export type LoadedCertificates =
  | {
      readonly kind: 'loaded'
      readonly certificates: readonly ServerCertificate[]
      /** Served all the same. */
      readonly warnings: readonly CertificateProblem[]
    }
  | { readonly kind: 'problems'; readonly problems: readonly CertificateProblem[] }

/** Reads and checks all of them. Problems of all files are told at once. */
export function loadCertificates(files: readonly CertificateFiles[], nowMs = Date.now()): LoadedCertificates {
  const results = files.map(loadPair)
  const problems = results.filter(isProblem)
  if (problems.length > 0) return { kind: 'problems', problems }
  const certificates = results.filter((result): result is ServerCertificate => !isProblem(result))
  return { kind: 'loaded', certificates, warnings: certificates.flatMap(one => warningsOf(one, nowMs)) }
}

/** The first certificate that carries the name, else the first: a client that checks nothing is still served. */
export function certificateFor(
  certificates: readonly ServerCertificate[],
  serverName: string,
): ServerCertificate | undefined {
  return certificates.find(({ leaf }) => leaf.checkHost(serverName, hostRules) !== undefined) ?? certificates[0]
}

function isProblem(result: ServerCertificate | CertificateProblem): result is CertificateProblem {
  return 'says' in result
}

function loadPair(files: CertificateFiles): ServerCertificate | CertificateProblem {
  const chain = readText(files.chain, 'certificate')
  if (typeof chain !== 'string') return chain
  const keyText = readText(files.key, 'key')
  if (typeof keyText !== 'string') return keyText
  const certificates = parseChain(files.chain, chain)
  if (!Array.isArray(certificates)) return certificates
  const key = parseKey(files.key, keyText)
  if ('says' in key) return key
  const [leaf] = certificates
  if (leaf === undefined || !leaf.checkPrivateKey(key)) return misfit(files, certificates, key)
  try {
    const context = createSecureContext({
      cert: chain,
      key: keyText,
      minVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    })
    return { files, leaf, context }
  } catch (error) {
    return {
      file: files.chain,
      says: `OpenSSL refuses the certificate in ${files.chain}: ${messageOf(error)}.`,
      hint: 'Have it issued anew with a key of RSA 2048 or EC P-256.',
    }
  }
}

function readText(file: string, what: 'certificate' | 'key'): string | CertificateProblem {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const says = `The ${what} file ${file} cannot be read`
    if (code === 'ENOENT')
      return { file, says: `${says}: there is no such file.`, hint: 'Put it there, or correct tls.certificates.' }
    if (code === 'EACCES')
      return {
        file,
        says: `${says}: this user has no permission.`,
        hint: 'Let the user that the relay runs as read it, for example with chgrp and chmod 640.',
      }
    if (code === 'EISDIR')
      return { file, says: `${says}: it is a directory.`, hint: 'Name the PEM file in it in tls.certificates.' }
    return {
      file,
      says: `${says}: ${messageOf(error)}.`,
      hint: 'Check the disk and the path in tls.certificates.',
    }
  }
}

function parseChain(file: string, text: string): X509Certificate[] | CertificateProblem {
  const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END [A-Z0-9 ]+-----/g) ?? []
  if (blocks.length === 0)
    return {
      file,
      says: `There is no certificate in ${file}.`,
      hint: 'It must be a PEM file with "-----BEGIN CERTIFICATE-----" blocks, the server\'s own first.',
    }
  const certificates: X509Certificate[] = []
  for (const [index, block] of blocks.entries())
    try {
      certificates.push(new X509Certificate(block))
    } catch {
      return {
        file,
        says: `Certificate ${index + 1} in ${file} is damaged.`,
        hint: 'Fetch the file again from whoever issued it.',
      }
    }
  return certificates
}

function parseKey(file: string, text: string): KeyObject | CertificateProblem {
  if (/ENCRYPTED/.test(text))
    return {
      file,
      says: `The key in ${file} is protected by a passphrase, which a server has nobody to type.`,
      hint: 'Store it without one, readable by the relay only: openssl pkey -in OLD -out NEW; chmod 600 NEW.',
    }
  try {
    return createPrivateKey(text)
  } catch {
    return {
      file,
      says: `There is no private key in ${file}.`,
      hint: 'It must be a PEM file with a "-----BEGIN PRIVATE KEY-----" block.',
    }
  }
}

function misfit(
  { chain, key }: CertificateFiles,
  certificates: readonly X509Certificate[],
  parsed: KeyObject,
): CertificateProblem {
  const place = certificates.findIndex(certificate => certificate.checkPrivateKey(parsed))
  if (place > 0)
    return {
      file: chain,
      says: `The key in ${key} belongs to certificate ${place + 1} in ${chain}, not to the first.`,
      hint: "Put the server's own certificate first and those that sign it behind it.",
    }
  return {
    file: key,
    says: `The key in ${key} does not belong to the certificate in ${chain}.`,
    hint: 'Name the two files that were made together; a renewed certificate often has a new key.',
  }
}

function warningsOf({ files, leaf }: ServerCertificate, nowMs: number): CertificateProblem[] {
  const file = files.chain
  if (leaf.validToDate.getTime() < nowMs)
    return [
      {
        file,
        says: `The certificate in ${file} expired on ${leaf.validToDate.toISOString().slice(0, 10)}: clients that verify it do not deliver.`,
        hint: 'Renew it and reload.',
      },
    ]
  if (leaf.validFromDate.getTime() > nowMs)
    return [
      {
        file,
        says: `The certificate in ${file} is valid only from ${leaf.validFromDate.toISOString()} on.`,
        hint: "Check this machine's clock, or serve the old one until then.",
      },
    ]
  return []
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** No partial wildcards such as `mx*.example.org`: RFC 9525 §6.3. */
const hostRules = { wildcards: true, partialWildcards: false, subject: 'default' } as const
