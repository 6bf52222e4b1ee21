import { expect, test } from 'vitest'
import { readChain } from '../protocol/x509/pem.ts'
import {
  type Authority,
  createAuthority,
  createSelfSigned,
  type LeafOptions,
} from '../system/certificate-maker.ts'
import { judgePeer, type ShownChain } from './peer.ts'

const root = await createAuthority({ commonName: 'Root' })
const between = await root.intermediate({ commonName: 'Between' })
const dayMs = 86_400_000
const atMs = Date.now()
const mail = [{ name: 'mail.example', from: 'operator' }] as const
const content = { authorized: true, error: null }
const discontent = { authorized: false, error: 'SOME_OPENSSL_CODE' }

function shown(pem: string, differing: Partial<ShownChain> = {}): ShownChain {
  return { chain: readChain(pem), roots: certificates(root.root), atMs, openssl: discontent, ...differing }
}

function certificates(pem: string) {
  return readChain(pem).flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
}

const leafOf = async (issuer: Authority, options: Partial<LeafOptions> = {}) =>
  (await issuer.leaf({ names: ['mail.example'], ...options })).chain

test('path, name and OpenSSL together prove the peer', async () => {
  expect(judgePeer(mail, shown(await leafOf(between), { openssl: content }))).toEqual({
    by: 'pkix',
    record: null,
    dane: null,
    path: {
      certificates: [
        { position: 0, subject: 'CN=mail.example' },
        { position: 1, subject: 'CN=Between' },
        { position: null, subject: 'CN=Root' },
      ],
      failure: null,
    },
    matched: 'mail.example',
    failure: null,
    validUntilMs: expect.closeTo(atMs + 3_652 * dayMs, -5) as number,
    remarks: [],
  })
})

test('a path is valid no longer than its root, which is not sent', async () => {
  const short = await createAuthority({ commonName: 'Short', notAfterMs: atMs + dayMs })
  const judged = judgePeer(mail, shown(await leafOf(short), { roots: certificates(short.root), openssl: content }))
  expect(judged.failure).toBeNull()
  expect(Math.abs((judged.validUntilMs ?? 0) - atMs - dayMs)).toBeLessThan(1_001)
})

test('a certificate that was sent twice has its first place', async () => {
  const pem = await leafOf(between)
  const chain = readChain(pem)
  const [leaf] = chain
  const judged = judgePeer(
    mail,
    shown('', { chain: leaf === undefined ? chain : [...chain, leaf], openssl: content }),
  )
  expect(judged.path?.certificates.map(({ position }) => position)).toEqual([0, 1, null])
})

const cases: [string, () => Promise<string>, string, RegExp][] = [
  ['no certificate at all', () => Promise.resolve(''), 'x509.no-certificate', /^null$/],
  [
    'a leaf whose issuer was not sent',
    async () => (await between.leaf({ names: ['mail.example'] })).certificate,
    'x509.missing-intermediate',
    /Between/,
  ],
  [
    'a root that nobody trusts',
    async () => leafOf(await createAuthority({ commonName: 'Other' })),
    'x509.missing-intermediate',
    /Other/,
  ],
  [
    'a root that nobody trusts, sent along',
    async () => {
      const other = await createAuthority({ commonName: 'Other' })
      return (await leafOf(other)) + other.root
    },
    'x509.untrusted-root',
    /Other/,
  ],
  [
    'a leaf signed by itself',
    async () => (await createSelfSigned({ names: ['mail.example'] })).chain,
    'x509.self-signed',
    /mail\.example/,
  ],
  ['a date in the past', () => leafOf(between, { notAfterMs: atMs - dayMs }), 'x509.expired', /ended/],
  ['a date to come', () => leafOf(between, { notBeforeMs: atMs + dayMs }), 'x509.not-yet-valid', /begins/],
  [
    'a certificate for clients',
    () => leafOf(between, { extendedKeyUsage: ['clientAuth'] }),
    'x509.extended-key-usage',
    /./,
  ],
]

test.each(cases)('%s does not, and the reason is ours', async (_title, make, reason, detail) => {
  const { failure, path, remarks } = judgePeer(mail, shown(await make()))
  expect(failure?.reason).toBe(reason)
  expect(String(failure?.detail)).toMatch(detail)
  expect(path).toMatchObject({ certificates: [], failure: { code: reason } })
  expect(remarks).toEqual([])
})

test('anonymous suites leave OpenSSL content, and us not: that is no disagreement about a path', () => {
  expect(judgePeer(mail, shown('', { openssl: content }))).toMatchObject({
    failure: { reason: 'x509.no-certificate' },
    remarks: [],
  })
})

test('another name is told with what was wanted and what is carried', async () => {
  const names = ['a.example', 'b.example', 'c.example', '192.0.2.1', 'd.example', 'e.example', 'f.example']
  expect(judgePeer(mail, shown(await leafOf(between, { names }), { openssl: content })).failure).toEqual({
    reason: 'x509.name-mismatch',
    detail: 'wanted mail.example; it carries a.example, b.example, c.example, 192.0.2.1, d.example and 2 more',
    reply: null,
  })
  const none = judgePeer(
    mail,
    shown(await leafOf(between, { names: [], commonName: 'mail.example' }), { openssl: content }),
  )
  expect(none.failure?.detail).toBe('wanted mail.example; it carries no name')
})

test('when OpenSSL refuses what we accept, the peer is not proved, and the disagreement is the reason', async () => {
  const judged = judgePeer(mail, shown(await leafOf(between)))
  expect(judged.path?.failure).toBeNull()
  expect(judged.failure).toEqual({
    reason: 'x509.openssl-disagrees',
    detail: 'OpenSSL refuses it: SOME_OPENSSL_CODE',
    reply: null,
  })
})

test('when we refuse what OpenSSL accepts, our reason refuses, and the disagreement is told beside it', async () => {
  const chain = await leafOf(between, { notAfterMs: atMs - dayMs })
  const judged = judgePeer(mail, shown(chain, { openssl: content }))
  expect(judged.failure?.reason).toBe('x509.expired')
  expect(judged.remarks).toMatchObject([{ reason: 'x509.openssl-disagrees' }])
})

test('a block among the issuers that is no certificate is told, and refuses nothing', async () => {
  const chain = [
    ...readChain(await leafOf(between)),
    { kind: 'malformed', der: new Uint8Array(), detail: 'odd' },
  ] as const
  const judged = judgePeer(mail, shown('', { chain, openssl: content }))
  expect(judged.failure).toBeNull()
  expect(judged.remarks).toMatchObject([{ reason: 'x509.malformed', detail: 'the certificate in place 2: odd' }])
})

test('a key that may sign certificates only is refused for that, and nothing more is said of its key usage', async () => {
  const chain = await leafOf(between, { keyUsage: ['keyCertSign'] })
  expect(judgePeer(mail, shown(chain))).toMatchObject({
    failure: { reason: 'x509.leaf-key-usage', detail: 'CN=mail.example: it is for keyCertSign' },
    remarks: [],
  })
})

test('what other programs trip over is told: case 2, a leaf that may not sign', async () => {
  const chain = await leafOf(between, { key: 'rsa', keyUsage: ['keyEncipherment'] })
  expect(judgePeer(mail, shown(chain, { openssl: content }))).toMatchObject({
    failure: null,
    remarks: [{ reason: 'x509.key-usage-no-signature', detail: 'CN=mail.example' }],
  })
})
