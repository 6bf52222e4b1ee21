import { createConnection } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultSettings } from '../configuration/configuration.ts'
import type { RouteRule } from '../settings.ts'
import { dial } from './testing/client.ts'
import { eventually, type Harness, startHarness } from './testing/harness.ts'

const running: Harness[] = []
const start: typeof startHarness = async overrides => {
  const harness = await startHarness(overrides)
  running.push(harness)
  return harness
}
afterEach(async () => {
  for (const { inbound } of running.splice(0)) await inbound.stop(0)
})

const matchAll = { recipient: null, sender: null, source: null, mx: null }
const rejecting: RouteRule = {
  name: 'closed',
  match: matchAll,
  to: { kind: 'reject', code: 550, enhanced: '5.1.1', text: 'No such user' },
  level: 'opportunistic',
}

describe('a transaction', () => {
  test('is answered with 250 once the spool has it, and the message goes on to delivery', async () => {
    const { port, accepted, submitted, events } = await start()
    const client = await dial(port)
    await client.converse(
      `
      S: 220 mx.example.org ESMTP
      C: EHLO client.example
      S: 250-mx.example.org
      C: MAIL FROM:<jane@client.example> SIZE=20
      S: 250 2.1.0
      C: RCPT TO:<joe@example.org>
      S: 250 2.1.5
      C: DATA
      S: 354
      C: Subject: hello
      C:
      C: ..dot
      C: .`,
    )
    expect(await client.reply()).toBe(`250 2.0.0 Ok: queued as ${accepted[0]?.message.id}`)
    await client.converse('C: QUIT\nS: 221 2.0.0\nS: closed')

    const trace =
      'Received: from client.example ([127.0.0.1])\r\n\tby mx.example.org\r\n' +
      `\twith ESMTP id ${accepted[0]?.message.id}\r\n\tfor <joe@example.org>;\r\n`
    const content = accepted[0]?.content.toString('latin1') ?? ''
    expect(content.startsWith(trace)).toBe(true)
    expect(content.slice(trace.length)).toMatch(
      /^\tSat, 21 Nov 2026 \d\d:\d4:05 [+-]\d{4}\r\nSubject: hello\r\n\r\n\.dot\r\n$/,
    )
    expect(submitted).toHaveLength(1)
    expect(submitted[0]?.message).toMatchObject({
      sizeBytes: content.length,
      envelope: { from: { text: 'jane@client.example' }, demands: { eightBit: false, smtputf8: false } },
      pending: [{ index: 0, attempts: 0, lastFailure: null }],
      origin: { via: 'smtp', address: '127.0.0.1', helo: 'client.example', tls: null },
    })
    expect(Buffer.from(submitted[0]?.content ?? []).toString('latin1')).toBe(content)
    expect(events).toMatchObject([
      { kind: 'accepted', from: 'jane@client.example', recipients: ['joe@example.org'] },
    ])
  })

  test('that comes as one piece gets its replies at the synchronisation points', async () => {
    const { port, accepted, settings } = await start({
      retry: { scheduleMs: [1_000], expireMs: 2_000_000, expireBounceMs: 1_000_000 },
    })
    const client = await dial(port)
    await client.converse('S: 220\nC: EHLO c\nS: 250-')
    client.send('MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n')
    await client.converse('S: 250\nS: 250\nS: 250\nS: 354')
    client.send('A: b\r\n\r\nx\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n')
    await client.converse('S: 250 2.0.0\nS: 250\nS: 250\nS: 354')
    client.send('A: c\r\n\r\n.\r\nQUIT\r\n')
    await client.converse('S: 250 2.0.0\nS: 221\nS: closed')
    expect(accepted.map(({ message }) => message.envelope.recipients.map(one => one.text))).toEqual([
      ['a@example.org', 'b@example.org'],
      ['c@example.org'],
    ])
    // More than one recipient: none is named to the others.
    expect(accepted[0]?.content.toString()).not.toContain('for <')
    const { receivedAtMs = 0, expiresAtMs } = accepted[0]?.message ?? {}
    // Sent by nobody: a bounce, which is kept for its own time.
    expect(expiresAtMs).toBe(receivedAtMs + settings.retry.expireBounceMs)
  })

  test('with octets above 127, or SMTPUTF8, demands it of the next hop', async () => {
    const { port, accepted } = await start()
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: EHLO c\nS: 250-\nC: MAIL FROM:<> BODY=8BITMIME\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354',
    )
    client.send('A: b\r\n\r\n\xe4\r\n.\r\n')
    await client.converse('S: 250\nC: MAIL FROM:<> SMTPUTF8\nS: 250')
    client.send(Buffer.from('RCPT TO:<jörg@example.org>\r\nDATA\r\n'))
    await client.converse('S: 250\nS: 354\nC: A: b\nC: .\nS: 250')
    expect(accepted.map(({ message }) => message.envelope.demands)).toEqual([
      { eightBit: true, smtputf8: false },
      { eightBit: true, smtputf8: true },
    ])
    expect(accepted[1]?.content.toString()).toContain('with UTF8SMTP id')
    expect(accepted[1]?.content.toString()).toContain('for <jörg@example.org>')
  })

  test.each([
    [{ kind: 'full', says: 'no space' } as const, '452 4.3.1'],
    [{ kind: 'failed', says: 'input/output error' } as const, '451 4.3.0'],
  ])('that the disk refuses (%j) is answered %s, and the conversation goes on', async (fault, answer) => {
    const { port, behaviour, submitted, notices } = await start()
    behaviour.storeFault = fault
    const client = await dial(port)
    await client.converse(`
      S: 220
      C: HELO c
      S: 250 mx.example.org
      C: MAIL FROM:<>
      S: 250
      C: RCPT TO:<a@example.org>
      S: 250
      C: DATA
      S: 354
      C: .
      S: ${answer}
      C: NOOP
      S: 250`)
    expect(submitted).toEqual([])
    expect(notices).toEqual([`error: A message could not be stored: ${fault.says}`])
  })

  test('whose body the disk refuses in the middle is read to its end and answered then', async () => {
    const { port, behaviour, accepted, openBodies } = await start()
    behaviour.writing = Promise.resolve({ kind: 'full', says: 'no space' } as const)
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354',
    )
    for (let i = 0; i < 40; i++) client.send(`${'x'.repeat(998)}\r\n`.repeat(50))
    await client.converse('C: .\nS: 452 4.3.1\nC: NOOP\nS: 250')
    expect(accepted).toEqual([])
    expect(openBodies.size).toBe(0)
  })

  test('is delivered for although its client is gone before the 250', async () => {
    const { port, behaviour, submitted, inbound } = await start()
    let stored = () => {}
    behaviour.storing = new Promise(resolve => (stored = resolve))
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354\nC: .',
    )
    client.reset()
    await eventually(() => inbound.connections === 0)
    stored()
    await eventually(() => submitted.length === 1)
  })

  test('for which delivery has no room stays in the spool, which delivery is told', async () => {
    const { port, behaviour, submitted, released, accepted } = await start()
    behaviour.hasRoom = false
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250',
    )
    expect(submitted).toEqual([])
    expect(released).toEqual([accepted[0]?.message.id, 'woken'])
  })

  test('reads no further while the spool is behind', async () => {
    const { port, behaviour, accepted } = await start()
    let written = (_: undefined) => {}
    behaviour.writing = new Promise(resolve => (written = resolve))
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354',
    )
    const piece = `${'x'.repeat(998)}\r\n`.repeat(1_000)
    for (let i = 0; i < 20; i++) client.send(piece)
    // More than the kernel's buffers on both sides take: some of it must be waiting here.
    await eventually(() => client.socket.bytesWritten > 100_000)
    expect(client.socket.writableLength).toBeGreaterThan(1_000_000)
    written(undefined)
    await client.converse('C: .\nS: 250')
    expect(accepted[0]?.content.length).toBeGreaterThan(20_000_000)
  })
})

describe('a recipient', () => {
  const closed = { relayFrom: ['192.0.2.0/24'], relayTo: ['example.org', '.below.example'] }

  test('elsewhere is refused to strangers, and the operator is told what would allow it', async () => {
    const { port, incidents } = await start(closed)
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: EHLO c\nS: 250-\nC: MAIL FROM:<x@y.example>\nS: 250\nC: RCPT TO:<a@elsewhere.example>',
    )
    expect(await client.reply()).toBe(
      '550 5.7.1 Relaying denied: this server takes no mail for elsewhere.example from your address',
    )
    await client.converse(`
      C: RCPT TO:<a%elsewhere.example@[127.0.0.1]>
      S: 550 5.7.1
      C: RCPT TO:<@example.org:a@elsewhere.example>
      S: 550 5.7.1
      C: RCPT TO:<a@example.org.elsewhere.example>
      S: 550 5.7.1
      C: DATA
      S: 554`)
    expect(incidents).toMatchObject([
      { code: 'relay.denied', client: '127.0.0.1', says: expect.stringMatching(/relay\.to.*relay\.from/) },
    ])
  })

  test('in a domain of ours is accepted from anybody, whatever its local part looks like', async () => {
    const { port, accepted } = await start(closed)
    const client = await dial(port)
    await client.converse(`
      S: 220
      C: EHLO c
      S: 250-
      C: MAIL FROM:<x@y.example>
      S: 250
      C: RCPT TO:<a@EXAMPLE.org>
      S: 250
      C: RCPT TO:<a@deep.below.example>
      S: 250
      C: RCPT TO:<a%elsewhere.example@example.org>
      S: 250
      C: DATA
      S: 354
      C: .
      S: 250`)
    expect(accepted[0]?.message.envelope.recipients.map(one => one.domain)).toEqual([
      'example.org',
      'deep.below.example',
      'example.org',
    ])
  })

  test('postmaster is accepted from anybody and goes where the operator said', async () => {
    const { port, accepted } = await start({
      ...closed,
      routes: [rejecting],
      postmaster: 'ops@inside.example',
    })
    const client = await dial(port)
    await client.converse(`
      S: 220
      C: EHLO c
      S: 250-
      C: MAIL FROM:<>
      S: 250
      C: RCPT TO:<PostMaster>
      S: 250
      C: RCPT TO:<postmaster@MX.example.org>
      S: 250
      C: RCPT TO:<postmaster@[127.0.0.1]>
      S: 250
      C: RCPT TO:<"post\\master"@mx.example.org>
      S: 250
      C: RCPT TO:<postmaster@example.org>
      S: 250
      C: RCPT TO:<postmaster@elsewhere.example>
      S: 550 5.7.1
      C: DATA
      S: 354
      C: .
      S: 250`)
    expect(accepted[0]?.message.envelope.recipients.map(one => one.text)).toEqual([
      'ops@inside.example',
      'ops@inside.example',
      'ops@inside.example',
      'ops@inside.example',
      'postmaster@example.org',
    ])
  })

  test('that a route rejects is refused with the route’s words; one it cannot decide now is taken', async () => {
    const { port, behaviour, accepted } = await start({ routes: [rejecting] })
    const failure = { reason: 'dns.timeout', detail: null, reply: null } as const
    behaviour.decide = ({ recipient }) =>
      Promise.resolve(
        recipient.local === 'nobody'
          ? {
              kind: 'reject',
              rule: rejecting,
              passed: [],
              reply: { code: 550, enhanced: '5.1.1', lines: ['No such user'] },
            }
          : { kind: 'defer', rule: rejecting, passed: [], failure },
      )
    const client = await dial(port)
    await client.converse('S: 220\nC: EHLO c\nS: 250-')
    client.send('MAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<joe@example.org>\r\nDATA\r\n')
    await client.converse('S: 250 2.1.0\nS: 550 5.1.1 No such user\nS: 250 2.1.5\nS: 354\nC: .\nS: 250')
    expect(accepted[0]?.message.envelope.recipients.map(one => one.text)).toEqual(['joe@example.org'])
  })

  test('about which routing fails is put off with 451', async () => {
    const { port, notices } = await start({ routes: [rejecting] })
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: EHLO c\nS: 250-\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 451 4.3.0\nC: NOOP\nS: 250',
    )
    expect(notices[0]).toContain('Routing failed')
  })
})

describe('who speaks before the greeting', () => {
  test('is refused', async () => {
    const { port, incidents } = await start({ relayFrom: [], limitsToo: { greetingDelayMs: 100_000 } })
    const client = await dial(port)
    client.send('EHLO c\r\n')
    expect(await client.rest()).toMatch(/^554 You spoke before [^\r]*\r\n$/)
    expect(incidents).toMatchObject([{ code: 'smtp.talks-before-greeting', client: '127.0.0.1' }])
  })

  test('is refused with the delay that is shipped, 50 ms after connecting', async () => {
    const { greetingDelayMs } = defaultSettings().limits
    const { port, incidents } = await start({ relayFrom: [], limitsToo: { greetingDelayMs } })
    const client = await dial(port)
    await new Promise(resolve => setTimeout(resolve, 50))
    client.send('EHLO c\r\n')
    expect(await client.rest()).toMatch(/^554 /)
    expect(incidents).toHaveLength(1)
  })

  test('is waited for only outside relay.from, and greeted when it waits', async () => {
    const ours = await start({ limitsToo: { greetingDelayMs: 100_000 } })
    await (await dial(ours.port)).converse('S: 220')
    const theirs = await start({ relayFrom: [], limitsToo: { greetingDelayMs: 20 } })
    await (await dial(theirs.port)).converse('S: 220\nC: EHLO c\nS: 250-')
  })

  test('is refused without a delay too, when the bytes are there as the connection is taken', async () => {
    const { port, incidents } = await start()
    // In the same turn as connecting, so that they lie in the kernel when the server wakes up.
    const socket = createConnection(port, '127.0.0.1')
    socket.write('EHLO c\r\n')
    const said = await new Promise<string>(resolve => socket.once('data', chunk => resolve(String(chunk))))
    // Connecting and sending are two system calls: the server may wake up in between. Then it has greeted, and everything is in order.
    if (said.startsWith('554')) expect(incidents).toHaveLength(1)
    else expect(said).toMatch(/^220/)
    socket.destroy()
  })
})

describe('limits', () => {
  test('connections beyond those in all are answered 421, and the place is free again afterwards', async () => {
    const { port, inbound } = await start({ limitsToo: { connections: 2 } })
    const [one, two] = [await dial(port), await dial(port)]
    await one.converse('S: 220')
    await two.converse('S: 220')
    const three = await dial(port)
    expect(await three.rest()).toMatch(/^421 4\.7\.0 mx\.example\.org Too many connections here/)
    one.end()
    await eventually(() => inbound.connections === 1)
    await (await dial(port)).converse('S: 220')
  })

  test('connections beyond those of one address are refused to that address only', async () => {
    const { port } = await start({ limitsToo: { connectionsPerAddress: 1 } })
    await (await dial(port, '127.0.0.2')).converse('S: 220')
    expect(await (await dial(port, '127.0.0.2')).rest()).toMatch(/^421 4\.7\.0 .*from your address/)
    await (await dial(port, '127.0.0.3')).converse('S: 220')
  })

  test('who says nothing for too long is told so', async () => {
    const { port, advance, settings } = await start()
    const client = await dial(port)
    await client.converse('S: 220\nC: EHLO c\nS: 250-')
    advance(settings.limits.idleMs - 1)
    await client.converse('C: NOOP\nS: 250')
    advance(settings.limits.idleMs + 1)
    await client.converse('S: 421 4.4.2\nS: closed')
  })

  test('content that trickles loses its place, and nothing of it is left', async () => {
    const { port, advance, settings, incidents, openBodies } = await start({
      limitsToo: { contentBytesPerSecond: 100 },
    })
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354',
    )
    for (let i = 0; i < 3 && incidents.length === 0; i++) {
      const before = openBodies.size
      client.send('x')
      advance(settings.limits.idleMs / 2 + 1)
      expect(before).toBe(1)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    await client.converse('S: 421 4.4.2\nS: closed')
    expect(incidents[0]?.code).toBe('smtp.content-too-slow')
    expect(openBodies.size).toBe(0)
  })

  test('a connection ends after its time, whatever it does', async () => {
    const { port, advance } = await start({ limitsToo: { idleMs: 1_000_000, sessionMs: 10_000 } })
    const client = await dial(port)
    await client.converse('S: 220\nC: NOOP\nS: 250')
    advance(10_001)
    await client.converse('S: 421 4.7.0\nS: closed')
  })

  test('time that the store takes is not the client’s', async () => {
    const { port, advance, behaviour } = await start({ limitsToo: { idleMs: 1_000 } })
    let stored = () => {}
    behaviour.storing = new Promise(resolve => (stored = resolve))
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354\nC: .\nC: NOOP',
    )
    // Until then the time is the client's.
    await eventually(() => behaviour.acceptCalls === 1)
    advance(5_000)
    await new Promise(resolve => setTimeout(resolve, 20))
    stored()
    await client.converse('S: 250 2.0.0 Ok: queued\nS: 250\nC: NOOP\nS: 250')
  })

  test('nor is it when the client keeps still meanwhile', async () => {
    const { port, advance, behaviour } = await start({ limitsToo: { idleMs: 1_000 } })
    let stored = () => {}
    behaviour.storing = new Promise(resolve => (stored = resolve))
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354\nC: .',
    )
    await eventually(() => behaviour.acceptCalls === 1)
    advance(5_000)
    stored()
    await client.converse('S: 250 2.0.0 Ok: queued')
    await new Promise(resolve => setTimeout(resolve, 20))
    await client.converse('C: NOOP\nS: 250')
  })

  test('who does not close after our last word is dropped', async () => {
    const { port, advance, inbound } = await start()
    const client = await dial(port)
    await client.converse('S: 220')
    client.socket.allowHalfOpen = true
    await client.converse('C: QUIT\nS: 221')
    expect(inbound.connections).toBe(1)
    advance(5_001)
    await eventually(() => inbound.connections === 0)
  })
})

describe('a fault of our own', () => {
  const transaction = `
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<jane@client.example>
    S: 250
    C: RCPT TO:<joe@example.org>
    S: 250
    C: DATA`

  test('ends the connection that met it and no other, and is told with its stack', async () => {
    const { port, behaviour, notices, inbound } = await start()
    const [met, other] = await Promise.all([dial(port), dial(port)])
    behaviour.bodyFault = new Error('a bug')
    await met.converse(transaction)
    expect(await met.reply()).toBe('closed')
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatch(
      /^error: The conversation with 127\.0\.0\.1 met a fault of our own: Error: a bug\n +at /,
    )
    await other.converse(`${transaction}\nS: 354`)
    expect(inbound.connections).toBe(1)
  })

  test('behind a question that was waited for does the same', async () => {
    const { port, behaviour, notices } = await start({ routes: [rejecting] })
    const client = await dial(port)
    behaviour.decide = () =>
      Promise.resolve({
        kind: 'reject',
        rule: rejecting,
        passed: [],
        get reply(): never {
          throw new Error('another bug')
        },
      })
    await client.converse(`
      S: 220
      C: EHLO client.example
      S: 250
      C: MAIL FROM:<jane@client.example>
      S: 250
      C: RCPT TO:<joe@example.org>`)
    expect(await client.reply()).toBe('closed')
    expect(notices[0]).toContain('met a fault of our own: Error: another bug')
  })
})

describe('stopping', () => {
  test('ends idle conversations with 421, lets a message end, and accepts nobody', async () => {
    const { port, inbound, accepted } = await start()
    const [idle, busy] = [await dial(port), await dial(port)]
    await idle.converse('S: 220')
    await busy.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354',
    )
    const stopped = inbound.stop(60_000)
    await idle.converse('S: 421 4.3.2\nS: closed')
    await busy.converse('C: A: b\nC: .\nS: 250 2.0.0\nS: 421 4.3.2\nS: closed')
    await stopped
    expect(accepted).toHaveLength(1)
    await expect(dial(port)).rejects.toThrow('ECONNREFUSED')
  })

  test('drops at the deadline who has not ended, and waits for what is being stored', async () => {
    const { port, inbound, behaviour, submitted } = await start()
    let stored = () => {}
    behaviour.storing = new Promise(resolve => (stored = resolve))
    const client = await dial(port)
    await client.converse(
      'S: 220\nC: HELO c\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@example.org>\nS: 250\nC: DATA\nS: 354\nC: .',
    )
    let isStopped = false
    const stopped = inbound.stop(1).then(() => (isStopped = true))
    await client.rest()
    await eventually(() => inbound.connections === 0)
    expect(isStopped).toBe(false)
    stored()
    await stopped
    expect(submitted).toHaveLength(1)
  })
})

test('new settings hold for connections from then on', async () => {
  const { port, inbound, settings } = await start({ relayFrom: [] })
  const before = await dial(port)
  await before.converse('S: 220 mx.example.org\nC: EHLO c\nS: 250-\nC: MAIL FROM:<>\nS: 250')
  expect(await inbound.reload({ ...settings, hostname: 'new.example.org', relayTo: ['new.example'] })).toEqual([])
  await before.converse('C: RCPT TO:<a@new.example>\nS: 550')
  const after = await dial(port)
  await after.converse(
    'S: 220 new.example.org\nC: EHLO c\nS: 250-\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@new.example>\nS: 250',
  )
})

test('a port that is taken is told in a sentence, and nothing listens then', async () => {
  const { port } = await start()
  const listen = [
    { address: '127.0.0.1', port: 0, tls: 'none' as const, tryNext: 0 },
    { address: '127.0.0.1', port, tls: 'none' as const, tryNext: 0 },
  ]
  await expect(startHarness({ listen })).rejects.toThrow(`127.0.0.1:${port} is taken by another program.`)
})
