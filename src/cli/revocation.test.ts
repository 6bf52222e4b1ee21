/** `cert show --crl` and `--ocsp` as a process, on files that openssl made; and what a file is answered with that is not what it should be. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyOf } from '../../test/certificates/keys.ts'
import { extension, makeAuthority, makeLeaf, pemOf } from '../../test/certificates/maker.ts'
import { answerFor, entry, makeList, makeOcsp, reason } from '../../test/certificates/revocation.ts'
import type { CertDocument } from '../judgement/cert-document.ts'
import { hermetic, hermeticJson } from './testing/process.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const absent = hasOpenssl ? '' : ' (skipped: openssl is not installed)'

const directory = mkdtempSync(join(tmpdir(), 'revocation-'))
afterAll(() => rmSync(directory, { recursive: true }))
const path = (name: string) => join(directory, name)

const show = (...args: readonly string[]) => hermeticJson<CertDocument>(['cert', 'show', ...args])

/** `good by issuer` of each certificate, for each source. */
const told = ({ revocation }: CertDocument) =>
  revocation.map(({ certificates }) =>
    certificates.map(one => (one.status === 'not-covered' ? one.status : `${one.status} by ${one.authority}`)),
  )

describe.skipIf(!hasOpenssl)(`what openssl made${absent}`, () => {
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  const authority = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key']
  const responder = (name: string) => ['-rsigner', `${name}.pem`, '-rkey', `${name}.key`]
  const answer = (file: string, ...args: readonly string[]) =>
    openssl('ocsp', '-index', 'index.txt', '-CA', 'ca.pem', '-reqin', 'question.der', '-respout', file, ...args)

  beforeAll(() => {
    writeFileSync(path('ca.cnf'), configuration)
    writeFileSync(path('index.txt'), '')
    writeFileSync(path('serial'), '1000\n')
    writeFileSync(path('crlnumber'), '01\n')
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', 'ca.cnf']
    const made = ['-x509', '-days', '30', '-extensions', 'v3_ca', '-keyout', 'ca.key', '-out', 'ca.pem']
    openssl('req', ...key, ...made, '-subj', '/CN=Openssl CA')
    for (const name of ['leaf', 'responder', 'other']) {
      openssl('req', '-new', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      openssl(
        'ca',
        '-batch',
        ...authority,
        '-in',
        `${name}.csr`,
        '-out',
        `${name}.pem`,
        '-extensions',
        name,
        '-notext',
      )
    }
    writeFileSync(path('chain.pem'), readFileSync(path('leaf.pem'), 'utf8') + readFileSync(path('ca.pem'), 'utf8'))
    openssl('ocsp', '-issuer', 'ca.pem', '-cert', 'leaf.pem', '-reqout', 'question.der')
    openssl('ca', ...authority, '-gencrl', '-out', 'before.crl')
    answer('before.der', ...responder('responder'), '-ndays', '3')
    openssl('ca', ...authority, '-revoke', 'leaf.pem', '-crl_reason', 'keyCompromise')
    openssl('ca', ...authority, '-gencrl', '-out', 'after.crl')
    openssl('crl', '-in', 'after.crl', '-outform', 'der', '-out', 'after.crl.der')
    answer('after.der', ...responder('ca'), '-ndays', '3', '-resp_key_id', '-no_certs')
    answer('other.der', ...responder('other'), '-ndays', '3')
  }, 60_000)

  test('a certificate tells of must-staple and of addresses', async () => {
    const { document } = await show(path('chain.pem'))
    expect(document.certificates[0]?.informational).toEqual({
      mustStaple: true,
      scts: [],
      ocsp: ['http://ocsp.example/'],
      caIssuers: ['http://ca.example/ca.cer'],
      crls: ['http://crl.example/ca.crl'],
      unreadable: [],
    })
    expect(document.revocation).toEqual([])
  })

  test.each<[string, string, string, string[]]>([
    ['a list before it was revoked', '--crl', 'before.crl', ['good by issuer', 'good by issuer']],
    ['a list after it was revoked', '--crl', 'after.crl', ['revoked by issuer', 'good by issuer']],
    ['that list in DER', '--crl', 'after.crl.der', ['revoked by issuer', 'good by issuer']],
    ['the answer of a responder', '--ocsp', 'before.der', ['good by delegate', 'not-covered']],
    ['the answer of the issuer', '--ocsp', 'after.der', ['revoked by issuer', 'not-covered']],
    [
      'the answer of a certificate that is not for that',
      '--ocsp',
      'other.der',
      ['revoked by nobody', 'not-covered'],
    ],
  ])('%s', async (_, option, file, expected) => {
    const { code, document } = await show(path('chain.pem'), option, path(file))
    expect(told(document)).toEqual([expected])
    expect(document.revocation[0]?.signature?.verdict).toBe('good')
    // It is whole and in date; revocation is not judged.
    expect(code).toBe(0)
    expect(document.sound).toBe(true)
  })

  test('several at once, as a page', async () => {
    const files = ['--crl', path('before.crl'), '--crl', path('after.crl'), '--ocsp', path('after.der')]
    const { code, out } = await hermetic(['cert', 'show', path('chain.pem'), ...files])
    expect(code).toBe(0)
    expect(out).toContain('Revocation, reported and not judged: it changes nothing above\n')
    expect(out).toMatch(/^ {3}0 {2}revoked {2}It was revoked on 20/m)
    expect(out).toContain('      It is not about certificate 1.\n')
    expect(Math.max(...out.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
  })

  test('out of date at another time', async () => {
    const { document } = await show(path('chain.pem'), '--crl', path('after.crl'), '--at', '2099-01-01T00:00:00Z')
    expect(document.revocation[0]?.says).toContain('It is out of date')
  })
})

describe('a file that is given', () => {
  const issuer = makeAuthority({ subject: 'CN=Issuer', key: keyOf('issuer') })
  const leaf = makeLeaf({ issuer })
  const list = makeList({ issuer, entries: [entry(leaf.serial, reason(4))] })
  const response = makeOcsp({ signer: issuer, answers: [answerFor(leaf, issuer)] })

  beforeAll(() => {
    writeFileSync(path('made.pem'), leaf.pem + issuer.pem)
    writeFileSync(path('made.crl'), list)
    writeFileSync(path('two.crl'), pemOf(list, 'X509 CRL') + pemOf(makeList({ issuer }), 'X509 CRL'))
    writeFileSync(path('made.der'), response)
    writeFileSync(path('made.ocsp.pem'), pemOf(response, 'OCSP RESPONSE'))
    writeFileSync(path('leaf.der'), leaf.der)
    writeFileSync(path('cut.crl'), list.subarray(0, -1))
    writeFileSync(path('cut.pem'), pemOf(list.subarray(0, -1), 'X509 CRL'))
    writeFileSync(path('broken.pem'), '-----BEGIN X509 CRL-----\n?\n-----END X509 CRL-----\n')
    writeFileSync(path('many.pem'), pemOf(list, 'X509 CRL').repeat(21))
    writeFileSync(path('empty'), '')
    writeFileSync(path('large'), Buffer.alloc(2 * 1024 * 1024, 0x30))
  })

  test.each<[string, string, string, string]>([
    ['no such file', '--crl', 'absent', 'there is no such file'],
    ['nothing', '--crl', 'empty', 'holds no X509 CRL'],
    ['a certificate in PEM', '--crl', 'made.pem', 'holds no X509 CRL, only CERTIFICATE'],
    ['a certificate in DER', '--crl', 'leaf.der', 'is a certificate'],
    ['an OCSP response for a list', '--crl', 'made.der', 'is an OCSP response, which belongs to --ocsp'],
    ['a list for an OCSP response', '--ocsp', 'made.crl', 'is a revocation list, which belongs to --crl'],
    ['a list that is cut off', '--crl', 'cut.crl', 'is not a revocation list: an element is longer'],
    [
      'a list that is cut off, in PEM',
      '--crl',
      'cut.pem',
      'is not a revocation list in the block at line 1: an element',
    ],
    ['no base64', '--crl', 'broken.pem', 'is broken in the block at line 1: the block is not base64'],
    ['more lists than anybody needs', '--crl', 'many.pem', 'holds more than 20 of them'],
    ['a response that is too large', '--ocsp', 'large', 'is larger than 1.5 MB'],
  ])('and is not what it should be ends with 65: %s', async (_, option, file, says) => {
    const { code, document } = await hermeticJson(['cert', 'show', path('made.pem'), option, path(file)])
    expect(code).toBe(65)
    expect(document).toMatchObject({
      schema: 'hermetic.error/1',
      code: 'cli.bad-input',
      says: expect.stringContaining(says),
    })
  })

  test('is read when it is right: several lists in a file, a response in PEM, standard input', async () => {
    const { code, document } = await show(
      path('made.pem'),
      '--crl',
      path('two.crl'),
      '--ocsp',
      path('made.ocsp.pem'),
      '--at',
      '2026-06-01T00:00:00Z',
    )
    expect(code).toBe(0)
    expect(told(document)).toEqual([
      ['revoked by issuer', 'good by issuer'],
      ['good by issuer', 'good by issuer'],
      ['good by issuer', 'not-covered'],
    ])
    const piped = await hermeticJson(['cert', 'show', path('made.pem'), '--crl', '-'], list)
    expect(piped.document).toMatchObject({ revocation: [{ kind: 'crl', file: '-', entries: 1 }] })
  })

  test('twice from standard input is wrong usage', async () => {
    const { code, document } = await hermeticJson(['cert', 'show', '-', '--crl', '-'])
    expect([code, document['says']]).toEqual([64, 'only one file can come from standard input'])
  })

  test('may be a list of 200,000 entries and ten megabytes', async () => {
    const one = entry(Buffer.from([1, 0, 0, 0, 1]), reason(1), extension('1.2.3', Buffer.alloc(6)))
    const all = Buffer.alloc(one.length * 200_000, one)
    for (let index = 0; index < 200_000; index++) all.writeUIntBE(index, index * one.length + 5, 3)
    const large = makeList({ issuer, entries: [all, entry(leaf.serial, reason(4))] })
    expect(large.length).toBeGreaterThan(10_000_000)
    writeFileSync(path('large.crl'), pemOf(large, 'X509 CRL'))
    const { document } = await show(path('made.pem'), '--crl', path('large.crl'))
    expect(document.revocation[0]).toMatchObject({
      entries: 200_001,
      certificates: [{ status: 'revoked' }, { status: 'good' }],
    })
  })
})

const configuration = `
[req]
distinguished_name = dn
[dn]
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
crl_extensions = list
[any]
commonName = supplied
[list]
authorityKeyIdentifier = keyid:always
[v3_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
subjectAltName = DNS:mx.example.org
tlsfeature = status_request
authorityInfoAccess = OCSP;URI:http://ocsp.example/, caIssuers;URI:http://ca.example/ca.cer
crlDistributionPoints = URI:http://crl.example/ca.crl
[responder]
extendedKeyUsage = OCSPSigning
[other]
extendedKeyUsage = serverAuth
`
