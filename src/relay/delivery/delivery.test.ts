import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import type { LifeEvent } from '../../journal/journal.ts'
import type { DeliveryDocument } from '../../judgement/evidence.ts'
import type { Failure } from '../../judgement/failure.ts'
import type { HostHint } from '../../knowledge/knowledge.ts'
import type { Path } from '../../protocol/mail/address.ts'
import { reply } from '../../protocol/smtp/reply.ts'
import { createMemorySpool } from '../../spool/memory-spool.ts'
import type { NewMessage, Settlement, Spool, StoredMessage } from '../../spool/spool.ts'
import type { Routing } from '../ports.ts'
import { createRouting } from '../routing/routing.ts'
import type { RouteRule } from '../settings.ts'
import { createDelivery, type DeliveryParts } from './delivery.ts'
import { createClock, rest } from './testing/clock.ts'
import {
  type Answer,
  accepted,
  createScriptedHop,
  failure,
  type Host,
  refused,
  type Way,
} from './testing/scripted-hop.ts'

const minute = 60_000
const hour = 60 * minute

const path = (text: string): Path => {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1), text }
}

interface World {
  readonly ways?: (name: string) => readonly string[] | Way | Failure
  readonly hosts?: Readonly<Record<string, Host>>
  readonly rules?: readonly RouteRule[]
  readonly routing?: Routing
  readonly limits?: Partial<DeliveryParts['settings']['limits']>
  readonly hints?: Readonly<Record<string, HostHint>>
  readonly spool?: (spool: Spool) => Spool
  /** How long answers of the DNS hold. */
  readonly holdsMs?: number
}

/** A delivery side with its spool, its clock and the hosts of its world. */
function relay(world: World = {}) {
  const clock = createClock()
  const memory = createMemorySpool()
  const spool = world.spool?.(memory) ?? memory
  const { ways = (domain: string) => [`mx1.${domain}`, `mx2.${domain}`], hosts, holdsMs = 5 * minute } = world
  const hop = createScriptedHop(ways, hosts, { now: clock.now, holdsMs })
  /** The wall clock may be wrong, and put right. */
  const wall = { aheadMs: 0 }
  const now = () => clock.now() + wall.aheadMs
  const events: LifeEvent[] = []
  const notices: string[] = []
  const limits = {
    deliveries: 100,
    deliveriesPerNextHop: 20,
    activeMessages: 1_000,
    activeBytes: 64 * 1024 * 1024,
    ...world.limits,
  }
  const parts: DeliveryParts = {
    settings: {
      hostname: 'relay.example',
      // Only the limits of this side are looked at.
      limits: limits as DeliveryParts['settings']['limits'],
      retry: { scheduleMs: [5 * minute, 15 * minute, hour], expireMs: 5 * 24 * hour, expireBounceMs: 24 * hour },
    },
    spool,
    hop,
    routing: world.routing ?? createRouting(world.rules ?? [], { hop }),
    reporter: {
      event: event => {
        if (event.kind !== 'incident') events.push(event)
      },
      session: () => {},
      notice: (_severity, text) => notices.push(text),
    },
    knowledge: { hint: target => world.hints?.[target] ?? null },
    now,
    monotonicMs: clock.now,
    after: clock.after,
  }
  const delivery = createDelivery(parts)

  /** Accepts a message as the receiving side does; it is leased to the caller then. */
  async function accept(
    to: readonly string[],
    more: { from?: string | null; content?: string; expireMs?: number } = {},
  ) {
    const content = Buffer.from(more.content ?? 'Subject: Hello\r\n\r\nText\r\n')
    const body = spool.openBody()
    void body.write(content)
    const from = more.from === undefined ? 'sender@example.net' : more.from
    const message: NewMessage = {
      id: spool.newId(now()),
      envelope: {
        from: from === null ? null : path(from),
        recipients: to.map(path),
        demands: { eightBit: false, smtputf8: false },
      },
      receivedAtMs: now(),
      expiresAtMs: now() + (more.expireMs ?? 5 * 24 * hour),
      origin: { via: 'smtp', address: '192.0.2.77', helo: 'client.example', tls: null },
    }
    expect(await spool.accept(message, body)).toBeNull()
    const pending = to.map((_, index) => ({
      index,
      attempts: 0,
      nextAttemptAtMs: now(),
      lastFailure: null,
    }))
    const stored: StoredMessage = { ...message, sizeBytes: content.length, pending }
    return { stored, content }
  }

  async function submit(...[to, more]: Parameters<typeof accept>) {
    const { stored, content } = await accept(to, more)
    delivery.submit(stored, content)
    return stored.id
  }

  const attempts = (): DeliveryDocument[] =>
    events.flatMap(event => (event.kind === 'attempted' ? [event.delivery] : []))
  const sent = () => hop.did.filter(line => /#\d+ \S+@/.test(line))
  return { clock, wall, spool, hop, events, notices, delivery, accept, submit, attempts, sent, parts }
}

const down = { unreachable: () => failure('net.refused') }
const smart: RouteRule['to'] = {
  kind: 'host',
  hosts: [{ name: 'smart.example', port: 25 }],
  implicitTls: false,
  ipv4Only: false,
  roots: null,
}
const always = { recipient: null, sender: null, source: null, mx: null }
const allToSmart: readonly RouteRule[] = [{ name: 'smart', match: always, to: smart, level: 'encrypt' }]

describe('a message', () => {
  test('goes in one transaction for all its recipients at one next hop, and is gone', async () => {
    const { clock, hop, submit, spool, events, attempts } = relay({
      rules: allToSmart,
      ways: () => ['smart.example'],
    })
    const id = await submit(['a@one.example', 'b@two.example', 'c@three.example'])
    await clock.advance(0)
    expect(hop.did).toEqual([
      'plan smart',
      'connect smart.example',
      'smart.example#1 a@one.example, b@two.example, c@three.example',
    ])
    expect(await spool.show(id)).toBeNull()
    expect(events.map(({ kind }) => kind)).toEqual(['attempted', 'completed'])
    expect(attempts()[0]).toMatchObject({
      message: id,
      attempt: 1,
      nextHop: 'smart.example:25',
      route: 'smart',
      host: 'smart.example',
      address: '192.0.2.1',
      port: 25,
      verdict: { name: 'unauthenticated', peer: 'clear' },
      sessions: ['session-1'],
      nextAttempt: null,
      recipients: [{ outcome: 'delivered' }, { outcome: 'delivered' }, { outcome: 'delivered' }],
    })
  })

  test('with recipients in two domains goes in two transactions, each with an id of its own', async () => {
    const { clock, sent, submit, attempts } = relay()
    await submit(['a@one.example', 'b@two.example', 'c@one.example'])
    await clock.advance(0)
    expect(sent()).toEqual(['mx1.one.example#1 a@one.example, c@one.example', 'mx1.two.example#2 b@two.example'])
    expect(new Set(attempts().map(({ id }) => id)).size).toBe(2)
  })

  test('is delivered from the spool alone, when its content is not in memory', async () => {
    const seen: string[] = []
    const { clock, submit, accept, delivery } = relay({
      hosts: {
        'mx1.one.example': {
          answer: mail => {
            seen.push(mail.content() instanceof Uint8Array ? 'memory' : 'spool')
            return accepted
          },
        },
      },
    })
    await submit(['a@one.example'])
    const { stored } = await accept(['b@one.example'])
    delivery.submit(stored, null)
    await clock.advance(0)
    expect(seen).toEqual(['memory', 'spool'])
  })

  test('is taken out of the spool at the start', async () => {
    const first = relay()
    const { stored } = await first.accept(['a@one.example'])
    first.spool.release(stored.id)
    const second = createDelivery(first.parts)
    await first.clock.advance(0)
    expect(first.sent()).toEqual(['mx1.one.example#1 a@one.example'])
    expect(second.idle).toBe(true)
  })

  test('is never in work twice, and the lease of a second submit is not given back', async () => {
    const { clock, delivery, accept, sent } = relay()
    const { stored, content } = await accept(['a@one.example'])
    delivery.submit(stored, content)
    delivery.submit(stored, content)
    await clock.advance(0)
    expect(sent()).toHaveLength(1)
  })
})

describe('while one next hop keeps us waiting', () => {
  /** Settlements as the spool is told them. */
  function noted(world: World) {
    const told: Settlement[] = []
    const made = relay({
      ...world,
      spool: spool => ({
        ...spool,
        settle(settlement) {
          told.push(settlement)
          return spool.settle(settlement)
        },
      }),
    })
    return { ...made, told }
  }

  test('what others took is recorded, and the message stays in work', async () => {
    const slow = held()
    const { clock, submit, spool, sent, told } = noted({
      hosts: {
        'mx1.slow.example': { answer: slow.answer },
        'mx1.no.example': { answer: () => refused('smtp.recipient-refused-for-good') },
      },
    })
    const id = await submit(['a@slow.example', 'b@one.example', 'c@no.example', 'd@two.example', 'e@one.example'])
    await clock.advance(0)
    // Of those, only who has it is done: the notice about the other is written at the end, with all that it has to tell.
    expect((await spool.show(id))?.pending.map(({ index }) => index)).toEqual([0, 2])
    expect(await spool.take(clock.now(), 10)).toEqual([])
    expect(told.every(({ lease }) => lease === 'keep')).toBe(true)
    slow.next()
    await clock.advance(0)
    expect(await spool.show(id)).toBeNull()
    expect(told.find(({ lease }) => lease === undefined)).toMatchObject({ id, done: expect.toSatisfy(hasAllFive) })
    expect(sent().filter(line => !line.includes('sender@example.net'))).toHaveLength(4)
  })

  test('what the same next hop took in earlier transactions is recorded, too', async () => {
    const second = held()
    const tooMany = refused('smtp.recipient-refused-for-now', reply(452, '4.5.3', 'too many recipients'))
    const { clock, submit, spool } = noted({
      hosts: {
        'mx1.one.example': {
          answer: (_mail, { transactions }) =>
            transactions === 1 ? { results: [accepted, tooMany, accepted] } : second.answer(),
        },
      },
    })
    const id = await submit(['a@one.example', 'b@one.example', 'c@one.example'])
    await clock.advance(0)
    expect((await spool.show(id))?.pending.map(({ index }) => index)).toEqual([1])
    second.next()
    await clock.advance(0)
    expect(await spool.show(id)).toBeNull()
  })

  test('many that are quick share a few notes', async () => {
    const slow = held()
    const { clock, submit, spool, told } = noted({ hosts: { 'mx1.slow.example': { answer: slow.answer } } })
    const quick = Array.from({ length: 100 }, (_, i) => `a@d${i}.example`)
    const id = await submit(['a@slow.example', ...quick])
    await clock.advance(0)
    expect((await spool.show(id))?.pending).toHaveLength(1)
    expect(told.length).toBeLessThan(20)
  })

  test('and when there is only one, nothing is recorded but the end', async () => {
    const { clock, submit, told } = noted({})
    const id = await submit(['a@one.example', 'b@one.example'])
    await clock.advance(0)
    expect(told).toEqual([{ id, done: [0, 1], deferred: [] }])
  })
})

const hasAllFive = (done: readonly number[]) => done.toSorted().join() === '0,1,2,3,4'

describe('when a host fails', () => {
  test('the next one gets the message in the same attempt', async () => {
    const { clock, hop, submit, attempts } = relay({ hosts: { 'mx1.one.example': down } })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(hop.did.slice(1)).toEqual([
      'connect mx1.one.example',
      'connect mx2.one.example',
      'mx2.one.example#2 a@one.example',
    ])
    expect(attempts()[0]).toMatchObject({ host: 'mx2.one.example', sessions: ['failed-1', 'session-2'] })
  })

  test('in the middle of a transaction, only those whose fate is open go to the next', async () => {
    const { clock, sent, submit, attempts } = relay({
      hosts: {
        'mx1.one.example': {
          answer: () => ({
            results: [
              refused('smtp.recipient-refused-for-good', reply(550, '5.1.1', 'no')),
              refused('smtp.timeout'),
            ],
            reusable: false,
          }),
        },
      },
    })
    await submit(['a@one.example', 'b@one.example'], { from: null })
    await clock.advance(0)
    expect(sent()).toEqual(['mx1.one.example#1 a@one.example, b@one.example', 'mx2.one.example#2 b@one.example'])
    expect(attempts()[0]?.recipients.map(({ outcome }) => outcome)).toEqual(['failed', 'delivered'])
  })

  test('one that failed for now outweighs those that refuse for good: the mail waits', async () => {
    const { clock, submit, attempts } = relay({
      hosts: {
        'mx1.one.example': down,
        'mx2.one.example': {
          unreachable: () => failure('smtp.greeting-refused-for-good', reply(554, null, 'no')),
        },
      },
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(attempts()[0]?.recipients[0]).toMatchObject({ outcome: 'deferred', failure: { code: 'net.refused' } })
  })

  const refusing = { unreachable: () => failure('smtp.greeting-refused-for-good', reply(554, null, 'no')) }

  test.each<[string, Host]>([
    ['refuses connections for good', refusing],
    ['lacks 8BITMIME', { answer: () => refused('smtp.no-8bitmime') }],
    ['lacks SMTPUTF8', { answer: () => refused('smtp.no-smtputf8') }],
    ['takes no message of that size', { answer: () => refused('smtp.message-exceeds-size') }],
  ])('one that could not be looked up keeps the mail, though the other %s', async (_, mx2) => {
    const { clock, submit, attempts } = relay({
      ways: () => ({ hosts: ['mx2'], skipped: [{ host: 'mx1', why: failure('dns.lookup-failed') }] }),
      hosts: { mx2 },
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(attempts()[0]?.recipients[0]).toMatchObject({
      outcome: 'deferred',
      failure: { code: 'dns.lookup-failed' },
    })
    expect(attempts()[0]?.findings[0]).toMatchObject({ code: 'dns.lookup-failed' })
  })

  test('one that was left out for good keeps no mail', async () => {
    const { clock, submit, attempts } = relay({
      ways: () => ({ hosts: ['mx2'], skipped: [{ host: 'mx1', why: failure('dns.address-forbidden') }] }),
      hosts: { mx2: refusing },
    })
    await submit(['a@one.example'], { from: null })
    await clock.advance(0)
    expect(attempts()[0]?.recipients[0]?.outcome).toBe('failed')
  })

  test('those that one attempt has no time for keep the mail, though all others refuse for good', async () => {
    const names = [...Array(11).keys()].map(i => `mx${i}`)
    const { clock, hop, submit, attempts } = relay({
      ways: () => names,
      hosts: Object.fromEntries(names.map(name => [name, refusing])),
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(10)
    expect(attempts()[0]?.recipients[0]).toMatchObject({
      outcome: 'deferred',
      failure: { code: 'dns.too-many-hosts' },
    })
  })

  test('the report says which it was and how it was judged, also when none was used', async () => {
    const why = failure('x509.expired')
    const { clock, submit, attempts } = relay({
      hosts: { 'mx1.one.example': { unreachable: () => why, refusedByUs: true }, 'mx2.one.example': refusing },
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(attempts()[0]).toMatchObject({
      host: 'mx1.one.example',
      address: '192.0.2.1',
      port: 25,
      verdict: { kind: 'refused', name: 'unauthenticated', peer: null },
      recipients: [{ outcome: 'deferred', failure: { code: 'x509.expired' } }],
    })
  })

  test('all that refuse for good return the mail', async () => {
    const no = { unreachable: () => failure('smtp.greeting-refused-for-good', reply(554, null, 'no')) }
    const { clock, submit, attempts } = relay({ hosts: { 'mx1.one.example': no, 'mx2.one.example': no } })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(attempts()[0]?.recipients[0]).toMatchObject({ outcome: 'failed' })
  })

  test('hosts that failed lately are tried last', async () => {
    const clock = createClock()
    const hint = { target: '192.0.2.1:25', failures: 1, avoidUntilMs: clock.now() + minute, reason: 'net.timeout' }
    const { sent, submit, clock: own } = relay({ hints: { '192.0.2.1:25': hint } })
    await submit(['a@one.example'])
    await own.advance(0)
    expect(sent()).toEqual(['mx2.one.example#1 a@one.example'])
  })

  test('a message that its only host cannot carry is returned, and the connection serves the next', async () => {
    const { clock, hop, submit, attempts } = relay({
      ways: () => ['mx'],
      hosts: {
        mx: { answer: (_mail, { transactions }) => (transactions === 1 ? refused('smtp.no-8bitmime') : accepted) },
      },
    })
    await submit(['a@one.example'], { from: null })
    await clock.advance(0)
    await submit(['b@one.example'])
    await clock.advance(0)
    expect(attempts().map(({ recipients }) => recipients[0]?.outcome)).toEqual(['failed', 'delivered'])
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(1)
  })
})

test('every attempt says what was planned, whether or not a host was reached', async () => {
  const reject: RouteRule['to'] = { kind: 'reject', code: 550, enhanced: '5.7.1', text: 'closed' }
  const only = (domain: string) => ({ ...always, recipient: [domain] })
  const { clock, submit, attempts } = relay({
    rules: [
      { name: 'closed', match: only('closed.example'), to: reject, level: 'opportunistic' },
      { name: 'smart', match: only('smart.example'), to: smart, level: 'verify' },
      { name: 'unknown', match: only('unknown.example'), to: { kind: 'mx' }, level: 'encrypt' },
    ],
    ways: name => (name === 'unknown.example' ? failure('dns.lookup-failed') : ['mx']),
    hosts: { mx: down },
  })
  const planned = async (to: string) => {
    await submit([to], { from: null })
    await clock.advance(0)
    return attempts().at(-1)?.planned
  }
  expect(await planned('a@closed.example')).toBeNull()
  expect(await planned('a@smart.example')).toEqual({ level: 'verify', name: 'configured' })
  expect(await planned('a@unknown.example')).toEqual({ level: 'encrypt', name: null })
  expect(await planned('a@one.example')).toEqual({ level: 'dane', name: 'unauthenticated' })
  // Not tried at all, because it was down for the last one.
  expect(await planned('b@one.example')).toEqual({ level: 'dane', name: 'unauthenticated' })
  expect(await planned('b@smart.example')).toEqual({ level: 'verify', name: 'configured' })
})

describe('when a TLS handshake fails', () => {
  const broken: Host = {
    unreachable: clearText => (clearText === 'as-planned' ? failure('tls.alert') : null),
  }

  test('the message goes in clear only in a later attempt, after TLS failed again', async () => {
    const { clock, hop, submit, attempts } = relay({ ways: () => ['mx'], hosts: { mx: broken } })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(attempts()[0]?.recipients[0]).toMatchObject({ outcome: 'deferred', failure: { code: 'tls.alert' } })
    expect(hop.did).toEqual(['plan one.example', 'connect mx'])
    await clock.advance(5 * minute)
    expect(hop.did.slice(2).filter(line => !line.startsWith('plan'))).toEqual([
      'connect mx',
      'connect mx in clear',
      'mx#3 a@one.example',
    ])
    expect(attempts()[1]?.recipients[0]?.outcome).toBe('delivered')
  })

  test('that says nothing about other messages: each has TLS tried first and waits once itself', async () => {
    const { clock, hop, submit, attempts, sent } = relay({
      ways: () => ['mx'],
      hosts: { mx: broken },
      limits: { deliveriesPerNextHop: 1 },
    })
    await submit(['old@one.example'])
    await clock.advance(5 * minute)
    expect(sent()).toEqual(['mx#3 old@one.example'])
    // The connection in clear still rests when these come.
    await submit(['new@one.example'])
    await submit(['newer@one.example'])
    await clock.advance(0)
    expect(sent()).toEqual(['mx#3 old@one.example'])
    expect(attempts().slice(2)).toMatchObject([
      { recipients: [{ outcome: 'deferred', failure: { code: 'tls.alert' } }] },
      { recipients: [{ outcome: 'deferred', failure: { code: 'tls.alert' } }] },
    ])
    expect(hop.did.filter(line => line.endsWith('in clear'))).toHaveLength(1)
    // A failure of their own, not one taken over from another message.
    expect(attempts().every(({ recipients }) => recipients[0]?.failure?.detail == null)).toBe(true)
    expect(hop.did.filter(line => line === 'connect mx')).toHaveLength(4)
    await clock.advance(5 * minute)
    // They waited for the same reason, so one connection will do for both.
    expect(
      sent()
        .slice(1)
        .map(line => line.replace(/^\S+ /, ''))
        .toSorted(),
    ).toEqual(['new@one.example', 'newer@one.example'])
    expect(hop.did.filter(line => line.endsWith('in clear'))).toHaveLength(2)
  })

  test('a message does not wait for a connection in clear that it may not use', async () => {
    let letGo = (_answer: Answer) => {}
    const held = new Promise<Answer>(resolve => {
      letGo = resolve
    })
    const { clock, submit, attempts } = relay({
      ways: () => ['mx'],
      hosts: { mx: { ...broken, answer: () => held } },
    })
    await submit(['old@one.example'])
    await clock.advance(5 * minute)
    await submit(['new@one.example'])
    await clock.advance(0)
    expect(attempts()).toHaveLength(2)
    expect(attempts()[1]?.recipients[0]).toMatchObject({
      address: 'new@one.example',
      failure: { code: 'tls.alert' },
    })
    letGo(accepted)
    await clock.advance(0)
    expect(attempts()[2]?.recipients[0]).toMatchObject({ address: 'old@one.example', outcome: 'delivered' })
  })

  test('all other hosts are tried with TLS before one is in clear', async () => {
    let isRepaired = false
    const mx2: Host = { unreachable: how => (isRepaired ? null : (broken.unreachable?.(how) ?? null)) }
    const { clock, hop, submit, sent } = relay({ ways: () => ['mx1', 'mx2'], hosts: { mx1: broken, mx2 } })
    await submit(['a@one.example'])
    await clock.advance(0)
    isRepaired = true
    await clock.advance(5 * minute)
    expect(sent()).toEqual(['mx2#4 a@one.example'])
    expect(hop.did.some(line => line.endsWith('in clear'))).toBe(false)
  })

  test('another host that is down does not hide it: the message gets there in the end', async () => {
    const { clock, submit, attempts, sent } = relay({
      ways: () => ['mx1', 'mx2'],
      hosts: { mx1: broken, mx2: down },
    })
    await submit(['a@one.example'])
    await clock.advance(5 * minute)
    expect(attempts()[0]?.recipients[0]?.failure?.code).toBe('tls.alert')
    expect(sent()).toHaveLength(1)
  })

  test('another kind of failure before that is none of this: TLS must fail for the message first', async () => {
    let isUp = false
    const mx: Host = { unreachable: how => (isUp ? (broken.unreachable?.(how) ?? null) : failure('net.refused')) }
    const { clock, submit, sent, attempts } = relay({ ways: () => ['mx'], hosts: { mx } })
    await submit(['a@one.example'])
    await clock.advance(0)
    isUp = true
    await clock.advance(5 * minute)
    expect(sent()).toEqual([])
    expect(attempts()[1]?.recipients[0]?.failure?.code).toBe('tls.alert')
    await clock.advance(15 * minute)
    expect(sent()).toHaveLength(1)
  })
})

describe('refusals', () => {
  test('recipients get their own fate: delivered, tried again, returned', async () => {
    const { clock, submit, spool, attempts, events } = relay({
      hosts: {
        'mx1.one.example': {
          answer: () => ({
            results: [
              accepted,
              refused('smtp.recipient-refused-for-now', reply(450, '4.2.1', 'later')),
              refused('smtp.recipient-refused-for-good', reply(550, '5.1.1', 'never')),
            ],
          }),
        },
      },
    })
    const id = await submit(['a@one.example', 'b@one.example', 'c@one.example'])
    await clock.advance(0)
    expect(attempts()[0]?.recipients.map(({ outcome }) => outcome)).toEqual(['delivered', 'deferred', 'failed'])
    expect(attempts()[0]?.findings.map(({ code }) => code)).toEqual([
      'smtp.recipient-refused-for-now',
      'smtp.recipient-refused-for-good',
    ])
    expect((await spool.show(id))?.pending).toEqual([
      {
        index: 1,
        attempts: 1,
        nextAttemptAtMs: clock.now() + 5 * minute,
        lastFailure: 'smtp.recipient-refused-for-now',
      },
    ])
    expect(events.find(({ kind }) => kind === 'returned')).toMatchObject({
      message: id,
      recipients: ['c@one.example'],
    })
  })

  test('a message whose final dot got no answer waits, and is not given to the next host at once', async () => {
    const { clock, submit, sent, attempts } = relay({
      hosts: {
        'mx1.one.example': { answer: () => ({ results: refused('smtp.closed-after-dot'), reusable: false }) },
      },
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(sent()).toHaveLength(1)
    expect(attempts()[0]?.recipients[0]).toMatchObject({
      outcome: 'deferred',
      failure: { code: 'smtp.closed-after-dot' },
    })
    const finding = attempts()[0]?.findings[0]
    expect(`${finding?.says} ${finding?.remedy}`).toMatch(/twice/)
  })

  test('recipients over the limit of one transaction go in the next, on the same connection', async () => {
    const tooMany = refused('smtp.recipient-refused-for-now', reply(452, '4.5.3', 'too many recipients'))
    const { clock, submit, sent, spool } = relay({
      hosts: {
        'mx1.one.example': {
          answer: ({ recipients }) => ({ results: recipients.map((_, i) => (i < 2 ? accepted : tooMany)) }),
        },
      },
    })
    const id = await submit(['1', '2', '3', '4', '5'].map(n => `${n}@one.example`))
    await clock.advance(0)
    expect(sent()).toEqual([
      'mx1.one.example#1 1@one.example, 2@one.example, 3@one.example, 4@one.example, 5@one.example',
      'mx1.one.example#1 3@one.example, 4@one.example, 5@one.example',
      'mx1.one.example#1 5@one.example',
    ])
    expect(await spool.show(id)).toBeNull()
  })

  test('a domain that does not exist returns the mail, one that cannot be looked up keeps it', async () => {
    const { clock, submit, attempts } = relay({
      ways: domain => failure(domain === 'no.example' ? 'dns.no-such-domain' : 'dns.lookup-failed'),
    })
    await submit(['a@no.example', 'b@later.example'], { from: null })
    await clock.advance(0)
    const outcomes = attempts().flatMap(({ recipients }) =>
      recipients.map(({ address, outcome }) => `${address} ${outcome}`),
    )
    expect(outcomes.sort()).toEqual(['a@no.example failed', 'b@later.example deferred'])
  })

  test('a route that rejects fails the recipient with its own reply, and one with a 4xx code defers it', async () => {
    const to = (code: number): RouteRule['to'] => ({
      kind: 'reject',
      code,
      enhanced: `${code / 100 > 5 ? 5 : 4}.7.1`,
      text: 'No robots',
    })
    const rules: RouteRule[] = [
      { name: 'never', match: { ...always, recipient: ['never.example'] }, to: to(550), level: 'none' },
      { name: 'later', match: { ...always, recipient: ['later.example'] }, to: to(450), level: 'none' },
    ]
    const { clock, submit, attempts, hop } = relay({ rules })
    await submit(['a@never.example', 'b@later.example'], { from: null })
    await clock.advance(0)
    expect(hop.did).toEqual([])
    expect(attempts().map(({ recipients, route }) => `${route} ${recipients[0]?.outcome}`)).toEqual([
      'never failed',
      'later deferred',
    ])
    expect(new Set(attempts().map(({ id }) => id)).size).toBe(2)
  })
})

describe('the retry schedule', () => {
  test('waits longer after each attempt, the last wait repeats, and a restart does not begin it anew', async () => {
    const first = relay({
      ways: () => ['mx'],
      hosts: { mx: { answer: () => refused('smtp.data-refused-for-now') } },
    })
    await first.submit(['a@one.example'])
    const waits: number[] = []
    let last = first.clock.now()
    await first.clock.advance(90 * minute)
    await first.delivery.stop(0)
    createDelivery(first.parts)
    await first.clock.advance(2 * hour)
    for (const { at } of first.attempts()) {
      waits.push(Math.round((Date.parse(at) - last) / minute))
      last = Date.parse(at)
    }
    expect(waits).toEqual([0, 5, 15, 60, 60, 60])
    expect(first.attempts().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('recipients that are not due are left alone', async () => {
    const { clock, submit, spool, sent } = relay({
      hosts: {
        'mx1.one.example': {
          answer: ({ recipients }) => ({
            results: recipients.map(({ text }) =>
              text.startsWith('a') ? accepted : refused('smtp.recipient-refused-for-now'),
            ),
          }),
        },
      },
    })
    const id = await submit(['a@one.example', 'b@one.example'])
    await clock.advance(0)
    expect((await spool.show(id))?.pending.map(({ index }) => index)).toEqual([1])
    await clock.advance(6 * minute)
    expect(sent().at(-1)).toMatch(/ b@one\.example$/)
  })

  test('waking looks at once for what an operator expedited, and tries a next hop that was down', async () => {
    let isDown = true
    const { clock, submit, spool, delivery, sent } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => (isDown ? failure('net.timeout') : null) } },
    })
    const id = await submit(['a@one.example'])
    await clock.advance(1_000)
    isDown = false
    expect(await spool.expedite(id, clock.now())).toBe(1)
    delivery.wake()
    await clock.advance(0)
    expect(sent()).toEqual(['mx#2 a@one.example'])
  })
})

describe('a message that expires', () => {
  test('gets a last attempt at that time, and is then returned with what stood in the way', async () => {
    const { clock, submit, spool, attempts } = relay({
      ways: domain => (domain === 'example.net' ? ['home'] : ['mx']),
      hosts: {
        mx: {
          answer: () => refused('smtp.message-refused-for-now', reply(451, '4.3.0', 'busy\x1b[31m\r\nEvil: yes')),
        },
      },
    })
    const written: Uint8Array[] = []
    const settle = spool.settle.bind(spool)
    spool.settle = settlement => {
      if (settlement.notify !== undefined) written.push(settlement.notify.content)
      return settle(settlement)
    }
    const id = await submit(['a@one.example'], { expireMs: 12 * minute })
    await clock.advance(hour)
    expect(
      attempts()
        .filter(({ message }) => message === id)
        .map(({ at }) => Math.round((Date.parse(at) - clock.now()) / minute) + 60),
    ).toEqual([0, 5, 12])
    expect(
      attempts().find(({ message, attempt }) => message === id && attempt === 3)?.recipients[0],
    ).toMatchObject({
      outcome: 'failed',
      failure: { code: 'message.expired' },
    })
    expect(await spool.show(id)).toBeNull()

    const notice = await PostalMime.parse(written[0] ?? '', { attachmentEncoding: 'utf8' })
    expect(notice.to?.[0]?.address).toBe('sender@example.net')
    expect(notice.from?.address).toBe('MAILER-DAEMON@relay.example')
    const status = String(
      notice.attachments.find(({ mimeType }) => mimeType === 'message/delivery-status')?.content,
    )
    expect(status).toContain('Final-Recipient: rfc822; a@one.example')
    expect(status).toContain('Status: 4.4.7')
    expect(status).toContain('Remote-MTA: dns; mx')
    expect(status.replace(/\n /g, ' ')).toContain('Diagnostic-Code: smtp; 451 4.3.0 busy\\x1b[31m\\r\\nEvil: yes')
    expect(notice.text?.replace(/\s+/g, ' ')).toContain(
      'could not be delivered in the time it may stay in the queue. What stood in the way: mx read',
    )
    expect(Buffer.from(written[0] ?? []).toString()).not.toMatch(/\x1b|^Evil/m)
    expect(String(notice.attachments.at(-1)?.content).trim()).toBe('Subject: Hello')
    // And the notice itself was delivered to the sender, from nobody.
    expect(attempts().at(-1)).toMatchObject({
      from: '',
      recipients: [{ address: 'sender@example.net', outcome: 'delivered' }],
    })
    expect((await spool.counts()).messages).toBe(0)
  })

  test('from the null sender is dropped without a notice', async () => {
    const { clock, submit, spool, events } = relay({ ways: () => failure('dns.no-such-domain') })
    await submit(['a@one.example'], { from: null })
    await clock.advance(0)
    expect(events.map(({ kind }) => kind)).toEqual(['attempted', 'completed'])
    expect((await spool.counts()).messages).toBe(0)
  })

  test('a notice that cannot be delivered makes no other', async () => {
    const { clock, submit, spool, events } = relay({ ways: () => failure('dns.no-such-domain') })
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(events.map(({ kind }) => kind)).toEqual([
      'attempted',
      'returned',
      'accepted',
      'completed',
      'attempted',
      'completed',
    ])
    expect((await spool.counts()).messages).toBe(0)
  })

  test('one notice tells of all recipients that failed in one round', async () => {
    const { clock, submit, events } = relay({
      ways: domain => (domain === 'example.net' ? ['home'] : failure('dns.null-mx')),
    })
    await submit(['a@one.example', 'b@two.example'])
    await clock.advance(0)
    expect(events.filter(({ kind }) => kind === 'returned')).toMatchObject([
      { recipients: ['a@one.example', 'b@two.example'] },
    ])
  })
})

/** Transactions that wait until the test lets them go. */
function held() {
  const waiting: ((answer: Answer) => void)[] = []
  return {
    answer: () => new Promise<Answer>(resolve => waiting.push(resolve)),
    get count() {
      return waiting.length
    },
    next: (answer: Answer = accepted) => waiting.shift()?.(answer),
  }
}

describe('connections', () => {
  test('serve message after message of one next hop, and are closed after a short rest', async () => {
    const { clock, hop, submit } = relay()
    for (const local of ['a', 'b', 'c']) {
      await submit([`${local}@one.example`])
      await clock.advance(500)
    }
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(1)
    expect(hop.open).toBe(1)
    await clock.advance(5_000)
    expect(hop.did.at(-1)).toBe('close mx1.one.example#1')
    expect(hop.open).toBe(0)
    expect(clock.waiting).toBe(0)
  })

  test('that expired or that hop is not satisfied with are not used again', async () => {
    const { clock, hop, submit, parts } = relay()
    await submit(['a@one.example'])
    await clock.advance(500)
    // The way has changed: the host has a new address.
    parts.hop.satisfies = ({ session }) => session !== 'session-1'
    await clock.advance(400_000)
    await submit(['b@one.example'])
    await clock.advance(0)
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(2)
  })

  test('that the peer gave up while they rested cost no attempt', async () => {
    const { clock, hop, submit, attempts } = relay({
      ways: () => ['mx'],
      hosts: {
        mx: {
          answer: (_mail, { serial, transactions }) =>
            serial === 1 && transactions === 2 ? { results: refused('smtp.closed'), reusable: false } : accepted,
        },
      },
    })
    await submit(['a@one.example'])
    await clock.advance(500)
    await submit(['b@one.example'])
    await clock.advance(0)
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(2)
    expect(attempts().every(({ recipients }) => recipients[0]?.outcome === 'delivered')).toBe(true)
  })

  test('to one next hop are limited', async () => {
    const hold = held()
    const { clock, hop, submit } = relay({
      ways: () => ['mx'],
      hosts: { mx: { answer: hold.answer } },
      limits: { deliveriesPerNextHop: 3 },
    })
    for (let i = 0; i < 10; i++) await submit([`${i}@one.example`])
    await clock.advance(0)
    expect(hop.open).toBe(3)
    while (hold.count > 0) {
      hold.next()
      await rest()
    }
    expect(hop.mostOpen).toBe(3)
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(3)
  })

  test('in all are limited, and next hops that wait for one get their turn', async () => {
    const hold = held()
    const { clock, hop, submit, sent, delivery } = relay({
      ways: domain => [`mx.${domain}`],
      hosts: { 'mx.slow.example': { answer: hold.answer } },
      limits: { deliveries: 2, deliveriesPerNextHop: 2 },
    })
    for (let i = 0; i < 6; i++) await submit([`${i}@slow.example`])
    await clock.advance(0)
    await submit(['a@quick.example'])
    await submit(['a@other.example'])
    await clock.advance(0)
    expect(hop.open).toBe(2)
    hold.next()
    await clock.advance(0)
    expect(sent().filter(line => line.includes('quick') || line.includes('other'))).toHaveLength(2)
    while (hold.count > 0) {
      hold.next()
      await clock.advance(0)
    }
    expect(hop.mostOpen).toBe(2)
    expect(await delivery.settled(0)).toBe(true)
  })

  test('more than a host wants are not forced on it, and no message is put off for that', async () => {
    const { clock, hop, submit, attempts, delivery } = relay({
      ways: () => ['mx'],
      hosts: {
        mx: {
          unreachable: () =>
            hop.open >= 2 ? failure('smtp.greeting-refused-for-now', reply(421, null, 'too many')) : null,
        },
      },
    })
    for (let i = 0; i < 50; i++) await submit([`${i}@one.example`])
    await clock.advance(0)
    expect(attempts()).toHaveLength(50)
    expect(attempts().every(({ recipients }) => recipients[0]?.outcome === 'delivered')).toBe(true)
    expect(delivery.idle).toBe(true)
  })

  test('that break after some recipients were taken do not send those again, while others are busy', async () => {
    const hold = held()
    let isOpen = true
    const { clock, hop, submit, sent, attempts } = relay({
      ways: () => ['mx'],
      hosts: {
        mx: {
          unreachable: () => (isOpen ? null : failure('smtp.greeting-refused-for-now')),
          answer: ({ recipients }) => {
            if (recipients[0]?.local === 'held') return hold.answer()
            if (recipients.length === 1) return accepted
            return { results: [accepted, refused('smtp.closed')], reusable: false }
          },
        },
      },
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    await submit(['held@one.example'])
    await submit(['b@one.example'])
    await clock.advance(0)
    expect(hop.open).toBe(2)
    isOpen = false
    await submit(['c@one.example', 'd@one.example'])
    await clock.advance(1_000)
    expect(sent().filter(line => line.includes('c@'))).toHaveLength(1)
    expect(
      attempts()
        .at(-1)
        ?.recipients.map(({ outcome }) => outcome),
    ).toEqual(['delivered', 'deferred'])
    hold.next()
    await clock.advance(0)
    expect(attempts()).toHaveLength(4)
  })
})

describe('a next hop that is down', () => {
  test('costs one attempt for all that waits for it, and what comes is put off with it', async () => {
    const { clock, hop, submit, attempts, spool } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => failure('net.timeout') } },
      limits: { deliveriesPerNextHop: 1 },
    })
    for (let i = 0; i < 20; i++) await submit([`${i}@one.example`])
    await clock.advance(0)
    await submit(['late@one.example'])
    await clock.advance(0)
    expect(hop.did).toEqual(['plan one.example', 'connect mx'])
    expect(attempts()).toHaveLength(21)
    expect(attempts().every(({ recipients }) => recipients[0]?.outcome === 'deferred')).toBe(true)
    expect(attempts()[20]?.recipients[0]?.failure?.detail).toMatch(/not tried for this message/)
    expect((await spool.counts()).nextAttemptAtMs).toBe(clock.now() + 5 * minute)
  })

  test('gets the last attempt of a message at its expiry nevertheless, and one for all that expire together', async () => {
    const { clock, hop, submit, attempts } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => failure('net.timeout') } },
      limits: { deliveriesPerNextHop: 1 },
    })
    for (let i = 0; i < 5; i++) await submit([`${i}@one.example`], { from: null, expireMs: 2 * minute })
    await clock.advance(2 * minute - 10_000)
    // Somebody else finds it down ten seconds before.
    await submit(['other@one.example'])
    await clock.advance(0)
    const connects = () => hop.did.filter(line => line === 'connect mx').length
    const before = connects()
    await clock.advance(10_000)
    expect(connects()).toBe(before + 1)
    expect(attempts().filter(({ recipients }) => recipients[0]?.outcome === 'failed')).toHaveLength(5)
    // One that comes late, when the next hop was tried after its time, costs no more.
    await submit(['late@one.example'], { from: null, expireMs: -5_000 })
    await clock.advance(5_000)
    await submit(['later@one.example'], { from: null, expireMs: -1_000 })
    await clock.advance(0)
    expect(attempts().filter(({ recipients }) => recipients[0]?.outcome === 'failed')).toHaveLength(7)
    expect(connects()).toBe(before + 2)
  })

  test('is probed by one message at a time, and all flow when it answers', async () => {
    let isDown = true
    const { clock, hop, submit, spool } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => (isDown ? failure('net.timeout') : null) } },
    })
    for (let i = 0; i < 20; i++) await submit([`${i}@one.example`])
    await clock.advance(0)
    const before = hop.did.length
    await clock.advance(6 * minute)
    expect(hop.did.slice(before).filter(line => line === 'connect mx')).toHaveLength(1)
    isDown = false
    await clock.advance(30 * minute)
    expect((await spool.counts()).messages).toBe(0)
  })
})

describe('a wall clock that was ahead and is put right', () => {
  const ahead = 10 * 24 * hour

  test('leaves no next hop down for the difference, and no mail is put off untried', async () => {
    let isDown = true
    const { clock, wall, submit, attempts } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => (isDown ? failure('net.timeout') : null) } },
    })
    wall.aheadMs = ahead
    await submit(['a@one.example'])
    await clock.advance(0)
    wall.aheadMs = 0
    isDown = false
    await clock.advance(2 * minute)
    await submit(['b@one.example'])
    await clock.advance(0)
    expect(attempts().at(-1)?.recipients[0]).toMatchObject({ outcome: 'delivered' })
  })

  test('takes the last attempt from no message', async () => {
    const { clock, wall, hop, submit } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => failure('net.timeout') } },
    })
    const connects = () => hop.did.filter(line => line === 'connect mx').length
    wall.aheadMs = ahead
    await submit(['a@one.example'])
    await clock.advance(0)
    wall.aheadMs = 0
    await submit(['b@one.example'], { from: null, expireMs: 20_000 })
    await clock.advance(10_000)
    expect(connects()).toBe(1)
    await clock.advance(10_000)
    expect(connects()).toBe(2)
  })

  test('lets nothing go by old answers, nor on old connections', async () => {
    const { clock, wall, hop, submit } = relay({ ways: () => ['mx'] })
    wall.aheadMs = ahead
    await submit(['a@one.example'])
    await clock.advance(1_000)
    wall.aheadMs = 0
    for (let i = 0; i < 360; i++) {
      await submit([`${i}@one.example`])
      await clock.advance(1_000)
    }
    expect(hop.did.filter(line => line.startsWith('plan'))).toHaveLength(2)
    expect(hop.did.filter(line => line.startsWith('connect'))).toHaveLength(2)
  })
})

describe('what the DNS said', () => {
  const plans = (did: readonly string[]) => did.filter(line => line.startsWith('plan')).length

  test('is not kept by a next hop that is quiet, nor by one that is down', async () => {
    let isDown = false
    const { clock, hop, submit } = relay({
      ways: () => ['mx'],
      hosts: { mx: { unreachable: () => (isDown ? failure('net.timeout') : null) } },
    })
    await submit(['a@one.example'])
    await clock.advance(0)
    await submit(['b@one.example'])
    await clock.advance(10_000)
    expect(plans(hop.did)).toBe(1)
    isDown = true
    await submit(['c@one.example'])
    await clock.advance(61_000)
    expect(plans(hop.did)).toBe(2)
    await submit(['d@one.example'])
    await clock.advance(0)
    expect(plans(hop.did)).toBe(3)
  })

  test('is still told of a message that is put off while it is down', async () => {
    const { clock, submit, attempts } = relay({ hosts: { 'mx1.one.example': down, 'mx2.one.example': down } })
    await submit(['a@one.example'])
    await submit(['b@one.example'])
    await clock.advance(0)
    expect(attempts().map(({ planned }) => planned?.name)).toEqual(['unauthenticated', 'unauthenticated'])
  })

  test('and ended before the host had greeted is asked for again: the same answer keeps the connection', async () => {
    const slow = held()
    const { clock, hop, submit } = relay({
      ways: () => ['mx'],
      hosts: { mx: { greets: async () => void (await slow.answer()) } },
      holdsMs: 5_000,
    })
    await submit(['a@one.example'])
    await clock.advance(12_000)
    expect(hop.did).toEqual(['plan one.example', 'connect mx'])
    slow.next()
    await clock.advance(0)
    expect(hop.did).toEqual(['plan one.example', 'connect mx', 'plan one.example', 'mx#1 a@one.example'])
  })

  test('another answer takes the connection, before anything is sent on it', async () => {
    const slow = held()
    let names = ['old', 'other']
    const { clock, hop, submit } = relay({
      ways: () => names,
      hosts: { old: { greets: async () => void (await slow.answer()) } },
      holdsMs: 5_000,
    })
    await submit(['a@one.example'])
    await clock.advance(12_000)
    names = ['new']
    slow.next()
    await clock.advance(0)
    expect(hop.did).toEqual([
      'plan one.example',
      'connect old',
      'plan one.example',
      'close old#1',
      'connect new',
      'new#2 a@one.example',
    ])
  })

  test('and one that cannot be had then keeps the mail', async () => {
    const slow = held()
    let isLost = false
    const { clock, hop, submit, attempts } = relay({
      ways: () => (isLost ? failure('dns.lookup-failed') : ['mx']),
      hosts: { mx: { greets: async () => void (await slow.answer()) } },
      holdsMs: 5_000,
    })
    await submit(['a@one.example'])
    await clock.advance(12_000)
    isLost = true
    slow.next()
    await clock.advance(0)
    expect(hop.did.slice(2)).toEqual(['plan one.example', 'close mx#1'])
    expect(attempts()[0]?.recipients[0]).toMatchObject({
      outcome: 'deferred',
      failure: { code: 'dns.lookup-failed' },
    })
  })

  test('may change for ever: a host is begun anew once in one attempt, and the mail waits', async () => {
    const { clock, hop, submit, attempts, parts } = relay({ ways: () => ['mx'] })
    parts.hop.satisfies = () => false
    await submit(['a@one.example'])
    await clock.advance(0)
    expect(hop.did).toEqual([
      'plan one.example',
      'connect mx',
      'plan one.example',
      'close mx#1',
      'connect mx',
      'plan one.example',
      'close mx#2',
    ])
    expect(attempts()[0]?.recipients[0]).toMatchObject({
      outcome: 'deferred',
      failure: { code: 'dane.lookup-failed' },
    })
  })
})

describe('memory', () => {
  test('has room up to the limits, in messages and in bytes; large content does not count', async () => {
    const hold = held()
    const { clock, delivery, submit } = relay({
      hosts: { 'mx1.one.example': { answer: hold.answer } },
      limits: { activeMessages: 2, activeBytes: 1_000 },
    })
    expect(delivery.hasRoom(1_000)).toBe(true)
    expect(delivery.hasRoom(1_001)).toBe(false)
    expect(delivery.hasRoom(25_000_000)).toBe(true)
    await submit(['a@one.example'], { content: `X: ${'y'.repeat(600)}\r\n\r\n` })
    expect(delivery.hasRoom(500)).toBe(false)
    await submit(['b@one.example'])
    expect(delivery.hasRoom(1)).toBe(false)
    await clock.advance(0)
    while (hold.count > 0) {
      hold.next()
      await clock.advance(0)
    }
    expect(delivery.hasRoom(1_000)).toBe(true)
  })

  test('that is full leaves messages in the spool, and takes them when there is room', async () => {
    const hold = held()
    const { clock, delivery, accept, submit, spool, sent } = relay({
      hosts: { 'mx1.one.example': { answer: hold.answer } },
      limits: { activeMessages: 4, deliveriesPerNextHop: 4 },
    })
    for (let i = 0; i < 4; i++) await submit([`${i}@one.example`])
    for (let i = 4; i < 30; i++) {
      const { stored } = await accept([`${i}@one.example`])
      expect(delivery.hasRoom(1)).toBe(false)
      spool.release(stored.id)
    }
    await clock.advance(0)
    expect(sent()).toHaveLength(4)
    while (hold.count > 0) {
      expect(hold.count).toBeLessThanOrEqual(4)
      hold.next()
      await clock.advance(0)
    }
    expect(new Set(sent().map(line => line.split(' ')[1])).size).toBe(30)
    expect((await spool.counts()).messages).toBe(0)
  })

  test('that a slow next hop fills is given back, so that others are served', async () => {
    const hold = held()
    const { clock, delivery, submit, accept, spool, sent, notices, attempts } = relay({
      ways: domain => [`mx.${domain}`],
      hosts: { 'mx.slow.example': { answer: hold.answer } },
      limits: { activeMessages: 16, deliveriesPerNextHop: 1 },
    })
    for (let i = 0; i < 16; i++) await submit([`${i}@slow.example`])
    expect(delivery.hasRoom(1)).toBe(false)
    const { stored } = await accept(['a@quick.example'])
    spool.release(stored.id)
    await clock.advance(5_000)
    expect(sent().some(line => line.endsWith(' a@quick.example'))).toBe(false)
    await clock.advance(15_000)
    expect(notices.join()).toMatch(/slow\.example is slow: 13 messages/)
    expect(
      attempts().filter(({ recipients }) => recipients[0]?.failure?.code === 'us.next-hop-busy'),
    ).toHaveLength(13)
    expect(sent().some(line => line.endsWith(' a@quick.example'))).toBe(true)
  })
})

describe('faults of our own', () => {
  test('in one message put it off, are told, and let the others go on', async () => {
    const { clock, submit, attempts, notices, delivery } = relay({
      ways: () => ['mx'],
      hosts: {
        mx: {
          answer: ({ recipients }) => {
            if (recipients[0]?.local === 'bug') throw new Error('a bug')
            return accepted
          },
        },
      },
    })
    await submit(['bug@one.example'])
    await submit(['fine@one.example'])
    await clock.advance(0)
    const outcomes = attempts().map(
      ({ recipients }) => `${recipients[0]?.address} ${recipients[0]?.outcome} ${recipients[0]?.failure?.code}`,
    )
    expect(outcomes.sort()).toEqual([
      'bug@one.example deferred us.internal',
      'fine@one.example delivered undefined',
    ])
    expect(notices.join()).toContain('a bug')
    expect(delivery.idle).toBe(true)
  })

  test('in routing put the message off', async () => {
    const { clock, submit, attempts } = relay({ routing: { decide: () => Promise.reject(new Error('a bug')) } })
    await submit(['a@one.example', 'b@one.example'])
    await clock.advance(0)
    expect(attempts().map(({ recipients }) => recipients[0]?.failure?.code)).toEqual([
      'us.internal',
      'us.internal',
    ])
  })

  test('an outcome that cannot even be handed to the spool is told, and no promise is left that ends the process', async () => {
    const closed: RouteRule['to'] = { kind: 'reject', code: 550, enhanced: '5.7.1', text: 'closed' }
    const { clock, submit, notices, delivery, sent } = relay({
      rules: [
        { name: 'closed', match: { ...always, recipient: ['one.example'] }, to: closed, level: 'opportunistic' },
      ],
      spool: memory => ({
        ...memory,
        settle(settlement) {
          if (settlement.done.length > 0) throw new Error('a bug')
          return memory.settle(settlement)
        },
      }),
    })
    // Without a sender nothing is awaited on the way to the spool; with one a notice is.
    await submit(['a@one.example'], { from: null })
    await submit(['b@two.example'])
    await clock.advance(0)
    expect(notices).toHaveLength(2)
    for (const notice of notices)
      expect(notice).toMatch(/^the outcome of \w+ met a fault of our own: Error: a bug\n/)
    expect([sent().length, delivery.idle]).toEqual([1, true])
  })

  test('when one ends the process, what is in work is put off, so that the next life does not begin with it', async () => {
    const hold = held()
    const { clock, submit, spool, delivery, sent } = relay({
      hosts: { 'mx1.slow.example': { answer: hold.answer } },
    })
    const id = await submit(['a@slow.example', 'b@one.example'])
    await clock.advance(0)
    await delivery.abandon()
    expect(await spool.show(id)).toMatchObject({
      pending: [{ index: 0, attempts: 1, nextAttemptAtMs: clock.now() + 5 * minute, lastFailure: 'us.internal' }],
    })
    // What comes later from the connection that goes on is not listened to.
    hold.next()
    await clock.advance(0)
    expect(await spool.take(clock.now(), 10)).toEqual([])
    expect((await spool.show(id))?.pending).toHaveLength(1)
    expect(sent()).toHaveLength(2)
  })

  test('a spool that cannot be read is asked again later', async () => {
    let broken = true
    const world = relay({
      spool: memory => ({
        ...memory,
        take: (...asked) => (broken ? Promise.reject(new Error('no disk')) : memory.take(...asked)),
      }),
    })
    const { stored } = await world.accept(['a@one.example'])
    world.spool.release(stored.id)
    await world.clock.advance(0)
    expect(world.notices.join()).toContain('no disk')
    broken = false
    await world.clock.advance(minute)
    expect(world.sent()).toHaveLength(1)
  })
})

describe('stopping', () => {
  test('lets what is under way end, and leaves the rest in the spool as it was', async () => {
    const hold = held()
    const { clock, submit, delivery, spool, events } = relay({
      ways: () => ['mx'],
      hosts: { mx: { answer: hold.answer } },
      limits: { deliveriesPerNextHop: 1 },
    })
    await submit(['a@one.example'])
    const waiting = await submit(['b@one.example'])
    await clock.advance(0)
    const stopped = delivery.stop(10_000)
    await clock.advance(0)
    hold.next()
    await clock.advance(0)
    await stopped
    expect((await spool.list(null, 10)).map(({ id }) => id)).toEqual([waiting])
    expect((await spool.show(waiting))?.pending[0]).toMatchObject({ attempts: 0 })
    expect(events.map(({ kind }) => kind)).toEqual(['attempted', 'completed'])
    expect((await spool.take(clock.now(), 10)).map(({ id }) => id)).toEqual([waiting])
  })

  test('leaves a message in the spool that was just being routed', async () => {
    const { submit, delivery, spool, hop, clock } = relay()
    const id = await submit(['a@one.example'])
    const stopped = delivery.stop(hour)
    await clock.advance(0)
    await stopped
    expect(hop.did).toEqual([])
    expect((await spool.take(clock.now(), 10)).map(message => message.id)).toEqual([id])
  })

  test('does not wait for messages that only wait for room', async () => {
    const hold = held()
    const { clock, submit, delivery } = relay({
      hosts: { 'mx1.one.example': { answer: hold.answer } },
      limits: { activeMessages: 1 },
    })
    await submit(['a@one.example'])
    expect(delivery.hasRoom(1)).toBe(false)
    await clock.advance(0)
    let isOver = false
    const stopped = delivery.stop(hour).then(() => {
      isOver = true
    })
    hold.next()
    await clock.advance(0)
    expect(isOver).toBe(true)
    await stopped
  })

  test('drops at the deadline what does not end, untried', async () => {
    const hold = held()
    const { clock, submit, delivery, spool, hop } = relay({
      ways: () => ['mx'],
      hosts: { mx: { answer: hold.answer } },
    })
    const id = await submit(['a@one.example'])
    await clock.advance(0)
    const stopped = delivery.stop(10_000)
    await clock.advance(12_000)
    await stopped
    expect(hop.open).toBe(0)
    expect((await spool.show(id))?.pending[0]).toMatchObject({ attempts: 0, lastFailure: null })
  })

  test('afterwards a submitted message goes back to the spool', async () => {
    const { clock, accept, delivery, spool, sent } = relay()
    await delivery.stop(0)
    const { stored, content } = await accept(['a@one.example'])
    delivery.submit(stored, content)
    await clock.advance(0)
    expect(sent()).toEqual([])
    expect(await spool.take(clock.now(), 1)).toHaveLength(1)
  })
})

test('settled waits for what is in work, not for what waits its time', async () => {
  const hold = held()
  const { clock, submit, delivery } = relay({ hosts: { 'mx1.one.example': { answer: hold.answer } } })
  await submit(['a@one.example'])
  await clock.advance(0)
  expect(delivery.idle).toBe(false)
  const early = delivery.settled(100)
  await clock.advance(200)
  expect(await early).toBe(false)
  const late = delivery.settled(10_000)
  hold.next(refused('smtp.message-refused-for-now'))
  await clock.advance(0)
  expect(await late).toBe(true)
  expect(delivery.idle).toBe(true)
})
