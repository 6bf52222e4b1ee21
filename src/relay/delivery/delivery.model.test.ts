/**
 * Delivery against hosts that do anything at all: whatever happens, every recipient ends in exactly one way, limits hold, and nothing is left behind.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LifeEvent } from '../../journal/journal.ts'
import type { Failure, ReasonCode } from '../../judgement/failure.ts'
import type { Path } from '../../protocol/mail/address.ts'
import { createMemorySpool } from '../../spool/memory-spool.ts'
import { createRouting } from '../routing/routing.ts'
import { createDelivery, type DeliveryParts } from './delivery.ts'
import { createClock } from './testing/clock.ts'
import { accepted, createScriptedHop, failure, refused } from './testing/scripted-hop.ts'

const hour = 60 * 60_000

/** What a host may do to a connection or to one recipient; undefined: it goes well. */
const unreachable: readonly (ReasonCode | undefined)[] = [
  undefined,
  undefined,
  'net.timeout',
  'net.refused',
  'smtp.greeting-refused-for-now',
  'smtp.greeting-refused-for-good',
  'x509.name-mismatch',
]
const answers: readonly (ReasonCode | undefined)[] = [
  undefined,
  undefined,
  undefined,
  'smtp.recipient-refused-for-now',
  'smtp.recipient-refused-for-good',
  'smtp.sender-refused-for-good',
  'smtp.closed',
  'smtp.shutting-down',
  'smtp.timeout',
  'smtp.closed-after-dot',
  'smtp.message-refused-for-now',
  'smtp.message-refused-for-good',
  'smtp.no-8bitmime',
  'us.content-unreadable',
]
const breaks: ReadonlySet<ReasonCode> = new Set([
  'smtp.closed',
  'smtp.shutting-down',
  'smtp.timeout',
  'smtp.closed-after-dot',
  'us.content-unreadable',
])
const plans: readonly (ReasonCode | undefined)[] = [
  undefined,
  undefined,
  undefined,
  'dns.lookup-failed',
  'dns.no-such-domain',
]

const path = (text: string): Path => {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1), text }
}

test('every recipient is delivered, or returned, exactly once; connections and memory keep their limits', async () => {
  const choice = fc.array(fc.nat(), { minLength: 20, maxLength: 200 })
  const messages = fc.array(fc.array(fc.nat(11), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 40 })
  const limit = fc.record({
    deliveries: fc.integer({ min: 1, max: 6 }),
    perHop: fc.integer({ min: 1, max: 4 }),
    active: fc.integer({ min: 1, max: 12 }),
  })
  await fc.assert(
    fc.asyncProperty(choice, messages, limit, async (choices, mails, { deliveries, perHop, active }) => {
      let chosen = 0
      const pick = <T>(from: readonly T[]): T | undefined =>
        from[(choices[chosen++ % choices.length] ?? 0) % from.length]
      const optional = (code: ReasonCode | undefined): Failure | null =>
        code === undefined ? null : failure(code)
      const clock = createClock()
      const spool = createMemorySpool()
      const delivered = new Map<string, number>()
      const doubtful = new Set<string>()
      const host = {
        unreachable: () => optional(pick(unreachable)),
        answer: async (mail: { readonly recipients: readonly Path[] }) => {
          await new Promise<void>(resolve => clock.after((pick([0, 5, 50]) ?? 0) * 1_000, resolve))
          const results = mail.recipients.map(({ text }) => {
            const code = pick(answers)
            if (code === 'smtp.closed-after-dot') doubtful.add(text)
            if (code === undefined) delivered.set(text, (delivered.get(text) ?? 0) + 1)
            return code === undefined ? accepted : refused(code)
          })
          return {
            results,
            reusable: !results.some(one => one.kind === 'failed' && breaks.has(one.failure.reason)),
          }
        },
      }
      const hop = createScriptedHop(
        domain =>
          optional(domain === 'example.net' ? undefined : pick(plans)) ?? [`mx1.${domain}`, `mx2.${domain}`],
        Object.fromEntries(
          ['0', '1', '2'].flatMap(n => [
            [`mx1.d${n}.example`, host],
            [`mx2.d${n}.example`, host],
          ]),
        ),
        clock,
      )
      const events: LifeEvent[] = []
      const notices: string[] = []
      const parts: DeliveryParts = {
        settings: {
          hostname: 'relay.example',
          // Only these limits are looked at.
          limits: {
            deliveries,
            deliveriesPerNextHop: perHop,
            activeMessages: active,
            activeBytes: 10_000,
          } as DeliveryParts['settings']['limits'],
          retry: { scheduleMs: [60_000, hour / 3], expireMs: 2 * hour, expireBounceMs: 2 * hour },
        },
        spool,
        hop,
        routing: createRouting([], { hop }),
        reporter: {
          event: event => {
            if (event.kind !== 'incident') events.push(event)
          },
          session: () => {},
          notice: (severity, text) => {
            if (severity === 'error') notices.push(text)
          },
        },
        knowledge: { hint: () => null },
        now: clock.now,
        monotonicMs: clock.now,
        after: clock.after,
      }
      let delivery = createDelivery(parts)
      const all: string[] = []
      for (const [n, recipients] of mails.entries()) {
        const to = [...new Set(recipients)].map(r => `m${n}r${r}@d${r % 3}.example`)
        all.push(...to)
        const content = Buffer.from('Subject: x\r\n\r\ny\r\n')
        const body = spool.openBody()
        void body.write(content)
        const envelope = {
          from: path('sender@example.net'),
          recipients: to.map(path),
          demands: { eightBit: false, smtputf8: false },
        }
        const receivedAtMs = clock.now()
        const message = {
          id: spool.newId(receivedAtMs),
          envelope,
          receivedAtMs,
          expiresAtMs: receivedAtMs + 2 * hour,
          origin: { via: 'smtp', address: null, helo: null, tls: null } as const,
        }
        await spool.accept(message, body)
        const pending = to.map((_, index) => ({
          index,
          attempts: 0,
          nextAttemptAtMs: receivedAtMs,
          lastFailure: null,
        }))
        if (delivery.hasRoom(content.length))
          delivery.submit({ ...message, sizeBytes: content.length, pending }, content)
        else spool.release(message.id)
        if (n % 7 === 3) await clock.advance(1_000)
        if (n === 5) {
          // A restart in the middle, which waits for what is under way.
          const stopped = delivery.stop(hour)
          await clock.advance(hour / 10)
          await stopped
          delivery = createDelivery(parts)
        }
      }
      for (let i = 0; i < 20 && (await spool.counts()).messages > 0; i++) await clock.advance(hour)

      expect(notices).toEqual([])
      expect((await spool.counts()).messages).toBe(0)
      expect(hop.mostOpen).toBeLessThanOrEqual(deliveries)
      const outcomes = new Map<string, string[]>()
      for (const event of events)
        if (event.kind === 'attempted')
          for (const { address, outcome } of event.delivery.recipients)
            if (outcome !== 'deferred') outcomes.set(address, [...(outcomes.get(address) ?? []), outcome])
      const returned = events.flatMap(event => (event.kind === 'returned' ? event.recipients : []))
      for (const address of all) {
        expect(outcomes.get(address), address).toHaveLength(1)
        const wasReturned = outcomes.get(address)?.[0] === 'failed'
        expect(returned.filter(one => one === address)).toHaveLength(wasReturned ? 1 : 0)
        if (!doubtful.has(address)) expect(delivered.get(address) ?? 0, address).toBe(wasReturned ? 0 : 1)
      }
      await clock.advance(hour)
      expect(hop.open).toBe(0)
      expect(clock.waiting).toBe(0)
    }),
    { numRuns: 100 },
  )
})
