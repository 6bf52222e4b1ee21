import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../../protocol/dns/message.ts'
import { formatName, nameKey } from '../../protocol/dns/name.ts'
import { typeNumbers } from '../../protocol/dns/numbers.ts'
import { compareNames, signedBytes } from './canonical-form.ts'
import { base32hex, nsec3Hash } from './denial.ts'
import { type Damage, type SigningOptions, signZone } from './sign-zone.ts'
import { collidingKeys, dsRdata, keyTagOf, signingAlgorithms, zoneKey } from './zone-keys.ts'
import { nameOf, recordsOf } from './zone-lines.ts'

const nowMs = Date.UTC(2026, 0, 1)
const lines = [
  'zone.test MX 10 mx.zone.test',
  'mx.zone.test A 192.0.2.1',
  'deep.empty.zone.test A 192.0.2.2',
  '*.wild.zone.test TXT any',
  'unsigned.zone.test NS ns.unsigned.zone.test',
  'ns.unsigned.zone.test A 192.0.2.3',
  `signed.zone.test NS ns.signed.zone.test`,
  `signed.zone.test DS \\# 0001 0D 02 ${'00'.repeat(32)}`,
  'far.out.zone.test NS ns.far.out.zone.test',
]
const zoneOf = (signing: SigningOptions) =>
  signZone({ apex: 'zone.test', records: recordsOf(lines) }, signing, nowMs)
const nsec3 = { kind: 'nsec3', iterations: 2, salt: 'aabb', optOut: 'none' } as const

describe('canonical form', () => {
  test('names stand in the order of RFC 4034 §6.1', () => {
    const ordered = ['example', 'a.example', 'yljkjljk.a.example', 'Z.a.example', 'zABC.a.EXAMPLE', 'z.example']
    const more = ['\\001.z.example', '*.z.example', '\\200.z.example']
    const names = [...ordered, ...more].map(nameOf)
    expect(names.toReversed().toSorted(compareNames).map(formatName)).toEqual([...ordered, ...more])
  })

  test('a set is the same in whatever order and case it is given, and with a record twice', () => {
    const [one, other] = recordsOf(['a.test MX 10 Mx.Test', 'A.tEST MX 5 b.test'])
    if (one === undefined || other === undefined) throw new Error('two records')
    const head = {
      typeCovered: 15,
      algorithm: 13,
      labels: 2,
      originalTtlSeconds: 300,
      expiration: 2,
      inception: 1,
      keyTag: 3,
      signer: nameOf('TEST'),
    }
    const lower = recordsOf(['a.test MX 5 b.test', 'a.test MX 10 mx.test'])
    expect(signedBytes(head, [one, other, one])).toEqual(signedBytes({ ...head, signer: nameOf('test') }, lower))
  })
})

describe('the chain', () => {
  test('of NSEC is a ring of all names but empty ones and what is below delegations, in canonical order', () => {
    const records = zoneOf({}).chain?.records ?? []
    expect(records.map(({ name }) => nameKey(name))).toEqual([
      'zone.test',
      'deep.empty.zone.test',
      'mx.zone.test',
      'far.out.zone.test',
      'signed.zone.test',
      'unsigned.zone.test',
      '*.wild.zone.test',
    ])
    expect(nextNames(records)).toEqual(rotated(records.map(({ name }) => nameKey(name))))
  })

  test.each([
    ['none', 10],
    ['unsigned-delegations', 7],
  ] as const)(
    'of NSEC3 with opt-out %s is a ring in the order of hashes, empty names included',
    (optOut, count) => {
      const records = zoneOf({ denial: { ...nsec3, optOut } }).chain?.records ?? []
      const hashes = records.map(({ name }) => nameKey(name).split('.')[0] ?? '')
      expect(hashes).toEqual(hashes.toSorted())
      expect(records.map(nextHash)).toEqual(rotated(hashes))
      expect(hashes).toHaveLength(count)
      expect(records.every(({ rdata }) => rdata[1] === (optOut === 'none' ? 0 : 1))).toBe(true)
    },
  )

  test('hashes as RFC 5155 appendix A does', () => {
    const hash = (name: string) => base32hex(nsec3Hash(nameOf(name), Buffer.from('aabbccdd', 'hex'), 12))
    expect(hash('example')).toBe('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom')
    expect(hash('a.example')).toBe('35mthgpgcu1qg68fab165klnsnk3dpvl')
    expect(hash('x.y.w.example')).toBe('2vptu5timamqttgl4luu9kg21e0aor3s')
  })

  test.each([
    ['mx.zone.test', [1, 46, 47]],
    ['zone.test', [2, 6, 15, 46, 47, 48]],
    ['unsigned.zone.test', [2, 46, 47]],
    ['signed.zone.test', [2, 43, 46, 47]],
  ])('the NSEC of %s lists the types that are its own', (name, types) => {
    const record = zoneOf({}).chain?.match(nameOf(name))
    expect(bitmapOf(record?.rdata ?? new Uint8Array())).toEqual(types)
  })

  test('the record that covers a name is the one before it, and the last for what comes before all', () => {
    const { chain } = zoneOf({})
    expect(nameKey(chain?.cover(nameOf('n.zone.test'))?.name ?? [])).toBe('mx.zone.test')
    expect(nameKey(chain?.cover(nameOf('zzz.zone.test'))?.name ?? [])).toBe('*.wild.zone.test')
  })
})

describe('signatures', () => {
  test.each(signingAlgorithms)('of algorithm %i verify with the key as it is published', algorithm => {
    const zone = zoneOf({ algorithms: [algorithm] })
    const set = zone.rrset(nameOf('mx.zone.test'), typeNumbers.A)
    const [key] = zone.keys
    const [signature] = set?.signatures ?? []
    if (set === null || key === undefined || signature === undefined) throw new Error('signed')
    expect(holds(set.records, signature, key.rdata)).toBe(true)
  })

  test('cover what the zone is responsible for: of delegations the DS alone, and no glue', () => {
    const zone = zoneOf({})
    const count = (name: string, type: number) => zone.rrset(nameOf(name), type)?.signatures.length
    expect(count('zone.test', typeNumbers.SOA)).toBe(1)
    expect(count('zone.test', typeNumbers.NS)).toBe(1)
    expect(count('zone.test', typeNumbers.DNSKEY)).toBe(1)
    expect(count('signed.zone.test', typeNumbers.DS)).toBe(1)
    expect(count('signed.zone.test', typeNumbers.NS)).toBe(0)
    expect(count('unsigned.zone.test', typeNumbers.NS)).toBe(0)
    expect(count('ns.unsigned.zone.test', typeNumbers.A)).toBe(0)
  })

  test('the KSK signs the keys, the ZSK the rest, each algorithm everything', () => {
    const zone = zoneOf({ algorithms: [13, 15], keys: 'split' })
    const tags = (name: string, type: number) =>
      zone.rrset(nameOf(name), type)?.signatures.map(({ rdata }) => Buffer.from(rdata).readUInt16BE(16))
    const of = (purpose: string) => zone.keys.filter(key => key.purpose === purpose).map(({ keyTag }) => keyTag)
    expect(tags('zone.test', typeNumbers.DNSKEY)).toEqual(of('ksk'))
    expect(tags('mx.zone.test', typeNumbers.A)).toEqual(of('zsk'))
    expect(zone.keys).toHaveLength(4)
  })

  test("a wildcard's label count leaves the asterisk out", () => {
    const [signature] = zoneOf({}).rrset(nameOf('*.wild.zone.test'), typeNumbers.TXT)?.signatures ?? []
    expect(signature?.rdata[3]).toBe(3)
  })
})

describe('damage', () => {
  const signaturesOf = (damage: Damage, name = 'mx.zone.test') => {
    const set = zoneOf({ damage: [damage] }).rrset(nameOf(name), typeNumbers.A)
    return { set, rdata: Buffer.from(set?.signatures[0]?.rdata ?? []) }
  }
  const now = nowMs / 1_000

  test.each<[Damage, (signature: Buffer) => boolean]>([
    [{ kind: 'stripped' }, signature => signature.length === 0],
    [{ kind: 'expired' }, signature => signature.readUInt32BE(8) < now],
    [{ kind: 'not-yet-valid' }, signature => signature.readUInt32BE(12) > now],
    [
      { kind: 'wrong-signer', signer: 'other' },
      signature => signature.subarray(18, 25).equals(Buffer.from('\x05other\0')),
    ],
    [
      { kind: 'unknown-key' },
      signature =>
        signature.readUInt16BE(16) !== zoneKey(nameOf('zone.test'), { algorithm: 13, purpose: 'csk' }).keyTag,
    ],
  ])('%o', (damage, isSo) => {
    const { set, rdata } = signaturesOf(damage)
    expect(set?.isDamaged).toBe(true)
    expect(isSo(rdata)).toBe(true)
  })

  test('a flipped bit breaks the signature and nothing else', () => {
    const zone = zoneOf({ damage: [{ kind: 'flipped-bit' }] })
    const set = zone.rrset(nameOf('mx.zone.test'), typeNumbers.A)
    expect(holds(set?.records ?? [], set?.signatures[0], zone.keys[0]?.rdata)).toBe(false)
  })

  test('stays within the type and the name it is given', () => {
    expect(signaturesOf({ kind: 'stripped', type: 'MX' }).set?.isDamaged).toBe(false)
    expect(signaturesOf({ kind: 'stripped', name: 'deep.empty.zone.test' }).set?.isDamaged).toBe(false)
    expect(signaturesOf({ kind: 'stripped', type: 'A', name: 'MX.zone.test' }).set?.isDamaged).toBe(true)
  })

  test('a gap leaves the record of the chain out that tells of the name', () => {
    const zone = zoneOf({ damage: [{ kind: 'gap', at: 'n.zone.test' }] })
    const hidden = zone.chain?.cover(nameOf('n.zone.test'))
    expect(hidden == null ? 'none' : zone.proof(hidden)).toBe(null)
    expect(zone.rrset(nameOf('mx.zone.test'), typeNumbers.NSEC)).toBe(null)
  })

  test('a revoked key has another tag and the bit', () => {
    const [key] = zoneOf({ damage: [{ kind: 'revoked-key' }] }).keys
    expect((key?.flags ?? 0) & 0x80).toBe(0x80)
    expect(key?.keyTag).toBe(keyTagOf(key?.rdata ?? new Uint8Array()))
  })

  test('missing keys are not published and sign all the same', () => {
    const count = (which: 'all' | 'zsk') =>
      zoneOf({ keys: 'split', damage: [{ kind: 'missing-dnskey', which }] }).rrset(
        nameOf('zone.test'),
        typeNumbers.DNSKEY,
      )?.records.length
    expect([count('zsk'), count('all')]).toEqual([1, undefined])
  })
})

describe('keys', () => {
  test.each(signingAlgorithms)(
    'that collide with one of algorithm %i are different, and have its tag',
    algorithm => {
      const key = zoneKey(nameOf('zone.test'), { algorithm, purpose: 'csk' })
      const others = collidingKeys(key, 3)
      expect(others.map(({ keyTag }) => keyTag)).toEqual([key.keyTag, key.keyTag, key.keyTag])
      expect(new Set([key, ...others].map(({ rdata }) => Buffer.from(rdata).toString('hex'))).size).toBe(4)
    },
  )

  test('are made once for a zone, an algorithm and a purpose', () => {
    const tag = (zone: string, generation = 0) =>
      Buffer.from(zoneKey(nameOf(zone), { algorithm: 13, purpose: 'csk', generation }).rdata).toString('hex')
    expect(tag('zone.test')).toBe(tag('ZONE.test.'))
    expect(new Set([tag('zone.test'), tag('other.test'), tag('zone.test', 1)]).size).toBe(3)
  })

  test.each([
    [1, 24],
    [2, 36],
    [4, 52],
  ] as const)('a DS of digest type %i is %i bytes long and names its key', (digestType, length) => {
    const key = zoneKey(nameOf('zone.test'), { algorithm: 13, purpose: 'csk' })
    const rdata = Buffer.from(dsRdata(nameOf('Zone.test'), key, digestType))
    expect([rdata.length, rdata.readUInt16BE(0), rdata[2], rdata[3]]).toEqual([length, key.keyTag, 13, digestType])
    expect(rdata.equals(dsRdata(nameOf('zone.test'), key, digestType))).toBe(true)
  })
})

test.each(['a.test', 'a.test A', 'a.test BOGUS x', 'a..test A 192.0.2.1', 'a.test TLSA 3 1 1 0'])(
  'the line "%s" is refused, for it is our own',
  line => {
    expect(() => recordsOf([line])).toThrow()
  },
)

/** Verifies with Node alone: the RRSIG is taken apart here, and the key made from its DNSKEY. */
function holds(records: readonly ResourceRecord[], signature?: ResourceRecord, dnskey?: Uint8Array): boolean {
  if (signature === undefined || dnskey === undefined) return false
  const rdata = Buffer.from(signature.rdata)
  const [signer, end] = nameAt(rdata, 18)
  const head = {
    typeCovered: rdata.readUInt16BE(0),
    algorithm: rdata[2] ?? 0,
    labels: rdata[3] ?? 0,
    originalTtlSeconds: rdata.readUInt32BE(4),
    expiration: rdata.readUInt32BE(8),
    inception: rdata.readUInt32BE(12),
    keyTag: rdata.readUInt16BE(16),
    signer: nameOf(signer),
  }
  const bytes = rdata.subarray(end)
  const key = Buffer.from(dnskey.subarray(4))
  const text = (part: Buffer) => part.toString('base64url')
  const half = key.length / 2
  const jwk =
    head.algorithm < 13
      ? { kty: 'RSA', e: text(key.subarray(1, 4)), n: text(key.subarray(4)) }
      : head.algorithm < 15
        ? {
            kty: 'EC',
            crv: head.algorithm === 13 ? 'P-256' : 'P-384',
            x: text(key.subarray(0, half)),
            y: text(key.subarray(half)),
          }
        : { kty: 'OKP', crv: head.algorithm === 15 ? 'Ed25519' : 'Ed448', x: text(key) }
  const hash = { 5: 'sha1', 7: 'sha1', 8: 'sha256', 10: 'sha512', 13: 'sha256', 14: 'sha384' }[head.algorithm]
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  return verify(hash, signedBytes(head, records), { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes)
}

function nextNames(records: readonly ResourceRecord[]): readonly string[] {
  return records.map(({ rdata }) => nameAt(Buffer.from(rdata), 0)[0])
}

function nextHash({ rdata }: ResourceRecord): string {
  const start = 5 + (rdata[4] ?? 0)
  return base32hex(rdata.subarray(start + 1, start + 1 + (rdata[start] ?? 0)))
}

function nameAt(bytes: Buffer, start: number): readonly [name: string, end: number] {
  const labels: string[] = []
  let at = start
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return [labels.join('.'), at + 1]
}

/** All types here are in the first window. */
function bitmapOf(rdata: Uint8Array): readonly number[] {
  const [, end] = nameAt(Buffer.from(rdata), 0)
  const bits = [...rdata.subarray(end + 2)]
  return bits
    .flatMap((byte, index) => Array.from({ length: 8 }, (_, bit) => (byte & (0x80 >> bit) ? index * 8 + bit : -1)))
    .filter(type => type >= 0)
}

const rotated = <T>(items: readonly T[]): readonly T[] => [...items.slice(1), ...items.slice(0, 1)]
