import { describe, expect, test } from 'vitest'
import { type Path, parseAddress } from '../mail/address.ts'
import {
  type ClientEvent,
  createSmtpClient,
  defaultClientTimeouts,
  recipientsPerGroup,
  type SmtpClient,
  type TransactionRequest,
} from './client.ts'
import { everyCut, turns } from './testing/transcript.ts'

function address(text: string): Path {
  const path = parseAddress(text)
  if (typeof path === 'string') throw new Error(path)
  return path
}

function request(recipients: string[], more: Partial<TransactionRequest> = {}): TransactionRequest {
  return {
    from: address('a@b.example'),
    recipients: recipients.map(address),
    parameters: { sizeBytes: null, body: null, smtputf8: false },
    ...more,
  }
}

/** What the caller does next, in order; an event that leaves the client idle asks for the next one. */
type Action = (client: SmtpClient) => Uint8Array[]

const hello: Action = client => {
  client.hello('me.example')
  return []
}
const startTls: Action = client => {
  client.startTls()
  return []
}
const reset: Action = client => {
  client.reset()
  return []
}
const quit: Action = client => {
  client.quit()
  return []
}
function begin(recipients: string[], more: Partial<TransactionRequest> = {}): Action {
  return client => {
    client.begin(request(recipients, more))
    return []
  }
}
const content = Buffer.from('Subject: x\r\n\r\n.dot\r\n')

function summary(event: ClientEvent): string {
  const { kind } = event
  if (kind === 'failed') return `failed ${event.reason}${event.reply === null ? '' : ` ${event.reply.code}`}`
  if (kind === 'transaction-over') return kind
  const code = event.reply?.code ?? 'nothing'
  if (kind === 'recipient') return `recipient ${event.index} ${code}`
  return kind === 'starttls' ? `starttls ${code} +${event.trailing}` : `${kind} ${code}`
}

/** Holds a conversation: the server's turns in each possible cut; the actions one by one whenever the client is idle. */
function hold(
  table: string,
  actions: readonly Action[],
  options: { secured?: boolean; end?: boolean } = {},
): string[] {
  const script = turns(table)
  const results: string[][] = []
  const cuts = Math.max(...script.filter(turn => turn.side === 'S').map(turn => turn.bytes.length + 1))
  for (let way = 0; way < cuts; way++) {
    const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: options.secured ?? false })
    const events: string[] = []
    const todo = [...actions]
    let said: Uint8Array[] = []
    const run = () => {
      for (;;) {
        const event = client.next()
        if (event === 'idle') {
          const action = todo.shift()
          if (action === undefined) return
          said.push(...action(client))
          continue
        }
        if (typeof event === 'string') return
        events.push(summary(event))
        if (event.kind === 'data' && event.reply.code === 354) {
          for (const bytes of [client.output(), ...client.content(content), client.endContent()])
            if (bytes !== null) said.push(bytes)
        }
      }
    }
    run()
    for (const { side, bytes } of script) {
      const waiting = client.output()
      if (waiting !== null) said.push(waiting)
      if (side === 'C') {
        expect(Buffer.concat(said).toString('latin1'), `cut ${way}`).toBe(bytes.toString('latin1'))
        said = []
      } else {
        const ways = everyCut(bytes)
        for (const piece of ways[Math.min(way, ways.length - 1)] ?? []) {
          client.receive(piece)
          run()
        }
      }
    }
    if (options.end === true) {
      client.receive('end')
      run()
    }
    expect(Buffer.concat([...said, client.output() ?? Buffer.alloc(0)]).toString('latin1'), `cut ${way}`).toBe('')
    results.push(events)
  }
  const [first, ...others] = results
  if (first === undefined) throw new Error('nobody spoke')
  for (const other of others) expect(other).toEqual(first)
  return first
}

const opening = `
  S: 220 mx.example ESMTP
  C: EHLO me.example
  S: 250-mx.example hello
  S: 250-pipelining
  S: 250-Size 1000
  S: 250-8BITMIME
  S: 250-STARTTLS
  S: 250 ENHANCEDSTATUSCODES
`
const lockstep = `
  S: 220 mx.example ESMTP
  C: EHLO me.example
  S: 250 mx.example
`

describe('conversations', () => {
  test('with PIPELINING a transaction goes out in one piece up to DATA', () => {
    const events = hold(
      `${opening}
      C: MAIL FROM:<a@b.example> SIZE=21 BODY=8BITMIME
      C: RCPT TO:<c@d.example>
      C: RCPT TO:<e@d.example>
      C: DATA
      S: 250 2.1.0 Ok
      S: 250 2.1.5 Ok
      S: 550 5.1.1 No
      S: 354 Go on
      C: Subject: x
      C:
      C: ..dot
      C: .
      S: 250 2.0.0 Took it
      C: QUIT
      S: 221 2.0.0 Bye`,
      [
        hello,
        begin(['c@d.example', 'e@d.example'], {
          parameters: { sizeBytes: 21, body: '8BITMIME', smtputf8: false },
        }),
        quit,
      ],
    )
    expect(events).toEqual([
      'greeting 220',
      'hello 250',
      'sender 250',
      'recipient 0 250',
      'recipient 1 550',
      'data 354',
      'message 250',
      'quit 221',
    ])
  })

  test('without it each command waits for its answer, and parameters not offered are left out', () => {
    const events = hold(
      `${lockstep}
      C: MAIL FROM:<>
      S: 250 Ok
      C: RCPT TO:<c@d.example>
      S: 550 No
      C: RCPT TO:<e@d.example>
      S: 250 Ok
      C: DATA
      S: 354 Go on
      C: Subject: x
      C:
      C: ..dot
      C: .
      S: 554 No`,
      [
        hello,
        begin(['c@d.example', 'e@d.example'], {
          from: null,
          parameters: { sizeBytes: 21, body: null, smtputf8: false },
        }),
      ],
    )
    expect(events.slice(2)).toEqual([
      'sender 250',
      'recipient 0 550',
      'recipient 1 250',
      'data 354',
      'message 554',
    ])
  })

  test('HELO is tried when EHLO is refused for good, and nothing is offered then', () => {
    const events = hold(
      `
      S: 220 old.example
      C: EHLO me.example
      S: 502 What?
      C: HELO me.example
      S: 250-old.example
      S: 250 PIPELINING`,
      [hello],
    )
    expect(events).toEqual(['greeting 220', 'hello 250'])
  })

  test('an EHLO refused for now is told, and HELO is not tried', () => {
    expect(hold(`S: 220 x\n C: EHLO me.example\n S: 451 Later`, [hello])).toEqual(['greeting 220', 'hello 451'])
  })

  test('inside TLS there is no greeting', () => {
    expect(hold(`C: EHLO me.example\n S: 250 mx.example`, [hello], { secured: true })).toEqual(['hello 250'])
  })

  test('a sender refused in a pipelined group takes its recipients with it', () => {
    const events = hold(
      `${opening}
      C: MAIL FROM:<a@b.example>
      C: RCPT TO:<c@d.example>
      C: DATA
      S: 550 5.7.1 Not you
      S: 503 5.5.1 No sender
      S: 503 5.5.1 No sender
      C: MAIL FROM:<a@b.example>
      C: RCPT TO:<c@d.example>
      C: DATA
      S: 250 Ok`,
      [hello, begin(['c@d.example']), begin(['c@d.example'])],
    )
    expect(events.slice(2)).toEqual(['sender 550', 'transaction-over', 'sender 250'])
  })

  test('step by step nothing follows a refused sender', () => {
    const events = hold(`${lockstep}\n C: MAIL FROM:<a@b.example>\n S: 450 Later`, [hello, begin(['c@d.example'])])
    expect(events.slice(2)).toEqual(['sender 450', 'transaction-over'])
  })

  test('when no recipient was taken and DATA is refused, the next transaction clears the old one first', () => {
    const events = hold(
      `${opening}
      C: MAIL FROM:<a@b.example>
      C: RCPT TO:<c@d.example>
      C: DATA
      S: 250 Ok
      S: 550 No
      S: 554 No valid recipients
      C: RSET
      C: MAIL FROM:<a@b.example>
      C: RCPT TO:<e@d.example>
      C: DATA
      S: 250 Flushed
      S: 250 Ok
      S: 250 Ok
      S: 451 Disk full
      C: RSET
      S: 250 Flushed`,
      [hello, begin(['c@d.example']), begin(['e@d.example']), reset],
    )
    expect(events.slice(2)).toEqual([
      'sender 250',
      'recipient 0 550',
      'transaction-over',
      'sender 250',
      'recipient 0 250',
      'data 451',
      'transaction-over',
      'reset 250',
    ])
  })

  test('step by step the old transaction is cleared too', () => {
    const events = hold(
      `${lockstep}
      C: MAIL FROM:<a@b.example>
      S: 250 Ok
      C: RCPT TO:<c@d.example>
      S: 550 No
      C: RSET
      S: 250 Ok
      C: MAIL FROM:<a@b.example>
      S: 250 Ok
      C: RCPT TO:<e@d.example>
      S: 451 Later`,
      [hello, begin(['c@d.example']), begin(['e@d.example'])],
    )
    expect(events.slice(2)).toEqual([
      'sender 250',
      'recipient 0 550',
      'transaction-over',
      'sender 250',
      'recipient 0 451',
      'transaction-over',
    ])
  })

  test('a DATA granted to no recipient is ended with a lone dot, whatever is answered', () => {
    for (const answer of ['250 Took nothing', '554 No recipients']) {
      const events = hold(
        `${opening}
        C: MAIL FROM:<a@b.example>
        C: RCPT TO:<c@d.example>
        C: DATA
        S: 250 Ok
        S: 550 No
        S: 354 Go on
        C: .
        S: ${answer}
        C: MAIL FROM:<a@b.example>
        C: RCPT TO:<c@d.example>
        C: DATA
        S: 250 Ok`,
        [hello, begin(['c@d.example']), begin(['c@d.example'])],
      )
      expect(events.slice(2)).toEqual(['sender 250', 'recipient 0 550', 'transaction-over', 'sender 250'])
    }
  })

  test('very many recipients go in groups, DATA behind the last', () => {
    const names = Array.from({ length: recipientsPerGroup + 1 }, (_, i) => `u${i}@d.example`)
    const client = open(opening)
    client.begin(request(names))
    const first = String(client.output())
    expect(first.match(/RCPT TO/g)).toHaveLength(recipientsPerGroup)
    expect(first).not.toContain('DATA')
    client.receive(Buffer.from('250 Ok\r\n'.repeat(recipientsPerGroup)))
    while (typeof client.next() !== 'string');
    expect(client.output()).toBeNull()
    client.receive(Buffer.from('250 Ok\r\n'))
    while (typeof client.next() !== 'string');
    expect(String(client.output())).toBe(`RCPT TO:<u${recipientsPerGroup}@d.example>\r\nDATA\r\n`)
  })
})

/** A client that has said hello and is idle. */
function open(table: string): SmtpClient {
  const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
  for (const { side, bytes } of turns(table)) {
    if (side === 'S') client.receive(bytes)
    else client.hello('me.example')
    while (typeof client.next() !== 'string');
    client.output()
  }
  return client
}

function events(client: SmtpClient): string[] {
  const found: string[] = []
  for (let event = client.next(); typeof event !== 'string'; event = client.next()) found.push(summary(event))
  return found
}

describe('STARTTLS', () => {
  test('is granted by 220, and the machine is done', () => {
    expect(hold(`${opening}\n C: STARTTLS\n S: 220 2.0.0 Go on`, [hello, startTls])).toEqual([
      'greeting 220',
      'hello 250',
      'starttls 220 +0',
    ])
  })

  test('is refused by anything else, and the conversation goes on', () => {
    const table = `${opening}\n C: STARTTLS\n S: 454 4.7.0 No TLS now\n C: QUIT\n S: 221 Bye`
    expect(hold(table, [hello, startTls, quit]).slice(2)).toEqual(['starttls 454 +0', 'quit 221'])
  })

  test('bytes behind the 220 are counted and never parsed', () => {
    const client = open(opening)
    client.startTls()
    client.receive(Buffer.from('220 2.0.0 Go on\r\n250-injected\r\n250 STARTTLS'))
    expect(events(client)).toEqual(['starttls 220 +26'])
    expect(client.next()).toBe('closed')
  })

  test('is not said where it was not offered', () => {
    expect(hold(lockstep, [hello, startTls])).toEqual(['greeting 220', 'hello 250', 'failed starttls.not-offered'])
  })
})

describe('what ends a conversation', () => {
  const sent = `${opening}
    C: MAIL FROM:<a@b.example>
    C: RCPT TO:<c@d.example>
    C: DATA`
  test.each<[string, string, boolean, string]>([
    ['421 in place of the greeting', 'S: 421 4.3.2 Busy', false, 'failed smtp.greeting-refused-for-now 421'],
    ['a greeting that is no reply', 'S: SSH-2.0-OpenSSH', false, 'failed smtp.reply-malformed'],
    ['a greeting that asks for content', 'S: 354 Go on', false, 'failed smtp.reply-unexpected 354'],
    ['silence and an end', '', true, 'failed smtp.closed'],
    ['421 to EHLO', 'S: 220 x\nC: EHLO me.example\nS: 421 Busy', false, 'failed smtp.hello-refused-for-now 421'],
    ['a bare LF', 'S: 220 x\\n\\', false, 'failed smtp.reply-malformed'],
    ['421 to a recipient', `${sent}\nS: 250 Ok\nS: 421 4.7.0 Enough`, false, 'failed smtp.shutting-down 421'],
    ['354 to a recipient', `${sent}\nS: 250 Ok\nS: 354 Go on`, false, 'failed smtp.reply-unexpected 354'],
    ['250 to DATA', `${sent}\nS: 250 Ok\nS: 250 Ok\nS: 250 Ok`, false, 'failed smtp.reply-unexpected 250'],
    ['an end before DATA', `${sent}\nS: 250 Ok`, true, 'failed smtp.closed'],
    [
      'an end behind the final dot',
      `${sent}\nS: 250 Ok\nS: 250 Ok\nS: 354 Go on\nC: Subject: x\nC:\nC: ..dot\nC: .\nS: 2\\`,
      true,
      'failed smtp.closed-after-dot',
    ],
  ])('%s', (_, table, end, last) => {
    expect(hold(table || 'S: \\', [hello, begin(['c@d.example'])], { end }).at(-1)).toBe(last)
  })

  test('a greeting that refuses is told as it is', () => {
    expect(hold('S: 554 5.7.1 No mail here', [])).toEqual(['greeting 554'])
  })

  test('a server that hangs up at QUIT is no failure', () => {
    expect(hold(`${lockstep}\n C: QUIT`, [hello, quit], { end: true }).at(-1)).toBe('quit nothing')
  })

  test('a server that hangs up between transactions closes the machine, and an action then fails', () => {
    const client = open(lockstep)
    client.receive('end')
    expect(client.next()).toBe('closed')
    const other = open(lockstep)
    other.receive('end')
    other.begin(request(['c@d.example']))
    expect(events(other)).toEqual(['failed smtp.closed'])
    expect(other.output()).toBeNull()
  })

  test('421 while idle is told to whoever wants to go on', () => {
    const client = open(opening)
    client.receive(Buffer.from('421 4.4.2 Idle too long\r\n'))
    client.begin(request(['c@d.example']))
    expect(client.output()).toBeNull()
    expect(events(client)).toEqual(['failed smtp.shutting-down 421'])
  })

  test('a reply that was there before its command answers nothing', () => {
    for (const early of ['250 Ok\r\n', '250-half', '2']) {
      const client = open(opening)
      client.receive(Buffer.from(early))
      client.begin(request(['c@d.example']))
      expect(client.output()).toBeNull()
      expect(events(client)[0]).toMatch(/^failed smtp\.reply-unexpected/)
      expect(client.next()).toBe('closed')
    }
  })

  test("a refusal in the middle of content is taken as the message's, an acceptance is not", () => {
    for (const [answer, expected] of [
      ['552 Too big', 'failed smtp.message-refused-for-good 552'],
      ['452 Disk full', 'failed smtp.message-refused-for-now 452'],
      ['250 Took it', 'failed smtp.reply-unexpected 250'],
      ['421 Bye', 'failed smtp.shutting-down 421'],
    ]) {
      const client = inContent()
      client.receive(Buffer.from(`${answer}\r\n`))
      expect(client.endContent()).toHaveLength(0)
      expect(events(client)).toEqual([expected])
      expect(client.content(content)).toEqual([])
      expect(client.endContent()).toHaveLength(0)
    }
  })
})

function inContent(): SmtpClient {
  const client = open(opening)
  client.begin(request(['c@d.example']))
  client.output()
  client.receive(Buffer.from('250 Ok\r\n250 Ok\r\n354 Go on\r\n'))
  events(client)
  client.content(content)
  return client
}

describe('guards', () => {
  test('what needs an extension that is not offered is not sent', () => {
    const cases: [TransactionRequest, string][] = [
      [request(['ü@d.example']), 'failed smtp.no-smtputf8'],
      [request(['c@d.example'], { from: address('a@ü.example') }), 'failed smtp.no-smtputf8'],
      [
        request(['c@d.example'], { parameters: { sizeBytes: null, body: null, smtputf8: true } }),
        'failed smtp.no-smtputf8',
      ],
      [
        request(['c@d.example'], { parameters: { sizeBytes: null, body: '8BITMIME', smtputf8: false } }),
        'failed smtp.no-8bitmime',
      ],
    ]
    for (const [wanted, expected] of cases) {
      const client = open(lockstep)
      client.begin(wanted)
      expect(client.output()).toBeNull()
      expect(events(client)).toEqual([expected])
    }
  })

  test('nothing that could end a command goes into one', () => {
    const client = open(opening)
    expect(() => client.hello('x\r\nMAIL')).toThrow('control character')
    expect(() =>
      client.begin(request(['c@d.example'], { from: { local: 'a', domain: 'b', text: 'a@b>\r\nRSET' } })),
    ).toThrow()
    expect(client.output()).toBeNull()
  })

  test('an action in the middle of another is a mistake of the caller', () => {
    const client = open(opening)
    client.begin(request(['c@d.example']))
    expect(() => client.quit()).toThrow('MAIL')
    expect(() => client.content(content)).toThrow()
    expect(() => client.endContent()).toThrow()
  })
})

test('the offers of EHLO are read whatever their case, and a SIZE of nothing or 0 is no limit', () => {
  const offers = (lines: string) => {
    const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: true })
    client.hello('me.example')
    client.receive(Buffer.from(`250-mx\r\n${lines}`))
    const event = client.next()
    return typeof event !== 'string' && event.kind === 'hello' ? event.offers : null
  }
  expect(offers('250-pipelining\r\n250-Size 1000\r\n250-AUTH plain login\r\n250 SMTPUTF8\r\n')).toEqual({
    keywords: ['PIPELINING', 'SIZE 1000', 'AUTH PLAIN LOGIN', 'SMTPUTF8'],
    startTls: false,
    pipelining: true,
    eightBitMime: false,
    smtputf8: true,
    enhancedStatusCodes: false,
    sizeBytes: 1000,
  })
  expect(offers('250 SIZE\r\n')?.sizeBytes).toBeNull()
  expect(offers('250 SIZE 0\r\n')?.sizeBytes).toBeNull()
  expect(offers('250 SIZE much\r\n')?.sizeBytes).toBeNull()
})

test('each phase has its name and its time', () => {
  const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
  const seen: [string, number][] = []
  const look = () => seen.push([client.phase, client.timeoutMs])
  const hear = (text: string) => {
    client.receive(Buffer.from(text))
    events(client)
    look()
  }
  look()
  client.receive(Buffer.from('220 x\r\n'))
  events(client)
  client.hello('me.example')
  look()
  hear('250-x\r\n250 PIPELINING\r\n')
  client.begin(request(['c@d.example']))
  look()
  hear('250 Ok\r\n')
  hear('250 Ok\r\n')
  hear('354 Go\r\n')
  client.content(content)
  client.endContent()
  look()
  hear('250 Ok\r\n')
  client.quit()
  look()
  const minute = 60_000
  expect(seen).toEqual([
    ['greeting', 5 * minute],
    ['EHLO', 5 * minute],
    ['idle', 5 * minute],
    ['MAIL', 5 * minute],
    ['RCPT', 5 * minute],
    ['DATA', 2 * minute],
    ['content', 3 * minute],
    ['final dot', 10 * minute],
    ['idle', 5 * minute],
    ['QUIT', 5_000],
  ])
})
