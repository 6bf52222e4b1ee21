import { describe, expect, test } from 'vitest'
import { type Reply, reply } from './reply.ts'
import {
  createSmtpServer,
  defaultServerLimits,
  type ServerEvent,
  type ServerOptions,
  type SmtpServer,
} from './server.ts'
import { everyCut, turns } from './testing/transcript.ts'

type Decide = (event: ServerEvent) => Reply | null

const options: ServerOptions = {
  hostname: 'mx.example',
  limits: defaultServerLimits,
  offerStartTls: true,
  secured: false,
}
const small: ServerOptions = {
  ...options,
  limits: {
    commandLineBytes: 60,
    textLineBytes: 20,
    recipients: 2,
    errors: 3,
    messageBytes: 50,
    receivedFields: 1,
  },
}

/** Says yes to all but what is called `bad` (for good) and `busy` (for now). */
const decide: Decide = event => {
  switch (event.kind) {
    case 'hello':
      return event.name === 'bad.example' ? reply(550, '5.7.1', 'Not you') : reply(250, null, 'unused')
    case 'mail':
      return verdict(event.from?.local, reply(250, '2.1.0', 'Sender ok'))
    case 'recipient':
      return verdict(event.to.local, reply(250, '2.1.5', 'Recipient ok'))
    case 'data':
      return reply(354, null, 'Go on')
    case 'content-end':
      return event.facts.fault === null ? reply(250, '2.0.0', `Took ${event.facts.sizeBytes} octets`) : null
    case 'starttls':
      return event.trailing > 0 ? null : reply(220, '2.0.0', 'Go on')
    case 'verify':
      return reply(252, '2.0.0', 'Try it')
    case 'content':
    case 'reset':
    case 'quit':
    case 'fault':
      return null
    default:
      return event satisfies never
  }
}

function verdict(local: string | undefined, yes: Reply): Reply {
  if (local === 'bad') return reply(550, '5.1.1', 'No such user')
  return local === 'busy' ? reply(451, '4.3.0', 'Later') : yes
}

interface Record {
  readonly events: string[]
  content: string
  closed: boolean
}

function drive(server: SmtpServer, bytes: Uint8Array | 'end', record: Record, decision = decide): string {
  server.receive(bytes)
  let said = ''
  for (;;) {
    const event = server.next()
    if (event === 'need-bytes' || event === 'closed') {
      record.closed = event === 'closed'
      break
    }
    if (event === 'waiting') throw new Error('an event was not answered')
    if (event.kind === 'content') record.content += Buffer.from(event.bytes).toString('latin1')
    else record.events.push(named(event))
    // How much was handed out before a fault was found depends on the cuts, and nobody may use it.
    if (event.kind === 'content-end' && event.facts.fault !== null) record.content = ''
    const answer = decision(event)
    if (answer !== null) server.answer(answer)
  }
  said += Buffer.from(server.output() ?? []).toString('latin1')
  return said
}

function named(event: ServerEvent): string {
  if (event.kind === 'starttls') return `starttls ${event.trailing}`
  if (event.kind === 'content-end') return event.facts.fault ?? 'content-end'
  return event.kind === 'fault' ? event.code : event.kind
}

/** Holds a conversation, each of the client's turns in each possible cut, and answers what came of it. */
function hold(table: string, given: ServerOptions = options): Record {
  const script = turns(table)
  const results: Record[] = []
  const cuts = Math.max(...script.filter(turn => turn.side === 'C').map(turn => turn.bytes.length + 1))
  for (let way = 0; way < cuts; way++) {
    const server = createSmtpServer(given)
    const record: Record = { events: [], content: '', closed: false }
    let said = Buffer.from(server.output() ?? []).toString('latin1')
    for (const { side, bytes } of script) {
      if (side === 'S') {
        expect(said, `cut ${way}`).toBe(bytes.toString('latin1'))
        said = ''
      } else {
        const ways = everyCut(bytes)
        for (const piece of ways[Math.min(way, ways.length - 1)] ?? []) said += drive(server, piece, record)
      }
    }
    expect(said, `cut ${way}`).toBe('')
    results.push(record)
  }
  const [first, ...others] = results
  if (first === undefined) throw new Error('nobody spoke')
  for (const other of others) expect(other).toEqual(first)
  return first
}

const hello = `
  S: 220 mx.example ESMTP Hermetic
  C: EHLO client.example
  S: 250-mx.example
  S: 250-PIPELINING
  S: 250-SIZE 52428800
  S: 250-8BITMIME
  S: 250-SMTPUTF8
  S: 250-ENHANCEDSTATUSCODES
  S: 250-HELP
  S: 250 STARTTLS
`
const smallHello = hello.replace('52428800', '50')

describe('conversations', () => {
  test('a message goes through step by step', () => {
    const { events, content, closed } = hold(`${hello}
      C: MAIL FROM:<a@b.example> SIZE=20 BODY=8BITMIME
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<c@d.example>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go on
      C: Subject: x
      C:
      C: ..dot \\xe9
      C: .
      S: 250 2.0.0 Took 22 octets
      C: QUIT
      S: 221 2.0.0 mx.example says goodbye`)
    expect(events).toEqual(['hello', 'mail', 'recipient', 'data', 'content-end', 'quit'])
    expect(content).toBe('Subject: x\r\n\r\n.dot \xe9\r\n')
    expect(closed).toBe(true)
  })

  test('HELO is answered with one line and no enhanced code', () => {
    hold(`
      S: 220 mx.example ESMTP Hermetic
      C: HELO client.example
      S: 250 mx.example`)
  })

  test('commands that need no transaction are answered before EHLO; others are told to wait', () => {
    hold(`
      S: 220 mx.example ESMTP Hermetic
      C: NOOP
      S: 250 2.0.0 Ok
      C: RSET
      S: 250 2.0.0 Ok: nothing of a transaction is left
      C: VRFY somebody
      S: 252 2.0.0 Try it
      C: HELP
      S: 214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT, and what EHLO lists
      C: MAIL FROM:<a@b>
      S: 503 5.5.1 Say EHLO first
      C: STARTTLS
      S: 503 5.5.1 Say EHLO first`)
  })

  test('a transaction keeps its order', () => {
    hold(`${hello}
      C: RCPT TO:<c@d>
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      C: DATA
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      C: MAIL FROM:<a@b>
      S: 250 2.1.0 Sender ok
      C: MAIL FROM:<a@b>
      S: 503 5.5.1 A transaction is open already: end it with DATA or RSET
      C: DATA
      S: 503 5.5.1 There is no recipient yet: RCPT comes first
      C: RCPT TO:<bad@d>
      S: 550 5.1.1 No such user
      C: DATA
      S: 554 5.5.1 No valid recipients
      C: RSET
      S: 250 2.0.0 Ok: nothing of a transaction is left
      C: RCPT TO:<c@d>
      S: 503 5.5.1 There is no sender yet: MAIL comes first`)
  })

  test('a new EHLO forgets the transaction, a refused one does not', () => {
    const again = hello.slice(hello.indexOf('C:'))
    const { events } = hold(`${hello}
      C: MAIL FROM:<a@b>
      S: 250 2.1.0 Sender ok
      C: EHLO bad.example
      S: 550 Not you
      C: RCPT TO:<c@d>
      S: 250 2.1.5 Recipient ok
      ${again}
      C: RCPT TO:<c@d>
      S: 503 5.5.1 There is no sender yet: MAIL comes first`)
    expect(events).toEqual(['hello', 'mail', 'hello', 'recipient', 'hello', 'reset', 'smtp.bad-sequence'])
  })

  test('after a message the next transaction begins with nothing of the last', () => {
    const { content } = hold(`${hello}
      C: MAIL FROM:<a@b>
      C: RCPT TO:<c@d>
      C: DATA
      S: 250 2.1.0 Sender ok
      S: 250 2.1.5 Recipient ok
      S: 354 Go on
      C: one
      C: .
      C: RCPT TO:<c@d>
      S: 250 2.0.0 Took 5 octets
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      C: MAIL FROM:<>
      C: RCPT TO:<postmaster>
      C: DATA
      S: 250 2.1.0 Sender ok
      S: 250 2.1.5 Recipient ok
      S: 354 Go on
      C: .
      S: 250 2.0.0 Took 0 octets`)
    expect(content).toBe('one\r\n')
  })

  test('a STARTTLS that nothing follows is granted, and the machine is done', () => {
    const { events, closed } = hold(`${hello}
      C: STARTTLS
      S: 220 2.0.0 Go on`)
    expect(events).toEqual(['hello', 'starttls 0'])
    expect(closed).toBe(true)
  })

  test('inside TLS the client speaks first, EHLO comes first, and STARTTLS is gone', () => {
    const inside = { ...options, secured: true, greets: false }
    const server = createSmtpServer(inside)
    expect(server.output()).toBeNull()
    const record: Record = { events: [], content: '', closed: false }
    expect(drive(server, Buffer.from('MAIL FROM:<a@b>\r\n'), record)).toBe('503 5.5.1 Say EHLO first\r\n')
    expect(drive(server, Buffer.from('EHLO c\r\n'), record)).not.toContain('STARTTLS')
    expect(drive(server, Buffer.from('STARTTLS\r\n'), record)).toBe(
      '503 5.5.1 This conversation is inside TLS already\r\n',
    )
    // With implicit TLS there is a greeting.
    expect(String(createSmtpServer({ ...options, secured: true }).output())).toBe(
      '220 mx.example ESMTP Hermetic\r\n',
    )
  })

  test('where STARTTLS is not offered it is not implemented', () => {
    hold(
      `
      S: 220 mx.example ESMTP Hermetic
      C: STARTTLS
      C: NOOP
      S: 502 5.5.1 STARTTLS is not offered here
      S: 250 2.0.0 Ok`,
      { ...options, offerStartTls: false },
    )
  })

  test('faults of grammar have their codes and say what is wrong', () => {
    hold(`${hello}
      C: FOO
      S: 500 5.5.2 Command not recognized: HELP lists what this server understands
      C: EXPN list
      S: 502 5.5.1 Command not implemented here
      C: DATA now
      S: 501 5.5.4 That command takes no argument
      C: MAIL FROM:a@b
      S: 501 5.1.7 Bad sender address: the address must stand in angle brackets, as in <user@example.org>
      C: MAIL FROM:<a@b> FOO=BAR
      S: 555 5.5.4 Parameter not recognized: only those of the extensions offered may be used
      C: MAIL FROM:<ü@b>
      S: 550 5.6.7 A sender address beyond ASCII needs the SMTPUTF8 parameter
      C: MAIL FROM:<a@b>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<ü@b>
      S: 553 5.6.7 A recipient address beyond ASCII needs SMTPUTF8 with MAIL
      C: RCPT TO:<@>
      S: 501 5.1.3 Bad recipient address: the source route before the address is not well-formed
      C: EHLO
      S: 501 5.5.4 Say your host name behind EHLO or HELO, as in EHLO client.example.org
      C: VRFY
      S: 501 5.5.4 VRFY needs a user or an address`)
  })

  test('SMTPUTF8 holds for its transaction only', () => {
    hold(`${hello}
      C: MAIL FROM:<ü@b> SMTPUTF8
      C: RCPT TO:<ö@b>
      C: RSET
      C: MAIL FROM:<a@b>
      C: RCPT TO:<ö@b>
      S: 250 2.1.0 Sender ok
      S: 250 2.1.5 Recipient ok
      S: 250 2.0.0 Ok: nothing of a transaction is left
      S: 250 2.1.0 Sender ok
      S: 553 5.6.7 A recipient address beyond ASCII needs SMTPUTF8 with MAIL`)
  })
})

describe('line endings', () => {
  test('a bare CR or LF never ends a command, and is refused at its true end', () => {
    const { events } = hold(`${hello}
      C: NOOP\\nMAIL FROM:<a@b>
      S: 500 5.5.2 There is a line feed without carriage return in that line: commands end in CRLF
      C: NOOP\\rMAIL FROM:<a@b>
      S: 500 5.5.2 There is a carriage return without line feed in that line: commands end in CRLF
      C: RCPT TO:<c@d>
      S: 503 5.5.1 There is no sender yet: MAIL comes first`)
    expect(events).toEqual(['hello', 'smtp.line-ending', 'smtp.line-ending', 'smtp.bad-sequence'])
  })

  test('a command at the limit is read, a longer one is refused when it ends', () => {
    hold(
      `${smallHello}
      C: NOOP ${'x'.repeat(53)}
      S: 250 2.0.0 Ok
      C: NOOP ${'x'.repeat(54)}
      C: NOOP
      S: 500 5.5.2 Line too long: nothing of it was understood
      S: 250 2.0.0 Ok`,
      small,
    )
  })

  const refused: [content: string, answer: string][] = [
    [
      'a\\n.\\nMAIL FROM:<x@y>',
      '550 5.6.0 The message has a line feed without carriage return: lines must end in CRLF',
    ],
    ['a\\n.', '550 5.6.0 The message has a line feed without carriage return: lines must end in CRLF'],
    ['a\\r.\\rMAIL', '550 5.6.0 The message has a carriage return without line feed: lines must end in CRLF'],
    ['a\\r\\n.\\rMAIL', '550 5.6.0 The message has a carriage return without line feed: lines must end in CRLF'],
    ['a\\r\\n\\0.', '550 5.6.0 The message has a NUL octet, which no mail can carry'],
    ['a23456789012345678901', '550 5.6.0 The message has a line longer than mail allows'],
    [`a\\r\\n${'12345678\\r\\n'.repeat(4)}123456`, '552 5.3.4 The message is larger than this server takes'],
    [
      'Received: a\\r\\nReceived: b',
      '554 5.4.6 The message has passed through too many hosts: it is probably going in a circle',
    ],
  ]
  test.each(refused)('content %j is refused at the true end only', (content, answer) => {
    const { events } = hold(
      `${smallHello}
      C: MAIL FROM:<a@b>
      C: RCPT TO:<c@d>
      C: DATA
      S: 250 2.1.0 Sender ok
      S: 250 2.1.5 Recipient ok
      S: 354 Go on
      C: ${content}
      C: .
      C: NOOP
      S: ${answer}
      S: 250 2.0.0 Ok`,
      small,
    )
    expect(events.slice(0, 4)).toEqual(['hello', 'mail', 'recipient', 'data'])
    expect(events.slice(4)).toEqual([expect.stringMatching(/^smtp\./)])
  })
})

describe('limits', () => {
  test('one recipient too many is told to come in another transaction', () => {
    const { events } = hold(
      `${smallHello}
      C: MAIL FROM:<a@b>
      C: RCPT TO:<a@d>
      C: RCPT TO:<bad@d>
      C: RCPT TO:<b@d>
      C: RCPT TO:<c@d>
      C: DATA
      S: 250 2.1.0 Sender ok
      S: 250 2.1.5 Recipient ok
      S: 550 5.1.1 No such user
      S: 250 2.1.5 Recipient ok
      S: 452 4.5.3 Too many recipients in one transaction: send the rest in another
      S: 354 Go on`,
      small,
    )
    expect(events).toContain('smtp.too-many-recipients')
  })

  test('a message that says it is too big is refused at once', () => {
    const { events } = hold(
      `${smallHello}
      C: MAIL FROM:<a@b> SIZE=51
      S: 552 5.3.4 The message is larger than this server takes
      C: MAIL FROM:<a@b> SIZE=50
      S: 250 2.1.0 Sender ok`,
      small,
    )
    expect(events).toContain('smtp.message-too-big')
  })

  test('after too many errors the conversation ends, whoever refused', () => {
    const { events, closed } = hold(
      `${smallHello}
      C: FOO
      C: MAIL FROM:<bad@b>
      C: FOO
      C: NOOP
      S: 500 5.5.2 Command not recognized: HELP lists what this server understands
      S: 550 5.1.1 No such user
      S: 500 5.5.2 Command not recognized: HELP lists what this server understands
      S: 421 4.7.0 Too many errors: closing`,
      small,
    )
    expect(events.at(-1)).toBe('smtp.too-many-errors')
    expect(closed).toBe(true)
  })

  test('what a refused MAIL drags along in its group is no error of its own', () => {
    hold(
      `${smallHello}
      C: MAIL FROM:<bad@b>
      C: RCPT TO:<a@d>
      C: RCPT TO:<b@d>
      C: RCPT TO:<c@d>
      C: DATA
      C: NOOP
      S: 550 5.1.1 No such user
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      S: 503 5.5.1 There is no sender yet: MAIL comes first
      S: 250 2.0.0 Ok`,
      small,
    )
  })
})

/** One piece of bytes at once, since these are about what stands together. */
function say(text: string, given = options): { said: string; record: Record } {
  const server = createSmtpServer(given)
  const record: Record = { events: [], content: '', closed: false }
  server.output()
  let said = ''
  for (const part of text.split('|')) said = drive(server, Buffer.from(part, 'latin1'), record)
  return { said, record }
}

describe('synchronisation points', () => {
  test('bytes behind STARTTLS are counted, refused, and end the conversation', () => {
    const { said, record } = say('EHLO c\r\n|STARTTLS\r\nRSET\r\nMAIL FROM:<a@b>\r\n')
    expect(said).toBe('554 5.5.1 Clear text was sent behind STARTTLS: closing\r\n')
    expect(record).toMatchObject({ events: ['hello', 'starttls 23'], closed: true })
  })

  test('so are bytes that come before STARTTLS is answered', () => {
    const server = createSmtpServer(options)
    drive(server, Buffer.from('EHLO c\r\n'), { events: [], content: '', closed: false })
    server.receive(Buffer.from('STARTTLS\r\n'))
    expect(server.next()).toEqual({ kind: 'starttls', trailing: 0 })
    server.receive(Buffer.from('EHLO evil\r\n'))
    server.answer(reply(220, '2.0.0', 'Go on'))
    expect(server.next()).toEqual({ kind: 'starttls', trailing: 11 })
    expect(server.next()).toBe('closed')
    expect(String(server.output())).toBe('554 5.5.1 Clear text was sent behind STARTTLS: closing\r\n')
  })

  test('bytes behind EHLO end the conversation: nothing said before its answer can be meant for us', () => {
    const { said, record } = say('EHLO c\r\nMAIL FROM:<a@b>\r\n')
    expect(said).toMatch(/^554 5\.5\.1 .*closing\r\n$/)
    expect(record).toMatchObject({ events: ['smtp.bad-sequence'], closed: true })
  })

  test('of a script that waits for no answer the line behind EHLO is the next command', () => {
    const { said, record } = say('EHLO c\r\nMAIL FROM:<a@b>\r\nQUIT\r\n', { ...options, isScript: true })
    expect(said).toMatch(/^250-mx.*250 2\.1\.0 Sender ok\r\n221 /s)
    expect(record.events).toEqual(['hello', 'mail', 'quit'])
  })

  test('content sent along with DATA is content when DATA is granted', () => {
    const { said, record } = say('EHLO c\r\n|MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhi\r\n.\r\nNOOP\r\n')
    expect(said).toBe(
      '250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n354 Go on\r\n250 2.0.0 Took 4 octets\r\n250 2.0.0 Ok\r\n',
    )
    expect(record.content).toBe('hi\r\n')
  })

  test('what stands behind a DATA that is refused is never taken for commands', () => {
    const server = createSmtpServer(options)
    server.output()
    const record: Record = { events: [], content: '', closed: false }
    const refuseData: Decide = event => (event.kind === 'data' ? reply(451, '4.3.0', 'Later') : decide(event))
    drive(server, Buffer.from('EHLO c\r\n'), record)
    const said = drive(
      server,
      Buffer.from('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nMAIL FROM:<evil@b>\r\n.\r\n'),
      record,
      refuseData,
    )
    expect(said).toMatch(/451 4\.3\.0 Later\r\n421 4\.5\.1 .*closing\r\n$/)
    expect(record).toMatchObject({
      events: ['hello', 'mail', 'recipient', 'data', 'smtp.bad-sequence'],
      closed: true,
    })
  })

  test('a DATA that is refused while nothing stands behind it leaves the transaction open', () => {
    const server = createSmtpServer(options)
    const record: Record = { events: [], content: '', closed: false }
    const refuseData: Decide = event => (event.kind === 'data' ? reply(451, '4.3.0', 'Later') : decide(event))
    server.output()
    for (const line of ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>'])
      drive(server, Buffer.from(`${line}\r\n`), record)
    expect(drive(server, Buffer.from('DATA\r\n'), record, refuseData)).toBe('451 4.3.0 Later\r\n')
    expect(drive(server, Buffer.from('DATA\r\n'), record)).toBe('354 Go on\r\n')
  })

  test('a header line in place of a command ends the conversation: it is the content of somebody who did not listen', () => {
    const { said, record } = say('EHLO c\r\n|DATA\r\n|Received: from x by y\r\nMAIL FROM:<evil@b>\r\n')
    expect(said).toBe('421 4.7.0 This is a mail server, and that was not SMTP: closing\r\n')
    expect(record.events).toEqual(['hello', 'smtp.bad-sequence', 'smtp.not-smtp'])
  })

  test.each([
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST / HTTP/1.1\r\n\r\nEHLO x\r\n',
    'BDAT 20 LAST\r\nMAIL FROM:<a@b>\r\n',
  ])('%j is answered 421 and nothing behind it is read', text => {
    const { said, record } = say(text)
    expect(said).toMatch(/^421 4\.\d\.\d [^\r]*\r\n$/)
    expect(record.closed).toBe(true)
  })

  test('a TLS hello on a port that begins in clear is answered at its first octet', () => {
    const { said, record } = say('\x16\x03\x01')
    expect(said).toBe(
      '421 4.7.0 TLS does not begin at once on this port: say EHLO and STARTTLS first. Closing\r\n',
    )
    expect(record).toMatchObject({ events: ['smtp.not-smtp'], closed: true })
  })
})

describe('being driven', () => {
  test('replies of a group are held back until the group is decided, and come out as one piece', () => {
    const server = createSmtpServer(options)
    server.output()
    drive(server, Buffer.from('EHLO c\r\n'), { events: [], content: '', closed: false })
    server.receive(Buffer.from('NOOP\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n'))
    expect(server.next()).toMatchObject({ kind: 'mail' })
    expect(server.next()).toBe('waiting')
    expect(server.awaiting).toBe('nothing')
    expect(server.output()).toBeNull()
    server.answer(reply(250, '2.1.0', 'Ok'))
    expect(server.output()).toBeNull()
    expect(server.next()).toMatchObject({ kind: 'recipient' })
    server.answer(reply(250, '2.1.5', 'Ok'))
    expect(server.next()).toBe('need-bytes')
    expect(String(server.output())).toBe('250 2.0.0 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n')
    expect(server.awaiting).toBe('command')
  })

  test('an answer to nothing is a mistake of the caller', () => {
    expect(() => createSmtpServer(options).answer(reply(250, null, 'Ok'))).toThrow('no event')
  })

  test('shutting down before the greeting was taken puts the reply in its place', () => {
    const server = createSmtpServer(options)
    server.shutDown(reply(421, '4.3.2', 'Too many connections'))
    expect(String(server.output())).toBe('421 Too many connections\r\n')
    expect(server.next()).toBe('closed')
  })

  test('shutting down in the middle lets out what was held back, and nothing is read any more', () => {
    const server = createSmtpServer(options)
    server.output()
    server.receive(Buffer.from('NOOP\r\nVRFY x\r\nNOOP\r\n'))
    server.next()
    server.shutDown(reply(421, '4.3.2', 'Stopping'))
    expect(String(server.output())).toBe('250 2.0.0 Ok\r\n421 4.3.2 Stopping\r\n')
    expect(server.next()).toBe('closed')
    server.receive(Buffer.from('NOOP\r\n'))
    expect(server.output()).toBeNull()
    expect(server.awaiting).toBe('nothing')
  })

  test('a peer that goes away closes the machine, in a line or in content', () => {
    for (const text of ['', 'NOO', 'EHLO c\r\n|MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n|half a mess']) {
      const server = createSmtpServer(options)
      server.output()
      const record: Record = { events: [], content: '', closed: false }
      for (const part of text.split('|')) drive(server, Buffer.from(part), record)
      expect(server.awaiting).toBe(text.includes('DATA') ? 'content' : 'command')
      drive(server, 'end', record)
      expect(record.closed).toBe(true)
      expect(record.events).not.toContain('content-end')
    }
  })

  test('an endless line costs no memory and is answered when it ends', () => {
    const server = createSmtpServer(options)
    server.output()
    const record: Record = { events: [], content: '', closed: false }
    const chunk = Buffer.alloc(64_000, 'x')
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 2_000; i++) expect(drive(server, chunk, record)).toBe('')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
    expect(drive(server, Buffer.from('\r\n'), record)).toMatch(/^500 5\.5\.2 /)
  })
})
