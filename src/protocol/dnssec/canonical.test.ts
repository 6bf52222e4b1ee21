import { describe, expect, test } from 'vitest'
import { nameBytes } from '../dns/message.ts'
import { formatName, type Name } from '../dns/name.ts'
import { typeNumbers } from '../dns/numbers.ts'
import {
  canonicalNameBytes,
  canonicalRdata,
  compareNames,
  isWildcard,
  labelCount,
  originalOwner,
  signedData,
} from './canonical.ts'
import { groupRrsets } from './rrsets.ts'
import { nameFromText, recordsFromText } from './testing/zone-text.ts'
import type { Rrset } from './types.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('the canonical order of names', () => {
  // RFC 4034 §6.1, with the root before all.
  const ordered = [
    '.',
    'example',
    'a.example',
    'yljkjljk.a.example',
    'Z.a.example',
    'zABC.a.EXAMPLE',
    'z.example',
    '\\001.z.example',
    '*.z.example',
    '\\200.z.example',
  ].map(nameFromText)

  test('is that of RFC 4034 §6.1', () => {
    for (const [one, name] of ordered.entries())
      for (const [other, against] of ordered.entries())
        expect(Math.sign(compareNames(name, against))).toBe(Math.sign(one - other))
  })
  test('does not know upper case', () => {
    expect(compareNames(nameFromText('A.Example'), nameFromText('a.eXAMPLE'))).toBe(0)
  })
  test('puts a label before those that begin with it', () => {
    expect(compareNames(nameFromText('ab.example'), nameFromText('a.example'))).toBeGreaterThan(0)
    expect(compareNames(nameFromText('a\\000.example'), nameFromText('a.example'))).toBeGreaterThan(0)
  })
})

describe('labels and wildcards', () => {
  test.each<[string, number]>([
    // RFC 4034 §3.1.3.
    ['www.example.com', 3],
    ['*.example.com', 2],
    ['.', 0],
    ['*', 0],
    ['*.*.example', 2],
    ['a.*.example', 3],
  ])('%s counts %i labels', (text, count) => {
    expect(labelCount(nameFromText(text))).toBe(count)
  })
  test.each<[string, number, string | null]>([
    ['www.example.com', 3, 'www.example.com'],
    ['www.example.com', 2, '*.example.com'],
    ['www.example.com', 0, '*'],
    ['a.b.c.example', 1, '*.example'],
    ['www.example.com', 4, null],
    ['*.example.com', 2, '*.example.com'],
    ['*.example.com', 1, '*.com'],
    ['*.example.com', 3, null],
    ['.', 0, ''],
    ['.', 1, null],
  ])('%s signed with %i labels stands in the zone as %s (RFC 4035 §5.3.2)', (text, labels, owner) => {
    const original = originalOwner(nameFromText(text), labels)
    expect(original === null ? null : formatName(original)).toBe(owner)
  })
  test('only a label of one asterisk is a wildcard', () => {
    expect(['*.a', '**.a', 'a.*', '.', 'x.a'].map(text => isWildcard(nameFromText(text)))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})

describe('RDATA in canonical form (RFC 4034 §6.2, RFC 6840 §5.1)', () => {
  test.each([
    ['NS', 'NS1.Example.COM', 'ns1.example.com'],
    ['CNAME', 'A.Example', 'a.example'],
    ['DNAME', 'A.Example', 'a.example'],
    ['PTR', 'A.Example', 'a.example'],
    ['MX', '10 MAIL.Example', '10 mail.example'],
    ['SRV', '1 2 3 HOST.Example', '1 2 3 host.example'],
    ['SOA', 'NS.Example BOX.Example 1 2 3 4 5', 'ns.example box.example 1 2 3 4 5'],
    ['NAPTR', '1 2 "U" "E2U+sip" "!^.*$!x!" Repl.Example', '1 2 "U" "E2U+sip" "!^.*$!x!" repl.example'],
    ['RRSIG', 'A 8 1 2 3 4 5 EXAMPLE AQID', 'A 8 1 2 3 4 5 example AQID'],
  ])('%s has its names in lower case', (type, given, canonical) => {
    const [one, other] = recordsFromText(`a 1 IN ${type} ${given}\na 1 IN ${type} ${canonical}`)
    expect(canonicalRdata(one?.type ?? 0, one?.rdata ?? bytes(''))).toEqual(other?.rdata)
  })
  test.each([
    ['NSEC', 'Next.Example A'],
    ['TXT', '"Text"'],
    ['HINFO', '"CPU" "OS"'],
    ['TLSA', '3 1 1 4142'],
    ['A', '65.66.67.68'],
  ])('%s stays as it is', (type, given) => {
    const [record] = recordsFromText(`a 1 IN ${type} ${given}`)
    expect(canonicalRdata(record?.type ?? 0, record?.rdata ?? bytes(''))).toBe(record?.rdata)
  })
  test('leaves the bytes that are no name alone: a preference of 0x4142, the length 0x41 of nothing', () => {
    expect(canonicalRdata(typeNumbers.MX, bytes('4142 01 41 00'))).toEqual(bytes('4142 01 61 00'))
  })
  test('stays as it is where its form is broken, and does not change what it was given', () => {
    const broken = bytes('0001 05 41 42')
    expect(canonicalRdata(typeNumbers.MX, broken)).toBe(broken)
    const whole = bytes('0001 01 41 00')
    canonicalRdata(typeNumbers.MX, whole)
    expect(whole).toEqual(bytes('0001 01 41 00'))
  })
  test('survives every cut of every type that has names', () => {
    const long = nameBytes(nameFromText('AAAA.BBBB.CCCC'))
    for (let type = 1; type < 64; type++)
      for (let cut = 0; cut <= 40; cut++) {
        const rdata = Buffer.concat([new Uint8Array(6), long, long, new Uint8Array(20)]).subarray(0, cut)
        expect(canonicalRdata(type, rdata)).toHaveLength(cut)
      }
  })
})

test('names are written in lower case, and their length bytes stay', () => {
  const name: Name = [new Uint8Array(63).fill(0x5a), bytes('41 ff 5b')]
  expect(canonicalNameBytes(name)).toEqual(
    Uint8Array.from([63, ...new Uint8Array(63).fill(0x7a), 3, 0x61, 0xff, 0x5b, 0]),
  )
})

describe('what is signed', () => {
  const set = (text: string): Rrset => {
    const [rrset] = groupRrsets(recordsFromText(text))
    if (rrset === undefined) throw new Error('no records')
    return rrset
  }
  const signed = (rrset: Rrset) => {
    const [rrsig] = rrset.signatures
    return rrsig === undefined ? null : signedData(rrset, rrsig)
  }
  const rrsig = 'x.W.example 5 IN RRSIG MX 8 1 3600 20 10 7 EXAMPLE AQID'

  test('is RRSIG’s head with its signer in lower case, then the records, sorted, with original TTL and the wildcard’s owner', () => {
    const rrset = set(`${rrsig}\nx.W.example 5 IN MX 2 B.\nx.W.example 5 IN MX 1 c.\nX.w.example 5 IN MX 2 a.`)
    const front = '012a 076578616d706c65 00 000f 0001 00000e10 0005'
    expect(signed(rrset)).toEqual(
      Buffer.from(
        bytes(
          `000f 08 01 00000e10 00000014 0000000a 0007 076578616d706c65 00
           ${front} 0001 0163 00  ${front} 0002 0161 00  ${front} 0002 0162 00`.replaceAll(/\s/g, ''),
        ),
      ),
    )
  })
  test('has a record once that came twice (RFC 4034 §6.3), in whatever case', () => {
    const once = set(`${rrsig}\nx.w.example 5 IN MX 2 b.`)
    const twice: Rrset = {
      ...once,
      records: recordsFromText('x.w.example 5 IN MX 2 b.\nx.w.example 5 IN MX 2 B.'),
    }
    expect(signed(twice)).toEqual(signed(once))
  })
  test('sorts RDATA as bytes: a shorter one before one that goes on, and 0x80 after 0x7f', () => {
    const records = ['0101', '01', '80', '7f', ''].map(hex => ({
      name: nameFromText('example'),
      type: 65_280,
      class: 1,
      ttlSeconds: 1,
      rdata: bytes(hex),
    }))
    const [first] = set(rrsig.replace(' MX ', ' A ').concat('\nx.w.example 1 IN A 1.2.3.4')).signatures
    if (first === undefined) throw new Error('no signature')
    const rrset: Rrset = {
      name: nameFromText('example'),
      type: 65_280,
      records,
      signatures: [first],
      ttlSeconds: 1,
    }
    const text = Buffer.from(signedData(rrset, first) ?? []).toString('hex')
    const front = '076578616d706c6500ff00000100000e10'
    expect(text.split(front).slice(1)).toEqual(['0000', '000101', '00020101', '00017f', '000180'])
  })
  test('is nothing when the signature has more labels than the owner', () => {
    expect(signed(set(`${rrsig.replace(' 8 1 ', ' 8 4 ')}\nx.w.example 5 IN MX 2 b.`))).toBeNull()
  })
})
