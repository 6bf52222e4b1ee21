/**
 * Servers that misbehave towards our delivery, each in its own way and all at once. Whatever one does, its message waits with the reason that fits and arrives once the
 * server behaves; nothing is sent in clear where the route asks for more; memory stays bounded; and mail to others goes its way.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testAuthority } from '../support/certificates.ts'
import { corpus, withoutTrace } from '../support/corpus.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { until } from '../support/process.ts'
import { submit } from '../support/source.ts'
import {
  type BesettingServer,
  besettingServer,
  type Certificate,
  dripTo,
  floodTo,
  type Misdeed,
  type Step,
  upTo,
} from './support/besetting-server.ts'
import {
  allowedGrowthBytes,
  type Besieged,
  besiege,
  honestMessageArrives,
  watchMemory,
} from './support/besieged.ts'

type Level = 'none' | 'opportunistic' | 'encrypt' | 'verify'

interface Scenario {
  readonly name: string
  readonly level: Level
  /** The reasons that the log may give; the first that comes is looked at. */
  readonly reason: RegExp
  readonly misdeed: Misdeed
  /** A message that fills the buffers of the kernel. */
  readonly isLarge?: true
}

const inClear = (name: string, reason: RegExp, misdeed: Misdeed): Scenario => ({
  name,
  level: 'none',
  reason,
  misdeed,
})

const steps: readonly Step[] = ['EHLO', 'MAIL', 'RCPT', 'DATA', 'content', 'final dot']
const nobodyKnows = /^smtp\.closed-after-dot$/

const clearScenarios: readonly Scenario[] = [
  inClear('never greets', /^smtp\.timeout$/, () => undefined),
  inClear('closes at once', /^smtp\.closed$/, peer => peer.end()),
  inClear('resets at once', /^(smtp\.closed|net\.reset)$/, peer => peer.reset()),
  ...steps.flatMap(step => [
    inClear(
      `never answers ${step}`,
      step === 'final dot' || step === 'content' ? nobodyKnows : /^smtp\.timeout$/,
      peer => upTo(peer, step),
    ),
    inClear(
      `closes after ${step}`,
      step === 'final dot' || step === 'content' ? nobodyKnows : /^smtp\.closed$/,
      peer => upTo(peer, step).then(() => peer.end()),
    ),
    inClear(
      `resets after ${step}`,
      step === 'final dot' || step === 'content' ? nobodyKnows : /^smtp\.closed$/,
      peer => upTo(peer, step).then(() => peer.reset()),
    ),
    inClear(
      `says 421 to ${step}`,
      step === 'EHLO' ? /^smtp\.hello-refused-for-now$/ : /^smtp\.shutting-down$/,
      peer => upTo(peer, step).then(() => peer.send('421 going down\r\n')),
    ),
  ]),
  {
    ...inClear('takes no content', /^smtp\.timeout$/, async peer => {
      await upTo(peer, 'DATA')
      peer.stall()
      peer.send('354 go ahead\r\n')
    }),
    isLarge: true,
  },
  inClear('greets with 421', /^smtp\.greeting-refused-for-now$/, peer => peer.send('421 too busy\r\n')),
  inClear('greets in endless lines', /^smtp\.reply-too-long$/, peer => floodTo(peer, '220-and so on\r\n')),
  inClear('greets in one endless line', /^smtp\.reply-too-long$/, peer => floodTo(peer, '220-and so on ')),
  inClear('greets in octets that are nothing', /^smtp\.reply-(malformed|too-long)$/, peer =>
    floodTo(peer, '\0\xff'),
  ),
  inClear('greets line by line, slowly', /^smtp\.timeout$/, peer => dripTo(peer, '220-patience\r\n')),
  inClear('greets octet by octet', /^smtp\.timeout$/, async peer => {
    peer.send('220 ')
    await dripTo(peer, 'x')
  }),
  inClear('answers EHLO line by line, slowly', /^smtp\.timeout$/, async peer => {
    await upTo(peer, 'EHLO')
    await dripTo(peer, '250-X-PATIENCE\r\n')
  }),
  inClear('answers the final dot line by line, slowly', nobodyKnows, async peer => {
    await upTo(peer, 'final dot')
    await dripTo(peer, '250-patience\r\n')
  }),
  inClear('offers endless extensions', /^smtp\.reply-too-long$/, async peer => {
    await upTo(peer, 'EHLO')
    await floodTo(peer, '250-X-ENDLESS\r\n')
  }),
  inClear('answers RCPT with 10 MB and no line end', /^smtp\.reply-too-long$/, async peer => {
    await upTo(peer, 'RCPT')
    peer.send(`250 ${'x'.repeat(10 * 1024 * 1024)}`)
  }),
  inClear('answers before it is asked, in the greeting', /^smtp\.reply-unexpected$/, peer =>
    peer.send(`220 hello\r\n250 besetting.example\r\n${allTaken}`),
  ),
  inClear('answers before it is asked, behind EHLO', /^smtp\.reply-unexpected$/, async peer => {
    await upTo(peer, 'EHLO')
    peer.send(`250 besetting.example\r\n${allTaken}`)
  }),
  inClear('answers the final dot before the content', /^smtp\.reply-unexpected$/, async peer => {
    await upTo(peer, 'DATA')
    peer.send('354 go ahead\r\n250 taken, whatever it is\r\n')
  }),
  inClear('answers DATA with 250', /^smtp\.reply-unexpected$/, async peer => {
    await upTo(peer, 'DATA')
    peer.send('250 taken\r\n')
  }),
  inClear('answers MAIL with 354', /^smtp\.reply-unexpected$/, async peer => {
    await upTo(peer, 'MAIL')
    peer.send('354 go ahead\r\n')
  }),
  inClear('answers the final dot with 354', nobodyKnows, async peer => {
    await upTo(peer, 'final dot')
    peer.send('354 go on\r\n')
  }),
  ...(
    [
      ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
      ['ends lines in LF', '220 hello\n'],
      ['ends lines in CR', '220 hello\r220 hello\r'],
      ['has a code that is none', '999 hello\r\n'],
      ['changes its code', '220-hello\r\n554 no\r\n'],
      ['speaks TLS at once', '\x16\x03\x03\x00\x05hello\r\n'],
    ] as const
  ).map(([name, text]) =>
    inClear(name, /^smtp\.reply-malformed$/, peer => peer.send(Buffer.from(text, 'latin1'))),
  ),
]

const allTaken = '250 ok\r\n250 ok\r\n354 go ahead\r\n250 taken\r\n'

/** What may happen to STARTTLS, under every level that asks for it. */
const tlsMisdeeds: readonly (readonly [name: string, reason: RegExp, misdeed: Misdeed])[] = [
  [
    'does not offer STARTTLS',
    /^starttls\.not-offered$/,
    async peer => {
      await upTo(peer, 'MAIL')
      peer.send(allTaken)
    },
  ],
  [
    'refuses STARTTLS',
    /^starttls\.refused$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('454 not now\r\n')
    },
  ],
  ['closes after STARTTLS', /^smtp\.closed$/, peer => upTo(peer, 'STARTTLS').then(() => peer.end())],
  ['never answers STARTTLS', /^smtp\.timeout$/, peer => upTo(peer, 'STARTTLS')],
  [
    'says more behind the 220, in the same packet',
    /^starttls\.bytes-after-220$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send(`220 go ahead\r\n250 besetting.example\r\n${allTaken}`)
    },
  ],
  [
    'says more behind the 220, when the ClientHello has come',
    /^tls\.not-tls$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
      await peer.bytes()
      peer.send(`250 besetting.example\r\n${allTaken}`)
    },
  ],
  [
    'never ends the handshake',
    /^tls\.timeout$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
    },
  ],
  [
    'sends its flight octet by octet',
    /^tls\.timeout$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
      await peer.bytes()
      peer.send(Buffer.from('1603030080020000', 'hex'))
      await dripTo(peer, '\x01')
    },
  ],
  [
    'sends an endless flight',
    /^tls\./,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
      await peer.bytes()
      peer.send(Buffer.from('160303400002ffffff0303', 'hex'))
      await floodTo(peer, '\x16\x03\x03\x00\x01\x01')
    },
  ],
  [
    'closes in the handshake',
    /^tls\.closed$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
      await peer.bytes()
      peer.end()
    },
  ],
  [
    'resets in the handshake',
    /^tls\.closed$/,
    async peer => {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
      await peer.bytes()
      peer.reset()
    },
  ],
]

let directory: ReturnType<typeof temporaryDirectory>
let here: Besieged
let certificate: Certificate
let other: Certificate
let grown: () => number
const servers = new Map<string, BesettingServer>()

/** Misdeeds that need certificates. */
const insideScenarios: readonly Scenario[] = [
  {
    name: 'shows a certificate for another name',
    level: 'verify',
    reason: /^x509\.name-mismatch$/,
    async misdeed(peer) {
      await upTo(peer, 'STARTTLS')
      peer.send('220 go ahead\r\n')
      await peer.startTls(other)
      peer.send(`250 besetting.example\r\n${allTaken}`)
    },
  },
  ...(['opportunistic', 'encrypt', 'verify'] as const).map(
    (level): Scenario => ({
      name: `answers inside TLS before it is asked, under ${level}`,
      level,
      reason: /^smtp\.reply-unexpected$/,
      async misdeed(peer) {
        await upTo(peer, 'STARTTLS')
        peer.send('220 go ahead\r\n')
        await peer.startTls(certificate)
        peer.send(`250 besetting.example\r\n${allTaken}`)
      },
    }),
  ),
]

const scenarios: readonly Scenario[] = [
  ...clearScenarios,
  ...(['encrypt', 'verify'] as const).flatMap(level =>
    tlsMisdeeds.map(
      ([name, reason, misdeed]): Scenario => ({ name: `${name}, under ${level}`, level, reason, misdeed }),
    ),
  ),
  // What an opportunistic route does without TLS goes on in clear, as it must; these do not.
  ...tlsMisdeeds.slice(2).map(
    ([name, reason, misdeed]): Scenario => ({
      name: `${name}, under opportunistic`,
      level: 'opportunistic',
      reason,
      misdeed,
    }),
  ),
  ...insideScenarios,
]
const domainOf = (scenario: Scenario) => `s${scenarios.indexOf(scenario)}.attack.example`
const small = corpus[1]?.content ?? Buffer.alloc(0)
const large = Buffer.concat([small, Buffer.from(`${'large '.repeat(160)}\r\n`.repeat(16_000))])

beforeAll(async () => {
  directory = temporaryDirectory('servers-ca')
  const authority = await testAuthority(join(directory.path, 'ca'))
  const read = ({ chain, key }: Certificate) => ({
    chain: readFileSync(chain, 'latin1'),
    key: readFileSync(key, 'latin1'),
  })
  certificate = read(await authority.leaf('besetting.example', ['besetting.example', '127.0.0.1']))
  other = read(await authority.leaf('other.example', ['other.example']))
  for (const scenario of scenarios)
    servers.set(domainOf(scenario), await besettingServer(scenario.misdeed, certificate))
  here = await besiege({
    name: 'servers',
    yaml: [
      'timeouts: { connect: 2s, handshake: 2s, greeting: 2s, command: 2s, mail: 2s, rcpt: 2s, data: 2s, content: 2s, final_dot: 2s, quit: 500ms }',
    ],
    routes: scenarios.flatMap(scenario => [
      `  - name: ${domainOf(scenario)}`,
      `    when: { recipient: ${domainOf(scenario)} }`,
      `    to: { host: 127.0.0.1, port: ${servers.get(domainOf(scenario))?.port ?? 0}${scenario.level === 'verify' ? `, roots: ${authority.roots}` : ''} }`,
      `    tls: ${scenario.level}`,
    ]),
  })
  grown = watchMemory(here.relay.pid)
})
afterAll(async () => {
  await here.stop()
  for (const server of servers.values()) await server.close()
  directory.remove()
})

describe.concurrent('a server that', () => {
  test.for(scenarios.map(scenario => [scenario.name, scenario] as const))(
    '%s',
    async ([, scenario], { expect }) => {
      const domain = domainOf(scenario)
      const server = servers.get(domain)
      if (server === undefined) throw new Error(`no server for ${domain}`)
      const content = scenario.isLarge === true ? large : small
      await submit(here.relay.port, content, { to: [`victim@${domain}`] })

      const deferred = () =>
        new RegExp(`== victim@${domain} .*? ([a-z0-9]+\\.[a-z0-9-]+): `).exec(here.relay.log())
      await until(() => deferred() !== null, 'the message is deferred')
      expect(deferred()?.[1]).toMatch(scenario.reason)
      expect(here.relay.log()).not.toContain(`=> victim@${domain}`)
      if (scenario.level === 'encrypt' || scenario.level === 'verify')
        expect(server.linesBefore().filter(line => !/^(EHLO|HELO|STARTTLS|QUIT)/.test(line))).toEqual([])

      server.cure()
      await until(() => server.taken.length > 0, 'the message arrives')
      const [taken] = server.taken
      expect(withoutTrace(Buffer.from(taken?.content ?? '', 'latin1')).equals(content)).toBe(true)
      if (scenario.level === 'encrypt' || scenario.level === 'verify') expect(taken?.isEncrypted).toBe(true)
      await until(() => here.relay.log().includes(`=> victim@${domain}`), 'the log tells so')
      expect(server.taken).toHaveLength(1)
    },
  )

  test('that is honest is served meanwhile', async () => {
    for (let n = 0; n < 20; n++) await honestMessageArrives(here.relay, here.sink)
  })
})

test('all of them together took no more memory than they may', () => {
  expect(grown(), 'growth of the memory in octets').toBeLessThan(allowedGrowthBytes)
})
