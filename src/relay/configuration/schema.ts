/**
 * The shape of the configuration file: every option with its description, default and an example. The JSON Schema of
 * `hermetic config schema`, the checks of the loader and docs/configuration.md all come from here or are tested against it.
 *
 * An `error` text in this file says what was *expected*: the loader adds where, what was found, and the example. What needs other
 * files or other options (lists, pattern files, keys) is checked by settings-from.ts.
 */
import { isIP } from 'node:net'
import * as z from 'zod'
import {
  domainNameWords,
  durationPattern,
  durationWords,
  mailPatternWords,
  networkWords,
  type Parsed,
  parseDomainName,
  parseDuration,
  parseHostName,
  parseMailAddress,
  parseNamePattern,
  parseNetwork,
  parseNextHost,
  parseServer,
  parseSize,
  sizePattern,
  sizeWords,
} from './values.ts'

const defaultRetrySchedule = ['5m', '10m', '20m', '40m', '1h', '2h', '4h']

/** Text read by one of the readers of values.ts. */
function text<T>(parse: (text: string) => Parsed<T>, expected: string, pattern?: RegExp) {
  const plain = z.string({ error: expected })
  return (pattern === undefined ? plain : plain.regex(pattern, expected)).transform((value, context): T => {
    const parsed = parse(value)
    if ('value' in parsed) return parsed.value
    context.issues.push({ code: 'custom', message: parsed.expected, input: value })
    return z.NEVER
  })
}

const durationText = text(parseDuration, durationWords, durationPattern)
const sizeText = text(parseSize, sizeWords, sizePattern)

function duration(preset: string, description: string) {
  return durationText.prefault(preset).meta({ description, examples: [preset] })
}

function size(preset: string, description: string) {
  return sizeText.prefault(preset).meta({ description, examples: [preset] })
}

function whole(preset: number, least: number, most: number, description: string) {
  const expected = `a whole number from ${least} to ${most}`
  return z
    .int({ error: expected })
    .min(least, expected)
    .max(most, expected)
    .default(preset)
    .meta({ description, examples: [preset] })
}

function path(description: string, example: string) {
  return z
    .string({ error: 'the path of a file' })
    .min(1, 'the path of a file')
    .meta({ description, examples: [example] })
}

/** A map of options: unknown ones are refused by name. */
function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, { error: `a map with: ${Object.keys(shape).join(', ')}` })
}

const level = ['none', 'opportunistic', 'dane', 'encrypt', 'verify', 'dane-only'] as const

/** One pattern, `@list`, or a file of patterns; or several of them. */
function patterns(what: string, example: string, description: string) {
  const one = z.union(
    [
      z.string({ error: what }).min(1, what),
      section({ file: path('A file with one pattern a line; `#` begins a comment.', 'patterns.txt') }),
    ],
    { error: `${what}, @name of a list, or {file: path}` },
  )
  return z
    .union([one, z.array(one, { error: what }).min(1, `at least one of: ${what}`)], {
      error: `${what}, @name of a list, {file: path}, or a list of these`,
    })
    .meta({ description, examples: [example] })
}

const hostText = text(parseNextHost, 'a host: a name or an address, and :port where it has its own')
const port = z.int({ error: 'a port: 1 to 65535' }).min(1, 'a port: 1 to 65535').max(65_535, 'a port: 1 to 65535')

const route = section({
  name: z
    .string({ error: 'a name of up to 60 letters, digits, dots, hyphens or blanks' })
    .regex(/^[\w][\w .-]{0,59}$/, 'a name of up to 60 letters, digits, dots, hyphens or blanks')
    .optional()
    .meta({
      description:
        'Name of the route in logs and in `hermetic route`. Without one: `route 1`, `route 2` by place.',
      examples: ['old servers'],
    }),
  when: section({
    recipient: patterns(mailPatternWords, 'example.org', "The recipient's address or domain.").optional(),
    sender: patterns(
      `${mailPatternWords}, or <> for bounces`,
      '.example.org',
      "The sender's address or domain; `<>` is the null sender of bounces.",
    ).optional(),
    source: patterns(
      networkWords,
      '10.0.0.0/8',
      "The client's address: single addresses or networks. Mail of this machine's `sendmail` has none and never matches.",
    ).optional(),
    mx: patterns(
      'a host name (mx.example.org), *.example.org or .example.org',
      '*.example.com',
      "Any MX host of the recipient's domain, by the name that its DNS publishes.",
    ).optional(),
  })
    .default({})
    .meta({
      description: 'Conditions. All that are given must hold; with none the route takes everything.',
      examples: [{ recipient: 'example.org' }],
    }),
  to: z
    .union(
      [
        z.literal('mx', { error: 'mx' }),
        section({
          host: z
            .union([hostText, z.array(hostText, { error: 'a list of hosts' }).min(1, 'at least one host')], {
              error: 'a host or a list of hosts',
            })
            .meta({
              description:
                'Where to connect: a name, `name:port`, an address, or several that are tried in this order. The name written here is the one whose certificate is asked for, whatever alias lies behind it.',
              examples: ['mail.example.net'],
            }),
          port: port.optional().meta({
            description: 'Port of the hosts that do not say their own. 25, and 465 with `implicit_tls`.',
            examples: [587],
          }),
          implicit_tls: z
            .boolean({ error: 'true or false' })
            .default(false)
            .meta({ description: 'TLS from the first byte instead of STARTTLS.', examples: [true] }),
          ipv4_only: z
            .boolean({ error: 'true or false' })
            .default(false)
            .meta({ description: 'Never connect to an IPv6 address of these hosts.', examples: [true] }),
          roots: path(
            'A PEM file with the only roots to trust for these hosts. Without it: those of the runtime (Mozilla).',
            'roots.pem',
          ).optional(),
        }),
        section({
          reject: z
            .string({ error: 'the text of the refusal, in ASCII' })
            .regex(/^[\x20-\x7e]{1,400}$/, 'the text of the refusal: one line of up to 400 ASCII characters')
            .meta({ description: 'Refuse the mail, with this text.', examples: ['This address is closed'] }),
          code: z
            .int({ error: 'a reply code: 450 to 459 or 550 to 559' })
            .refine(code => [45, 55].includes(Math.trunc(code / 10)), 'a reply code: 450 to 459 or 550 to 559')
            .default(550)
            .meta({
              description: 'Reply code. A 4xx code lets the sender try again, a 5xx code is final.',
              examples: [550],
            }),
        }),
      ],
      { error: 'mx, a map with host, or a map with reject' },
    )
    .meta({
      description:
        "Where matching mail goes: `mx` (the hosts of the recipient's domain), `{host: …}` or `{reject: …}`.",
      examples: [{ host: 'mail.example.net' }],
    }),
  tls: z
    .enum(level, { error: `one of ${level.join(', ')}` })
    .optional()
    .meta({
      description:
        'What is asked of TLS: `none` (never), `opportunistic` (when offered, with any certificate), `dane` (what TLSA records prove; as `opportunistic` where there are none), `encrypt` (always, with any certificate), `verify` (always, and the certificate must prove the host name), `dane-only` (always, and TLSA records must prove the host). Less than asked means that the mail waits. Default: `dane` to `mx`, `opportunistic` to hosts.',
      examples: ['verify'],
    }),
})

export const configurationSchema = z.strictObject(
  {
    hostname: text(parseHostName, 'a fully qualified host name')
      .optional()
      .meta({
        description:
          "The relay's own name, in its greeting, EHLO, `Received:` fields and bounces. Default: the machine's host name.",
        examples: ['mail.example.org'],
      }),
    state: z
      .string({ error: 'an absolute path' })
      .regex(/^\//, 'an absolute path')
      .optional()
      .meta({
        description:
          'Directory of everything that is kept: spool, journal, what was learned, maildrop, control socket, self-made keys. Default: /var/lib/hermetic for root and with the file /etc/hermetic/hermetic.yaml, else $XDG_STATE_HOME/hermetic, else ~/.local/state/hermetic.',
        examples: ['/var/lib/hermetic'],
      }),
    listen: z
      .array(
        section({
          address: z
            .string({ error: 'an address of this machine' })
            .refine(address => isIP(address) !== 0, 'an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::')
            .meta({
              description:
                'Address to listen on. `0.0.0.0` is every IPv4 address, `::` every IPv6 address: name both for both.',
              examples: ['0.0.0.0'],
            }),
          port: z
            .int({ error: 'a port: 0 to 65535' })
            .min(0, 'a port: 0 to 65535')
            .max(65_535, 'a port: 0 to 65535')
            .default(25)
            .meta({ description: 'Port to listen on; 0 takes any free one.', examples: [25] }),
          tls: z
            .enum(['none', 'starttls', 'implicit'], { error: 'one of none, starttls, implicit' })
            .default('starttls')
            .meta({
              description:
                '`starttls` offers it, `implicit` speaks TLS from the first byte (port 465), `none` has no TLS.',
              examples: ['implicit'],
            }),
        }),
        { error: 'a list of addresses and ports' },
      )
      .min(1, 'at least one address and port')
      .default([{ address: '127.0.0.1', port: 2525, tls: 'starttls' }])
      .meta({
        description: 'Where the relay listens. Cannot be changed by a reload.',
        examples: [[{ address: '0.0.0.0', port: 25 }]],
      }),
    tls: section({
      certificates: z
        .array(
          section({
            chain: path('PEM file: the certificate, then its intermediates.', 'mail.example.org.pem'),
            key: path('PEM file: the private key of the first certificate in `chain`.', 'mail.example.org.key'),
          }),
          { error: 'a list of certificates' },
        )
        .default([])
        .meta({
          description:
            'Certificates of the relay. With several the one that carries the name asked for by SNI is sent, else the first. With none, one is made on first start and kept under `state`.',
          examples: [[{ chain: 'mail.example.org.pem', key: 'mail.example.org.key' }]],
        }),
    })
      .prefault({})
      .meta({ description: "The relay's own side of TLS." }),
    relay: section({
      from: z
        .array(text(parseNetwork, networkWords), { error: 'a list of addresses and networks' })
        .default(['127.0.0.0/8', '::1'])
        .meta({
          description:
            'Clients that may send to any recipient. Everybody else only to `to`. Not the whole Internet: an open relay is refused.',
          examples: [['127.0.0.0/8', '::1', '192.0.2.0/24']],
        }),
      to: z
        .array(text(parseNamePattern, 'a domain (example.org), *.example.org or .example.org'), {
          error: 'a list of domains',
        })
        .default([])
        .meta({
          description: 'Recipient domains that mail is taken for from anybody.',
          examples: [['example.org', '*.example.org']],
        }),
    })
      .prefault({})
      .meta({ description: 'Who may send where.' }),
    postmaster: text(parseMailAddress, 'a mail address: user@example.org')
      .optional()
      .meta({
        description:
          "Where mail for `postmaster` goes (at no domain or at the relay's own name). Always accepted, as RFC 5321 §4.5.1 asks. Default: `postmaster` at `hostname`, by the routes.",
        examples: ['admin@example.org'],
      }),
    lists: z
      .record(
        z.string().regex(/^[A-Za-z0-9_-]{1,60}$/, 'a name of letters, digits, hyphens and underscores'),
        z
          .union(
            [
              z.array(z.string({ error: 'a pattern' }).min(1, 'a pattern'), { error: 'a list of patterns' }),
              section({ file: path('A file with one pattern a line; `#` begins a comment.', 'smallkey.txt') }),
            ],
            { error: 'a list of patterns, or {file: path}' },
          )
          .meta({
            description: 'A list of patterns, or the file that holds them.',
            examples: [['oldserver.example.com']],
          }),
        { error: 'a map of names to lists' },
      )
      .default({})
      .meta({
        description: 'Lists that conditions name as `@name`.',
        examples: [{ smallkey: ['oldserver.example.com', 'mx2.example.org'] }],
      }),
    routes: z
      .array(route, { error: 'a list of routes' })
      .default([])
      .meta({
        description:
          'Where mail goes: the first route whose conditions hold wins. Mail that no route takes goes to `mx`, at level `dane`.',
        examples: [[{ when: { recipient: 'example.org' }, to: { host: 'store.example.org' } }, { to: 'mx' }]],
      }),
    dns: section({
      servers: z
        .array(text(parseServer, 'an address, or address:port'), { error: 'a list of addresses' })
        .default([])
        .meta({
          description:
            'Recursive servers to ask, in this order: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:53`, or over TLS, with the name that its certificate must prove, `tls://192.0.2.53#dns.example` (port 853 unless given). Default: those of /etc/resolv.conf.',
          examples: [['127.0.0.1'], ['tls://192.0.2.53#dns.example']],
        }),
      tls_roots: path(
        "PEM file of the only roots that vouch for the certificates of servers over TLS. Default: Mozilla's roots.",
        '/etc/ssl/own-resolver.pem',
      ).optional(),
      hosts_file: z
        .union([z.literal(false), z.string().min(1)], { error: 'the path of a file, or false' })
        .default('/etc/hosts')
        .meta({
          description:
            'Names in this file win over the DNS for hosts that the operator wrote; `false` reads none.',
          examples: ['/etc/hosts'],
        }),
      timeout: duration('10s', 'Time for one question in all, retries and other servers included.'),
      trust: z
        .enum(['validate', 'ad', 'none'], { error: 'one of validate, ad, none' })
        .default('validate')
        .meta({
          description:
            'Who says that an answer is secure, which DANE needs: `validate` (this relay checks the signatures itself, and believes no server), `ad` (the AD bit of a server that validates, on this machine or over TLS), `none` (nobody, and there is no DANE).',
          examples: ['validate'],
        }),
      ad_from_anywhere: z
        .boolean({ error: 'true or false' })
        .default(false)
        .meta({
          description:
            'With `trust: ad`, believe the AD bit of servers on other machines that are asked in clear text, too. Whoever is on the way can set it.',
          examples: [true],
        }),
      require: z
        .boolean({ error: 'true or false' })
        .default(false)
        .meta({
          description:
            'While the servers give no answers that can be told secure from insecure, mail whose next hop must be looked up waits, instead of going on without DANE.',
          examples: [true],
        }),
      insecure: z
        .array(text(parseDomainName, domainNameWords), { error: 'a list of domain names' })
        .default([])
        .meta({
          description:
            'Names at and below which no signature is asked for (negative trust anchors, RFC 7646), besides those that are private everywhere, such as `.local`.',
          examples: [['example.org']],
        }),
      anchors: path(
        'File with the trust anchors to begin from, DS or DNSKEY records: as in a zone file, as unbound keeps them, or as `trust-anchors` of BIND. Default: the keys of the public root.',
        '/etc/hermetic/root.key',
      ).optional(),
      allow_addresses: z
        .array(text(parseNetwork, networkWords), { error: 'a list of addresses and networks' })
        .default([])
        .meta({
          description:
            "Addresses that a stranger's MX may point to although they are loopback, private or link-local.",
          examples: [['10.1.0.0/16']],
        }),
    })
      .prefault({})
      .meta({ description: 'How names are looked up.' }),
    limits: section({
      message: size('50MB', 'Largest message, announced as SIZE.'),
      recipients: whole(
        1_000,
        100,
        50_000,
        'Recipients of one message. RFC 5321 §4.5.3.1.8 asks for at least 100.',
      ),
      command_line: size(
        '2KB',
        'Longest command line. RFC 5321 §4.5.3.1.4 asks for 512 bytes, extensions for more.',
      ),
      text_line: size('1000B', 'Longest line of a message with its CRLF (RFC 5321 §4.5.3.1.6).'),
      errors: whole(20, 1, 1_000, 'Refused commands until the connection is closed.'),
      received_fields: whole(
        100,
        10,
        1_000,
        '`Received:` fields until a message counts as looping (RFC 5321 §6.3).',
      ),
      connections: whole(2_000, 1, 100_000, 'Clients served at a time; the next is told 421.'),
      connections_per_address: whole(250, 1, 100_000, 'Clients served at a time from one address.'),
      idle: duration(
        '5m',
        'A client that completes no command, or sends nothing of a message, for this long is told 421 (RFC 5321 §4.5.3.2.7).',
      ),
      content_per_second: size('100B', 'Slowest arrival of a message, after a grace of `idle`.'),
      session: duration('4h', 'A connection ends after this time, whatever it does.'),
      greeting_delay: duration(
        '500ms',
        'A client outside `relay.from` is greeted after this time; who speaks before it is refused (RFC 5321 §4.3.1). `0ms` greets at once.',
      ),
      handshake: duration('30s', 'Time for a TLS handshake with a client.'),
      deliveries: whole(200, 1, 10_000, 'Outgoing connections at a time.'),
      deliveries_per_next_hop: whole(20, 1, 1_000, 'Outgoing connections at a time to one next hop.'),
      active_messages: whole(
        2_000,
        1,
        100_000,
        'Messages being delivered at a time; the others wait in the spool.',
      ),
      active_memory: size('64MB', 'Message content held in memory for deliveries.'),
      min_free: size('100MB', 'With less free disk space than this, mail is answered 452.'),
    })
      .prefault({})
      .meta({ description: 'Bounds.' }),
    timeouts: section({
      connect: duration('30s', 'Making a TCP connection.'),
      handshake: duration('60s', 'A TLS handshake, from its first octet to its last.'),
      greeting: duration('5m', 'Waiting for the 220 greeting (RFC 5321 §4.5.3.2.1).'),
      command: duration('5m', 'Waiting for the answer to EHLO, STARTTLS and RSET.'),
      mail: duration('5m', 'Waiting for the answer to MAIL (RFC 5321 §4.5.3.2.2).'),
      rcpt: duration('5m', 'Waiting for the answer to RCPT (RFC 5321 §4.5.3.2.3).'),
      data: duration('2m', 'Waiting for the 354 (RFC 5321 §4.5.3.2.4).'),
      content: duration('3m', 'While sending content: the peer takes nothing (RFC 5321 §4.5.3.2.5).'),
      final_dot: duration(
        '10m',
        'Waiting for the answer to the final dot (RFC 5321 §4.5.3.2.6). Giving up sooner makes duplicates.',
      ),
      quit: duration('5s', 'Waiting for the answer to QUIT.'),
    })
      .prefault({})
      .meta({ description: 'How long the relay waits for a server, phase by phase.' }),
    retry: section({
      schedule: z
        .array(durationText, { error: 'a list of durations' })
        .min(1, 'at least one duration')
        .prefault(defaultRetrySchedule)
        .meta({
          description: 'Waiting time after the first, second … attempt that failed for now; the last one repeats.',
          examples: [['5m', '30m', '2h']],
        }),
      expire: duration(
        '5d',
        'Mail undelivered for this long goes back to its sender (RFC 5321 §4.5.4.1: 4 to 5 days).',
      ),
      expire_bounces: duration('2d', 'A bounce undelivered for this long is dropped.'),
    })
      .prefault({})
      .meta({ description: 'When deferred mail is tried again, and for how long.' }),
    log: section({
      format: z
        .enum(['human', 'json'], { error: 'human or json' })
        .default('human')
        .meta({ description: 'Lines for people, or one JSON object a line.', examples: ['json'] }),
      file: path('File to append to. Default: standard output of `serve`.', '/var/log/hermetic.log').optional(),
    })
      .prefault({})
      .meta({ description: 'The log.' }),
  },
  { error: 'a map of options' },
)

export type Configuration = z.output<typeof configurationSchema>

/** The JSON Schema of the file as an operator writes it (before defaults and units are worked out). */
export function configurationJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configurationSchema, { io: 'input' })
  return { title: 'Configuration of Hermetic', ...schema }
}
