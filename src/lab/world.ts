/**
 * The world of the lab as data: its zones, the hosts that stand at their addresses, and the certificates those show.
 *
 * Names are from RFC 2606 and RFC 6762's neighbourhood, addresses from RFC 5737 and RFC 3849, so nothing here can be anybody's. Where an address really
 * leads (a loopback port) is decided when the lab starts.
 */
import { type HostKnobs, ordinaryHost } from './host.ts'
import { type Zone, zone } from './zones.ts'

export interface WorldHost {
  /** What stands in the transcript and in scenarios; also what it calls itself. */
  readonly name: string
  /** Documentation addresses it is reached at, port 25. */
  readonly addresses: readonly string[]
  /** `down`: nothing listens there, a connection is refused. */
  readonly state: 'up' | 'down'
  /** `lab`: issued by the lab's CA; `stranger`: by a CA that nobody was told of. Null: it has none. */
  readonly certificate: { readonly names: readonly string[]; readonly by: 'lab' | 'stranger' } | null
  readonly knobs: Omit<HostKnobs, 'name'>
}

const host = (
  name: string,
  addresses: readonly string[],
  odd: Partial<Omit<WorldHost, 'name' | 'addresses' | 'knobs'>> & { readonly knobs?: Partial<HostKnobs> } = {},
): WorldHost => ({
  name,
  addresses,
  state: odd.state ?? 'up',
  certificate: odd.certificate === undefined ? { names: [name], by: 'lab' } : odd.certificate,
  knobs: { ...ordinaryHost, ...odd.knobs },
})

/** What a man in the middle puts behind the `220`: an answer to the EHLO that the client will send inside TLS, and one to MAIL. */
const forgedReplies = '250-mx.example\r\n250 AUTH PLAIN\r\n250 2.1.0 Sender fine\r\n'

export const hosts: readonly WorldHost[] = [
  // Case 3: behind the alias mail.dev.example. The certificate fits the alias, not its target.
  host('mail.example.local', ['192.0.2.6'], { certificate: { names: ['*.dev.example'], by: 'lab' } }),
  host('smarthost.example', ['192.0.2.25', '2001:db8:25::25']),
  host('relay.wrong.example', ['192.0.2.31'], { certificate: { names: ['other.example'], by: 'lab' } }),
  host('relay.untrusted.example', ['192.0.2.32'], {
    certificate: { names: ['relay.untrusted.example'], by: 'stranger' },
  }),
  host('mx.opportunistic.example', ['198.51.100.10', '2001:db8:10::25'], {
    certificate: { names: ['localhost.localdomain'], by: 'stranger' },
  }),
  host('mx.clear.example', ['198.51.100.20'], { certificate: null, knobs: { startTls: 'absent' } }),
  host('mx1.down.example', ['198.51.100.31'], { state: 'down', certificate: null }),
  host('mx2.down.example', ['198.51.100.32']),
  host('mx.seven.example', ['198.51.100.40'], { knobs: { eightBitMime: false, smtputf8: false } }),
  host('mx1.injected.example', ['203.0.113.11'], { knobs: { injectAfter220: forgedReplies } }),
  host('mx2.injected.example', ['203.0.113.12']),
  host('mx.middle.example', ['203.0.113.13'], { knobs: { injectAfter220: forgedReplies } }),
  // Where mail returned to senders ends.
  host('mx.sender.example', ['203.0.113.5']),
]

export const zones: readonly Zone[] = [
  zone('dev.example', ['mail.dev.example CNAME mail.example.local']),
  zone('example.local', ['mail.example.local A 192.0.2.6']),
  zone('smarthost.example', ['smarthost.example A 192.0.2.25', 'smarthost.example AAAA 2001:db8:25::25']),
  zone('wrong.example', ['relay.wrong.example A 192.0.2.31']),
  zone('untrusted.example', ['relay.untrusted.example A 192.0.2.32']),
  zone('opportunistic.example', [
    'opportunistic.example MX 10 mx.opportunistic.example',
    'mx.opportunistic.example A 198.51.100.10',
    'mx.opportunistic.example AAAA 2001:db8:10::25',
  ]),
  zone('clear.example', ['clear.example MX 10 mx.clear.example', 'mx.clear.example A 198.51.100.20']),
  zone('down.example', [
    'down.example MX 10 mx1.down.example',
    'down.example MX 20 mx2.down.example',
    'mx1.down.example A 198.51.100.31',
    'mx2.down.example A 198.51.100.32',
  ]),
  zone('nomail.example', ['nomail.example MX 0 .', 'nomail.example A 198.51.100.50']),
  zone('seven.example', ['seven.example MX 10 mx.seven.example', 'mx.seven.example A 198.51.100.40']),
  zone('injected.example', [
    'injected.example MX 10 mx1.injected.example',
    'injected.example MX 20 mx2.injected.example',
    'mx1.injected.example A 203.0.113.11',
    'mx2.injected.example A 203.0.113.12',
  ]),
  zone('middle.example', ['middle.example MX 10 mx.middle.example', 'mx.middle.example A 203.0.113.13']),
  zone('sender.example', ['sender.example MX 10 mx.sender.example', 'mx.sender.example A 203.0.113.5']),
]

/**
 * Documentation networks, where no real mail host can be: a relay refuses such an MX unless its operator says otherwise, as the lab's does. Private and loopback
 * addresses stay refused.
 */
export const documentationNetworks: readonly string[] = [
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
]

/** Next hops that the lab's operator configured: by recipient domain, each with level `verify` and the lab's CA as its only root. */
export const configuredHops: readonly { readonly domain: string; readonly host: string }[] = [
  { domain: 'dev.example', host: 'mail.dev.example' },
  { domain: 'office.example', host: 'smarthost.example' },
  { domain: 'wrong.example', host: 'relay.wrong.example' },
  { domain: 'untrusted.example', host: 'relay.untrusted.example' },
]
