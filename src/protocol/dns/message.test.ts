import * as packet from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeHead,
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageFault,
  makeQuery,
  maxNameSteps,
  nameBytes,
  type ResourceRecord,
} from './message.ts'
import { formatName, type Name, parseName } from './name.ts'
import { classInternet, typeFromName, typeName, typeNumbers } from './numbers.ts'
import { type KnownData, makeRecord, readData } from './records.ts'

const name = (text: string): Name => parseName(text) ?? []
const query = makeQuery({ id: 0x1234, name: name('example.org'), type: typeNumbers.MX, edns: null })
const edns = {
  udpPayloadBytes: 1232,
  version: 0,
  dnssecOk: true,
  options: [{ code: 10, data: Uint8Array.of(1, 2, 3) }],
}
const raw = (owner: string, type: number, rdata: Uint8Array): ResourceRecord => ({
  name: name(owner),
  type,
  class: classInternet,
  ttlSeconds: 60,
  rdata,
})
const answer: Message = {
  ...query,
  isResponse: true,
  recursionAvailable: true,
  authenticData: true,
  answers: [
    makeRecord('example.org', 300, { type: 'MX', preference: 10, exchange: 'mx1.example.org' }),
    makeRecord('Example.Org', 300, { type: 'MX', preference: 20, exchange: 'mx2.Example.org' }),
  ],
  authorities: [
    makeRecord('example.org', 60, {
      type: 'SOA',
      primary: 'ns.example.org',
      mailbox: 'a\\.b.example.org',
      serial: 4_294_967_295,
      refresh: 1,
      retry: 2,
      expire: 3,
      minimum: 4,
    }),
  ],
  additionals: [
    makeRecord('mx1.example.org', 60, { type: 'A', address: '192.0.2.1' }),
    raw('x.example.org', 731, Uint8Array.of(0xc0, 0x0c)),
  ],
  edns,
}

function decoded(bytes: Uint8Array): Message {
  const result = decodeMessage(bytes)
  if (result.kind === 'malformed') throw new Error(`${result.because} at ${result.at}`)
  return result.value
}
const fault = (bytes: Uint8Array) => {
  const result = decodeMessage(bytes)
  return result.kind === 'malformed' ? result.because : null
}
/** A response with hand-made bytes behind the header. */
const handMade = (counts: { questions?: number; answers?: number; additionals?: number }, ...body: number[]) =>
  Uint8Array.of(
    0,
    1,
    0x80,
    0,
    0,
    counts.questions ?? 0,
    (counts.answers ?? 0) >> 8,
    (counts.answers ?? 0) & 0xff,
    0,
    0,
    0,
    counts.additionals ?? 0,
    ...body,
  )

describe('a message', () => {
  test('comes back from its bytes as it was', () => {
    for (const message of [query, answer, { ...answer, edns: null }, { ...query, edns, checkingDisabled: true }])
      expect(decoded(encodeMessage(message))).toEqual(message)
  })

  test('has exactly these bytes for a plain question', () => {
    expect(Buffer.from(encodeMessage(query)).toString('hex')).toBe(
      '12340100000100000000000007' + '6578616d706c65036f726700' + '000f0001',
    )
  })

  test('carries a 12-bit rcode when it has EDNS, and cannot without', () => {
    expect(decoded(encodeMessage({ ...answer, rcode: 16 + 3 })).rcode).toBe(19)
    expect(() => encodeMessage({ ...answer, rcode: 16, edns: null })).toThrow(RangeError)
  })

  test('that does not fit keeps its question and OPT, and says so with TC', () => {
    const cut = decoded(encodeMessage(answer, 100))
    expect(cut).toEqual({ ...answer, truncated: true, answers: [], authorities: [], additionals: [] })
    expect(encodeMessage(answer, encodeMessage(answer).length)).toEqual(encodeMessage(answer))
  })

  test('is refused at every cut, and with anything behind it', () => {
    const bytes = encodeMessage(answer)
    for (let cut = 0; cut < bytes.length; cut++)
      expect(fault(bytes.subarray(0, cut)), `cut at ${cut}`).toBe('cut-short')
    for (let byte = 0; byte < 256; byte++) expect(fault(Uint8Array.of(...bytes, byte))).toBe('trailing-bytes')
  })

  test('whose rest is cut still shows its header and question', () => {
    const bytes = encodeMessage({ ...answer, truncated: true })
    const { answers: _1, authorities: _2, additionals: _3, edns: _4, ...head } = { ...answer, truncated: true }
    const end = encodeMessage(query).length
    for (let cut = end; cut <= bytes.length; cut++)
      expect(decodeHead(bytes.subarray(0, cut))).toEqual({ kind: 'decoded', value: head })
    for (let cut = 0; cut < end; cut++) expect(decodeHead(bytes.subarray(0, cut)).kind).toBe('malformed')
  })

  test('names that our own code got wrong are not sent', () => {
    for (const wrong of [
      [new Uint8Array(64)],
      [new Uint8Array(0)],
      Array.from({ length: 5 }, () => new Uint8Array(60)),
    ])
      expect(() => encodeMessage(makeQuery({ id: 1, name: wrong, type: 1, edns: null }))).toThrow(RangeError)
  })
})

describe('RDATA', () => {
  // `example.org` lies at byte 12, `org` at byte 20.
  const question = [7, ...Buffer.from('example'), 3, ...Buffer.from('org'), 0, 0, 15, 0, 1]
  const record = (type: number, rdata: number[]) =>
    handMade(
      { questions: 1, answers: 1 },
      ...question,
      0xc0,
      12,
      type >> 8,
      type & 0xff,
      0,
      1,
      0,
      0,
      0,
      60,
      rdata.length >> 8,
      rdata.length & 0xff,
      ...rdata,
    )
  const written = [...nameBytes(name('mx.example.org'))]

  test.each<[string, number[], number[]]>([
    ['MX', [0, 10, 2, 0x6d, 0x78, 0xc0, 12], [0, 10, ...written]],
    ['CNAME', [0xc0, 20], [3, ...Buffer.from('org'), 0]],
    ['NS', [2, 0x6d, 0x78, 0xc0, 12], written],
    ['PTR', [2, 0x6d, 0x78, 0xc0, 12], written],
    [
      'SOA',
      [0xc0, 20, 2, 0x6d, 0x78, 0xc0, 12, ...Array(20).keys()],
      [3, ...Buffer.from('org'), 0, ...written, ...Array(20).keys()],
    ],
    ['SRV', [0, 0, 0, 0, 0, 25, 2, 0x6d, 0x78, 0xc0, 12], [0, 0, 0, 0, 0, 25, ...written]],
    ['NAPTR', [0, 1, 0, 2, 1, 0x73, 0, 0, 0xc0, 20], [0, 1, 0, 2, 1, 0x73, 0, 0, 3, ...Buffer.from('org'), 0]],
  ])('of %s has its compressed names written out', (type, compressed, plain) => {
    const number = typeFromName(type) ?? 0
    expect(decoded(record(number, compressed)).answers[0]?.rdata).toEqual(Uint8Array.from(plain))
    expect(decoded(record(number, plain)).answers[0]?.rdata).toEqual(Uint8Array.from(plain))
  })

  test.each(['RRSIG', 'NSEC', 'DS', 'DNSKEY', 'NSEC3', 'TLSA', 'TYPE731', 'DNAME', 'TXT', 'A'])(
    'of %s is kept byte for byte, even where it looks like a pointer',
    type => {
      const rdata = [0xc0, 12, 0xff, 0, 0xc0]
      expect(decoded(record(typeFromName(type) ?? 0, rdata)).answers[0]?.rdata).toEqual(Uint8Array.from(rdata))
    },
  )

  test.each<[string, number, number[]]>([
    ['an MX with a byte behind its name', 15, [0, 10, 0xc0, 12, 0]],
    ['a CNAME of no bytes', 5, []],
    ['an SOA that is too short', 6, [0xc0, 12, 0xc0, 12, 0, 0, 0, 0]],
    ['a NAPTR whose string runs past its end', 35, [0, 1, 0, 2, 9, 0, 0]],
  ])('%s is refused', (_, type, rdata) => {
    // More bytes follow, so it is the length that is wrong and not the message that ends.
    const bytes = record(type, rdata)
    const more = Uint8Array.of(...bytes, ...Array(40).fill(0))
    expect(fault(more)).toBe('rdata-length-wrong')
  })
})

describe('hostile bytes', () => {
  test.each<[string, Uint8Array, MessageFault]>([
    ['a pointer to itself', handMade({ questions: 1 }, 0xc0, 12, 0, 1, 0, 1), 'pointer-not-backwards'],
    ['a pointer forwards', handMade({ questions: 1 }, 0xc0, 18, 0, 1, 0, 1, 0), 'pointer-not-backwards'],
    ['a pointer into the header', handMade({ questions: 1 }, 0xc0, 4, 0, 1, 0, 1), 'pointer-not-backwards'],
    [
      'a pointer to the label before it',
      handMade({ questions: 1 }, 1, 0x61, 0xc0, 12, 0, 1, 0, 1),
      'pointer-not-backwards',
    ],
    ['a pointer cut in half', handMade({ questions: 1 }, 0xc0), 'cut-short'],
    ['a label of type 01', handMade({ questions: 1 }, 0x41, 0, 0, 0, 1, 0, 1), 'label-type-unknown'],
    ['a label of type 10', handMade({ questions: 1 }, 0x81, 0, 0, 0, 1, 0, 1), 'label-type-unknown'],
    [
      'a name of 256 bytes',
      handMade({ questions: 1 }, ...Array(127).fill([1, 0x61]).flat(), 1, 0x61, 0, 0, 1, 0, 1),
      'name-too-long',
    ],
    [
      'more records than there are bytes',
      handMade({ answers: 65_535 }, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0),
      'cut-short',
    ],
    [
      'two OPT records',
      handMade({ additionals: 2 }, ...[0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0], ...[0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0]),
      'opt-misplaced',
    ],
    ['an OPT among the answers', handMade({ answers: 1 }, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0), 'opt-misplaced'],
    [
      'an OPT with a name',
      handMade({ additionals: 1 }, 1, 0x61, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0),
      'opt-malformed',
    ],
    [
      'an OPT whose option runs past its end',
      handMade({ additionals: 1 }, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 4, 0, 10, 0, 1),
      'opt-malformed',
    ],
    ['64 KB and one byte', new Uint8Array(65_536), 'too-long'],
  ])('%s is refused', (_, bytes, because) => expect(fault(bytes)).toBe(because))

  test('a TTL with its highest bit set means 0 (RFC 2181 §8)', () => {
    const bytes = handMade({ answers: 1 }, 0, 0, 1, 0, 1, 0x80, 0, 0, 1, 0, 4, 1, 2, 3, 4)
    expect(decoded(bytes).answers[0]?.ttlSeconds).toBe(0)
  })

  test('whatever the bytes, decoding answers and does not throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes =>
        ['decoded', 'malformed'].includes(decodeMessage(bytes).kind),
      ),
    )
    fc.assert(
      fc.property(mutated(encodeMessage(answer)), bytes =>
        ['decoded', 'malformed'].includes(decodeMessage(bytes).kind),
      ),
      { numRuns: 2000 },
    )
  })

  test('what was decoded can be encoded and means the same', () => {
    fc.assert(
      fc.property(mutated(encodeMessage(answer)), bytes => {
        const result = decodeMessage(bytes)
        if (result.kind === 'decoded') expect(decoded(encodeMessage(result.value))).toEqual(result.value)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the work of decoding', () => {
  /** Records whose owners are all pointers; `pointerOf` gives the target of the nth, which starts at byte `at`. */
  const pointers = (count: number, first: number[], targetOf: (at: number, index: number) => number) => {
    const body = [...first]
    for (let index = 0; index < count; index++) {
      const target = targetOf(12 + body.length, index)
      body.push(0xc0 | (target >> 8), target & 0xff, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0)
    }
    return Uint8Array.from([...handMade({ questions: 1, answers: count }), ...body])
  }
  const longName = [...Array(126).fill([1, 0x61]).flat(), 0, 0, 1, 0, 1]
  const toLongName = (count: number) => pointers(count, longName, () => 12)
  // Every owner points to the owner before it, as far as a pointer reaches: 1 jump, 2 jumps, 3 jumps…
  const toEachOther = (count: number) =>
    pointers(count, [0, 0, 1, 0, 1], (at, index) =>
      index === 0 ? 12 : Math.min(at - 12, 0x3fff - ((0x3fff - 17) % 12)),
    )

  const reads = (bytes: Uint8Array) => {
    let count = 0
    const counting = new Proxy(bytes, {
      get(target, property) {
        count++
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    decodeMessage(counting)
    return count
  }

  test.each([
    ['all pointing to one long name', toLongName],
    ['each pointing to the one before', toEachOther],
  ])('grows no faster than the message, with names %s', (_, make) => {
    const sizes = [170, 340, 680, 1360, 2720, 5400]
    const counts = sizes.map(size => reads(make(size)))
    // Every name costs a bounded number of reads until the budget for the message is gone; after that nothing grows.
    const [atMost] = [maxNameSteps * 4 + 65_535 * 4]
    for (const count of counts) expect(count).toBeLessThan(atMost)
    expect((counts.at(-1) ?? 0) / (counts.at(-2) ?? 1)).toBeLessThan(1.5)
    expect(fault(make(5400))).toBe('too-much-work')
  })

  test('leaves room for a full message of ordinary names', () => {
    const owner = 'a.b.mail.example.org'
    const answers = Array.from({ length: 4000 }, () => makeRecord(owner, 60, { type: 'A', address: '192.0.2.1' }))
    const bytes = encodeMessage({ ...answer, questions: [{ name: name(owner), type: 1, class: 1 }], answers })
    expect(bytes.length).toBeGreaterThan(60_000)
    expect(decoded(bytes).answers.length).toBe(4000)
  })
})

/**
 * Against dns-packet, both ways. Known disagreements, all on purpose:
 * - it takes bytes behind the message, RDATA longer or shorter than its content, more than one OPT, and pointers into the header: we refuse;
 * - it keeps TTLs of 2^31 and more: for us they mean 0 (RFC 2181 §8);
 * - it joins labels with dots and reads them as UTF-8, so names with dots or other bytes inside a label are not told apart;
 * - it takes the highest bit of the class for mDNS's;
 * - it reads an A or AAAA record's bytes whatever its length says: for us that is a malformed record.
 */
describe('dns-packet', () => {
  const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,15}$/)
  const domain = fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.'))
  const lower = domain.map(text => text.toLowerCase())
  const u16 = fc.nat(0xffff)
  const u32 = fc.nat(0xffff_ffff)
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const v4 = bytes(4).map(list => list.join('.'))
  const v6 = fc
    .array(fc.integer({ min: 0x1000, max: 0xffff }), { minLength: 8, maxLength: 8 })
    .map(list => list.map(group => group.toString(16)).join(':'))
  const data: fc.Arbitrary<KnownData> = fc.oneof(
    v4.map(address => ({ type: 'A' as const, address })),
    v6.map(address => ({ type: 'AAAA' as const, address })),
    fc.record({ type: fc.constant('MX' as const), preference: u16, exchange: lower }),
    fc.record({ type: fc.constantFrom('CNAME' as const, 'PTR' as const), target: lower }),
    fc.record({ type: fc.constant('NS' as const), target: lower }),
    fc.record({
      type: fc.constant('TXT' as const),
      text: fc.array(fc.uint8Array({ maxLength: 255 }), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      type: fc.constant('SOA' as const),
      primary: lower,
      mailbox: lower,
      serial: u32,
      refresh: u32,
      retry: u32,
      expire: u32,
      minimum: u32,
    }),
  )
  const record = fc.record({ owner: domain, ttlSeconds: fc.nat(0x7fff_ffff), data })
  const records = fc.array(record, { maxLength: 6 })
  const parts = fc.record({
    id: u16,
    name: domain,
    type: fc.constantFrom('A', 'AAAA', 'MX', 'TXT', 'RRSIG', 'TLSA'),
    rcode: fc.nat(15),
    flags: fc.record({
      authoritative: fc.boolean(),
      recursionDesired: fc.boolean(),
      recursionAvailable: fc.boolean(),
      authenticData: fc.boolean(),
      checkingDisabled: fc.boolean(),
    }),
    answers: records,
    authorities: records,
    additionals: records,
    edns: fc.option(fc.record({ udpPayloadBytes: u16.filter(size => size > 0), dnssecOk: fc.boolean() })),
  })

  /** What dns-packet would say of our message, where both can say it. */
  const view = (record: ResourceRecord) => {
    const known = readData(record)
    return {
      name: lossy(record.name),
      type: typeName(record.type),
      ttl: record.ttlSeconds,
      data: known === null ? 'unknown' : viewData(known),
    }
  }
  const viewData = (known: KnownData | 'malformed'): unknown => {
    if (known === 'malformed') return known
    switch (known.type) {
      case 'A':
      case 'AAAA':
        return known.address
      case 'MX':
        return { preference: known.preference, exchange: dotted(known.exchange) }
      case 'NS':
      case 'CNAME':
      case 'PTR':
        return dotted(known.target)
      case 'TXT':
        return known.text.map(part => Buffer.from(part).toString('hex'))
      case 'SOA': {
        const { type: _, primary, mailbox, ...numbers } = known
        return { mname: dotted(primary), rname: dotted(mailbox), ...numbers }
      }
      case 'TLSA':
        return Buffer.from([known.usage, known.selector, known.matchingType, ...known.data]).toString('hex')
      default:
        return known satisfies never
    }
  }
  const theirs = (answer: packet.Answer): unknown => {
    if (!('data' in answer)) return null
    const data: unknown = answer.data
    const lowered = (value: unknown): unknown => {
      if (typeof value === 'string') return value.toLowerCase()
      if (value instanceof Uint8Array || Array.isArray(value) || typeof value !== 'object' || value === null)
        return value
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, lowered(each)]))
    }
    const shown =
      answer.type === 'TXT'
        ? Array.isArray(data)
          ? data.map(part => Buffer.from(part).toString('hex'))
          : data
        : lowered(data)
    return { name: answer.name, type: answer.type, ttl: 'ttl' in answer ? answer.ttl : undefined, data: shown }
  }
  const lossy = (labels: Name) =>
    labels.length === 0 ? '.' : labels.map(each => Buffer.from(each).toString('utf8')).join('.')
  const dotted = (text: string) => lossy(name(text)).toLowerCase()

  test('reads what we write', () => {
    fc.assert(
      fc.property(parts, ({ answers, authorities, additionals, ...head }) => {
        const make = (list: typeof answers) => list.map(each => makeRecord(each.owner, each.ttlSeconds, each.data))
        const ours: Message = {
          ...makeQuery({
            id: head.id,
            name: name(head.name),
            type: typeFromName(head.type) ?? 0,
            edns: head.edns === null ? null : { ...head.edns, version: 0, options: [] },
          }),
          ...head.flags,
          isResponse: true,
          rcode: head.rcode,
          answers: make(answers),
          authorities: make(authorities),
          additionals: make(additionals),
        }
        const read = packet.decode(Buffer.from(encodeMessage(ours)))
        expect(read).toMatchObject({
          id: ours.id,
          type: 'response',
          flag_aa: ours.authoritative,
          flag_rd: ours.recursionDesired,
          flag_ra: ours.recursionAvailable,
          flag_ad: ours.authenticData,
          flag_cd: ours.checkingDisabled,
        })
        expect(read.questions).toEqual([{ name: head.name, type: head.type, class: 'IN' }])
        expect(read.answers?.map(theirs)).toEqual(ours.answers.map(view))
        expect(read.authorities?.map(theirs)).toEqual(ours.authorities.map(view))
        expect(read.additionals?.map(theirs).filter(each => each !== null)).toEqual(ours.additionals.map(view))
        const opt = read.additionals?.find(each => each.type === 'OPT')
        if (head.edns === null) expect(opt).toBeUndefined()
        else
          expect(opt).toMatchObject({
            udpPayloadSize: head.edns.udpPayloadBytes,
            ednsVersion: 0,
            flag_do: head.edns.dnssecOk,
          })
      }),
    )
  })

  test('writes what we read', () => {
    fc.assert(
      fc.property(parts, ({ answers, authorities, additionals, ...head }) => {
        const make = (list: typeof answers) => list.map(each => makeRecord(each.owner, each.ttlSeconds, each.data))
        const theirsToWrite = (list: readonly ResourceRecord[]) =>
          list.map(each => {
            const known = readData(each)
            const shown = view(each)
            const data =
              known !== null && known !== 'malformed' && known.type === 'TXT'
                ? known.text.map(part => Buffer.from(part))
                : shown.data
            return { ...shown, data } as packet.Answer // what `view` gives is made for just this comparison
          })
        const bits =
          (head.flags.authoritative ? packet.AUTHORITATIVE_ANSWER : 0) |
          (head.flags.recursionDesired ? packet.RECURSION_DESIRED : 0) |
          (head.flags.recursionAvailable ? packet.RECURSION_AVAILABLE : 0) |
          (head.flags.authenticData ? packet.AUTHENTIC_DATA : 0) |
          (head.flags.checkingDisabled ? packet.CHECKING_DISABLED : 0)
        const written = packet.encode({
          id: head.id,
          type: 'response',
          flags: bits | head.rcode,
          questions: [{ name: head.name, type: 'MX', class: 'IN' }],
          answers: theirsToWrite(make(answers)),
          authorities: theirsToWrite(make(authorities)),
          additionals: theirsToWrite(make(additionals)),
        })
        const read = decoded(Uint8Array.from(written))
        expect(read).toMatchObject({ id: head.id, isResponse: true, ...head.flags, rcode: head.rcode, edns: null })
        expect(read.questions.map(each => formatName(each.name))).toEqual([head.name])
        expect(read.answers).toEqual(make(answers))
        expect(read.authorities).toEqual(make(authorities))
        expect(read.additionals).toEqual(make(additionals))
      }),
    )
  })

  test('reads the same from damaged bytes, wherever we take them for a message', () => {
    const { edns: _, additionals, ...rest } = answer
    const plain = encodeMessage({ ...rest, edns: null, additionals: additionals.slice(0, 1) })
    fc.assert(
      fc.property(mutated(plain), bytes => {
        const ours = decodeMessage(bytes)
        if (ours.kind === 'malformed') return
        const all = [...ours.value.answers, ...ours.value.authorities, ...ours.value.additionals]
        // The types that neither side knows the same way, and what we call malformed one step later, are compared elsewhere.
        if (ours.value.edns !== null || all.some(each => ['malformed', null].includes(readKind(each)))) return
        const read = packet.decode(Buffer.from(bytes))
        const compared = [...(read.answers ?? []), ...(read.authorities ?? []), ...(read.additionals ?? [])].map(
          theirs,
        )
        const withTtl = compared.map((each, index) => ({ ...Object(each), ttl: all[index]?.ttlSeconds }))
        expect(withTtl.map(withoutMailbox)).toEqual(all.map(view).map(withoutMailbox))
        expect(read.questions?.map(each => each.name)).toEqual(ours.value.questions.map(each => lossy(each.name)))
      }),
      { numRuns: 3000 },
    )
  })

  const readKind = (each: ResourceRecord) => {
    const known = readData(each)
    return known === null || known === 'malformed' ? known : known.type
  }
  /** It alone escapes dots, in the mailbox of an SOA only. */
  const withoutMailbox = (each: { data: unknown }) => {
    const { rname: _, ...data } = Object(each.data)
    return typeof each.data === 'object' && !Array.isArray(each.data) ? { ...each, data } : each
  }
})

/** A message with up to four bytes changed. */
function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map(changes => {
    const copy = Uint8Array.from(bytes)
    for (const [at, value] of changes) copy[at] = value
    return copy
  })
}
