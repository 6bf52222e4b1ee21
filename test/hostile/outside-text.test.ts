/**
 * Text from outside that would clear a terminal, ring, write a second log line or turn the direction of writing: from clients, from servers, from certificates.
 * It is shown as escapes, in the log, by every command that shows mail, and in what a sender gets back (ARCHITECTURE decision 10).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ScriptedPeer, type ScriptedServer, serve } from '../../src/hop/testing/scripted-server.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { must, until } from '../support/process.ts'
import { attack, greeted } from './support/attacker.ts'
import { type Besieged, besiege } from './support/besieged.ts'

/** Each in the UTF-8 that a server may send: clear the screen, set the title, ring, C1, bidi, invisible, a line for those who take U+2028 for one. */
const poison = '\x1b[2J\x1b]0;owned\x07\u009b31m\u202etxt.exe\u2066\u200b\u2028\ufeff\u{e0041}\x7f\b'
/** A line that looks like ours, told behind a line end of the protocol. */
const forged = '2026-11-21T03:04:05.678Z 1forged000000 => bob@forged.example R=sink'

const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

let here: Besieged
let directory: ReturnType<typeof temporaryDirectory>
const servers: ScriptedServer[] = []

/** Refuses, defers or takes with a poisoned reply, and says as much in everything else. */
function poisonous(reply: string) {
  return serve(async peer => {
    peer.send(`220-${poison} ESMTP\r\n220 ${forged}\r\n`)
    for (;;) {
      const verb = (await peer.line()).slice(0, 4)
      if (verb === 'EHLO')
        peer.send(`250-${poison}\r\n250-X-${poison}\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 ${forged}\r\n`)
      else if (verb === 'RCPT') peer.send(reply.startsWith('2') ? '250 ok\r\n' : reply)
      else if (verb === 'DATA') {
        peer.send('354 go ahead\r\n')
        await peer.content()
        peer.send(reply)
      } else peer.send(`250 ${poison}\r\n`)
    }
  })
}

const poisonedReply = (code: number) =>
  `${code}-5.1.1 ${poison} no such user\r\n${code} ${forged}\r\n`.replace('5.1.1', `${Math.trunc(code / 100)}.1.1`)

async function poisonousCertificate(): Promise<{ readonly chain: string; readonly key: string }> {
  const [chain, key] = [join(directory.path, 'poison.pem'), join(directory.path, 'poison.key')]
  await must('openssl', [
    ...'req -x509 -utf8 -newkey rsa:2048 -nodes -days 30 -subj'.split(' '),
    `/O=${poison}/CN=${poison.slice(0, 40)}`,
    ...['-addext', 'subjectAltName=DNS:evil\x1b[2J.example', '-keyout', key, '-out', chain],
  ])
  return { chain: readFileSync(chain, 'latin1'), key: readFileSync(key, 'latin1') }
}

beforeAll(async () => {
  directory = temporaryDirectory('poison')
  const certificate = await poisonousCertificate()
  const inside = async (peer: ScriptedPeer) => {
    peer.send('220 hello\r\n')
    await peer.answer('EHLO', '250-hello\r\n250-SMTPUTF8\r\n250 STARTTLS')
    await peer.answer('STARTTLS', `220 ${poison}`)
    await peer.startTls(certificate)
    await peer.gone()
  }
  servers.push(
    await poisonous(poisonedReply(550)),
    await poisonous(poisonedReply(450)),
    await poisonous(poisonedReply(250)),
    await serve(inside),
    await serve(peer => Promise.resolve(peer.send(`554-${poison}\r\n554 ${forged}\r\n`))),
  )
  here = await besiege({
    name: 'outside-text',
    yaml: ['timeouts: { quit: 100ms }'],
    routes: ['refuses', 'defers', 'takes', 'certified', 'unfriendly'].flatMap((name, i) => [
      `  - name: ${name}`,
      `    when: { recipient: ${name}.example }`,
      `    to: { host: 127.0.0.1, port: ${servers[i]?.port ?? 0} }`,
      `    tls: ${name === 'certified' ? 'verify' : 'none'}`,
    ]),
  })
})
afterAll(async () => {
  await here.stop()
  for (const server of servers) await server.close()
  directory.remove()
})

function expectHarmless(text: string): void {
  for (const line of text.split('\n')) {
    expect(harmful.exec(line)?.[0], JSON.stringify(line)).toBeUndefined()
    expect(line.startsWith('2026-11-21T03:04:05.678Z 1forged'), JSON.stringify(line)).toBe(false)
  }
}

/** Addresses as far as the grammar lets them: a quoted local part may hold anything but control characters. */
const sender = '"\u202e\u2066\u200b => bob@forged.example C=\\"250"@source.example'
const localPart = '"\u202e\u{e0041} ** x"'

describe('what clients say', () => {
  test.each([
    ['EHLO', `EHLO ${poison}\r\n`],
    ['EHLO with bidi alone', 'EHLO \u202eevil.example\r\n'],
    ['EHLO with a line of its own', `EHLO x\r${forged}\r\n`],
    ['a command', `${poison}\r\n`],
    ['VRFY', `VRFY ${poison}\r\n`],
    ['VRFY with bidi alone', 'VRFY \u202e\r\n'],
    ['a MAIL with control characters', `MAIL FROM:<"${poison}"@source.example> SMTPUTF8\r\n`],
    ['a parameter', 'MAIL FROM:<a@source.example> \u202eX=1\r\n'],
    ['a domain', 'MAIL FROM:<a@\u202e.example> SMTPUTF8\r\n'],
  ])('in %s is never said back as it came', async (_, line) => {
    const client = await greeted(here.relay.port)
    const reply = await client.send(line, /\r\n$/)
    expect(reply).toMatch(/^(2|5)\d\d [\x20-\x7e]*\r\n$/)
    client.end()
  })

  test('addresses that the grammar allows are taken, and a route or a server may refuse them', async () => {
    for (const domain of ['refuses', 'defers', 'takes', 'certified', 'unfriendly']) {
      const client = await attack(here.relay.port)
      await client.told(/^220 /)
      await client.send('EHLO evil]H=forged.example\r\n', /^250 .*\r\n$/m)
      expect(await client.send(`MAIL FROM:<${sender}> SMTPUTF8\r\n`, /\r\n$/)).toMatch(/^250 /)
      expect(await client.send(`RCPT TO:<${localPart}@${domain}.example>\r\n`, /\r\n$/)).toMatch(/^250 /)
      await client.send('DATA\r\n', /^354 /)
      const header = `Subject: ${poison}\r\nX-Latin: \xe9\x9b\r\n`
      expect(await client.send(`${header}\r\n${poison}\r\n.\r\n`, /\r\n$/)).toMatch(/^250 /)
      client.end()
    }
  })
})

describe('afterwards', () => {
  const log = () => here.relay.log()
  const ids = () => [...new Set(log().match(/(?<= )[0-9a-z]{13}(?= <= )/g))]
  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await here.relay.command(...args)
    expect([0, 1], stderr).toContain(code)
    // The test's runner keeps each octet as one character.
    return Buffer.from(stdout + stderr, 'latin1').toString('utf8')
  }

  test('every message met its fate', async () => {
    for (const fate of [
      /\*\* \S+@refuses\.example .*smtp\.recipient-refused-for-good/,
      /== \S+@defers\.example .*smtp\.recipient-refused-for-now/,
      /=> \S+@takes\.example .*C="250/,
      /== \S+@certified\.example .*x509\./,
      /\*\* \S+@unfriendly\.example .*smtp\.greeting-refused-for-good/,
    ])
      await until(() => fate.test(log()), `the log has ${fate}`)
    await until(() => here.sink.received.length >= 2, 'two notices have reached the sender')
  })

  test('the log shows escapes, one line for each thing that happened', () => {
    expectHarmless(log())
    expect(log()).toContain('\\x1b[2J')
    expect(log()).toContain('\\u202e')
    // An address with blanks is one word, so that it cannot pretend to be a field.
    for (const line of log()
      .split('\n')
      .filter(each => each.includes(' <= "')))
      expect(line).toMatch(
        /^\S+ \S+ <= "\\u202e\S+"@source\.example H=evil\]H=forged\.example \[127\.0\.0\.1\] P=\w+ /,
      )
  })

  test('`hermetic log` and `hermetic queue` show escapes, as text and as JSON', async () => {
    const commands = [
      ['log'],
      ['log', '--incidents'],
      ['queue', 'list'],
      ...ids()
        .slice(0, 5)
        .map(id => ['log', id]),
      ...ids()
        .slice(0, 5)
        .map(id => ['queue', 'show', id]),
    ]
    const shown = await Promise.all(commands.flatMap(each => [told(...each), told(...each, '--json')]))
    for (const text of shown) expectHarmless(text)
    const lives = shown.join('\n')
    expect(lives).toContain('\\x1b[2J')
    // The first attempt to deliver each message.
    const attempts = new Map(
      [...lives.matchAll(/hermetic log --attempt ((\S+)\.\S+)/g)]
        .reverse()
        .map(([, id = '', message]) => [message, id]),
    )
    expect(attempts.size).toBeGreaterThanOrEqual(5)
    const pages = await Promise.all(
      [...attempts.values()].flatMap(id => [told('log', '--attempt', id), told('log', '--attempt', id, '--json')]),
    )
    for (const page of pages) expectHarmless(page)
    expect(pages.join('\n')).toMatch(/Greeting +220\s+\\x1b\[2J/)
    // Names of hosts are shown in lower case.
    expect(pages.join('\n')).toContain('evil\\x1b[2j.example')
  })

  test('notices to the sender are mail that any server takes, with nothing in it that a terminal obeys', () => {
    const notices = here.sink.received.filter(({ content }) => content.includes('multipart/report'))
    expect(notices.length).toBeGreaterThanOrEqual(2)
    for (const { content } of notices) {
      const text = content.toString('utf8').replaceAll('\r\n', '\n').replaceAll('\t', ' ')
      // The address that it goes to must stand in it as it is; everything else is ASCII.
      const rest = text.replaceAll(sender, '')
      expect(rest).toMatch(/^[\x20-\x7e\n]*$/)
      expectHarmless(rest)
    }
    expect(notices.some(({ content }) => content.includes('forged'))).toBe(true)
  })
})
