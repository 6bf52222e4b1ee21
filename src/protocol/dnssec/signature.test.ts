import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../dns/message.ts'
import { algorithmName, algorithmStatus } from './algorithms.ts'
import { createDnssecBudget } from './budget.ts'
import { dnskeyRdata } from './encoding.ts'
import { dsMatches } from './keys.ts'
import { readDs } from './records.ts'
import { groupRrsets } from './rrsets.ts'
import { signatureEndMs, signatureTime, verifyRrset } from './signature.ts'
import { asDnskey, makeKey, type SigningKey, signRecords } from './testing/signing.ts'
import { nameFromText, recordsFromText } from './testing/zone-text.ts'
import type { Dnskey, Rrset, Rrsig } from './types.ts'

const verdictOf = (records: readonly ResourceRecord[], key: Dnskey, budget = createDnssecBudget()) => {
  const { rrset, rrsig } = only(records)
  return verifyRrset(rrset, rrsig, key, budget)
}
function only(records: readonly ResourceRecord[]): { rrset: Rrset; rrsig: Rrsig } {
  const [rrset] = groupRrsets(records)
  const [rrsig] = rrset?.signatures ?? []
  if (rrset === undefined || rrsig === undefined) throw new Error('no signed set')
  return { rrset, rrsig }
}
function firstKey(records: readonly ResourceRecord[]): Dnskey {
  const record = records.find(({ type }) => type === 48)
  if (record === undefined) throw new Error('no key')
  return asDnskey(record.rdata)
}

/** Title, key and DS of a zone, records and signature, or none. */
const examples: readonly (readonly [string, string, string])[] = [
  [
    'RFC 4034 §5.4 and RFC 4509 §2.3: DS with SHA-1 and SHA-256',
    `dskey.example.com. 86400 IN DNSKEY 256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw== ; 60485
     dskey.example.com. 86400 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
     dskey.example.com. 86400 IN DS 60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A`,
    '',
  ],
  [
    'RFC 4035 appendix B.6: RSASHA1, a wildcard expanded over two labels',
    'example. 3600 IN DNSKEY 256 3 5 AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5CQePxXHZS4i8dANH4DX3tbHol61ek8EFMcsGXxKciJFHyhl94C+NwILQdzsUlSFovBZsyl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZIySFNsgEYvh0z2542lzMKR4Dh8uZffQ== ; 38519',
    `a.z.w.example. 3600 IN MX 1 ai.example.
     a.z.w.example. 3600 IN RRSIG MX 5 2 3600 20040509183619 20040409183619 38519 example. OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYISAxfAdvXSZ7xujKAtPbctvOQ2ofO7AZJ+d01EeeQTVBPq4/6KCWhqe2XTjnkVLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC36SR5xBni8vHI=`,
  ],
  [
    'RFC 5702 §6.1: RSASHA256 with 512 bits',
    'example.net. 3600 IN DNSKEY 256 3 8 AwEAAcFcGsaxxdgiuuGmCkVI my4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8P kxUdp6p/DlUmObdk= ; 9033',
    `www.example.net. 3600 IN A 192.0.2.91
     www.example.net. 3600 IN RRSIG A 8 3 3600 20300101000000 20000101000000 9033 example.net. kRCOH6u7l0QGy9qpC9 l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEa cFYK/lPtPiVYP4bwg==`,
  ],
  [
    'RFC 5702 §6.2: RSASHA512 with 1,024 bits',
    'example.net. 3600 IN DNSKEY 256 3 10 AwEAAdHoNTOW+et86KuJOWRD p1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFD xj13tOnD9u/1kTg7cV6rklMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8g pMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL ; 3740',
    `www.example.net. 3600 IN A 192.0.2.91
     www.example.net. 3600 IN RRSIG A 10 3 3600 20300101000000 20000101000000 3740 example.net. tsb4wnjRUDnB1BUi+t 6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRa eUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOL DiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=`,
  ],
  [
    'RFC 6605 §6.1: ECDSAP256SHA256',
    `example.net. 3600 IN DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA== ; 55648
     example.net. 3600 IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17`,
    `www.example.net. 3600 IN A 192.0.2.1
     www.example.net. 3600 IN RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==`,
  ],
  [
    'RFC 6605 §6.2: ECDSAP384SHA384, DS with SHA-384',
    `example.net. 3600 IN DNSKEY 257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40 ; 10771
     example.net. 3600 IN DS 10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6`,
    `www.example.net. 3600 IN A 192.0.2.1
     www.example.net. 3600 IN RRSIG A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm`,
  ],
  [
    // The signatures that RFC 8080 prints are over one label too many; erratum 4935 has the right ones.
    'RFC 8080 §6.1 with erratum 4935: ED25519',
    `example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4= ; 3613
     example.com. 3600 IN DS 3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b`,
    `example.com. 3600 IN MX 10 mail.example.com.
     example.com. 3600 IN RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==`,
  ],
  [
    'RFC 8080 §6.1 with erratum 4935, second key',
    `example.com. 3600 IN DNSKEY 257 3 15 zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs= ; 35217
     example.com. 3600 IN DS 35217 15 2 401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c`,
    `example.com. 3600 IN MX 10 mail.example.com.
     example.com. 3600 IN RRSIG MX 15 2 3600 1440021600 1438207200 35217 example.com. zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==`,
  ],
  [
    'RFC 8080 §6.2 with erratum 4935: ED448',
    `example.com. 3600 IN DNSKEY 257 3 16 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA ; 9713
     example.com. 3600 IN DS 9713 16 2 6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7`,
    `example.com. 3600 IN MX 10 mail.example.com.
     example.com. 3600 IN RRSIG MX 16 2 3600 1440021600 1438207200 9713 example.com. 3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA`,
  ],
  [
    'RFC 8080 §6.2 with erratum 4935, second key',
    `example.com. 3600 IN DNSKEY 257 3 16 kkreGWoccSDmUBGAe7+zsbG6ZAFQp+syPmYUurBRQc3tDjeMCJcVMRDmgcNLp5HlHAMy12VoISsA ; 38353
     example.com. 3600 IN DS 38353 16 2 645ff078b3568f5852b70cb60e8e696cc77b75bfaaffc118cf79cbda1ba28af4`,
    `example.com. 3600 IN MX 10 mail.example.com.
     example.com. 3600 IN RRSIG MX 16 2 3600 1440021600 1438207200 38353 example.com. E1/oLjSGIbmLny/4fcgM1z4oL6aqo+izT3urCyHyvEp4Sp8Syg1eI+lJ57CSnZqjJP41O/9l4m0AsQ4f7qI1gVnML8vWWiyW2KXhT9kuAICUSxv5OWbf81Rq7Yu60npabODB0QFPb/rkW3kUZmQ0YQUA`,
  ],
]

describe.each(examples)('%s', (_, zoneText, signedText) => {
  const zone = recordsFromText(zoneText)
  const key = firstKey(zone)
  test('the key tag is what the example says', () => {
    expect(key.keyTag).toBe(Number(/; (\d+)/.exec(zoneText)?.[1]))
  })
  test('every DS names the key, and no other zone’s', () => {
    for (const record of zone.filter(({ type }) => type === 43)) {
      const ds = readDs(record)
      if (ds === 'malformed') throw new Error('no DS')
      expect(dsMatches(ds, record.name, key)).toBe(true)
      expect(dsMatches(ds, nameFromText('example.org'), key)).toBe(false)
      expect(dsMatches({ ...ds, keyTag: ds.keyTag ^ 1 }, record.name, key)).toBe(false)
      expect(dsMatches({ ...ds, digest: ds.digest.subarray(1) }, record.name, key)).toBe(false)
    }
  })
  if (signedText !== '')
    test('the signature is good, and with one bit of it or of the record changed it is bad', () => {
      const signed = recordsFromText(signedText)
      expect(verdictOf(signed, key)).toBe('good')
      const [record, rrsig] = signed
      if (record === undefined || rrsig === undefined) throw new Error('no records')
      expect(verdictOf([flipped(record, record.rdata.length - 2), rrsig], key)).toBe('bad')
      // Signature, original TTL, expiration, inception, signer.
      for (const at of [rrsig.rdata.length - 1, 7, 11, 15, 20])
        expect(verdictOf([record, flipped(rrsig, at)], key)).toBe('bad')
    })
})

const flipped = (record: ResourceRecord, at: number): ResourceRecord => {
  const rdata = Uint8Array.from(record.rdata)
  rdata[at] = (rdata[at] ?? 0) ^ 1
  return { ...record, rdata }
}

const zone = nameFromText('example')
const records = recordsFromText('a.example 3600 IN A 192.0.2.1\na.example 3600 IN A 192.0.2.2')
const signedBy = (key: SigningKey, changes = {}) => [...records, signRecords(records, zone, key, changes)]
const names: Readonly<Record<number, string>> = {
  5: 'RSASHA1',
  7: 'RSASHA1-NSEC3-SHA1',
  8: 'RSASHA256',
  10: 'RSASHA512',
  13: 'ECDSAP256SHA256',
  14: 'ECDSAP384SHA384',
  15: 'ED25519',
  16: 'ED448',
}

describe.each([5, 7, 8, 10, 13, 14, 15, 16])('algorithm %i', number => {
  const key = makeKey(number)
  test('has its name and its status', () => {
    expect(algorithmName(number)).toBe(names[number])
    expect(algorithmStatus(number)).toBe(number < 8 ? 'sha1' : 'validates')
  })
  test('verifies what was signed with it, and not with another key', () => {
    expect(verdictOf(signedBy(key), key.dnskey)).toBe('good')
    expect(verdictOf(signedBy(key), makeKey(number).dnskey)).toBe('bad')
  })
  test('is paid for in units of RSA-2048, by the algorithm and the bytes signed', () => {
    const budget = createDnssecBudget()
    verdictOf(signedBy(key), key.dnskey, budget)
    const units = { 13: 3, 14: 21, 15: 3, 16: 7 }[number] ?? 1
    expect(budget.spent.signatures).toBeGreaterThan(units)
    expect(budget.spent.signatures).toBeLessThan(units + 0.02)
    expect(verdictOf(signedBy(key), key.dnskey, createDnssecBudget({ signatures: units }))).toBe('over-budget')
  })
  test('does not throw, and costs nothing, at any other length of the signature', () => {
    const budget = createDnssecBudget()
    const [one, two, rrsig] = signedBy(key)
    if (one === undefined || two === undefined || rrsig === undefined) throw new Error('no records')
    const { rrsig: whole } = only([one, two, rrsig])
    for (let cut = 1; cut < whole.signature.length; cut++)
      expect(verdictOf([one, two, { ...rrsig, rdata: rrsig.rdata.subarray(0, -cut) }], key.dnskey, budget)).toBe(
        'bad',
      )
    expect(
      verdictOf(
        [one, two, { ...rrsig, rdata: Buffer.concat([rrsig.rdata, new Uint8Array(1)]) }],
        key.dnskey,
        budget,
      ),
    ).toBe('bad')
    expect(budget.spent.signatures).toBe(0)
  })
  test('does not throw at any cut of the key, nor with a byte too many', () => {
    const { rdata } = key.dnskey
    for (let length = 5; length <= rdata.length + 1; length++) {
      const cut = asDnskey(Buffer.concat([rdata, new Uint8Array(1)]).subarray(0, length))
      // A cut RSA modulus is another, smaller one, of another length than the signature.
      expect(['unusable-key', 'bad', length === rdata.length ? 'good' : 'bad']).toContain(
        verdictOf(signedBy(key), cut),
      )
    }
  })
  test('does not throw whatever the key’s bytes are', () => {
    for (const fill of [0, 1, 0x7f, 0xff]) {
      const publicKey = new Uint8Array(key.dnskey.publicKey.length).fill(fill)
      expect(['unusable-key', 'bad']).toContain(
        verdictOf(signedBy(key), asDnskey(dnskeyRdata(257, number, publicKey))),
      )
    }
  })
  test('is not asked when the key is of another', () => {
    const other = asDnskey(dnskeyRdata(257, number === 8 ? 10 : 8, key.dnskey.publicKey))
    expect(verdictOf(signedBy(key), other)).toBe('bad')
  })
})

test.each([0, 1, 2, 3, 6, 9, 11, 12, 17, 23, 252, 253, 254, 255])('algorithm %i is unknown', number => {
  expect(algorithmStatus(number)).toBe('unknown')
  expect(algorithmName(number)).toBe(`algorithm ${number}`)
  const key = makeKey(8)
  expect(
    verdictOf(signedBy(key, { algorithm: number }), asDnskey(dnskeyRdata(257, number, key.dnskey.publicKey))),
  ).toBe('unknown-algorithm')
})

describe('an RSA key (RFC 3110 §2, RFC 5702 §2)', () => {
  const modulus = (bits: number) => {
    const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
    bytes[0] = 0xff >> (bytes.length * 8 - bits)
    return bytes
  }
  const exponent = (bits: number) => {
    const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(1)
    bytes[0] = 1 << ((bits - 1) % 8)
    return bytes
  }
  const keyOf = (algorithm: number, e: Uint8Array, n: Uint8Array, length: readonly number[] = [e.length]) =>
    asDnskey(dnskeyRdata(257, algorithm, Buffer.concat([Uint8Array.from(length), e, n])))
  const verdictFor = (key: Dnskey, bytes: number) => {
    const { rrset, rrsig } = only(signedBy(makeKey(8)))
    return verifyRrset(
      rrset,
      { ...rrsig, algorithm: key.algorithm, signature: new Uint8Array(bytes).fill(1) },
      key,
      createDnssecBudget(),
    )
  }
  test.each<[string, Dnskey, number, 'bad' | 'unusable-key']>([
    ['of 512 bits is read', keyOf(8, exponent(17), modulus(512)), 64, 'bad'],
    ['of 511 bits is not', keyOf(8, exponent(17), modulus(511)), 64, 'unusable-key'],
    ['of 4,096 bits is read', keyOf(8, exponent(17), modulus(4096)), 512, 'bad'],
    ['of 4,097 bits is not', keyOf(8, exponent(17), modulus(4097)), 513, 'unusable-key'],
    ['of 1,024 bits is read for SHA-512', keyOf(10, exponent(17), modulus(1024)), 128, 'bad'],
    ['of 1,023 bits is not', keyOf(10, exponent(17), modulus(1023)), 128, 'unusable-key'],
    ['with an exponent of 3 is read', keyOf(8, Uint8Array.of(3), modulus(1024)), 128, 'bad'],
    ['with an exponent of 1 is not', keyOf(8, Uint8Array.of(1), modulus(1024)), 128, 'unusable-key'],
    ['with an exponent of 35 bits is read', keyOf(8, exponent(35), modulus(1024)), 128, 'bad'],
    ['with an exponent of 36 bits is not', keyOf(8, exponent(36), modulus(1024)), 128, 'unusable-key'],
    ['with the length in three bytes is read', keyOf(8, exponent(17), modulus(1024), [0, 0, 3]), 128, 'bad'],
    ['with a zero before the exponent is not', keyOf(8, Uint8Array.of(0, 3), modulus(1024)), 128, 'unusable-key'],
    [
      'with a zero before the modulus is not',
      keyOf(8, exponent(17), Buffer.concat([new Uint8Array(1), modulus(1024)])),
      129,
      'unusable-key',
    ],
    ['without an exponent is not', keyOf(8, new Uint8Array(0), modulus(1024)), 128, 'unusable-key'],
    ['without a modulus is not', keyOf(8, exponent(17), new Uint8Array(0)), 128, 'unusable-key'],
    [
      'with an exponent longer than the key is not',
      keyOf(8, exponent(17), modulus(1024), [0, 255, 255]),
      128,
      'unusable-key',
    ],
  ])('%s', (_, key, signatureBytes, verdict) => {
    expect(verdictFor(key, signatureBytes)).toBe(verdict)
  })
  test('with the exponent’s length in three bytes verifies', () => {
    const key = makeKey(8)
    const [length = 0, ...rest] = key.dnskey.publicKey
    const long = { ...key, dnskey: asDnskey(dnskeyRdata(257, 8, Uint8Array.from([0, 0, length, ...rest]))) }
    expect(verdictOf(signedBy(long), long.dnskey)).toBe('good')
  })
  test('of the largest size verifies', () => {
    const key = makeKey(8, 257, 4096)
    expect(verdictOf(signedBy(key), key.dnskey)).toBe('good')
  })
  test('costs by the square of its size, and by its exponent', () => {
    const spentFor = (key: Dnskey, bytes: number) => {
      const { rrset, rrsig } = only(signedBy(makeKey(8)))
      const budget = createDnssecBudget()
      verifyRrset(rrset, { ...rrsig, signature: new Uint8Array(bytes).fill(1) }, key, budget)
      return Math.round(budget.spent.signatures * 10) / 10
    }
    expect(spentFor(keyOf(8, exponent(17), modulus(2048)), 256)).toBe(1)
    expect(spentFor(keyOf(8, exponent(17), modulus(4096)), 512)).toBe(4)
    expect(spentFor(keyOf(8, exponent(34), modulus(2048)), 256)).toBe(2)
  })
})

describe('the two numbers of an ECDSA signature (RFC 6605 §4)', () => {
  const publicKey = Buffer.from(
    'EfrEDLvtEEr/fhsIk0t0KcN7c+2EHHSXRbJKnag2uto92I3/gSTO+zIajp/WzIzxBRsqixW8Ico2jEGtfgNHyw==',
    'base64',
  )
  // Made once, one in 330,000: the first begins with zeros that no DER has, the second with a zero that DER needs.
  const signature = Buffer.from(
    'AF7mmaVZ+vnnDAXWzxNDvfwZgXzsDcs/+ourlRDs4tIA8PfqgT4CfidGWBLds+fikES6WR/Jz4X5eeSDAFmyyA==',
    'base64',
  )
  const key = asDnskey(dnskeyRdata(257, 13, publicKey))
  const signed = recordsFromText('www.example 3600 IN A 192.0.2.1')
  const withSignature = (bytes: Uint8Array) => {
    const rrsig = signRecords(signed, nameFromText('example'), makeKey(13), { keyTag: 53_611 })
    return [...signed, { ...rrsig, rdata: Buffer.concat([rrsig.rdata.subarray(0, -64), bytes]) }]
  }
  test('may begin with zeros', () => {
    expect(key.keyTag).toBe(53_611)
    expect(verdictOf(withSignature(signature), key)).toBe('good')
  })
  test.each<[string, Uint8Array, Uint8Array]>([
    ['the first zero', new Uint8Array(32), signature.subarray(32)],
    ['the second zero', signature.subarray(0, 32), new Uint8Array(32)],
    ['both zero', new Uint8Array(32), new Uint8Array(32)],
    ['both beyond the curve', new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(0xff)],
    ['in the other order', signature.subarray(32), signature.subarray(0, 32)],
  ])('and prove nothing: %s', (_, first, second) => {
    expect(verdictOf(withSignature(Buffer.concat([first, second])), key)).toBe('bad')
  })
})

test('a point that is not on its curve is an unusable key', () => {
  const key = asDnskey(dnskeyRdata(257, 13, new Uint8Array(64).fill(7)))
  expect(verdictOf(signedBy(makeKey(13)), key)).toBe('unusable-key')
})

test('64 KB of records cost what hashing them costs', () => {
  const key = makeKey(13)
  const many = Array.from({ length: 240 }, (_, index) => ({
    name: zone,
    type: 16,
    class: 1,
    ttlSeconds: 60,
    rdata: new Uint8Array(255).fill(index),
  }))
  const budget = createDnssecBudget()
  expect(verdictOf([...many, signRecords(many, zone, key)], key.dnskey, budget)).toBe('good')
  expect(budget.spent.signatures).toBeGreaterThan(3 + 3.7)
  expect(budget.spent.signatures).toBeLessThan(3 + 4.5)
})

describe('the time of a signature (RFC 4034 §3.1.5, RFC 1982)', () => {
  const at = (inception: number, expiration: number, nowSeconds: number) =>
    signatureTime({ inception: inception >>> 0, expiration: expiration >>> 0 }, nowSeconds * 1000)
  test.each<[string, number, number, number, 'valid' | 'expired' | 'not-yet-valid']>([
    ['begins with its first second', 100, 200, 100, 'valid'],
    ['ends with its last second', 100, 200, 200, 'valid'],
    ['has not begun a second before', 100, 200, 99, 'not-yet-valid'],
    ['is over a second after', 100, 200, 201, 'expired'],
    ['may be a single second', 100, 100, 100, 'valid'],
    ['that ends before it begins never is', 200, 100, 150, 'not-yet-valid'],
    ['that ends before it begins never is, afterwards', 200, 100, 250, 'expired'],
    ['goes on beyond 2106: before', 2 ** 32 - 100, 2 ** 32 + 100, 2 ** 32 - 50, 'valid'],
    ['goes on beyond 2106: after', 2 ** 32 - 100, 2 ** 32 + 100, 2 ** 32 + 50, 'valid'],
    ['goes on beyond 2106: over', 2 ** 32 - 100, 2 ** 32 + 100, 2 ** 32 + 101, 'expired'],
    ['of 1970 is over now', 0, 100, 1_768_435_200, 'expired'],
    ['just less than half the circle ahead has not begun', 100 + 2 ** 31 - 1, 200 + 2 ** 31, 100, 'not-yet-valid'],
    ['longer than half the circle is none', 0, 2 ** 31 + 100, 2 ** 30, 'expired'],
  ])('%s', (_, inception, expiration, now, time) => {
    expect(at(inception, expiration, now)).toBe(time)
  })
  test('at exactly half the circle, which is undefined, it does not hold', () => {
    expect(at(100, 100 + 2 ** 31, 100)).not.toBe('valid')
    expect(at(100 - 2 ** 31, 200, 100)).not.toBe('valid')
  })
  test('ends at its expiry, in the circle that now is in', () => {
    expect(signatureEndMs({ expiration: 200 }, 150_900)).toBe(200_000)
    expect(signatureEndMs({ expiration: 100 }, (2 ** 32 - 50) * 1000)).toBe((2 ** 32 + 100) * 1000)
  })
})
