/**
 * What TLSA records say of the certificates that a host shows (RFC 6698, RFC 7671, RFC 7672 §3), case 2 first. In all of these the DNS is as it should be:
 * signed from the root down, with records at the host.
 */
import type { HostCertificate, HostKnobs } from '../host.ts'
import { deferred, delivered, mailTo } from '../scenario.ts'
import type { SigningOptions } from '../signing/sign-zone.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, type Situation, type Stage } from '../situation.ts'
import { strangeTlsa, tlsaOf } from '../tlsa-of.ts'

export const tlsaRecords: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'nine-records',
        says: 'Nine TLSA records 2 1 1, the eighth of them the key of the intermediate; the CN of the leaf is another name, one of its many SANs the MX',
        expects: 'Delivered: the eighth record proves the peer, at depth 1',
        from: 'case 2, RFC 7672 §3.1.2',
        act: mailTo('user@et.example', 'eight-bit'),
        expect: delivered('mx06.et.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx06.et.example', 'et.example'],
          record: { index: 7, begins: '2 1 1' },
          tlsa: ['_25._tcp.mx06.et.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({
        commonName: 'web01.et.example',
        names: [
          'web01.et.example',
          ...['autoconfig', 'autodiscover', 'imap', 'mail', 'pop', 'smtp', 'webmail', 'www'].map(
            label => `${label}.et.example`,
          ),
          ...['01', '02', '03', '04', '05', '06', '07', '08'].map(number => `mx${number}.et.example`),
        ],
        key: 'rsa',
      })
      const others = ['E1', 'E2', 'R4', 'X1', 'X2', 'Y1', 'Y2'].map(salt => strangeTlsa('2 1 1', salt))
      const records = [...others, tlsaOf('2 1 1', intermediate.certificate), strangeTlsa('2 1 1', 'Y3')]
      return {
        hosts: [host('mx06.et.example', ['192.0.2.77'], certificate)],
        zones: [
          worldZone(
            'et.example',
            [
              'et.example MX 10 mx06.et.example',
              'mx06.et.example A 192.0.2.77',
              ...records.map(record => `_25._tcp.mx06.et.example TLSA ${record}`),
            ],
            { algorithms: [8], keys: 'split', denial: nsec3 },
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'key-encipherment-only',
        says: 'The RSA leaf has a key usage without digitalSignature, which GnuTLS calls a violation; the TLSA record is of its issuer',
        expects: 'Delivered and proved; the key usage is told as a remark',
        from: 'case 2, RFC 7672 §3.1.2',
        act: mailTo('bob@key-encipherment.example'),
        expect: delivered('mx.key-encipherment.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx.key-encipherment.example', 'key-encipherment.example'],
          record: { index: 0, begins: '2 1 1' },
          remarks: ['x509.key-usage-no-signature'],
          tlsa: ['_25._tcp.mx.key-encipherment.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({
        names: ['mx.key-encipherment.example'],
        key: 'rsa',
        keyUsage: ['keyEncipherment'],
      })
      return oneHost('key-encipherment.example', '198.51.100.101', {
        signing: { algorithms: [13], denial: nsec3 },
        certificate,
        records: [tlsaOf('2 1 1', intermediate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'ee-expired-wrong-name',
        says: 'A record 3 1 1 of the leaf, which is for another name and has expired',
        expects: 'Delivered: usage 3 asks for the key alone, neither for names nor for dates',
        from: 'RFC 7672 §3.1.1',
        act: mailTo('bob@expired-ee.example'),
        expect: delivered('mx.expired-ee.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.expired-ee.example', 'expired-ee.example'],
          record: { index: 0, begins: '3 1 1' },
          tlsa: ['_25._tcp.mx.expired-ee.example'],
        }),
      },
    ],
    stage: async ({ stranger, nowMs }) => {
      const certificate = await stranger.leaf({
        names: ['other.example'],
        notBeforeMs: nowMs - 400 * dayMs,
        notAfterMs: nowMs - 30 * dayMs,
      })
      return oneHost('expired-ee.example', '198.51.100.102', {
        signing: { algorithms: [15] },
        certificate,
        records: [tlsaOf('3 1 1', certificate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'ta-wrong-name',
        says: 'A record 2 1 1 of the issuer; the leaf is for another name',
        expects: 'Deferred before any mail command: usage 2 proves an issuer, the name must prove the host',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@ta-wrong-name.example'),
        expect: deferred('x509.name-mismatch', {
          untouched: ['mx.ta-wrong-name.example'],
          tlsa: ['_25._tcp.mx.ta-wrong-name.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) =>
      oneHost('ta-wrong-name.example', '198.51.100.103', {
        signing: { algorithms: [16] },
        certificate: await intermediate.leaf({ names: ['other.example'] }),
        records: [tlsaOf('2 1 1', intermediate.certificate)],
      }),
  },
  {
    scenarios: [
      {
        name: 'ta-expired-leaf',
        says: 'A record 2 1 1 of the issuer; the leaf has the right name and has expired',
        expects: 'Deferred before any mail command: below an issuer dates count',
        from: 'RFC 7671 §5.2',
        act: mailTo('bob@ta-expired.example'),
        expect: deferred('x509.expired', {
          untouched: ['mx.ta-expired.example'],
          tlsa: ['_25._tcp.mx.ta-expired.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate }, nowMs }) =>
      oneHost('ta-expired.example', '198.51.100.104', {
        signing: {},
        certificate: await intermediate.leaf({
          names: ['mx.ta-expired.example'],
          notBeforeMs: nowMs - 400 * dayMs,
          notAfterMs: nowMs - 30 * dayMs,
        }),
        records: [tlsaOf('2 1 1', intermediate.certificate)],
      }),
  },
  {
    scenarios: [
      {
        name: 'ta-next-hop-name',
        says: 'A record 2 1 1 of the issuer; the leaf carries the recipient domain, not the MX name',
        expects: 'Delivered: behind a secure MX answer the name of the domain will do',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@ta-next-hop.example'),
        expect: delivered('mx.ta-next-hop.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx.ta-next-hop.example', 'ta-next-hop.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.mx.ta-next-hop.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) =>
      oneHost('ta-next-hop.example', '198.51.100.105', {
        signing: { algorithms: [8] },
        certificate: await intermediate.leaf({ names: ['ta-next-hop.example'] }),
        records: [tlsaOf('2 1 1', intermediate.certificate)],
      }),
  },
  {
    scenarios: [
      {
        name: 'intermediate-not-sent',
        says: 'A record 2 1 1 of the intermediate, and a server that sends its leaf alone',
        expects: 'Deferred: what the record names was not shown',
        from: 'RFC 7672 §3.1.2',
        act: mailTo('bob@short-chain.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx.short-chain.example'],
          tlsa: ['_25._tcp.mx.short-chain.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const leaf = await intermediate.leaf({ names: ['mx.short-chain.example'] })
      return oneHost('short-chain.example', '198.51.100.106', {
        signing: { denial: nsec3 },
        certificate: { ...leaf, chain: leaf.certificate },
        records: [tlsaOf('2 1 1', intermediate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'root-not-sent',
        says: 'A record 2 1 1 of the root, and a server that leaves the root out, as most do',
        expects: 'Deferred: a digest does not hold the certificate, and no list of public roots is asked',
        from: 'RFC 7672 §3.1.2',
        act: mailTo('bob@no-root.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx.no-root.example'],
          tlsa: ['_25._tcp.mx.no-root.example'],
        }),
      },
    ],
    stage: async ({ public: { root, intermediate } }) =>
      oneHost('no-root.example', '198.51.100.107', {
        signing: { keys: 'split' },
        certificate: await intermediate.leaf({ names: ['mx.no-root.example'] }),
        records: [tlsaOf('2 1 1', root.certificate)],
      }),
  },
  {
    scenarios: [
      {
        name: 'anchor-only-in-dns',
        says: 'A record 2 0 0 that holds the whole root, which the server does not send',
        expects: 'Delivered: the path ends at the certificate that only the DNS holds',
        from: 'RFC 7671 §5.2.2',
        act: mailTo('bob@anchor-in-dns.example'),
        expect: delivered('mx.anchor-in-dns.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx.anchor-in-dns.example', 'anchor-in-dns.example'],
          record: { index: 0, begins: '2 0 0' },
          tlsa: ['_25._tcp.mx.anchor-in-dns.example'],
        }),
      },
    ],
    stage: async ({ public: { root, intermediate } }) =>
      oneHost('anchor-in-dns.example', '198.51.100.108', {
        signing: { algorithms: [15], denial: nsec3 },
        certificate: await intermediate.leaf({ names: ['mx.anchor-in-dns.example'] }),
        records: [tlsaOf('2 0 0', root.certificate)],
      }),
  },
  {
    scenarios: [
      {
        name: 'all-unusable',
        says: 'Four records, none of which mail can use: usages 0 and 1, an unknown matching type, a digest that is too short',
        expects: 'Delivered over TLS, which is owed; who the peer is is not asked, and that is said',
        from: 'RFC 7672 §2.2',
        act: mailTo('bob@unusable.example'),
        expect: delivered('mx.unusable.example', {
          name: 'secure-mx',
          peer: 'encrypted',
          references: ['mx.unusable.example', 'unusable.example'],
          remarks: ['dane.all-unusable'],
          tlsa: ['_25._tcp.mx.unusable.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => {
      const certificate = await stranger.leaf({ names: ['localhost.localdomain'] })
      return oneHost('unusable.example', '198.51.100.109', {
        signing: { algorithms: [13], keys: 'split' },
        certificate,
        records: unusable(certificate.certificate),
      })
    },
  },
  {
    scenarios: [
      {
        name: 'all-unusable-no-starttls',
        says: 'Only records that mail cannot use, at a host without STARTTLS',
        expects: 'Deferred, never sent in clear text: whoever publishes records has promised TLS',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@unusable-clear.example'),
        expect: deferred('dane.no-starttls', {
          untouched: ['mx.unusable-clear.example'],
          tlsa: ['_25._tcp.mx.unusable-clear.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => {
      const { certificate } = await stranger.leaf({ names: ['mx.unusable-clear.example'] })
      return oneHost('unusable-clear.example', '198.51.100.110', {
        signing: {},
        certificate: null,
        records: unusable(certificate),
      })
    },
  },
  {
    scenarios: [
      {
        name: 'mixed-usable',
        says: 'Records that mail cannot use, some of which would fit, and among them one 3 1 1 that it can',
        expects: 'Delivered: the one that counts proves the peer; the others are told',
        from: 'RFC 7672 §2.2',
        act: mailTo('bob@mixed.example'),
        expect: delivered('mx.mixed.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.mixed.example', 'mixed.example'],
          record: { index: 4, begins: '3 1 1' },
          remarks: ['dane.record-unusable'],
          tlsa: ['_25._tcp.mx.mixed.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => {
      const certificate = await stranger.leaf({ names: ['mx.mixed.example'] })
      return oneHost('mixed.example', '198.51.100.111', {
        signing: { algorithms: [16], denial: nsec3 },
        certificate,
        records: [...unusable(certificate.certificate), tlsaOf('3 1 1', certificate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'mixed-mismatch',
        says: 'Records that mail cannot use, although they fit, and one 3 1 1 that counts and does not',
        expects: 'Deferred: one usable record is enough to owe a match',
        from: 'RFC 7672 §2.2',
        act: mailTo('bob@mixed-mismatch.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx.mixed-mismatch.example'],
          tlsa: ['_25._tcp.mx.mixed-mismatch.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => {
      const certificate = await stranger.leaf({ names: ['mx.mixed-mismatch.example'] })
      return oneHost('mixed-mismatch.example', '198.51.100.112', {
        signing: {},
        certificate,
        records: [strangeTlsa('3 1 1'), ...unusable(certificate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'shadowed-digest',
        says: 'A record 3 1 2 that does not fit beside a 3 1 1 that does',
        expects: 'Deferred: of one usage and selector only the strongest digest counts',
        from: 'RFC 7671 §9',
        act: mailTo('bob@shadowed.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx.shadowed.example'],
          tlsa: ['_25._tcp.mx.shadowed.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['mx.shadowed.example'] })
      return oneHost('shadowed.example', '198.51.100.113', {
        signing: { algorithms: [15] },
        certificate,
        records: [strangeTlsa('3 1 2'), tlsaOf('3 1 1', certificate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'stronger-digest-fits',
        says: 'A record 3 1 1 that does not fit beside a 3 1 2 that does',
        expects: 'Delivered: the stronger digest counts alone',
        from: 'RFC 7671 §9',
        act: mailTo('bob@stronger.example'),
        expect: delivered('mx.stronger.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.stronger.example', 'stronger.example'],
          record: { index: 1, begins: '3 1 2' },
          tlsa: ['_25._tcp.mx.stronger.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['mx.stronger.example'] })
      return oneHost('stronger.example', '198.51.100.114', {
        signing: { denial: nsec3 },
        certificate,
        records: [strangeTlsa('3 1 1'), tlsaOf('3 1 2', certificate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'unusable-shadows-nothing',
        says: 'A record 3 1 2 whose digest is too short, and a 3 1 1 that fits',
        expects: 'Delivered: what cannot be used does not stand in the way of what can',
        from: 'RFC 7671 §9',
        act: mailTo('bob@short-digest.example'),
        expect: delivered('mx.short-digest.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.short-digest.example', 'short-digest.example'],
          record: { index: 1, begins: '3 1 1' },
          remarks: ['dane.record-unusable'],
          tlsa: ['_25._tcp.mx.short-digest.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['mx.short-digest.example'] })
      return oneHost('short-digest.example', '198.51.100.115', {
        signing: {},
        certificate,
        records: [strangeTlsa('3 1 2').slice(0, -2), tlsaOf('3 1 1', certificate.certificate)],
      })
    },
  },
  {
    scenarios: [
      {
        name: 'second-mx-fits',
        says: 'The first MX shows a certificate that none of its records names, the second one that fits',
        expects: 'The first is left before any mail command; delivered to the second in the same attempt',
        from: 'RFC 7672 §3.2',
        act: mailTo('bob@two-hosts.example'),
        expect: delivered('mx2.two-hosts.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx2.two-hosts.example', 'two-hosts.example'],
          record: { index: 0, begins: '3 1 1' },
          failedBefore: ['dane.no-match'],
          untouched: ['mx1.two-hosts.example'],
          tlsa: ['_25._tcp.mx1.two-hosts.example', '_25._tcp.mx2.two-hosts.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const first = await intermediate.leaf({ names: ['mx1.two-hosts.example'] })
      const second = await intermediate.leaf({ names: ['mx2.two-hosts.example'] })
      return {
        hosts: [
          host('mx1.two-hosts.example', ['198.51.100.116'], first),
          host('mx2.two-hosts.example', ['198.51.100.117'], second),
        ],
        zones: [
          worldZone(
            'two-hosts.example',
            [
              'two-hosts.example MX 10 mx1.two-hosts.example',
              'two-hosts.example MX 20 mx2.two-hosts.example',
              'mx1.two-hosts.example A 198.51.100.116',
              'mx2.two-hosts.example A 198.51.100.117',
              `_25._tcp.mx1.two-hosts.example TLSA ${strangeTlsa('3 1 1')}`,
              `_25._tcp.mx2.two-hosts.example TLSA ${tlsaOf('3 1 1', second.certificate)}`,
            ],
            { algorithms: [16] },
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'no-match',
        says: 'One MX, and a record 3 1 1 of another key: the certificate was renewed, the record was not',
        expects: 'Deferred, not returned: the owner may mend it',
        from: 'RFC 7672 §3.2',
        act: mailTo('bob@renewed.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx.renewed.example'],
          tlsa: ['_25._tcp.mx.renewed.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) =>
      oneHost('renewed.example', '198.51.100.118', {
        signing: { algorithms: [14] },
        certificate: await intermediate.leaf({ names: ['mx.renewed.example'] }),
        records: [strangeTlsa('3 1 1')],
      }),
  },
  {
    scenarios: [
      {
        name: 'two-chains',
        says: 'A server with two certificates, one for an RSA key and one for an ECDSA key, and a record 3 1 1 of each',
        expects: 'Delivered: whichever the server chose, there is a record of it',
        from: 'case 2, RFC 7671 §5.1',
        act: mailTo('bob@two-chains.example'),
        expect: delivered('mx1.two-chains.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx1.two-chains.example', 'two-chains.example'],
          record: { index: 1, begins: '3 1 1' },
          tlsa: ['_25._tcp.mx1.two-chains.example'],
        }),
      },
      {
        name: 'two-chains-one-recorded',
        says: 'The same server, and a record of its RSA key only: clients that take ECDSA are shown the other',
        expects: 'Deferred: the certificate that was shown is the one that counts',
        from: 'case 2, RFC 7671 §5.1',
        act: mailTo('bob@one.two-chains.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx2.two-chains.example'],
          tlsa: ['_25._tcp.mx2.two-chains.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const rsa = await intermediate.leaf({ names: ['*.two-chains.example'], key: 'rsa' })
      const ecdsa = await intermediate.leaf({ names: ['*.two-chains.example'] })
      const certificate = { ...ecdsa, second: rsa }
      const ofRsa = tlsaOf('3 1 1', rsa.certificate)
      return {
        hosts: [
          host('mx1.two-chains.example', ['198.51.100.121'], certificate),
          host('mx2.two-chains.example', ['198.51.100.122'], certificate),
        ],
        zones: [
          worldZone(
            'two-chains.example',
            [
              'two-chains.example MX 10 mx1.two-chains.example',
              'mx1.two-chains.example A 198.51.100.121',
              `_25._tcp.mx1.two-chains.example TLSA ${ofRsa}`,
              `_25._tcp.mx1.two-chains.example TLSA ${tlsaOf('3 1 1', ecdsa.certificate)}`,
              'one.two-chains.example MX 10 mx2.two-chains.example',
              'mx2.two-chains.example A 198.51.100.122',
              `_25._tcp.mx2.two-chains.example TLSA ${ofRsa}`,
            ],
            { algorithms: [15], denial: nsec3 },
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'tlsa-without-starttls',
        says: 'The first MX has TLSA records and no STARTTLS, as when somebody takes it out; the second offers it',
        expects: 'Nothing goes to the first in clear text; delivered to the second',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@stripped.example'),
        expect: delivered('mx2.stripped.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx2.stripped.example', 'stripped.example'],
          record: { index: 0, begins: '3 1 1' },
          failedBefore: ['dane.no-starttls'],
          untouched: ['mx1.stripped.example'],
          tlsa: ['_25._tcp.mx1.stripped.example', '_25._tcp.mx2.stripped.example'],
        }),
      },
      {
        name: 'tlsa-without-starttls-only',
        says: 'The only MX has TLSA records and no STARTTLS',
        expects: 'Deferred, never sent in clear text',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@only.stripped.example'),
        expect: deferred('dane.no-starttls', {
          untouched: ['mx1.stripped.example'],
          tlsa: ['_25._tcp.mx1.stripped.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['*.stripped.example'] })
      const record = tlsaOf('3 1 1', certificate.certificate)
      return {
        hosts: [
          host('mx1.stripped.example', ['198.51.100.119'], null, { knobs: { startTls: 'absent' } }),
          host('mx2.stripped.example', ['198.51.100.120'], certificate),
        ],
        zones: [
          worldZone(
            'stripped.example',
            [
              'stripped.example MX 10 mx1.stripped.example',
              'stripped.example MX 20 mx2.stripped.example',
              'only.stripped.example MX 10 mx1.stripped.example',
              'mx1.stripped.example A 198.51.100.119',
              'mx2.stripped.example A 198.51.100.120',
              `_25._tcp.mx1.stripped.example TLSA ${record}`,
              `_25._tcp.mx2.stripped.example TLSA ${record}`,
            ],
            { denial: nsec3 },
          ),
        ],
      }
    },
  },
]

/** A domain with one MX, `mx.` below it, and records there. */
function oneHost(
  domain: string,
  address: string,
  has: {
    readonly signing: SigningOptions
    /** Null: it offers no STARTTLS. */
    readonly certificate: HostCertificate | null
    readonly records: readonly string[]
  },
): Stage {
  const name = `mx.${domain}`
  const knobs: Partial<HostKnobs> = has.certificate === null ? { startTls: 'absent' } : {}
  return {
    hosts: [host(name, [address], has.certificate, { knobs })],
    zones: [
      worldZone(
        domain,
        [
          `${domain} MX 10 ${name}`,
          `${name} A ${address}`,
          ...has.records.map(record => `_25._tcp.${name} TLSA ${record}`),
        ],
        has.signing,
      ),
    ],
  }
}

/** Records that name this certificate, or seem to, and that mail cannot use for four different reasons. */
function unusable(certificate: string): readonly string[] {
  return [
    tlsaOf('0 1 1', certificate),
    tlsaOf('1 1 1', certificate),
    tlsaOf('3 1 1', certificate).replace('3 1 1', '3 1 9'),
    tlsaOf('3 0 1', certificate).slice(0, -2),
  ]
}

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
const dayMs = 86_400_000
