import { describe, expect, test } from 'vitest'
import { createAuthority } from '../../system/certificate-maker.ts'
import { defaultSettings, loadConfiguration, parseConfiguration, reloadConfiguration } from './configuration.ts'
import { exampleConfiguration } from './example.ts'
import { problemText } from './problem.ts'
import type { Surroundings } from './surroundings.ts'

/** A machine that has just these files. */
function machine(files: Readonly<Record<string, string>> = {}): Surroundings {
  return {
    env: {},
    isRoot: false,
    home: '/home/pat',
    hostname: 'box.example.org',
    directory: '/home/pat',
    exists: path => path in files,
    read(path) {
      const text = files[path]
      if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
      return text
    },
  }
}

function settingsOf(text: string, files = {}) {
  const loaded = parseConfiguration(text, '/etc/h.yaml', machine(files))
  if ('problems' in loaded) throw new Error(loaded.problems.map(problemText).join('\n'))
  return loaded
}

function problemsOf(text: string, files = {}) {
  const loaded = parseConfiguration(text, '/etc/h.yaml', machine(files))
  return 'problems' in loaded ? loaded.problems.map(problemText) : []
}

/** Title, document, and the start of each problem's line. */
const broken: [string, string, string[]][] = [
  [
    'a file that is no text',
    `hostname: a.example\n\0${'x: :\n'.repeat(50)}`,
    ['/etc/h.yaml:1:1: expected well-formed YAML, found NUL bytes: this is no text file'],
  ],
  [
    'a file that is far too large',
    '#'.repeat(1024 * 1024 + 1),
    ['/etc/h.yaml:1:1: expected well-formed YAML, found more than a megabyte'],
  ],
  [
    'an unknown option, with the nearest right one',
    'hostnam: mail.example.org\n',
    [
      '/etc/h.yaml:1:1: hostnam: expected one of hostname, state, listen, tls, relay, postmaster, lists, routes, dns, limits, timeouts, retry, log, found "hostnam"; did you mean hostname?',
    ],
  ],
  [
    'an unknown option in a section',
    'limits:\n  recipients: 200\n  mesage: 10MB\n',
    ['/etc/h.yaml:3:3: limits.mesage: expected one of message, recipients'],
  ],
  [
    'a wrong word, with the nearest right one',
    'routes:\n  - to: mx\n    tls: verfy\n',
    [
      '/etc/h.yaml:3:10: routes[0].tls: expected one of none, opportunistic, dane, encrypt, verify, dane-only, found "verfy"; did you mean verify? (example: tls: verify)',
    ],
  ],
  [
    'a duration without a unit',
    'dns:\n  timeout: 5\n',
    [
      '/etc/h.yaml:2:12: dns.timeout: expected a duration: a whole number and ms, s, m, h or d, found "5" (example: timeout: 10s)',
    ],
  ],
  [
    'a duration in a list',
    'retry: { schedule: [5m, soon] }\n',
    ['/etc/h.yaml:1:25: retry.schedule[1]: expected a duration'],
  ],
  [
    'a duration beyond a year',
    'retry: { expire: 400d }\n',
    ['/etc/h.yaml:1:18: retry.expire: expected a duration: a whole number and ms, s, m, h or d, at most 366d'],
  ],
  [
    'a size with a blank',
    'limits:\n  message: 50 MB\n',
    [
      '/etc/h.yaml:2:12: limits.message: expected a size: a whole number and B, KB, MB or GB, found "50 MB" (example: message: 50MB)',
    ],
  ],
  [
    'a section that is empty',
    'hostname: a.example\nlimits:\n',
    ['/etc/h.yaml:2:8: limits: expected a map with: message, recipients'],
  ],
  [
    'a section that is a list',
    'log:\n  - json\n',
    ['/etc/h.yaml:2:3: log: expected a map with: format, file, found "- json"'],
  ],
  ['a document that is a list', '- 1\n', ['/etc/h.yaml:1:1: expected a map of options, found "- 1"']],
  [
    'two faults at once, in their order',
    'hostname: a b\nlog: { format: xml }\n',
    [
      '/etc/h.yaml:1:11: hostname: expected a fully qualified host name'.replace(
        'a fully qualified host name',
        'a host name',
      ),
      '/etc/h.yaml:2:16: log.format: expected human or json',
    ],
  ],
  [
    'an address as host name',
    'hostname: 192.0.2.1\n',
    [
      '/etc/h.yaml:1:11: hostname: expected a host name: letters, digits and hyphens, with dots between (this is an address), found "192.0.2.1"',
    ],
  ],
  [
    'a state directory that is not absolute',
    'state: var/lib\n',
    ['/etc/h.yaml:1:8: state: expected an absolute path, found "var/lib" (example: state: /var/lib/hermetic)'],
  ],
  [
    'a listener without address',
    'listen:\n  - port: 25\n',
    [
      '/etc/h.yaml:2:5: listen[0].address: expected an address of this machine, found nothing (example: address: 0.0.0.0)',
    ],
  ],
  [
    'a listener at a name',
    'listen: [{ address: localhost }]\n',
    [
      '/etc/h.yaml:1:21: listen[0].address: expected an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::, found "localhost"',
    ],
  ],
  [
    'a port that is none',
    'listen: [{ address: 127.0.0.1, port: 70000 }]\n',
    ['/etc/h.yaml:1:38: listen[0].port: expected a port: 0 to 65535, found "70000"'],
  ],
  [
    'the same listener twice',
    'listen:\n  - { address: 127.0.0.1, port: 25 }\n  - { address: 127.0.0.1, port: 25 }\n',
    ['/etc/h.yaml:3:5: listen[1]: expected an address and port that no listener above has'],
  ],
  [
    'a certificate without its key',
    'tls:\n  certificates:\n    - chain: a.pem\n',
    ['/etc/h.yaml:3:7: tls.certificates[0].key: expected the path of a file, found nothing'],
  ],
  [
    'a network with bits behind its prefix',
    'relay:\n  from:\n    - 10.0.0.1/8\n',
    [
      '/etc/h.yaml:3:7: relay.from[0]: expected an address (192.0.2.1) or a network (192.0.2.0/24, 2001:db8::/32); with this prefix length the network is 10.0.0.0/8, found "10.0.0.1/8"',
    ],
  ],
  [
    'an address with a leading zero',
    'relay: { from: [010.0.0.1] }\n',
    ['/etc/h.yaml:1:17: relay.from[0]: expected an address'],
  ],
  [
    'an open relay',
    "relay: { from: [10.0.0.0/8, '::/0'] }\n",
    [
      '/etc/h.yaml:1:29: relay.from[1]: expected networks of your own, IPv4 from /8 and IPv6 from /16 on: this would',
    ],
  ],
  [
    'an open relay in pieces, and in another spelling',
    "relay: { from: [0.0.0.0/1, 128.0.0.0/1, '2000::/3', '::ffff:0.0.0.0/96', 10.0.0.0/8, '2001::/16', 'fc00::/7', 'fe80::/10', '::1'] }\n",
    [
      '/etc/h.yaml:1:17: relay.from[0]: expected networks of your own',
      '/etc/h.yaml:1:28: relay.from[1]: expected networks of your own',
      '/etc/h.yaml:1:41: relay.from[2]: expected networks of your own',
      '/etc/h.yaml:1:53: relay.from[3]: expected networks of your own',
    ],
  ],
  [
    'a greeting that nobody waits for',
    'limits: { greeting_delay: 2m }\n',
    ['/etc/h.yaml:1:27: limits.greeting_delay: expected a duration of at most 1m'],
  ],
  [
    'an address where a domain belongs',
    'relay: { to: [pat@example.org] }\n',
    ['/etc/h.yaml:1:15: relay.to[0]: expected a name (example.org)'],
  ],
  [
    'a postmaster without domain',
    'postmaster: pat\n',
    ['/etc/h.yaml:1:13: postmaster: expected a mail address: user@example.org, found "pat"'],
  ],
  [
    'a route without a target',
    'routes:\n  - name: x\n',
    ['/etc/h.yaml:2:5: routes[0].to: expected mx, a map with host, or a map with reject, found nothing'],
  ],
  [
    'a target that is another word',
    'routes: [{ to: mxx }]\n',
    [
      '/etc/h.yaml:1:16: routes[0].to: expected mx, a map with host, or a map with reject, found "mxx"; did you mean mx?',
    ],
  ],
  [
    'a slip in a target, told once',
    'routes:\n  - to: { hots: a.example }\n',
    [
      '/etc/h.yaml:2:11: routes[0].to.hots: expected one of host, port, implicit_tls, ipv4_only, roots, reject, code, found "hots"; did you mean host?',
    ],
  ],
  [
    'a wrong part of a target, not the other forms',
    'routes:\n  - to: { host: a.example, port: smtp }\n',
    ['/etc/h.yaml:2:34: routes[0].to.port: expected a port: 1 to 65535, found "smtp"'],
  ],
  [
    'a host with an impossible port',
    'routes: [{ to: { host: [a.example, "b.example:0"] } }]\n',
    ['/etc/h.yaml:1:36: routes[0].to.host[1]: expected a host'],
  ],
  [
    'a refusal with a code that is none',
    'routes: [{ to: { reject: no, code: 250 } }]\n',
    ['/etc/h.yaml:1:36: routes[0].to.code: expected a reply code: 450 to 459 or 550 to 559, found "250"'],
  ],
  [
    'TLS asked of a refusal',
    'routes: [{ to: { reject: no }, tls: verify }]\n',
    ['/etc/h.yaml:1:37: routes[0].tls: expected no tls option on a route that rejects'],
  ],
  [
    'two routes of one name',
    'routes: [{ name: a, to: mx }, { name: a, to: mx }]\n',
    ['/etc/h.yaml:1:39: routes[1].name: expected a name that no route above has'],
  ],
  [
    'a pattern that is none',
    'routes:\n  - when:\n      recipient: [example.org, "user@"]\n    to: mx\n',
    ['/etc/h.yaml:3:32: routes[0].when.recipient[1]: expected an address (user@example.org), a domain'],
  ],
  [
    'the null sender as recipient',
    'routes: [{ when: { recipient: <> }, to: mx }]\n',
    ['/etc/h.yaml:1:31: routes[0].when.recipient: expected an address'],
  ],
  [
    'an unknown list, with the nearest one',
    'lists: { smallkey: [a.example] }\nroutes:\n  - when: { mx: "@smalkey" }\n    to: mx\n',
    [
      '/etc/h.yaml:3:17: routes[0].when.mx: expected one of the lists smallkey, found "@smalkey"; did you mean @smallkey?',
    ],
  ],
  [
    'a bad entry of a list, where the list stands',
    'lists:\n  l:\n    - a.example\n    - b_ c\nroutes: [{ when: { mx: "@l" }, to: mx }]\n',
    ['/etc/h.yaml:4:7: lists.l[1]: expected a name'],
  ],
  [
    'a list with an impossible name',
    'lists: { "a b": [x.example] }\n',
    ['/etc/h.yaml:1:10: lists.a b: expected a name of letters, digits, hyphens and underscores, found "a b"'],
  ],
  [
    'a pattern file that is missing',
    'routes:\n  - when: { recipient: { file: gone.txt } }\n    to: mx\n',
    [
      '/etc/h.yaml:2:32: routes[0].when.recipient.file: expected a readable file of patterns, found /etc/gone.txt: there is no such file',
    ],
  ],
  [
    'a limit below what the RFC asks',
    'limits: { recipients: 10 }\n',
    ['/etc/h.yaml:1:23: limits.recipients: expected a whole number from 100 to 50000, found "10"'],
  ],
  [
    'somebody else whom nobody would trust',
    'dns:\n  trust: validte\n',
    ['/etc/h.yaml:2:10: dns.trust: expected one of validate, ad, none, found "validte"; did you mean validate?'],
  ],
  [
    'a word that is neither yes nor no',
    'dns: { require: maybe, ad_from_anywhere: 1 }\n',
    [
      '/etc/h.yaml:1:42: dns.ad_from_anywhere: expected true or false, found "1"',
      '/etc/h.yaml:1:17: dns.require: expected true or false, found "maybe"',
    ],
  ],
  [
    'names without signatures that are none, among them the root',
    "dns:\n  insecure:\n    - example.org\n    - '*.example.net'\n    - 192.0.2.1\n    - .\n",
    [
      '/etc/h.yaml:4:7: dns.insecure[1]: expected a domain name (example.org), which stands for itself and every name below it, found "*.example.net"',
      '/etc/h.yaml:5:7: dns.insecure[2]: expected a domain name',
      '/etc/h.yaml:6:7: dns.insecure[3]: expected a domain name',
    ],
  ],
  [
    'servers over TLS without a name to prove, or written as other programs have them',
    'dns:\n  servers:\n    - tls://192.0.2.53\n    - tls://dns.example\n    - tls://192.0.2.53#192.0.2.53\n    - 192.0.2.53@853#dns.example\n    - 192.0.2.53#dns.example\n',
    [
      "/etc/h.yaml:3:7: dns.servers[0]: expected tls://, an address, :port unless it is 853, # and the host name that the server's certificate proves (tls://192.0.2.53#dns.example,",
      '/etc/h.yaml:4:7: dns.servers[1]: expected tls://, an address',
      '/etc/h.yaml:5:7: dns.servers[2]: expected tls://, an address',
      '/etc/h.yaml:6:7: dns.servers[3]: expected an address, or address:port (192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53), or over TLS tls://192.0.2.53#dns.example: a name that a certificate must prove stands behind tls:// alone',
      '/etc/h.yaml:7:7: dns.servers[4]: expected an address',
    ],
  ],
  [
    'an AD bit that comes from elsewhere',
    "dns:\n  servers: ['::1', 127.0.0.53, '[::1]:53', '127.0.0.1:53', 192.0.2.53, '[2001:db8::1]:53', '::ffff:192.0.2.1', tls://192.0.2.53#dns.example]\n  trust: ad\n",
    [
      '/etc/h.yaml:2:60: dns.servers[4]: expected servers of this machine (127.0.0.0/8, ::1) or over TLS (tls://192.0.2.53#dns.example), because dns.trust: ad believes a bit that anybody on the way',
      '/etc/h.yaml:2:72: dns.servers[5]: expected servers of this machine',
      '/etc/h.yaml:2:92: dns.servers[6]: expected servers of this machine',
    ],
  ],
  [
    'validation that is required of nobody',
    'dns:\n  trust: none\n  require: true\n',
    ['/etc/h.yaml:3:12: dns.require: expected false, because dns.trust is none: nothing would ever be validated'],
  ],
  [
    'nothing but DANE where nothing is validated',
    'dns: { trust: none }\nroutes:\n  - to: mx\n    tls: dane-only\n',
    [
      '/etc/h.yaml:4:10: routes[0].tls: expected another level, because dns.trust is none: no TLSA record would ever count',
    ],
  ],
  [
    'nothing but DANE of addresses',
    "routes:\n  - to: { host: [mx.example.net, 192.0.2.1, '[2001:db8::1]:2525'] }\n    tls: dane-only\n",
    [
      '/etc/h.yaml:3:10: routes[0].tls: expected another level, or the name of 192.0.2.1, 2001:db8::1: an address has no name that could own TLSA records, found "dane-only"',
    ],
  ],
  [
    'nothing but DANE of a private name',
    'routes:\n  - to: { host: mail.local }\n    tls: dane-only\n',
    [
      '/etc/h.yaml:3:10: routes[0].tls: expected another level, because no answer about mail.local can be secure (the name is private, or below dns.insecure), and all mail of this route would wait, found "dane-only"',
    ],
  ],
  [
    'nothing but DANE of a domain that is not validated',
    'dns: { insecure: [partner.example] }\nroutes:\n  - when: { recipient: [.partner.example, x@a.partner.example] }\n    to: mx\n    tls: dane-only\n',
    [
      '/etc/h.yaml:5:10: routes[0].tls: expected another level, because no MX answer of partner.example, a.partner.example can be secure (the name is private, or below dns.insecure), and all mail of this route would wait, found "dane-only"',
    ],
  ],
  [
    'a file of anchors that is missing',
    'dns: { anchors: root.key }\n',
    [
      '/etc/h.yaml:1:17: dns.anchors: expected a readable file of trust anchors, found /etc/root.key: there is no such file (example: anchors: /etc/hermetic/root.key)',
    ],
  ],
  [
    'a key given twice',
    'log: { format: json }\nlog: { format: human }\n',
    ['/etc/h.yaml:2:1: expected well-formed YAML, found Map keys must be unique'],
  ],
  ['a bracket left open', 'routes: [\n', ['/etc/h.yaml:2:1: expected well-formed YAML, found']],
  [
    'an unknown tag',
    'hostname: !env NAME\n',
    ['/etc/h.yaml:1:11: expected well-formed YAML, found Unresolved tag: !env'],
  ],
  [
    'control characters, shown and never sent to the terminal',
    'postmaster: "\\e[31m"\n',
    ['/etc/h.yaml:1:13: postmaster: expected a mail address: user@example.org, found "\\e[31m"'],
  ],
]

describe('problems', () => {
  test.each(broken)('are told with line and column: %s', (_title, text, starts) => {
    const problems = problemsOf(text)
    expect(problems.length).toBe(starts.length)
    for (const [i, start] of starts.entries()) expect(problems[i]?.slice(0, start.length)).toBe(start)
  })

  test.each([
    [
      'an option that is misspelled with that which was meant',
      'dns: { anchor: a.key }',
      'anchors: /etc/hermetic/root.key',
    ],
    ['one below another', 'routes: [{ to: mx, tsl: verify }]', 'tls: verify'],
    ['a value that was refused with another', 'dns: { trust: none, require: true }', 'require: false'],
    ['one that has the wrong type with the example', 'dns: { require: 7 }', 'require: true'],
    [
      'an option that resembles none with what is around it',
      'listen: [{ address: "::1", zzzzzzzz: 1 }]',
      'listen: [ { address: 0.0.0.0, port: 25 } ]',
    ],
    ['what has no example with nothing that says nothing', 'dns: { zzzzzzzzzz: 1 }', null],
  ])('show how it is written: %s', (_title, text, example) => {
    expect(problemsOf(text).map(problem => / \(example: (.*)\)$/.exec(problem)?.[1] ?? null)).toEqual([example])
  })

  test('with anchors of ones own: what is private elsewhere is signed where they say so, and only there', () => {
    const text = (host: string) => `dns: { anchors: a.key }\nroutes: [{ to: { host: ${host} }, tls: dane-only }]`
    const files = { '/etc/a.key': `${rootDs}\n${rootDs.replace('. ', 'local. ')}` }
    expect(problemsOf(text('store.local'), files)).toEqual([])
    expect(problemsOf(text('store.internal'), files)).toEqual([
      expect.stringContaining('no answer about store.internal can be secure'),
    ])
  })

  test('in a pattern file name the place in that file', () => {
    const text = 'routes:\n  - when: { recipient: { file: p.txt } }\n    to: mx\n'
    expect(problemsOf(text, { '/etc/p.txt': '# people\n\n  good.example # fine\n  b@d@ \n' })).toEqual([
      '/etc/p.txt:4:3: expected an address (user@example.org), a domain (example.org), *.example.org or .example.org, found "b@d@" (example: example.org)',
    ])
  })

  test('of a file with roots name it, and say what is wrong with it', async () => {
    const text = 'routes: [{ to: { host: a.example, roots: r.pem } }]\n'
    const { root } = await createAuthority({ commonName: 'Root' })
    const found = (pem: string) => problemsOf(text, { '/etc/r.pem': pem })
    const where = '/etc/h.yaml:1:42: routes[0].to.roots: expected a'
    expect(problemsOf(text)).toEqual([
      `${where} readable PEM file of certificates, found /etc/r.pem: there is no such file (example: roots: roots.pem)`,
    ])
    for (const nothing of ['', 'hello', root.replaceAll('CERTIFICATE', 'PRIVATE KEY')])
      expect(found(nothing)).toEqual([
        `${where} PEM file of certificates, found /etc/r.pem: no certificate in it (example: roots: roots.pem)`,
      ])
    // Cut off in the middle, as by a full disk; one good root is not enough then.
    const half = root.slice(0, root.length / 2)
    for (const broken of [half, root + half, `${half}\n${root}`, root.replace('\nMII', '\nAAA')])
      expect(found(broken)[0]).toContain('/etc/r.pem: a certificate in it cannot be read')
    expect(found(`# ours\n${root}${root.replaceAll('\n', '\r\n')}`)).toEqual([])
  })

  test('of a file with trust anchors name the place in that file', () => {
    const found = (text: string) => problemsOf('dns: { anchors: a.key }\n', { '/etc/a.key': text })
    const example = '(example: . IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D)'
    const expected = 'expected trust anchors, DS or DNSKEY records, found'
    expect(found(`; ours\n${rootDs}\nexample. IN A 192.0.2.1\n`)).toEqual([
      `/etc/a.key:3: ${expected} a line that cannot be used: only DS and DNSKEY records are anchors ${example}`,
    ])
    expect(found(rootDs.slice(0, -2))[0]).toMatch(/^\/etc\/a\.key:1: .* a digest of type 2 has 32 bytes/)
    expect(found('; nothing\n')).toEqual([
      `/etc/a.key: ${expected} a file that cannot be used: there is no DS and no DNSKEY record in it ${example}`,
    ])
    expect(found('\n'.repeat(1024 * 1024 + 1))[0]).toContain('found /etc/a.key: more than a megabyte')
  })

  test('of a file that is not there', () => {
    const loaded = loadConfiguration('/nowhere.yaml', machine())
    expect('problems' in loaded && loaded.problems.map(problemText)).toEqual([
      '/nowhere.yaml: expected a readable configuration file, found there is no such file',
    ])
  })

  test('come for every cut of the example, or settings do, but never an exception', () => {
    for (let cut = 0; cut <= exampleConfiguration.length; cut += 7)
      expect(parseConfiguration(exampleConfiguration.slice(0, cut), null, machine())).toBeTypeOf('object')
  })
})

describe('settings', () => {
  test('without any file are those of a relay on loopback', () => {
    const loaded = loadConfiguration(null, machine())
    expect(loaded).toMatchObject({
      settings: {
        hostname: 'box.example.org',
        state: '/home/pat/.local/state/hermetic',
        listen: [{ address: '127.0.0.1', port: 2525, tls: 'starttls', tryNext: 0 }],
        tls: { certificates: [] },
        relayFrom: ['127.0.0.0/8', '::1'],
        relayTo: [],
        postmaster: null,
        routes: [],
        timeouts: { greetingMs: 300_000, finalDotMs: 600_000 },
        retry: { expireMs: 5 * 24 * 3_600_000 },
        log: { format: 'human', file: null },
      },
      remarks: [],
    })
  })

  test('live under /var/lib for root and for the file of the system, and where the XDG variable says for others', () => {
    const at = (surroundings: Partial<Surroundings>) => {
      const loaded = loadConfiguration(null, { ...machine(), ...surroundings })
      return 'settings' in loaded ? loaded.settings.state : null
    }
    expect(at({ isRoot: true })).toBe('/var/lib/hermetic')
    const system = loadConfiguration('/etc/hermetic/hermetic.yaml', machine({ '/etc/hermetic/hermetic.yaml': '' }))
    expect(system).toMatchObject({ settings: { state: '/var/lib/hermetic' } })
    expect(at({ env: { XDG_STATE_HOME: '/var/me' } })).toBe('/var/me/hermetic')
    expect(at({ env: { XDG_STATE_HOME: 'relative' } })).toBe('/home/pat/.local/state/hermetic')
  })

  test('of an empty file are the defaults, and that is said', () => {
    const said = 'the file is empty: built-in defaults'
    for (const text of ['', '# nothing\n', '---\n']) expect(settingsOf(text).remarks).toContain(said)
    expect(settingsOf('dns: {}').remarks).not.toContain(said)
    expect(parseConfiguration('', null, machine())).toMatchObject({ remarks: expect.not.arrayContaining([said]) })
  })

  test('of the example are complete and without a remark', () => {
    const { settings, remarks } = settingsOf(exampleConfiguration)
    expect(remarks).toEqual([])
    expect(settings.routes.map(route => [route.name, route.level])).toEqual([
      ['our own mail store', 'encrypt'],
      ['a partner and nobody in between', 'verify'],
      ['old servers', 'dane'],
      ['closed', 'opportunistic'],
      ['everything else', 'dane'],
    ])
    expect(settings.routes[1]?.to).toMatchObject({
      hosts: [
        { name: 'mx1.partner.example', port: 25 },
        { name: 'mx2.partner.example', port: 2525 },
      ],
    })
    expect(settings.routes[3]?.to).toEqual({
      kind: 'reject',
      code: 550,
      enhanced: '5.7.1',
      text: 'This address is closed',
    })
  })

  test('take patterns inline, from lists and from files, as A-labels in lower case', () => {
    const { settings } = settingsOf(
      `lists:
  inline: [A.Example, '*.b.example']
  filed: { file: names.txt }
routes:
  - when:
      recipient: ['@inline', Pat@Bücher.Example, { file: /abs.txt }]
      sender: <>
      source: [192.0.2.1, '2001:DB8::/32']
      mx: '@filed'
    to: mx
  - to: mx
`,
      { '/etc/names.txt': 'MX.example # one\r\n#two\n.c.example\n', '/abs.txt': 'd.example' },
    )
    expect(settings.routes[0]?.match).toEqual({
      recipient: ['a.example', '*.b.example', 'Pat@xn--bcher-kva.example', 'd.example'],
      sender: ['<>'],
      source: ['192.0.2.1', '2001:db8::/32'],
      mx: ['mx.example', '.c.example'],
    })
  })

  test('use port 465 with implicit TLS and the port that a host names', () => {
    const { settings } = settingsOf(
      "routes: [{ to: { host: [a.example, 'b.example:2465', '[2001:db8::1]:24', 192.0.2.1], implicit_tls: true } }]",
    )
    expect(settings.routes[0]?.to).toMatchObject({
      implicitTls: true,
      hosts: [
        { name: 'a.example', port: 465 },
        { name: 'b.example', port: 2465 },
        { name: '2001:db8::1', port: 24 },
        { name: '192.0.2.1', port: 465 },
      ],
    })
  })

  test('come with a remark where something allowed is seldom meant', () => {
    const remarks = (text: string) => settingsOf(text).remarks.join('\n')
    expect(remarks('hostname: box\n')).toContain('not fully qualified')
    expect(remarks('routes: [{ to: mx }, { name: late, to: mx }]')).toContain('"late" is never reached')
    expect(remarks('timeouts: { final_dot: 1m }')).toContain('duplicates')
  })

  test('validate from the keys of the public root, unless told otherwise', () => {
    expect(settingsOf('').settings.dns).toMatchObject({
      trust: 'validate',
      adFromAnywhere: false,
      require: false,
      insecure: [],
      anchors: null,
    })
    const text = 'dns: { require: true, insecure: [Office.Example.org., bücher.example], anchors: keys/a.key }'
    expect(settingsOf(text, { '/etc/keys/a.key': rootDs })).toMatchObject({
      settings: {
        dns: {
          trust: 'validate',
          require: true,
          insecure: ['office.example.org', 'xn--bcher-kva.example'],
          anchors: rootDs,
        },
      },
      remarks: [],
    })
  })

  test('ask mx routes for DANE, and hosts only when that is written', () => {
    const { settings, remarks } = settingsOf(
      'routes: [{ when: { recipient: a.example }, to: { host: h.example } }, { when: { recipient: b.example }, to: { host: h.example }, tls: dane }, { when: { recipient: c.example }, to: { host: h.example }, tls: dane-only }, { when: { recipient: d.example }, to: mx, tls: opportunistic }, { to: mx }]',
    )
    expect(settings.routes.map(({ level }) => level)).toEqual([
      'opportunistic',
      'dane',
      'dane-only',
      'opportunistic',
      'dane',
    ])
    expect(remarks).toEqual([])
  })

  test('with the AD bit of other machines are for who insists, and told', () => {
    const text = 'dns: { trust: ad, ad_from_anywhere: true, servers: [192.0.2.53] }'
    const { settings, remarks, atStart } = settingsOf(text)
    expect(settings.dns).toMatchObject({ trust: 'ad', adFromAnywhere: true })
    expect(remarks).toEqual([expect.stringContaining('whoever is on the way')])
    expect(atStart).toEqual([])
    expect(settingsOf('dns: { trust: ad, servers: [127.0.0.53] }').remarks).toEqual([])
  })

  test('with the AD bit of a server over TLS need no more than its certificate', () => {
    const { settings, remarks, atStart } = settingsOf(
      'dns: { trust: ad, servers: [tls://192.0.2.53#DNS.example] }',
    )
    expect(settings.dns).toMatchObject({ servers: ['tls://192.0.2.53:853#dns.example'], tlsRoots: null })
    expect([...remarks, ...atStart]).toEqual([])
  })

  test('with servers over TLS come with a remark where others are asked in clear text', async () => {
    const certificate = (await createAuthority({ commonName: 'Root' })).root
    const remarks = (text: string, files = {}) => settingsOf(text, files).remarks
    const mixed =
      'dns: { servers: [tls://192.0.2.53#dns.example, 192.0.2.54, "tls://[2001:db8::53]:8853#dns.example"] }'
    expect(remarks(mixed)).toEqual([expect.stringContaining('dns.servers: 192.0.2.54 is asked in clear text')])
    const files = { '/etc/own.pem': certificate }
    expect(remarks('dns: { tls_roots: own.pem }', files)).toEqual([
      expect.stringContaining('dns.tls_roots means nothing'),
    ])
    const own = settingsOf('dns: { tls_roots: own.pem, servers: [tls://192.0.2.53#dns.example] }', files)
    expect(own.settings.dns.tlsRoots).toBe(certificate)
    expect(own.remarks).toEqual([])
  })

  test('with the AD bit of what resolv.conf names are no start where that is another machine', () => {
    const atStart = (resolvConf: string, more = '') =>
      settingsOf(`dns:\n  trust: ad\n${more}`, { '/etc/resolv.conf': resolvConf }).atStart.map(problemText)
    expect(atStart('nameserver 127.0.0.53\n')).toEqual([])
    // A machine without the file, or without a server in it, asks itself.
    expect(atStart('')).toEqual([])
    expect(settingsOf('dns: { trust: ad }').atStart).toEqual([])
    expect(atStart('nameserver ::1\nnameserver 192.0.2.53\n')).toEqual([
      expect.stringMatching(
        /^\/etc\/h\.yaml:2:10: dns\.trust: expected validate, or in \/etc\/resolv\.conf only servers of this machine .*, found "ad" with 192\.0\.2\.53 in \/etc\/resolv\.conf/,
      ),
    ])
    expect(atStart('nameserver 192.0.2.53\n', '  ad_from_anywhere: true\n')).toEqual([])
    expect(atStart('nameserver 192.0.2.53\n', '  servers: [127.0.0.1]\n')).toEqual([])
  })

  test('come with a remark where DANE cannot be had', () => {
    const remarks = (text: string, files = {}) => settingsOf(text, files).remarks.join('\n')
    expect(remarks('dns: { trust: none }\nroutes: [{ name: a, when: { recipient: x.example }, to: mx }]')).toBe(
      'dns.trust is none, so dane asks no more than opportunistic: route "a", and mail that no route takes',
    )
    expect(remarks('dns: { trust: none }\nroutes: [{ name: a, to: mx, tls: encrypt }]')).toBe('')
    expect(remarks('routes: [{ name: a, to: { host: 192.0.2.1 }, tls: dane }]')).toContain(
      'route "a": 192.0.2.1 has no name that could own TLSA records',
    )
    expect(remarks('routes: [{ name: a, to: { host: [store.local, b.example] }, tls: dane-only }]')).toBe(
      'route "a": no answer about store.local can be secure (the name is private, or below dns.insecure): under dane-only no mail goes to it',
    )
    expect(
      remarks(
        'dns: { insecure: [b.example] }\nroutes: [{ name: a, when: { recipient: [a.example, x@c.b.example] }, to: mx, tls: dane-only }]',
      ),
    ).toBe(
      'route "a": no MX answer of c.b.example can be secure (the name is private, or below dns.insecure): under dane-only mail there waits',
    )
    expect(remarks('dns: { insecure: [b.example] }\nroutes: [{ to: mx, tls: dane-only }]')).toBe('')
    expect(
      remarks('dns: { insecure: [b.example] }\nroutes: [{ name: a, to: { host: mx.b.example }, tls: dane }]'),
    ).toContain('no answer about mx.b.example can be secure')
    expect(
      remarks('dns: { anchors: a.key }\nroutes: [{ to: { host: store.local }, tls: dane-only }]', {
        '/etc/a.key': `${rootDs}\n${rootDs.replace('. ', 'local. ')}`,
      }),
    ).toBe('')
    expect(remarks('dns: { anchors: a.key }', { '/etc/a.key': rootDs.replace('. ', 'lab.local. ') })).toContain(
      'dns.anchors has no key of the root, so no answer outside of lab.local can be secure',
    )
    expect(remarks('routes: [{ name: a, to: mx, tls: verify }]')).toContain(
      'dane-only takes only names that DNSSEC',
    )
    expect(
      remarks('dns: { trust: none, ad_from_anywhere: true, insecure: [a.example], anchors: a.key }', {
        '/etc/a.key': rootDs,
      }).match(/dns\.\w+ means nothing/g),
    ).toHaveLength(3)
  })

  test('for parts without a file are the defaults with what they override', () => {
    expect(defaultSettings({ hostname: 'lab.example' })).toMatchObject({ hostname: 'lab.example', relayTo: [] })
  })
})

describe('reload', () => {
  const running = settingsOf('log: { format: json }').settings

  test('keeps the old configuration when the new one is bad', () => {
    const reloaded = reloadConfiguration(running, '/c.yaml', machine({ '/c.yaml': 'lgo: 1' }))
    expect(reloaded).toMatchObject({ kind: 'kept', problems: [{ line: 1, column: 1, suggestion: 'log' }] })
  })

  test('takes the new one, but says what holds only after a restart', () => {
    const files = {
      '/c.yaml': 'hostname: new.example.org\nlog: { format: json }\nlisten: [{ address: 127.0.0.2 }]\n',
    }
    const reloaded = reloadConfiguration(running, '/c.yaml', machine(files))
    expect(reloaded).toMatchObject({
      kind: 'taken',
      needRestart: ['listen'],
      settings: { hostname: 'new.example.org', listen: running.listen, log: { format: 'json' } },
    })
  })

  test('keeps of a section what is fixed, and takes the rest', () => {
    const files = { '/c.yaml': 'log: { format: json }\nlimits: { min_free: 2GB, recipients: 200 }\n' }
    expect(reloadConfiguration(running, '/c.yaml', machine(files))).toMatchObject({
      kind: 'taken',
      needRestart: ['limits.min_free'],
      settings: { limits: { minFreeBytes: running.limits.minFreeBytes, server: { recipients: 200 } } },
    })
  })
})

const rootDs = '. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16'
