import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Certified, createAuthority, createSelfSigned } from './certificate-maker.ts'
import { certificateFor, loadCertificates } from './server-certificates.ts'

let directory: string
let leaf: Certified
let other: Certified

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hermetic-certificates-'))
  const root = await createAuthority({ commonName: 'Root' })
  const middle = await root.intermediate({ commonName: 'Middle' })
  leaf = await middle.leaf({ names: ['mx.example.org'] })
  other = await middle.leaf({ names: ['*.other.example'], key: 'rsa' })
})
afterAll(() => rmSync(directory, { recursive: true }))

let serial = 0
function put(text: string): string {
  const path = join(directory, `${++serial}.pem`)
  writeFileSync(path, text)
  return path
}

function pair(chain: string, key: string) {
  return { chain: put(chain), key: put(key) }
}

/** The sentence about a single bad pair. */
function trouble(files: { chain: string; key: string }): string {
  const loaded = loadCertificates([files])
  if (loaded.kind === 'loaded') throw new Error('nothing was wrong with it')
  expect(loaded.problems).toHaveLength(1)
  return loaded.problems.map(problem => `${problem.says} ${problem.hint}`).join('\n')
}

test('several pairs are loaded in their order, and found by name', () => {
  const loaded = loadCertificates([pair(leaf.chain, leaf.key), pair(other.chain, other.key)])
  if (loaded.kind !== 'loaded') throw new Error(loaded.problems[0]?.says)
  const names = (serverName: string) => certificateFor(loaded.certificates, serverName)?.leaf.subjectAltName
  expect(names('mx.example.org')).toBe('DNS:mx.example.org')
  expect(names('MX.Other.Example')).toBe('DNS:*.other.example')
  expect(names('unknown.example')).toBe('DNS:mx.example.org')
  expect(loaded.warnings).toEqual([])
})

describe('a problem is told in a sentence with what to do', () => {
  test('no such file', () => {
    const chain = join(directory, 'none.pem')
    expect(trouble({ chain, key: put(leaf.key) })).toBe(
      `The certificate file ${chain} cannot be read: there is no such file. Put it there, or correct tls.certificates.`,
    )
  })

  test('a directory', () => {
    const key = join(directory, 'directory')
    mkdirSync(key)
    expect(trouble({ chain: put(leaf.chain), key })).toContain(
      `The key file ${key} cannot be read: it is a directory.`,
    )
  })

  test('no certificate in the file', () => {
    expect(trouble(pair(leaf.key, leaf.key))).toContain('There is no certificate in ')
    expect(trouble(pair('', leaf.key))).toContain('There is no certificate in ')
  })

  test('a damaged certificate', () => {
    const damaged = leaf.chain.replace(/(-----BEGIN CERTIFICATE-----\n.{40})[^-]{20}/, '$1')
    expect(trouble(pair(damaged, leaf.key))).toContain('Certificate 1 in ')
  })

  test('no key in the file', () => {
    expect(trouble(pair(leaf.chain, leaf.chain))).toContain('There is no private key in ')
  })

  test('a key behind a passphrase', () => {
    const key = put(leaf.key)
    const locked = execFileSync('openssl', ['pkcs8', '-topk8', '-in', key, '-passout', 'pass:secret'], {
      encoding: 'utf8',
    })
    expect(trouble(pair(leaf.chain, locked))).toContain('is protected by a passphrase')
  })

  test('a key of another certificate', () => {
    const files = pair(leaf.chain, other.key)
    expect(trouble(files)).toContain(
      `The key in ${files.key} does not belong to the certificate in ${files.chain}.`,
    )
  })

  test('a chain in the wrong order', () => {
    const [first = '', second = ''] = leaf.chain.split(/(?<=-----END CERTIFICATE-----\n)/)
    expect(trouble(pair(second + first, leaf.key))).toContain('belongs to certificate 2 in ')
  })

  test('a key too short for OpenSSL', () => {
    const made = execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:1024',
        '-nodes',
        '-subj',
        '/CN=short',
        '-keyout',
        join(directory, 'short.key'),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    expect(trouble({ chain: put(made), key: join(directory, 'short.key') })).toContain(
      'OpenSSL refuses the certificate in ',
    )
  })

  test('of every pair at once', () => {
    const bad = { chain: join(directory, 'none.pem'), key: join(directory, 'none.key') }
    const loaded = loadCertificates([bad, pair(leaf.chain, leaf.key), pair(leaf.chain, other.key)])
    expect(loaded.kind === 'problems' && loaded.problems.length).toBe(2)
  })
})

test('an expired certificate, and one not valid yet, are served with a warning', async () => {
  const made = await createSelfSigned({ names: ['a.example'], notBeforeMs: 1e12, notAfterMs: 1.1e12 })
  const files = [pair(made.chain, made.key)]
  const warnings = (nowMs: number) => {
    const loaded = loadCertificates(files, nowMs)
    return loaded.kind === 'loaded' ? loaded.warnings.map(warning => warning.says) : []
  }
  expect(warnings(1.05e12)).toEqual([])
  expect(warnings(1.2e12)[0]).toContain('expired on 2004-11-09')
  expect(warnings(0.9e12)[0]).toContain('is valid only from 2001-09-09T01:46:40.000Z on')
})
