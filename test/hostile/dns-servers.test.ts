/**
 * Name servers that lie, fall silent and drip, and owners of zones who make validation dear. Whatever they do: the answer is one of those that there are, with a reason
 * that fits, nothing forged is in it, and where another server is honest it is the honest answer. What each rule of validation refuses is in
 * src/protocol/dnssec/validate.test.ts; here all of it comes over sockets, and through `./hermetic dns`.
 */
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSignedWorld, type SignedWorld, worldZone } from '../../src/lab/signing/signed-world.ts'
import { collidingKeys, dsRdata } from '../../src/lab/signing/zone-keys.ts'
import { recordOf } from '../../src/lab/signing/zone-lines.ts'
import { encodeMessage, type Message, type ResourceRecord } from '../../src/protocol/dns/message.ts'
import { equalNames, type Name, nameKey, parseName } from '../../src/protocol/dns/name.ts'
import { rcodes, typeFromName, typeNumbers } from '../../src/protocol/dns/numbers.ts'
import { nsec3Rdata, nsecRdata, toBase32Hex } from '../../src/protocol/dnssec/encoding.ts'
import { createDnsWire } from '../../src/system/dns-wire.ts'
import { type Asked, afterwards, closeAll, serve, type TestServer } from '../../src/system/testing/scripted-dns.ts'
import { createValidatingResolver, type ResolvedAnswer } from '../../src/system/validating-resolver.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { run } from '../support/process.ts'

const nowMs = Date.now()
const directory = temporaryDirectory('dns-servers')
let world: SignedWorld

beforeAll(() => {
  world = createSignedWorld({ zones, nowMs })
  writeFileSync(join(directory.path, 'root.key'), `${world.anchorLines.ds.join('\n')}\n`)
})
// Scenarios run side by side, so their servers go together.
afterAll(async () => {
  await closeAll()
  directory.remove()
})

const zones = [
  worldZone('example', ['example TXT signed'], {}),
  worldZone(
    'victim.example',
    ['mx.victim.example A 192.0.2.1', 'www.victim.example CNAME mx.victim.example', 'many.victim.example TXT x'],
    {},
  ),
  worldZone('slow.example', ['mx.slow.example A 192.0.2.1'], { algorithms: [14] }),
  worldZone('trap.example', ['mx.trap.example A 192.0.2.1'], {
    damage: [{ kind: 'colliding-keys', keys: 200, signatures: 200 }],
  }),
]

interface Lie {
  readonly says: string
  /** What the server does with the question for `mx.victim.example A`; all others are answered honestly. */
  readonly does: (asked: Asked, count: number) => void
  /** What it comes to where nobody else is there to be asked. */
  readonly alone: readonly [security: string, reason: string | null]
}

const timeout = ['indeterminate', 'dns.timeout'] as const
const unusable = ['indeterminate', 'dns.lookup-failed'] as const

/** Truncated over UDP, so that it is asked over TCP; there, this. */
const overTcp = (does: (asked: Asked) => void) => (asked: Asked) =>
  asked.via === 'udp' ? send(asked, { ...honestly(asked), answers: [], truncated: true }) : does(asked)

const lies: readonly Lie[] = [
  { says: 'nothing', does: () => {}, alone: timeout },
  {
    says: 'the right thing under another id',
    does: asked => send(asked, { ...honestly(asked), id: asked.query.id ^ 1 }),
    alone: timeout,
  },
  {
    says: 'the answer to another question',
    does: asked => send(asked, { ...honestly(asked), questions: [questionOf('other.example')] }),
    alone: timeout,
  },
  {
    says: 'two questions where one was asked',
    does: asked =>
      send(asked, { ...honestly(asked), questions: [...asked.query.questions, questionOf('other.example')] }),
    alone: timeout,
  },
  {
    says: 'the question, as if it were the answer',
    does: asked => send(asked, { ...honestly(asked), isResponse: false }),
    alone: timeout,
  },
  {
    says: 'a forged answer from another port',
    does: asked => fromElsewhere(asked, forged(asked)),
    alone: timeout,
  },
  {
    says: 'the right thing, too late',
    does: asked => void setTimeout(() => sendIfOpen(asked), 900),
    alone: timeout,
  },
  {
    says: 'a header and nothing else',
    does: asked => asked.reply(bytesOf(asked).subarray(0, 12)),
    alone: timeout,
  },
  {
    says: 'half of the right thing',
    does: asked => asked.reply(bytesOf(asked).subarray(0, 70)),
    alone: unusable,
  },
  {
    says: '65,535 records, and sends one',
    does: asked => asked.reply(bytesOf(asked).fill(0xff, 6, 8)),
    alone: unusable,
  },
  { says: 'names that point at themselves', does: asked => asked.reply(looping(asked)), alone: unusable },
  { says: 'RDATA longer than the message', does: asked => asked.reply(overlong(asked)), alone: unusable },
  {
    says: 'that the answer was cut, over TCP as well',
    does: asked => send(asked, { ...honestly(asked), answers: [], truncated: true }),
    alone: unusable,
  },
  {
    says: 'that the answer was cut, and hangs up',
    does: overTcp(asked => asked.hangUp()),
    alone: ['indeterminate', 'dns.lookup-failed'],
  },
  { says: 'nothing over TCP', does: overTcp(() => {}), alone: timeout },
  {
    says: 'a byte now and then over TCP',
    does: overTcp(asked => drip(asked, framed(bytesOf(asked)))),
    alone: timeout,
  },
  {
    says: 'a length larger than what comes, and hangs up',
    does: overTcp(asked => {
      asked.write(Uint8Array.of(0xff, 0xff, ...bytesOf(asked)))
      asked.hangUp()
    }),
    alone: unusable,
  },
  {
    says: 'a length smaller than what comes',
    does: overTcp(asked => asked.write(Uint8Array.of(0, 60, ...bytesOf(asked)))),
    alone: unusable,
  },
  { says: 'a length of nothing', does: overTcp(asked => asked.write(Uint8Array.of(0, 0))), alone: unusable },
  {
    says: 'the answer of somebody else over TCP',
    does: overTcp(asked => send(asked, { ...honestly(asked), questions: [questionOf('other.example')] })),
    alone: unusable,
  },
  {
    says: 'a forged address under a signature that was',
    does: asked => send(asked, forged(asked)),
    alone: ['bogus', 'dnssec.signature-bad'],
  },
  {
    says: 'AD, and no signatures',
    does: asked => send(asked, withoutSignatures({ ...forged(asked), authenticData: true })),
    alone: ['bogus', 'dnssec.signature-missing'],
  },
  {
    says: 'that there is no such name',
    does: asked => send(asked, { ...honestly(asked), rcode: rcodes.NXDOMAIN, answers: [] }),
    alone: ['bogus', 'dnssec.denial-unproven'],
  },
  {
    says: 'that there is nothing',
    does: asked => send(asked, { ...honestly(asked), answers: [] }),
    alone: ['bogus', 'dnssec.denial-unproven'],
  },
  {
    says: 'that it does not know',
    does: asked => send(asked, { ...honestly(asked), answers: [], rcode: rcodes.SERVFAIL }),
    alone: unusable,
  },
  {
    says: 'it without EDNS',
    does: asked => send(asked, { ...withoutSignatures(forged(asked)), edns: null }),
    alone: unusable,
  },
  {
    says: '64 KB of signatures before the right one',
    does: overTcp(asked => send(asked, piled(honestly(asked), 550))),
    alone: ['bogus', 'dnssec.over-budget'],
  },
  {
    says: 'a thousand signers',
    does: overTcp(asked => send(asked, thousandSigners(asked))),
    alone: ['bogus', 'dnssec.signer-not-zone'],
  },
  {
    says: 'an alias that nobody signed, to itself',
    does: asked =>
      send(asked, { ...honestly(asked), answers: [recordOf('mx.victim.example CNAME mx.victim.example')] }),
    alone: ['bogus', 'dnssec.signature-missing'],
  },
]

describe('one server that says', () => {
  test.concurrent.each(lies)('$says', async ({ does, alone }) => {
    const liar = await lying(does)
    const answer = await resolving([liar], 'mx.victim.example A')
    expect([answer.security, answer.reason]).toEqual(alone)
    expect(answer.records).toEqual([])
  })

  test.concurrent.each(lies)('$says, and another that is honest: the honest answer', async ({ does }) => {
    const servers = [await lying(does), await lying(null)]
    const answer = await resolving(servers, 'mx.victim.example A')
    expect([answer.security, answer.reason]).toEqual(['secure', null])
    expect(answer.records.map(({ rdata }) => [...rdata])).toEqual([[192, 0, 2, 1]])
  })

  test.concurrent('the first thing well, and then nothing any more', async () => {
    const server = await serve((asked, count) => (count === 1 ? send(asked, honestly(asked)) : undefined))
    expect(brief(await resolving([server], 'mx.victim.example A'))).toEqual(['failed', ...timeout])
  })

  test.concurrent('it in any case, and is believed', async () => {
    const server = await serve(asked => {
      const honest = honestly(asked)
      send(asked, {
        ...honest,
        questions: honest.questions.map(each => ({ ...each, name: shouted(each.name) })),
        answers: shoutedOwners(honest.answers),
        authorities: shoutedOwners(honest.authorities),
      })
    })
    for (const question of ['mx.victim.example A', 'www.victim.example A'])
      expect(brief(await resolving([server], question))).toEqual(['records', 'secure', null])
    for (const question of ['nothing.victim.example A', 'mx.victim.example TLSA'])
      expect((await resolving([server], question)).security).toBe('secure')
  })

  test.concurrent('it with a TTL of 68 years, and of more: no longer than was signed', async () => {
    for (const [ttlSeconds, kept] of [
      [0x7fff_ffff, 300],
      [0x8000_0000, 0],
      [0xffff_ffff, 0],
    ] as const) {
      const server = await serve(asked => {
        const honest = honestly(asked)
        send(asked, { ...honest, answers: honest.answers.map(each => ({ ...each, ttlSeconds })) })
      })
      const answer = await resolving([server], 'mx.victim.example A')
      expect([answer.security, answer.ttlSeconds]).toEqual(['secure', kept])
      expect(answer.records.map(each => each.ttlSeconds)).toEqual([kept])
    }
  })
})

interface Attack {
  readonly says: string
  readonly question: string
  readonly change: (question: string, honest: Message) => Message
  readonly expected: readonly [exit: number, security: string, reason: string]
}

/** The owner of a zone can sign what he likes, and sign it well. */
const attacks: readonly Attack[] = [
  {
    says: 'hundreds of keys and signatures of one tag',
    question: 'mx.trap.example A',
    change: (_, honest) => honest,
    expected: [2, 'bogus', 'dnssec.over-budget'],
  },
  {
    says: 'a thousand DS for hundreds of keys of one tag',
    question: 'mx.victim.example A',
    change: (question, honest) => {
      if (question === 'victim.example DS') return withAnswers(honest, 'example', manyDs())
      return question === 'victim.example DNSKEY' ? withAnswers(honest, 'victim.example', manyKeys()) : honest
    },
    expected: [2, 'bogus', 'dnssec.over-budget'],
  },
  {
    says: '65,535 iterations',
    question: 'nothing.victim.example A',
    change: (question, honest) =>
      question === 'nothing.victim.example A' ? denied(honest, 'victim.example', [nsec3(65_535, 0)]) : honest,
    expected: [1, 'insecure', 'dnssec.too-many-iterations'],
  },
  {
    says: 'all iterations that count, a salt of 255 bytes, and a name of a hundred labels',
    question: `${'a.'.repeat(100)}victim.example A`,
    change: (question, honest) =>
      question.endsWith(' A') ? denied(honest, 'victim.example', [nsec3(150, 255)]) : honest,
    expected: [2, 'bogus', 'dnssec.over-budget'],
  },
  {
    says: 'proofs with all types that there are',
    question: 'nothing.victim.example A',
    change: (question, honest) =>
      question === 'nothing.victim.example A' ? denied(honest, 'victim.example', fullBitmaps()) : honest,
    expected: [2, 'bogus', 'dnssec.denial-unproven'],
  },
  {
    says: 'sixteen proofs with eight bad signatures each, of the dearest algorithm',
    question: 'nothing.slow.example A',
    change: (question, honest) => {
      if (question !== 'nothing.slow.example A') return honest
      const sets = Array.from({ length: 16 }, (_, i) => [
        nsec(`n${i}.slow.example`, `o${i}.slow.example`, [1, 46, 47]),
      ])
      const made = denied(honest, 'slow.example', sets.flat())
      return {
        ...made,
        authorities: piled({ ...made, answers: made.authorities }, 8).answers.filter((_, i, all) =>
          isBeforeGood(all, i),
        ),
      }
    },
    expected: [2, 'bogus', 'dnssec.signature-bad'],
  },
  {
    says: 'aliases in a circle, one at a time',
    question: 'hop0.victim.example A',
    change: (question, honest) => {
      const [, at] = /^hop(.)\.victim\.example A$/.exec(question) ?? []
      return at === undefined ? honest : withAnswers(honest, 'victim.example', [hop(Number(at))])
    },
    expected: [2, 'indeterminate', 'dns.alias-loop'],
  },
  {
    says: 'a DNAME that makes names longer and longer',
    question: 'x.grow.victim.example A',
    change: (question, honest) =>
      question.endsWith('grow.victim.example A')
        ? withAnswers(honest, 'victim.example', [
            recordOf('grow.victim.example DNAME a.long.label.and.another.and.another.grow.victim.example'),
          ])
        : honest,
    expected: [2, 'bogus', 'dnssec.malformed'],
  },
  {
    says: 'four thousand records',
    question: 'many.victim.example A',
    change: (question, honest) =>
      question === 'many.victim.example A'
        ? withAnswers(
            honest,
            'victim.example',
            Array.from({ length: 3_900 }, (_, i) => recordOf(`many.victim.example A 10.0.${i >> 8}.${i & 255}`)),
          )
        : honest,
    expected: [0, 'secure', 'null'],
  },
]

describe('`hermetic dns` comes to an answer where the owner of a zone sends', () => {
  test.concurrent.each(attacks)('$says', async ({ question, change, expected }) => {
    const server = await serve(asked => {
      const [one] = asked.query.questions
      const text = one === undefined ? '' : `${nameKey(one.name)} ${typeNameOf(one.type)}`
      send(asked, change(text, honestly(asked)))
    })
    const { code, stdout, stderr } = await dnsCommand([server], question)
    expect(stderr).toBe('')
    const document: unknown = JSON.parse(stdout)
    expect(document).toMatchObject({ security: expected[1], reason: expected[2] === 'null' ? null : expected[2] })
    expect(code).toBe(expected[0])
  })

  test.concurrent('nothing at all: that no server answers, and what to do', async () => {
    const server = await serve(() => {})
    const { code, stdout } = await dnsCommand([server], 'mx.victim.example A')
    expect(code).toBe(69)
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'hermetic.error/1', code: 'cli.dns-unreachable' })
  })
})

function dnsCommand(servers: readonly TestServer[], question: string) {
  const at = servers.flatMap(({ address }) => ['--server', address])
  const anchor = ['--anchor', join(directory.path, 'root.key')]
  return run(join(root, 'hermetic'), ['dns', ...question.split(' '), ...at, ...anchor, '--json'])
}

async function resolving(servers: readonly TestServer[], question: string): Promise<ResolvedAnswer> {
  const wire = createDnsWire({
    servers: servers.map(({ address }) => address),
    timeoutMs: 3_000,
    waitMs: 600,
    attempts: 2,
  })
  afterwards(() => wire.close())
  const resolver = createValidatingResolver({ wire, anchors: world.anchors, insecure: [], now: () => nowMs })
  const [name = '', type = ''] = question.split(' ')
  return resolver.resolve(nameOf(name), typeFromName(type) ?? 0)
}

/** Honest in everything, but for what it does with the question about the victim's address. */
function lying(does: Lie['does'] | null): Promise<TestServer> {
  return serve((asked, count) => {
    const [question] = asked.query.questions
    const isOurs = question?.type === typeNumbers.A && equalNames(question.name, nameOf('mx.victim.example'))
    if (does !== null && isOurs) does(asked, count)
    else send(asked, honestly(asked))
  })
}

const brief = ({ outcome, security, reason }: ResolvedAnswer) => [outcome, security, reason]

function honestly({ query }: Asked): Message {
  const message = world.respond(query)
  if (message === 'silence') throw new Error('nobody is silent in this world')
  return message
}

function send(asked: Asked, message: Message): void {
  asked.reply(encodeMessage(message, asked.via === 'udp' ? 1_232 : 65_535))
}

function sendIfOpen(asked: Asked): void {
  try {
    send(asked, honestly(asked))
  } catch {
    // The test is over, and so is the server.
  }
}

/** With owners in the case of the question, as real servers have them: they point to it. */
function bytesOf(asked: Asked): Uint8Array {
  const message = honestly(asked)
  const [question] = message.questions
  const asAsked = (record: ResourceRecord) =>
    question !== undefined && equalNames(record.name, question.name) ? { ...record, name: question.name } : record
  return encodeMessage({ ...message, answers: message.answers.map(asAsked) })
}
const framed = (bytes: Uint8Array) => Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes)
const nameOf = (text: string): Name => parseName(text) ?? []
const questionOf = (text: string) => ({ name: nameOf(text), type: typeNumbers.A, class: 1 })
const typeNameOf = (type: number) => Object.entries(typeNumbers).find(([, number]) => number === type)?.[0] ?? ''
const isSignature = ({ type }: ResourceRecord) => type === typeNumbers.RRSIG

function fromElsewhere(asked: Asked, message: Message): void {
  const socket = createSocket('udp4')
  socket.send(encodeMessage(message), asked.port, '127.0.0.1', () => socket.close())
}

function drip(asked: Asked, bytes: Uint8Array): void {
  if (bytes.length === 0) return
  asked.write(bytes.subarray(0, 1))
  setTimeout(() => drip(asked, bytes.subarray(1)), 100).unref()
}

function forged(asked: Asked): Message {
  const honest = honestly(asked)
  const change = (record: ResourceRecord) =>
    record.type === typeNumbers.A ? { ...record, rdata: Uint8Array.of(203, 0, 113, 66) } : record
  return { ...honest, answers: honest.answers.map(change) }
}

function withoutSignatures(message: Message): Message {
  return { ...message, answers: message.answers.filter(record => !isSignature(record)) }
}

/** The owner of the first record is a pointer to itself. */
function looping(asked: Asked): Uint8Array {
  const bytes = bytesOf(asked)
  const at = bytes.indexOf(0xc0)
  bytes[at] = 0xc0 | (at >> 8)
  bytes[at + 1] = at & 0xff
  return bytes
}

function overlong(asked: Asked): Uint8Array {
  const bytes = bytesOf(asked)
  // Owner, type, class and TTL of the first record are before its length.
  bytes.fill(0xff, bytes.indexOf(0xc0) + 10, bytes.indexOf(0xc0) + 12)
  return bytes
}

/** So many worthless signatures before each good one. */
function piled(message: Message, count: number): Message {
  const pile = (record: ResourceRecord) =>
    isSignature(record)
      ? Array.from({ length: count }, (_, i) => {
          const rdata = Uint8Array.from(record.rdata)
          const at = rdata.length - 1 - (i % 40)
          rdata[at] = (rdata[at] ?? 0) ^ (1 + Math.floor(i / 40))
          return { ...record, rdata }
        })
      : []
  return { ...message, answers: message.answers.flatMap(record => [...pile(record), record]) }
}

/** Leaves out the good signature that stands behind a pile of bad ones. */
function isBeforeGood(all: readonly ResourceRecord[], index: number): boolean {
  const [record, next] = [all[index], all[index + 1]]
  return record === undefined || !isSignature(record) || (next !== undefined && isSignature(next))
}

function thousandSigners(asked: Asked): Message {
  const honest = forged(asked)
  const [signature] = honest.answers.filter(isSignature)
  const [address] = withoutSignatures(honest).answers
  if (signature === undefined || address === undefined) throw new Error('not signed')
  const many = Array.from({ length: 1_000 }, (_, i) => ({
    ...signature,
    rdata: Buffer.concat([
      signature.rdata.subarray(0, 18),
      Uint8Array.of(3, 0x61 + (i % 26), 0x61 + ((i / 26) % 26), 0x61 + i / 676, 0, 1),
    ]),
  }))
  return { ...honest, answers: [address, ...many] }
}

function shouted(name: Name): Name {
  return name.map(label =>
    Uint8Array.from(Buffer.from(label).toString('latin1').toUpperCase(), each => each.charCodeAt(0)),
  )
}

function shoutedOwners(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
  return records.map(record => ({ ...record, name: shouted(record.name) }))
}

function withAnswers(honest: Message, apex: string, records: readonly ResourceRecord[]): Message {
  return {
    ...honest,
    rcode: rcodes.NOERROR,
    answers: [...records, ...world.zone(apex).sign(records)],
    authorities: [],
  }
}

const hop = (at: number) => recordOf(`hop${at}.victim.example CNAME hop${1 - at}.victim.example`)

function denied(honest: Message, apex: string, proofs: readonly ResourceRecord[]): Message {
  const zone = world.zone(apex)
  const authorities = [...zone.soa.records, ...proofs.flatMap(proof => [proof, ...zone.sign([proof])])]
  return { ...honest, rcode: rcodes.NXDOMAIN, answers: [], authorities }
}

function nsec(owner: string, next: string, types: Iterable<number>): ResourceRecord {
  return {
    name: nameOf(owner),
    type: typeNumbers.NSEC,
    class: 1,
    ttlSeconds: 60,
    rdata: nsecRdata(nameOf(next), types),
  }
}

function nsec3(iterations: number, saltBytes: number): ResourceRecord {
  const hash = Buffer.alloc(20, 1)
  const parameters = { algorithm: 1, flags: 0, iterations, salt: new Uint8Array(saltBytes) }
  return {
    name: [toBase32Hex(hash), ...nameOf('victim.example')],
    type: typeNumbers.NSEC3,
    class: 1,
    ttlSeconds: 60,
    rdata: nsec3Rdata({ ...parameters, nextHash: Buffer.alloc(20, 2), types: [1, 46] }),
  }
}

function fullBitmaps(): readonly ResourceRecord[] {
  const types = Array.from({ length: 65_536 }, (_, type) => type).filter(
    type => type !== 0 && type !== typeNumbers.SOA && type !== typeNumbers.OPT && !(type >= 128 && type <= 255),
  )
  return Array.from({ length: 7 }, (_, i) => nsec(`n${i}.victim.example`, `o${i}.victim.example`, types))
}

function manyKeys(): readonly ResourceRecord[] {
  const [key] = world.zone('victim.example').keys
  if (key === undefined) throw new Error('no key')
  const base = { name: nameOf('victim.example'), type: typeNumbers.DNSKEY, class: 1, ttlSeconds: 300 }
  return [...collidingKeys(key, 450), key].map(({ rdata }) => ({ ...base, rdata }))
}

/** All of the tag that the keys have, and of digests that none of them has. */
function manyDs(): readonly ResourceRecord[] {
  const [key] = world.zone('victim.example').keys
  if (key === undefined) throw new Error('no key')
  const good = dsRdata(nameOf('victim.example'), key)
  return Array.from({ length: 1_000 }, (_, i) => {
    const rdata = Uint8Array.from(good)
    rdata.set([i >> 8, i & 0xff, 0xff], 4)
    return { name: nameOf('victim.example'), type: typeNumbers.DS, class: 1, ttlSeconds: 300, rdata }
  })
}
