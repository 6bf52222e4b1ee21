/** Questions over TLS before real TLS servers that are honest, close, answer in another order, fall silent, send what is no DNS, or are somebody else. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createNameServerTrust } from '../hop/name-server-trust.ts'
import { encodeMessage, type Message, makeQuery, maxMessageBytes } from '../protocol/dns/message.ts'
import { parseName } from '../protocol/dns/name.ts'
import { classInternet, typeNumbers } from '../protocol/dns/numbers.ts'
import { paddingBlockBytes, paddingOption } from '../protocol/dns/padding.ts'
import { type Authority, type Certified, createAuthority, createSelfSigned } from './certificate-maker.ts'
import type { Exchange, Exchanged } from './dns-exchange.ts'
import {
  createDnsOverTls,
  type DnsOverTls,
  type DnsOverTlsOptions,
  maxConnections,
  unprovenMs,
} from './dns-over-tls.ts'
import { afterwards, closeAll } from './testing/scripted-dns.ts'
import { type AskedOverTls, serveTls, type TlsTestServer } from './testing/scripted-tls-dns.ts'

const name = 'dns.example'
const patientMs = 10_000

let authority: Authority
let credentials: Certified
beforeAll(async () => {
  authority = await createAuthority({ commonName: 'Lab root' })
  credentials = await authority.leaf({ names: [name] })
})
let ms: number
beforeEach(() => {
  ms = 0
})
afterEach(closeAll)

function client(server: { readonly port: number }, more: Partial<DnsOverTlsOptions> = {}): DnsOverTls {
  const made = createDnsOverTls({
    server: { address: '127.0.0.1', port: server.port, authenticationName: name },
    trust: createNameServerTrust(authority.root, Date.now),
    random: below => Math.floor(Math.random() * below),
    now: () => ms + performance.now(),
    ...more,
  })
  afterwards(() => made.close())
  return made
}

function question(text: string): Message {
  const parsed = parseName(text)
  if (parsed === null) throw new Error(`not a name: ${text}`)
  const edns = { udpPayloadBytes: 1232, version: 0, dnssecOk: true, options: [] }
  return makeQuery({ id: 7, name: parsed, type: typeNumbers.TXT, edns })
}

const answerTo = (query: Message, more: Partial<Message> = {}): Message => ({
  ...query,
  isResponse: true,
  recursionAvailable: true,
  ...more,
})
const honest = (asked: AskedOverTls) => asked.reply(encodeMessage(answerTo(asked.query)))

const nameIn = (message: Message) =>
  (message.questions[0]?.name ?? []).map(label => Buffer.from(label).toString()).join('.')

/** `response a.example`, `timeout`, `unreachable connection closed`. */
function brief(result: Exchanged): string {
  if (result.kind === 'response') return `${result.over} ${nameIn(result.message)}`
  return 'why' in result ? `${result.kind}: ${result.why}` : result.kind
}

async function ask(dns: DnsOverTls, text: string, waitMs = patientMs): Promise<string> {
  return brief(await dns.ask(question(text), waitMs).done)
}

/** All at once. */
function askAll(dns: DnsOverTls, count: number, waitMs = patientMs): Promise<readonly string[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => ask(dns, `n${i}.example`, waitMs)))
}
const allAnswered = (count: number) => Array.from({ length: count }, (_, i) => `tls n${i}.example`)

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5)
}

describe('a server that proves its name', () => {
  test('is asked on one connection, again and again, with its name as SNI', async () => {
    const server = await serveTls(credentials, honest)
    const dns = client(server)
    expect(await ask(dns, 'a.example')).toBe('tls a.example')
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
    expect(server.connections).toBe(1)
    expect(server.sni).toBe(name)
  })

  test('is asked many questions at once on one connection, each with an id of its own', async () => {
    const held: AskedOverTls[] = []
    const server = await serveTls(credentials, asked => {
      held.push(asked)
      if (held.length === 50) for (const one of held) honest(one)
    })
    // Everybody's dice fall the same way.
    const dns = client(server, { random: () => 65_535 })
    expect(await askAll(dns, 50)).toEqual(allAnswered(50))
    expect(server.connections).toBe(1)
    expect(new Set(held.map(({ query }) => query.id)).size).toBe(50)
  })

  test('may answer in any order', async () => {
    const held: AskedOverTls[] = []
    const server = await serveTls(credentials, asked => {
      held.push(asked)
      if (held.length === 9) for (const one of held.toReversed()) honest(one)
    })
    expect(await askAll(client(server), 9)).toEqual(allAnswered(9))
  })

  test('gets questions padded to whole blocks', async () => {
    const server = await serveTls(credentials, honest)
    const dns = client(server)
    await ask(dns, 'a.example')
    await ask(dns, `${'long-'.repeat(12)}.${'longer-'.repeat(8)}.example`)
    expect(server.asked.map(({ bytes }) => bytes)).toEqual([paddingBlockBytes, 2 * paddingBlockBytes])
    expect(server.asked[0]?.query.edns?.options.map(({ code }) => code)).toEqual([paddingOption])
  })

  test('may answer byte by byte, and as much as a message can hold', async () => {
    const record = { name: [], type: typeNumbers.TXT, class: classInternet, ttlSeconds: 1 }
    const long = (query: Message) => {
      const plain = answerTo(query)
      const rest =
        maxMessageBytes - encodeMessage({ ...plain, answers: [{ ...record, rdata: new Uint8Array() }] }).length
      return encodeMessage({ ...plain, answers: [{ ...record, rdata: new Uint8Array(rest) }] })
    }
    const server = await serveTls(credentials, (asked, count) => {
      if (count === 1) asked.replyBytewise(encodeMessage(answerTo(asked.query)))
      else asked.reply(long(asked.query))
    })
    const dns = client(server)
    expect(await ask(dns, 'a.example')).toBe('tls a.example')
    const result = await dns.ask(question('b.example'), patientMs).done
    expect(result).toMatchObject({ kind: 'response', bytes: maxMessageBytes })
  })

  test('is left alone when there was nothing to ask for a while, and connected to again for the next question', async () => {
    const server = await serveTls(credentials, honest)
    const dns = client(server, { idleMs: 20 })
    await ask(dns, 'a.example')
    await until(() => server.open === 0)
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
    expect(server.connections).toBe(2)
  })

  test('has to prove its name again after an hour', async () => {
    const server = await serveTls(credentials, honest)
    const dns = client(server)
    await ask(dns, 'a.example')
    ms += 3_600_000
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
    expect(server.connections).toBe(2)
  })

  test('waits for its turn where it has more in flight than it is sent at once', async () => {
    const held: AskedOverTls[] = []
    const server = await serveTls(credentials, asked => {
      held.push(asked)
      if (held.length === 400) for (const one of held) honest(one)
      if (held.length > 400) honest(asked)
    })
    expect(await askAll(client(server), 500)).toEqual(allAnswered(500))
    expect(server.connections).toBe(maxConnections)
  })
})

describe('a server that closes', () => {
  test('after each answer is asked everything all the same, on few connections at a time', async () => {
    let most = 0
    const server: TlsTestServer = await serveTls(credentials, asked => {
      most = Math.max(most, server.open)
      honest(asked)
      asked.hangUp()
    })
    expect(await askAll(client(server), 20)).toEqual(allAnswered(20))
    expect(most).toBeLessThanOrEqual(maxConnections)
    // What was sent in vain was so once, before it was known.
    expect(server.asked.length).toBeLessThan(20 + 2 * 20)
  })

  test('after some answers is asked the rest on another connection', async () => {
    const server = await serveTls(credentials, (asked, count) => {
      if (count < 4) honest(asked)
      if (count === 4) asked.reset()
      if (count > 4 && asked.connection > 1) honest(asked)
    })
    expect(await askAll(client(server), 10)).toEqual(allAnswered(10))
  })

  test('is asked as many at once as before when it does not close any more', async () => {
    let most = 0
    const held: AskedOverTls[] = []
    const server = await serveTls(credentials, asked => {
      if (asked.connection === 1) {
        honest(asked)
        asked.hangUp()
        return
      }
      held.push(asked)
      most = Math.max(most, held.length)
      setImmediate(() => {
        for (const one of held.splice(0)) honest(one)
      })
    })
    const dns = client(server)
    expect(await askAll(dns, 300)).toEqual(allAnswered(300))
    expect(most).toBeGreaterThan(50)
  })

  test('while nothing is asked costs the next question nothing but a connection', async () => {
    const server = await serveTls(credentials, asked => {
      honest(asked)
      if (asked.connection === 1) setTimeout(asked.hangUp, 20)
    })
    const dns = client(server)
    await ask(dns, 'a.example')
    await until(() => server.open === 0)
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
  })

  test('before it answers anything is unreachable', async () => {
    const server = await serveTls(credentials, asked => asked.hangUp())
    expect(await ask(client(server), 'a.example')).toBe('unreachable: connection closed')
    expect(server.connections).toBe(1)
  })
})

describe('a server that is silent', () => {
  test('lets the question time out, and is asked the next one on another connection', async () => {
    const server = await serveTls(credentials, asked => {
      if (asked.connection > 1) honest(asked)
    })
    const dns = client(server)
    expect(await ask(dns, 'a.example', 300)).toBe('timeout')
    await until(() => server.open === 0)
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
  })

  test('and was not before loses the connection, and questions that still wait are asked on another', async () => {
    const server = await serveTls(credentials, (asked, count) => {
      if (count === 1 || asked.connection > 1) honest(asked)
    })
    const dns = client(server)
    await ask(dns, 'a.example')
    const [impatient, patient] = await Promise.all([ask(dns, 'b.example', 300), ask(dns, 'c.example')])
    expect(impatient).toBe('timeout')
    expect(patient).toBe('tls c.example')
    expect(server.connections).toBe(2)
  })

  test('about one question alone keeps its connection, and may answer it late', async () => {
    const held: AskedOverTls[] = []
    const server = await serveTls(credentials, asked => {
      if (nameIn(asked.query) === 'slow.example') held.push(asked)
      else honest(asked)
    })
    const dns = client(server)
    const slow = ask(dns, 'slow.example', 1_000)
    expect(await ask(dns, 'a.example')).toBe('tls a.example')
    expect(await slow).toBe('timeout')
    for (const one of held) honest(one)
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
    expect(server.connections).toBe(1)
  })

  test('before the handshake is over lets the question time out', async () => {
    const mute = createServer(() => {})
    mute.listen(0, '127.0.0.1')
    await once(mute, 'listening')
    afterwards(() => mute.close())
    const address = mute.address()
    if (address === null || typeof address === 'string') throw new Error('it listens')
    expect(await ask(client(address), 'a.example', 200)).toBe('timeout')
  })
})

describe('a server that sends what is no answer', () => {
  test.each<[string, (asked: AskedOverTls) => void, string]>([
    ['no message', ({ reply }) => reply(Buffer.from('HTTP/1.1 400 Bad Request')), 'malformed: '],
    ['a length of zero', ({ reply }) => reply(new Uint8Array()), 'malformed: cut-short at byte 0'],
    [
      'an answer that nobody asked for',
      ({ query, reply }) => reply(encodeMessage(answerTo(query, { id: (query.id + 1) % 65_536 }))),
      'malformed: an answer to something else',
    ],
    [
      'an answer to another question with our id',
      ({ query, reply }) => reply(encodeMessage(answerTo(question('other.example'), { id: query.id }))),
      'malformed: an answer to something else',
    ],
    ['the question', ({ query, reply }) => reply(encodeMessage(query)), 'malformed: an answer to something else'],
    [
      'an answer cut short',
      ({ query, reply }) => reply(encodeMessage(answerTo(query, { truncated: true }))),
      'malformed: truncated over TLS',
    ],
    [
      'bytes behind the answer',
      ({ query, reply }) => reply(Buffer.concat([encodeMessage(answerTo(query)), Buffer.of(0)])),
      'malformed: trailing-bytes',
    ],
  ])('%s ends the question', async (_, script, expected) => {
    const server = await serveTls(credentials, script)
    expect(await ask(client(server), 'a.example')).toContain(expected)
  })

  test('a length that is never filled lets the question time out', async () => {
    const server = await serveTls(credentials, asked => asked.write(Buffer.of(0xff, 0xff, 1, 2, 3)))
    expect(await ask(client(server), 'a.example', 200)).toBe('timeout')
  })

  test('more late answers than there were questions end the connection', async () => {
    const server = await serveTls(credentials, (asked, count) => {
      honest(asked)
      if (count === 1) honest(asked)
    })
    const dns = client(server)
    await ask(dns, 'a.example')
    await until(() => server.open === 0)
    expect(await ask(dns, 'b.example')).toBe('tls b.example')
  })
})

describe('a server that does not prove its name', () => {
  test.each<[string, () => Promise<Certified> | Certified, string]>([
    [
      'another name',
      () => authority.leaf({ names: ['dns.example.net'] }),
      'x509.name-mismatch, wanted dns.example; it carries dns.example.net',
    ],
    ['its address alone', () => authority.leaf({ names: ['127.0.0.1'] }), 'x509.name-mismatch'],
    ['the name in its subject alone', () => authority.leaf({ commonName: name, names: [] }), 'x509.name-mismatch'],
    [
      'a certificate of a stranger',
      async () => (await createAuthority({ commonName: 'Stranger' })).leaf({ names: [name] }),
      'x509.missing-intermediate, CN=Stranger',
    ],
    ['a certificate of its own', () => createSelfSigned({ names: [name] }), 'x509.'],
    [
      'a certificate that has ended',
      () => authority.leaf({ names: [name], notBeforeMs: Date.now() - 9e6, notAfterMs: Date.now() - 6e6 }),
      'x509.expired',
    ],
    [
      'a certificate for clients',
      () => authority.leaf({ names: [name], extendedKeyUsage: ['clientAuth'] }),
      'x509.',
    ],
  ])('by %s is asked nothing', async (_, make, why) => {
    const server = await serveTls(await make(), honest)
    const dns = client(server)
    const said = await ask(dns, 'a.example')
    expect(said).toContain(`unproven: the certificate of 127.0.0.1 does not prove dns.example: ${why}`)
    // Nobody is connected to for each question while that is so.
    expect(await ask(dns, 'b.example')).toBe(said)
    expect(server.connections).toBe(1)
    ms += unprovenMs
    expect(await ask(dns, 'c.example')).toBe(said)
    expect(server.connections).toBe(2)
    expect(server.asked).toEqual([])
  })

  test('is asked when it does', async () => {
    const wrong = await authority.leaf({ names: ['dns.example.net'] })
    const server = await serveTls(wrong, honest)
    const right = await serveTls(credentials, honest)
    const dns = client(server)
    expect(await ask(dns, 'a.example')).toContain('unproven')
    expect(await ask(client(right), 'a.example')).toBe('tls a.example')
  })

  test("is not believed for Mozilla's roots where a file names others, nor the other way round", async () => {
    const server = await serveTls(credentials, honest)
    const dns = client(server, { trust: createNameServerTrust(null, Date.now) })
    expect(await ask(dns, 'a.example')).toContain('unproven: ')
  })

  test('by a wildcard proves it, unless strangers register below that name', async () => {
    const server = await serveTls(await authority.leaf({ names: ['*.resolvers.example'] }), honest)
    const named = (authenticationName: string) =>
      client(server, { server: { address: '127.0.0.1', port: server.port, authenticationName } })
    expect(await ask(named('dns.resolvers.example'), 'a.example')).toBe('tls a.example')
    expect(await ask(named('a.dns.resolvers.example'), 'a.example')).toContain('x509.name-mismatch')
    const wide = await serveTls(await authority.leaf({ names: ['*.co.uk'] }), honest)
    const dns = client(wide, {
      server: { address: '127.0.0.1', port: wide.port, authenticationName: 'dns.co.uk' },
    })
    expect(await ask(dns, 'a.example')).toContain('unproven')
  })
})

describe('where there is no TLS', () => {
  test('nothing is asked in clear text', async () => {
    const seen: Buffer[] = []
    const plain = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', bytes => {
        seen.push(bytes)
        socket.write(Buffer.from('220 mail.example ESMTP\r\n'))
      })
    })
    plain.listen(0, '127.0.0.1')
    await once(plain, 'listening')
    afterwards(() => plain.close())
    const address = plain.address()
    if (address === null || typeof address === 'string') throw new Error('it listens')
    expect(await ask(client(address), 'a.example')).toMatch(/^unreachable: no TLS: ERR_SSL_/)
    // A ClientHello and nothing else: a handshake record, or an alert.
    expect(Buffer.concat(seen)[0]).toBe(0x16)
    expect(Buffer.concat(seen).includes('example')).toBe(true)
  })

  test('nobody is there', async () => {
    const gone = createServer()
    gone.listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const address = gone.address()
    if (address === null || typeof address === 'string') throw new Error('it listens')
    gone.close()
    await once(gone, 'close')
    expect(await ask(client(address), 'a.example')).toBe('unreachable: ECONNREFUSED')
  })
})

describe('the end', () => {
  test('ends every question, and leaves no connection', async () => {
    const server = await serveTls(credentials, () => {})
    const dns = client(server)
    const asking = Promise.all([ask(dns, 'a.example'), ask(dns, 'b.example')])
    await until(() => server.asked.length === 2)
    dns.close()
    expect(await asking).toEqual(['closed', 'closed'])
    expect(await ask(dns, 'c.example')).toBe('closed')
    await until(() => server.open === 0)
  })

  test('while a connection is being opened ends that, too', async () => {
    const server = await serveTls(credentials, honest)
    const dns = client(server)
    const asking = ask(dns, 'a.example')
    dns.close()
    expect(await asking).toBe('closed')
    await until(() => server.open === 0)
    expect(server.asked).toEqual([])
  })

  test('of one question is no matter of the others', async () => {
    const held: AskedOverTls[] = []
    const server = await serveTls(credentials, asked => {
      held.push(asked)
    })
    const dns = client(server)
    const given: Exchange = dns.ask(question('a.example'), patientMs)
    const kept = ask(dns, 'b.example')
    await until(() => held.length === 2)
    given.abort()
    expect(brief(await given.done)).toBe('closed')
    for (const one of held) honest(one)
    expect(await kept).toBe('tls b.example')
    expect(server.connections).toBe(1)
  })
})
