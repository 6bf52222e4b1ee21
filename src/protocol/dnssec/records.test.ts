import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../dns/message.ts'
import { nsec3Rdata, nsecRdata, toBase32Hex, typeBitmap } from './encoding.ts'
import { fromBase32Hex, readDnskey, readDs, readNsec, readNsec3, readRrsig, readTypeBitmap } from './records.ts'
import { nameFromText, recordsFromText } from './testing/zone-text.ts'
import type { TypeSet } from './types.ts'

const one = (text: string): ResourceRecord => {
  const [record] = recordsFromText(text)
  if (record === undefined) throw new Error('no record')
  return record
}
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const rrsig = one(
  'host.example.com. 86400 IN RRSIG A 5 3 86400 20030322173103 20030220173103 2642 example.com. AQID',
)
const dnskey = one(
  `example.com. 86400 IN DNSKEY 256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8nokfzj31GajIQKY+5CptLr3buXA10h
  WqTkF7H6RfoRqXQeogmMHfpftf6zMv1LyBUgia7za6ZEzOJBOztyvhjL742iU/TpPSEDhm2SNKLijfUppn1UaNvv4w==`.replace('\n', ' '),
)
const ds = one('dskey.example.com. 86400 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118')
const nsec = one('alfa.example.com. 86400 IN NSEC host.example.com. A MX RRSIG NSEC TYPE1234')
const nsec3 = one(
  '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 3600 IN NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG',
)

describe('records say what their RFCs’ examples say', () => {
  test('RRSIG (RFC 4034 §3.3)', () => {
    expect(readRrsig(rrsig)).toEqual({
      typeCovered: 1,
      algorithm: 5,
      labels: 3,
      originalTtlSeconds: 86_400,
      expiration: Date.UTC(2003, 2, 22, 17, 31, 3) / 1000,
      inception: Date.UTC(2003, 1, 20, 17, 31, 3) / 1000,
      keyTag: 2642,
      signer: nameFromText('example.com'),
      signature: bytes('010203'),
      head: rrsig.rdata.subarray(0, -3),
    })
  })
  test('DNSKEY (RFC 4034 §2.3), with the tag that the signature of §3.3 has', () => {
    expect(readDnskey(dnskey)).toMatchObject({ flags: 256, protocol: 3, algorithm: 5, keyTag: 2642 })
  })
  test('DS (RFC 4034 §5.4)', () => {
    expect(readDs(ds)).toMatchObject({ keyTag: 60_485, algorithm: 5, digestType: 1 })
  })
  test('NSEC (RFC 4034 §4.3), byte by byte', () => {
    const wire = `04686f7374 076578616d706c65 03636f6d 00 0006400100000003
      041b000000000000 000000000000000000 000000000000000000 000020`.replaceAll(/\s/g, '')
    expect(Buffer.from(nsec.rdata).toString('hex')).toBe(wire)
    const read = readNsec(nsec)
    expect(read).toMatchObject({ owner: nameFromText('alfa.example.com'), next: nameFromText('host.example.com') })
    expect(typesIn(read)).toEqual([1, 15, 46, 47, 1234])
  })
  test('NSEC3 (RFC 5155 appendix A)', () => {
    const read = readNsec3(nsec3)
    expect(typesIn(read)).toEqual([2, 6, 15, 46, 48, 51])
    expect(read).toMatchObject({
      zone: nameFromText('example'),
      algorithm: 1,
      flags: 1,
      iterations: 12,
      salt: bytes('aabbccdd'),
    })
  })
})

function typesIn(read: { readonly types: TypeSet } | 'malformed'): readonly number[] | 'malformed' {
  return read === 'malformed' ? read : [...read.types]
}

type Reader = (record: ResourceRecord) => object | 'malformed'
const readers: readonly (readonly [string, ResourceRecord, Reader, readonly number[]])[] = [
  // Cuts that leave a whole record: the last field has no length of its own, or bitmap ends between blocks.
  ['RRSIG', rrsig, readRrsig, [1, 2]],
  ['DNSKEY', dnskey, readDnskey, Array.from({ length: dnskey.rdata.length - 5 }, (_, cut) => cut + 1)],
  ['DS', ds, readDs, Array.from({ length: ds.rdata.length - 5 }, (_, cut) => cut + 1)],
  ['NSEC', nsec, readNsec, [29]],
  ['NSEC3', nsec3, readNsec3, [9]],
]

describe.each(readers)('%s', (_, record, read, shorter) => {
  test('is malformed at every cut, but where what is left is a shorter record', () => {
    for (let cut = 1; cut <= record.rdata.length; cut++) {
      const isRead = read({ ...record, rdata: record.rdata.subarray(0, -cut) }) !== 'malformed'
      expect([cut, isRead]).toEqual([cut, shorter.includes(cut)])
    }
  })
  test('never throws, and never reads beyond its bytes, whatever one bit or one length says', () => {
    for (let at = 0; at < record.rdata.length; at++)
      for (const value of [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]) {
        const rdata = Uint8Array.from(record.rdata)
        rdata[at] = value
        const result = read({ ...record, rdata })
        if (result !== 'malformed') expect(result).toBeTypeOf('object')
      }
  })
  test('never throws on bytes that mean nothing', () => {
    let state = 1
    for (let round = 0; round < 500; round++) {
      const rdata = Uint8Array.from({ length: round % 80 }, () => {
        state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff
        return state >> 16
      })
      expect(() => read({ ...record, rdata })).not.toThrow()
    }
  })
})

describe('a bitmap of types (RFC 4034 §4.1.2)', () => {
  test.each<[string, string, readonly number[] | null]>([
    ['nothing', '', []],
    ['A', '0001 40', [1]],
    ['two blocks', '0001 40 0101 40', [1, 257]],
    ['a block twice', '0001 40 0001 40', null],
    ['blocks in the wrong order', '0101 40 0001 40', null],
    ['a block without bytes', '0000', null],
    ['a block of 33 bytes', `0021 ${'01'.repeat(33)}`, null],
    ['a zero byte at the end', '0002 4000', null],
    ['a block that is cut', '0002 40', null],
    ['a block without its length', '00', null],
    [
      'pseudo-types, which are ignored: 0, OPT, 128, ANY',
      `0020 c0 00000000 40 ${'00'.repeat(10)} 80 ${'00'.repeat(14)} 01`,
      [1],
    ],
  ])('%s', (_, hex, types) => {
    const read = readTypeBitmap(bytes(hex))
    expect(read === null ? null : [...read]).toEqual(types)
  })
  test('is written the way it is read', () => {
    const types = [1, 2, 6, 47, 52, 257, 1234, 65_280, 65_535]
    expect([...(readTypeBitmap(typeBitmap(types.toReversed())) ?? [])]).toEqual(types)
  })
  test('has exactly the types that it lists, whatever lies beyond its last byte', () => {
    const read = readTypeBitmap(bytes('0007 220000000003 80 0101 40'))
    const has = Array.from({ length: 65_536 }, (_, type) => type).filter(type => read?.has(type))
    expect(has).toEqual([2, 6, 46, 47, 48, 257])
    expect([...(read ?? [])]).toEqual(has)
  })
  test('is never empty in NSEC, and may be in NSEC3', () => {
    expect(readNsec({ name: [], rdata: nsecRdata([], []) })).toBe('malformed')
    const hash = new Uint8Array(20)
    const rdata = nsec3Rdata({ algorithm: 1, flags: 0, iterations: 0, salt: hash, nextHash: hash, types: [] })
    expect(typesIn(readNsec3({ name: [toBase32Hex(hash)], rdata }))).toEqual([])
  })
})

describe('the hash in an NSEC3’s owner', () => {
  const fields = { algorithm: 1, flags: 0, iterations: 0, salt: new Uint8Array(0), types: [1] }
  const twenty = new Uint8Array(20).fill(0xa5)
  test.each<[string, Uint8Array | string | null, number, number]>([
    ['is no base 32', 'w'.repeat(32), 20, 1],
    ['has a length of its own', toBase32Hex(twenty.subarray(1)), 20, 1],
    ['is not as long as SHA-1', toBase32Hex(twenty.subarray(1)), 19, 1],
    ['is not there', null, 20, 1],
    ['is of no bytes', 'a', 0, 2],
  ])('that %s makes the record malformed', (_, label, nextBytes, algorithm) => {
    const rdata = nsec3Rdata({ ...fields, algorithm, nextHash: new Uint8Array(nextBytes) })
    expect(readNsec3({ name: label === null ? [] : [Buffer.from(label)], rdata })).toBe('malformed')
  })
  test('may be in any case', () => {
    const rdata = nsec3Rdata({ ...fields, nextHash: twenty })
    const label = Buffer.from(Buffer.from(toBase32Hex(twenty)).toString().toUpperCase())
    expect(readNsec3({ name: [label], rdata })).toMatchObject({ hash: twenty })
  })
})

describe('base 32 with extended hex alphabet', () => {
  test.each([
    // RFC 4648 §10, without padding.
    ['', ''],
    ['f', 'co'],
    ['fo', 'cpng'],
    ['foo', 'cpnmu'],
    ['foob', 'cpnmuog'],
    ['fooba', 'cpnmuoj1'],
    ['foobar', 'cpnmuoj1e8'],
  ])('of %o is %s', (plain, encoded) => {
    expect(Buffer.from(toBase32Hex(Buffer.from(plain))).toString()).toBe(encoded)
    expect(fromBase32Hex(Buffer.from(encoded))).toEqual(Uint8Array.from(Buffer.from(plain)))
  })
  test.each(['c', 'cpn', 'cpnmuo', 'cp', 'w', 'c=', 'c0!', 'c '])('is not %o', text => {
    expect(fromBase32Hex(Buffer.from(text))).toBeNull()
  })
})
