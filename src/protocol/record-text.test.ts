import { describe, expect, test } from 'vitest'
import { recordOf } from '../lab/signing/zone-lines.ts'
import { parseName } from './dns/name.ts'
import { typeName, typeNumbers } from './dns/numbers.ts'
import { nameText, rdataText, recordLine } from './record-text.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/ /g, ''), 'hex'))

test.each([
  ['mx.example 300 A 192.0.2.1', 'mx.example. 300 IN A 192.0.2.1'],
  ['mx.example 0 AAAA 2001:db8::25', 'mx.example. 0 IN AAAA 2001:db8::25'],
  ['example MX 10 mx.example', 'example. 300 IN MX 10 mx.example.'],
  ['www.example CNAME host.example', 'www.example. 300 IN CNAME host.example.'],
  ['tree.example DNAME example', 'tree.example. 300 IN DNAME example.'],
  ['. NS a.root', '. 300 IN NS a.root.'],
  ['example TXT say "hi" \\', 'example. 300 IN TXT "say \\"hi\\" \\\\"'],
  ['_25._tcp.mx.example TLSA 3 1 1 AB01', '_25._tcp.mx.example. 300 IN TLSA 3 1 1 ab01'],
  ['_smtp._tcp.example SRV 0 5 587 mx.example', '_smtp._tcp.example. 300 IN SRV 0 5 587 mx.example.'],
  ['example SOA ns.example me.example 1 2 3 4 5', 'example. 300 IN SOA ns.example. me.example. 1 2 3 4 5'],
  ['example TYPE731 \\# AABB', 'example. 300 IN TYPE731 \\# 2 aabb'],
])('%s', (line, text) => {
  expect(recordLine(recordOf(line)).replace(/ \d+ IN/, ' 300 IN')).toBe(text.replace(/ \d+ IN/, ' 300 IN'))
})

describe('RDATA of', () => {
  // From RFC 4034 §2.3, §3.3, §4.3, §5.4, RFC 5155 appendix A and RFC 8659 §4.1.1.
  test.each<[keyof typeof typeNumbers, string, string]>([
    [
      'DS',
      'ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118',
      '60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118',
    ],
    ['DNSKEY', '0100 03 05 01020304', '256 3 5 AQIDBA=='],
    [
      'RRSIG',
      '0001 05 03 00015180 3e7c31d7 3e54a4d7 0a52 076578616d706c6503636f6d00 0102',
      'A 5 3 86400 20030322095015 20030220095015 2642 example.com. AQI=',
    ],
    [
      'NSEC',
      '04686f7374076578616d706c6503636f6d00 0006400100000003 041b000000000000000000000000000000000000000000000000000020',
      'host.example.com. A MX RRSIG NSEC TYPE1234',
    ],
    [
      'NSEC3',
      '01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 0007220100000002 90',
      '1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG DNSKEY NSEC3PARAM',
    ],
    ['NSEC3', '01 00 0000 00 01 ff', '1 0 0 - vs'],
    ['NSEC3PARAM', '01 00 0000 00', '1 0 0 -'],
    ['CAA', '00 05 6973737565 63612e6578616d706c65', '0 issue "ca.example"'],
    ['TXT', '0161 00 02c3a9', '"a" "" "\\195\\169"'],
  ])('%s is written as its RFC has it', (type, rdata, text) => {
    expect(rdataText(typeNumbers[type], hex(rdata))).toBe(text)
  })

  test.each<[keyof typeof typeNumbers, string]>([
    ['A', '0102'],
    ['A', '0102030405'],
    ['MX', '000a'],
    ['MX', '000a 00 00'],
    ['TXT', ''],
    ['TXT', '05 61'],
    ['CNAME', 'c00c'],
    ['TLSA', '030101'],
    ['NSEC', '00 0000'],
    ['NSEC3', '01 00 0000 00 00'],
    ['CAA', '00 01 22 61'],
  ])('%s that is broken (%s) is written as bytes', (type, rdata) => {
    const bytes = hex(rdata)
    expect(rdataText(typeNumbers[type], bytes)).toBe(
      bytes.length === 0 ? '\\# 0' : `\\# ${bytes.length} ${rdata.replace(/ /g, '')}`,
    )
  })

  test.each(Object.values(typeNumbers).map(type => [typeName(type), type] as const))(
    '%s is plain ASCII in one line, whatever the bytes',
    (_, type) => {
      let seed = type + 1
      const random = () => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
        return seed >>> 24
      }
      for (let round = 0; round < 300; round++)
        expect(rdataText(type, Uint8Array.from({ length: round % 40 }, random))).toMatch(/^[\x20-\x7e]+$/)
    },
  )
})

test('names end in a dot, and hold nothing that a terminal obeys', () => {
  expect(nameText([])).toBe('.')
  expect(nameText(parseName('a\\027b.example') ?? [])).toBe('a\\027b.example.')
})
