import { describe, expect, test } from 'vitest'
import { formatName } from '../dns/name.ts'
import { readAnchors, rootAnchors } from './anchors.ts'
import { keyDigest } from './keys.ts'

/** As IANA publishes them, and Debian's dns-root-data packs them. */
const ksk2017 =
  '. IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU= ; keytag 20326'
const ksk2024 =
  '. IN DNSKEY 257 3 8 AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc= ; keytag 38696'

const outline = (text: string) => {
  const read = readAnchors(text)
  if (read.kind === 'fault') return read
  return read.anchors.map(
    anchor =>
      `${formatName(anchor.zone)} ${anchor.kind} ${anchor.kind === 'ds' ? anchor.ds.keyTag : anchor.dnskey.keyTag}`,
  )
}
const digest = 'ab'.repeat(32)

describe('the anchors of the root', () => {
  test('are the digests of the keys that IANA publishes', () => {
    const read = readAnchors(`${ksk2017}\n${ksk2024}\n`)
    if (read.kind === 'fault') throw new Error(read.says)
    const digests = read.anchors.map(anchor =>
      anchor.kind === 'dnskey'
        ? {
            kind: 'ds',
            zone: [],
            ds: {
              keyTag: anchor.dnskey.keyTag,
              algorithm: anchor.dnskey.algorithm,
              digestType: 2,
              digest: Uint8Array.from(keyDigest([], anchor.dnskey.rdata, 2) ?? []),
            },
          }
        : anchor,
    )
    expect(digests).toEqual(rootAnchors)
  })
})

describe('a file of anchors is read', () => {
  test('as dns-root-data has it, DS or DNSKEY', () => {
    expect(outline(`${ksk2017}\n${ksk2024}`)).toEqual([' dnskey 20326', ' dnskey 38696'])
    expect(outline(`. IN DS 20326 8 2 ${digest.toUpperCase()}\n`)).toEqual([' ds 20326'])
  })
  test('as unbound-anchor keeps it, without the keys that are revoked', () => {
    const managed = `; autotrust trust anchor file\n;;id: . 1\n.\t86400\tIN\tDNSKEY\t385 3 8 AwEAAQ== ;{id = 1 (ksk), size = 0b} ;;state=5 [ REVOKED ]\n`
    expect(outline(`${managed}${ksk2017} ;;state=2 [  VALID  ] ;;count=0`)).toEqual([' dnskey 20326'])
    expect(outline(managed)).toMatchObject({ kind: 'fault', line: null })
  })
  test('as unbound-anchor keeps it, without a key that is new to it or gone', () => {
    const key = ksk2024.replace(/;.*/, '')
    const states = ['0 [  START  ]', '1 [ ADDPEND ]', '4 [ REVOKED ]', '5 [ REMOVED ]']
    for (const state of states)
      expect(outline(`${ksk2017}\n${key};{id = 38696 (ksk)} ;;state=${state} ;;count=3`)).toEqual([
        ' dnskey 20326',
      ])
    for (const state of ['2 [  VALID  ]', '3 [ MISSING ]'])
      expect(outline(`${key} ;;state=${state} ;;count=0`)).toEqual([' dnskey 38696'])
  })
  test('as BIND has it, in every form that it had', () => {
    const key = /AwEAA\S+/.exec(ksk2017)?.[0] ?? ''
    const bind = [
      '# of the root',
      '/* trust-anchors { over',
      '   lines } */',
      'trust-anchors {',
      `  . initial-key 257 3 8 "${key.slice(0, 64)}`,
      `      ${key.slice(64)}"; // KSK-2017`,
      `  "example" static-ds 7 13 2 "${digest}";`,
      `  example.net. initial-ds 8 13 2 "${digest}" ;`,
      '};',
      'managed-keys { };',
      `managed-keys { "example.org." initial-key 257 3 8 "${key}"; };`,
      `trusted-keys {\n"lab.internal" 257 3 8 "${key}"; };`,
    ]
    expect(outline(bind.join('\n'))).toEqual([
      ' dnskey 20326',
      'example ds 7',
      'example.net ds 8',
      'example.org dnskey 20326',
      'lab.internal dnskey 20326',
    ])
  })
  test.each<[string, string]>([
    [
      'with parentheses, over lines',
      `example. 3600 IN DS (\n  7 13 2 ; comment )\n  ${digest.slice(0, 20)}\n ${digest.slice(20)} )`,
    ],
    ['with an owner that goes on', `example. IN DS 7 13 2 ${digest}`],
    ['with class before TTL', `example IN 1h DS 7 13 2 ${digest}`],
    ['without class and TTL', `example. DS 7 13 2 ${digest}`],
    ['in lower case', `example. in ds 7 13 2 ${digest}`],
    ['with lines of DOS', `; first\r\n\r\nexample. DS 7 13 2 ${digest}\r\n`],
    ['with a default TTL', `$TTL 1d\nexample. DS 7 13 2 ${digest}`],
    ['with blanks in the digest', `example. DS 7 13 2 ${digest.slice(0, 32)} ${digest.slice(32)}`],
  ])('%s', (_, text) => {
    expect(outline(text)).toEqual(['example ds 7'])
  })
  test('with several zones, and an owner left out', () => {
    expect(
      outline(
        `example. DS 7 13 2 ${digest}\n         DS 8 13 4 ${'cd'.repeat(48)}\nlab.internal DS 9 15 1 ${'ef'.repeat(20)}`,
      ),
    ).toEqual(['example ds 7', 'example ds 8', 'lab.internal ds 9'])
  })
})

describe('a file is a fault, with its line and a whole sentence', () => {
  test.each<[string, string, number | null]>([
    ['that is empty', '', null],
    ['with nothing but comments', '; nothing\n\n', null],
    ['with another record', `example. DS 7 13 2 ${digest}\nexample. A 192.0.2.1`, 2],
    ['with an owner that is no name', `exa..mple DS 7 13 2 ${digest}`, 1],
    ['with a first record without owner', ` DS 7 13 2 ${digest}`, 1],
    ['with an origin', `$ORIGIN example.\n@ DS 7 13 2 ${digest}`, 1],
    ['with a digest of another length', `example. DS 7 13 2 ${digest}00`, 1],
    ['with a digest that is no hex', `example. DS 7 13 2 ${digest.slice(1)}g`, 1],
    ['with half a byte of digest', `example. DS 7 13 2 ${digest.slice(1)}`, 1],
    ['with an unknown digest', `example. DS 7 13 3 ${digest}`, 1],
    ['with an unknown algorithm', `example. DS 7 12 2 ${digest}`, 1],
    ['with a tag that is none', `example. DS 65536 13 2 ${digest}`, 1],
    ['with a DS that is cut', '\nexample. DS 7 13', 2],
    ['with a key that is no Base64', 'example. DNSKEY 257 3 13 A-B=', 1],
    ['with a key that is cut', 'example. DNSKEY 257 3 13 AwEAA', 1],
    ['with a key that signs no zone', 'example. DNSKEY 1 3 13 AwEAAQ==', 1],
    ['with a key of another protocol', 'example. DNSKEY 257 4 13 AwEAAQ==', 1],
    ['with a key of an unknown algorithm', 'example. DNSKEY 257 3 12 AwEAAQ==', 1],
    ['with a parenthesis that stays open', `; a\nexample. DS ( 7 13 2\n${digest}`, 2],
    ['with a parenthesis too many', `example. DS 7 13 2 ${digest} )`, 1],
    ['with parentheses in parentheses', `example. DS ( ( 7 13 2 ${digest} ) )`, 1],
    ['with another statement of BIND', `trust-anchors {\n . static-ds 7 8 2 "${digest}";\n};\noptions { };`, 4],
    ['with another word of BIND', `trust-anchors {\n . last-ds 7 8 2 "${digest}";\n};`, 2],
    ['with a key without a semicolon', `trust-anchors { . static-ds 7 8 2 "${digest}"\n};`, 2],
    ['with a comment without an end', `trust-anchors { /* };`, 1],
    ['with a quoted text without an end', `trust-anchors {\n . static-ds 7 8 2 "${digest};\n};`, 2],
    ['with a digest of BIND that is none', `trust-anchors {\n\n . static-ds 7 8 2 "hello";\n};`, 3],
    ['with nothing in the statement', 'trust-anchors { };', null],
    ['that is something else', '<html>\n<body>', 1],
  ])('%s', (_, text, line) => {
    const read = readAnchors(text)
    expect(read).toMatchObject({ kind: 'fault', line })
    if (read.kind === 'fault') expect(read.says).toMatch(/^[A-Z].*\.$/)
  })
  test('at every cut of it that is not a whole one', () => {
    const text = `example. 3600 IN DS ( 7 13 2\n ${digest} )`
    const ofBind = `trust-anchors { . static-ds 7 13 2 "${digest}"; }`
    for (const whole of [text, ofBind]) {
      for (let cut = 0; cut < whole.length; cut++) expect(readAnchors(whole.slice(0, cut)).kind).toBe('fault')
      expect(readAnchors(whole).kind).toBe('anchors')
    }
  })
})
