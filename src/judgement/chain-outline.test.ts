import { describe, expect, test } from 'vitest'
import { integer, octetString, oid, sequence } from '../../test/certificates/der.ts'
import { keyOf } from '../../test/certificates/keys.ts'
import {
  at,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  type Made,
  makeAuthority,
  makeLeaf,
} from '../../test/certificates/maker.ts'
import { createBudget } from '../protocol/x509/budget.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import { certDocument } from './cert-document.ts'
import { type ChainOutline, outlineChain } from './chain-outline.ts'
import { chainOutlineText } from './chain-outline-text.ts'
import { columnsOf } from './columns.ts'

const root = makeAuthority({ subject: 'CN=Root', key: keyOf('root') })
const middle = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('middle') })
const leaf = makeLeaf({ issuer: middle, names: ['mx.example.com'] })
const stranger = makeAuthority({ subject: 'CN=Stranger', key: keyOf('stranger') })
const garbage = { kind: 'malformed', der: new Uint8Array([1]), detail: 'it is not even a SEQUENCE' } as const

const read = (made: Made): Read => parseCertificate(made.der)

function certificate(made: Made): Certificate {
  const one = read(made)
  if (one.kind === 'malformed') throw new Error(one.detail)
  return one.certificate
}

function outline(chain: readonly (Made | Read)[], roots: readonly Made[] = [], limit = 1_500): ChainOutline {
  return outlineChain({
    chain: chain.map(one => ('kind' in one ? one : read(one))),
    roots: roots.map(certificate),
    atMs: at.getTime(),
    budget: createBudget({ signatures: limit }),
  })
}

const codes = ({ findings }: ChainOutline) => findings.map(({ code }) => code)

describe('a chain is sound', () => {
  test.each<[string, (Made | Read)[], Made[], number[], string[]]>([
    ['up to a root that was sent', [leaf, middle, root], [], [0, 1, 2], ['x509.root-sent']],
    ['below a known root', [leaf, middle], [root], [0, 1], []],
    ['when it is one certificate, signed by itself', [makeLeaf({})], [], [0], []],
    [
      'in any order, which is told',
      [leaf, root, middle],
      [],
      [0, 2, 1],
      ['x509.chain-out-of-order', 'x509.root-sent'],
    ],
    [
      'with strangers in between, who are told',
      [leaf, stranger, middle],
      [root],
      [0, 2],
      ['x509.chain-has-strangers'],
    ],
    ['with the leaf sent twice', [leaf, leaf, middle], [root], [0, 2], ['x509.chain-has-strangers']],
  ])('%s', (_title, chain, roots, path, expected) => {
    const result = outline(chain, roots)
    expect(result.path).toEqual(path)
    expect(codes(result).filter(code => code !== 'x509.key-usage-no-encipherment')).toEqual(expected)
    expect(result.sound).toBe(true)
  })

  test('where a known root reaches down to what is also cross-signed by one that is gone', () => {
    const gone = makeAuthority({ subject: 'CN=Gone', key: keyOf('gone') })
    const crossed = makeAuthority({
      subject: 'CN=Root',
      key: keyOf('root'),
      issuer: gone,
      notAfter: new Date(at.getTime() - 1_000),
    })
    const result = outline([leaf, middle, crossed], [root])
    expect(result).toMatchObject({ sound: true, path: [0, 1] })
    expect(result.certificates[1]?.signer).toEqual({ kind: 'sent', position: 2, root: 'CN=Root' })
    expect(codes(result)).not.toContain('x509.chain-has-strangers')
  })
})

describe('a chain is not sound', () => {
  const dayMs = 86_400_000
  test.each<[string, (Made | Read)[], string, string]>([
    ['without its intermediate', [leaf], 'x509.missing-intermediate', 'its issuer is missing'],
    ['below an unknown authority', [leaf, middle], 'x509.untrusted-root', 'it ends below an authority'],
    [
      'with an altered signature',
      [leaf, makeAuthority({ subject: 'CN=Middle', key: keyOf('other') })],
      'x509.bad-signature',
      'a signature is wrong',
    ],
    [
      'with an expired leaf',
      [makeLeaf({ notAfter: new Date(at.getTime() - dayMs) })],
      'x509.expired',
      'it is out of date',
    ],
    [
      'with a leaf of tomorrow',
      [makeLeaf({ notBefore: new Date(at.getTime() + dayMs) })],
      'x509.not-yet-valid',
      'it is not valid yet',
    ],
    [
      'with a block that is no certificate',
      [leaf, middle, root, garbage],
      'x509.malformed',
      'something in it cannot be read',
    ],
    ['that begins with such a block', [garbage, leaf], 'x509.malformed', 'The first block of the file'],
    [
      'signed with SHA-1',
      [makeLeaf({ issuer: root, signature: 'rsa-sha1' }), root],
      'x509.weak-signature',
      'a signature can be forged',
    ],
  ])('%s', (_title, chain, code, says) => {
    const result = outline(chain)
    expect(codes(result)).toContain(code)
    expect(result.says).toContain(says)
    expect(result.sound).toBe(false)
  })

  test('when there is more to verify than the budget pays for', () => {
    const result = outline([leaf, middle, root], [], 0)
    expect(codes(result)).toContain('x509.over-budget')
  })
})

describe('a file that is upside down', () => {
  test.each<[string, Made[], number[]]>([
    ['of two', [middle, leaf], [1, 0]],
    ['of three', [root, middle, leaf], [2, 1, 0]],
  ])('%s is refused for that, and told from the true leaf', (_title, chain, path) => {
    const result = outline(chain, [root])
    expect(result).toMatchObject({ sound: false, path })
    expect(result.says).toContain('from CN=mx.example.com that would be refused: the file is upside down')
    expect(result.findings[0]).toMatchObject({ code: 'x509.chain-out-of-order', severity: 'error' })
    expect(result.findings[0]?.says).toContain(`the order would be ${path.join(', ')}`)
    expect(codes(result).filter(code => code !== 'x509.root-sent')).toEqual(['x509.chain-out-of-order'])
  })
})

describe('the rules of verify are asked', () => {
  const sub = (recipe: Parameters<typeof makeAuthority>[0]) =>
    makeAuthority({ subject: 'CN=Sub', key: keyOf('sub'), issuer: root, ...recipe })
  const chainBelow = (authority: Made) => [makeLeaf({ issuer: authority, names: ['mx.example.com'] }), authority]
  test.each<[string, Made[], string, string]>([
    [
      'what the leaf is for',
      [makeLeaf({ issuer: middle, extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } }), middle],
      'x509.extended-key-usage',
      'it is not for servers',
    ],
    [
      'what its key is for',
      [makeLeaf({ issuer: middle, extensions: { keyUsage: keyUsage(['keyCertSign']) } }), middle],
      'x509.leaf-key-usage',
      'its key is not for TLS',
    ],
    [
      'whether issuers are authorities',
      chainBelow(sub({ extensions: { basicConstraints: null } })),
      'x509.issuer-not-ca',
      'an issuer in it is no authority',
    ],
    [
      'whether they may sign',
      chainBelow(sub({ extensions: { keyUsage: keyUsage(['cRLSign']) } })),
      'x509.issuer-key-usage',
      'may not sign certificates',
    ],
  ])('%s', (_title, chain, code, says) => {
    for (const roots of [[root], []]) {
      const result = outline(chain, roots)
      expect(result.sound).toBe(false)
      expect(codes(result).filter(one => one === code)).toEqual([code])
      expect(result.says).toContain(says)
    }
  })

  test('a certificate without alternative names is told, and refused by nobody but a name', () => {
    const result = outline([makeLeaf({ issuer: middle, subject: 'CN=mx.example.com', names: [] }), middle], [root])
    expect(result.sound).toBe(true)
    expect(codes(result)).toContain('x509.no-san')
  })

  test('but of an authority alone those for servers are not, and that is said', () => {
    const result = outline([middle], [root])
    expect(result.sound).toBe(true)
    expect(result.says).toContain("It is no server's, so what is asked of those was not looked at.")
    expect(codes(result)).toEqual([])
  })
})

test('a known root is called one, alone and at the end of a chain', () => {
  expect(outline([root], [root]).says).toBe(
    "One certificate of an authority, CN=Root, in date, and a known root itself. It is no server's, so what is asked of those was not looked at.",
  )
  expect(outline([leaf, middle, root], [root]).says).toContain('up to the known root CN=Root.')
  expect(outline([leaf, middle, root], [root]).certificates[2]?.signer).toEqual({
    kind: 'itself',
    root: 'CN=Root',
  })
})

describe('what stands beside the path', () => {
  const past = new Date(at.getTime() - 86_400_000)
  const crossed = makeAuthority({ subject: 'CN=Root', key: keyOf('root'), issuer: stranger, notAfter: past })

  test('an expired certificate that is not needed is told', () => {
    const result = outline([leaf, middle, crossed], [root])
    expect(result.sound).toBe(true)
    expect(result.findings).toMatchObject([{ code: 'x509.expired', severity: 'warning', position: 2 }])
    expect(result.findings[0]?.remedy).toContain('take this certificate out of the chain file')
  })

  test('a copy is called one', () => {
    const says = outline([leaf, leaf, middle], [root]).findings.map(finding => finding.says)
    expect(says.join()).toContain('certificate 1: a copy of 0')
  })

  test('the root above a gap is no stranger', () => {
    expect(codes(outline([leaf, root]))).toEqual(['x509.missing-intermediate'])
  })

  test('the order is told where a known root ends the path before it', () => {
    expect(
      outline([leaf, root, middle], [root])
        .findings.map(finding => finding.says)
        .join(),
    ).toContain('the order would be 0, 2, 1')
  })
})

test('days left are those that pages show: full ones, and none is left on the day it ended', () => {
  const left = (seconds: number) =>
    outline([makeLeaf({ notAfter: new Date(at.getTime() + seconds * 1_000) })]).certificates[0]?.daysLeft
  expect([left(200_000), left(3_600), left(-3_600), left(-200_000)]).toEqual([2, 0, -1, -2])
})

test('what the path does not need is not held against it', () => {
  const old = makeAuthority({ subject: 'CN=Old', key: keyOf('old'), notAfter: new Date(at.getTime() - 1_000) })
  expect(outline([leaf, middle, root, old]).sound).toBe(true)
})

test('the work for a hundred certificates of one name is bounded by the budget', () => {
  const twins = Array.from({ length: 100 }, (_, index) =>
    makeAuthority({
      subject: 'CN=Root',
      key: keyOf(`twin ${index % 3}`),
      issuer: stranger,
      issuerName: 'CN=Root',
    }),
  )
  const budget = createBudget()
  outlineChain({ chain: [leaf, middle, ...twins].map(read), roots: [], atMs: at.getTime(), budget })
  expect(budget.spent.signatures).toBeLessThanOrEqual(1_500)
})

describe('as a page', () => {
  const pageOf = (chain: readonly (Made | Read)[], roots: readonly Made[] = []) =>
    chainOutlineText(
      certDocument(
        outline(chain, roots),
        chain.map(one => ('kind' in one ? one : read(one))),
      ),
    )

  test('it says who signed whom', () => {
    const page = pageOf([leaf, middle, stranger, garbage], [root])
    expect(page).toContain('   0  CN=mx.example.com\n      signed  by 1, CN=Middle\n')
    expect(page).toContain('   1  CN=Middle\n      signed  by the known root CN=Root, which need not be sent\n')
    expect(page).toContain('   2  CN=Stranger\n      signed  by itself\n')
    expect(page).toContain('   3  cannot be read as a certificate\n')
    expect(page).toContain('What to do: ')
    expect(Math.max(...page.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
  })

  test('it says what a certificate tells besides', () => {
    const url = (text: string) => generalName('uri', text)
    const access = (method: string, address: string) => sequence(oid(`1.3.6.1.5.5.7.48.${method}`), url(address))
    const timestamp = (day: string) => {
      const ms = Buffer.from(Date.parse(day).toString(16).padStart(16, '0'), 'hex')
      const sct = Buffer.concat([Buffer.alloc(33), ms, Buffer.from('000004030002aabb', 'hex')])
      return Buffer.concat([Buffer.from([0, sct.length]), sct])
    }
    const scts = Buffer.concat(['2026-05-01', '2026-05-02'].map(timestamp))
    const teller = makeLeaf({
      issuer: middle,
      more: [
        extension('1.3.6.1.5.5.7.1.24', sequence(integer(5))),
        extension('1.3.6.1.4.1.11129.2.4.2', octetString(Buffer.concat([Buffer.from([0, scts.length]), scts]))),
        extension(
          '1.3.6.1.5.5.7.1.1',
          sequence(access('1', 'http://ocsp.example'), access('2', 'http://ca.example/\x1b')),
        ),
        extension('2.5.29.31', sequence(octetString(new Uint8Array(0)))),
      ],
    })
    const page = pageOf([teller, middle], [root])
    expect(page).toContain(
      [
        '      also    promises an OCSP answer with each handshake (must-staple)',
        '              2 timestamps of public logs, 2026-05-01 to 2026-05-02',
        '              revocation: http://ocsp.example (OCSP)',
        '              issuer: http://ca.example/\\x1b',
        '              the addresses of revocation lists: a distribution point is missing or of another type',
      ].join('\n'),
    )
    expect(page.match(/^ +also /gm)).toHaveLength(1)
  })

  test('lines keep to the page where scripts are wide', () => {
    const wide = makeLeaf({ subject: `CN=${'証明書'.repeat(20)}`, issuer: middle, names: ['mx.example'] })
    for (const line of pageOf([wide, middle]).split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(100)
  })

  test('nothing of a certificate reaches the terminal as it is', () => {
    const odd = makeLeaf({ subject: 'CN=\u202e\x1b[31mroot', names: ['mx.example\n'] })
    expect(pageOf([odd])).not.toMatch(/[\x1b\u202e]/)
  })
})
