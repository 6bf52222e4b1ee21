/** What an operator asks of a route by `tls: dane` and `tls: dane-only`: next hops and ports of his own (RFC 7672 §2.2.2, §2.2.3, §6). */
import { deferred, delivered, mailTo } from '../scenario.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, type Situation } from '../situation.ts'
import { strangeTlsa, tlsaOf } from '../tlsa-of.ts'

export const daneRoutes: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'another-port',
        says: 'A next hop on port 587 at level dane; its TLSA records are those of that port, and others that do not fit stand at port 25',
        expects: 'Delivered: the owner of the records names the port that is used',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@another-port.example'),
        expect: delivered('submission.another-port.example', {
          name: 'configured',
          peer: 'dane-ta',
          references: ['submission.another-port.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_587._tcp.submission.another-port.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'submission.another-port.example',
          ['203.0.113.180'],
          await intermediate.leaf({ names: ['submission.another-port.example'] }),
          { port: 587 },
        ),
      ],
      zones: [
        worldZone(
          'another-port.example',
          [
            'submission.another-port.example A 203.0.113.180',
            `_587._tcp.submission.another-port.example TLSA ${tlsaOf('2 1 1', intermediate.certificate)}`,
            `_25._tcp.submission.another-port.example TLSA ${strangeTlsa('3 1 1')}`,
          ],
          { denial: nsec3 },
        ),
      ],
      hops: [
        {
          domain: 'another-port.example',
          to: { host: 'submission.another-port.example', port: 587 },
          level: 'dane',
        },
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'smarthost-alias',
        says: 'A next hop at level dane is a secure alias; TLSA records are at its target, and the certificate is for the name that the operator wrote',
        expects: 'Delivered: beside the TLSA base the configured name will do',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@smarthost-alias.example'),
        expect: delivered('relay7.cluster.example', {
          name: 'configured',
          peer: 'dane-ta',
          references: ['relay7.cluster.example', 'out.smarthost-alias.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.relay7.cluster.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'relay7.cluster.example',
          ['203.0.113.181'],
          await intermediate.leaf({ names: ['out.smarthost-alias.example'] }),
        ),
      ],
      zones: [
        worldZone('smarthost-alias.example', ['out.smarthost-alias.example CNAME relay7.cluster.example'], {
          algorithms: [15],
        }),
        worldZone(
          'cluster.example',
          [
            'relay7.cluster.example A 203.0.113.181',
            `_25._tcp.relay7.cluster.example TLSA ${tlsaOf('2 1 1', intermediate.certificate)}`,
          ],
          { algorithms: [8] },
        ),
      ],
      hops: [
        {
          domain: 'smarthost-alias.example',
          to: { host: 'out.smarthost-alias.example', port: 25 },
          level: 'dane',
        },
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'roots-do-not-count',
        says: 'A next hop at level dane with the right name, from the CA the operator trusts; its TLSA record names another issuer',
        expects: 'Deferred: where TLSA records prove the peer, no other trust stands in for them',
        from: 'RFC 7672 §3.1.2, §3.1.3',
        act: mailTo('bob@trusted-elsewhere.example'),
        expect: deferred('dane.no-match', {
          untouched: ['relay.trusted-elsewhere.example'],
          tlsa: ['_25._tcp.relay.trusted-elsewhere.example'],
        }),
      },
    ],
    stage: async ({ lab, public: { intermediate } }) => ({
      hosts: [
        host(
          'relay.trusted-elsewhere.example',
          ['203.0.113.185'],
          await lab.leaf({ names: ['relay.trusted-elsewhere.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'trusted-elsewhere.example',
          [
            'relay.trusted-elsewhere.example A 203.0.113.185',
            `_25._tcp.relay.trusted-elsewhere.example TLSA ${tlsaOf('2 1 1', intermediate.certificate)}`,
          ],
          { algorithms: [16] },
        ),
      ],
      hops: [
        {
          domain: 'trusted-elsewhere.example',
          to: { host: 'relay.trusted-elsewhere.example', port: 25 },
          level: 'dane',
        },
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'dane-only',
        says: 'The operator wants DANE or nothing, and the domain has all that it takes',
        expects: 'Delivered to the authenticated host',
        from: 'RFC 7672 §6',
        act: mailTo('bob@dane-only.example'),
        expect: delivered('mx1.dane-only.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx1.dane-only.example', 'dane-only.example'],
          record: { index: 0, begins: '3 1 1' },
          tlsa: ['_25._tcp.mx1.dane-only.example'],
        }),
      },
      {
        name: 'dane-only-without-tlsa',
        says: 'The operator wants DANE or nothing, and the host has no TLSA records',
        expects: 'Deferred without a connection',
        from: 'RFC 7672 §6',
        act: mailTo('bob@without-tlsa.dane-only.example'),
        expect: deferred('dane.required', {
          uncalled: ['mx2.dane-only.example'],
          tlsa: ['_25._tcp.mx2.dane-only.example'],
        }),
      },
      {
        name: 'dane-only-unusable',
        says: 'The operator wants DANE or nothing, and mail cannot use any of the TLSA records',
        expects: 'Deferred without a connection: encryption alone is not what was asked for',
        from: 'RFC 7672 §6',
        act: mailTo('bob@unusable.dane-only.example'),
        expect: deferred('dane.required', {
          uncalled: ['mx3.dane-only.example'],
          tlsa: ['_25._tcp.mx3.dane-only.example'],
        }),
      },
      {
        name: 'dane-only-insecure-mx',
        says: 'The operator wants DANE or nothing; the host has TLSA records, and the MX records that name it are not signed',
        expects: 'Deferred without a connection: nothing vouches that it is the right host',
        from: 'RFC 7672 §6',
        act: mailTo('bob@dane-only-unsigned.example'),
        expect: deferred('dane.mx-insecure', {
          uncalled: ['mx1.dane-only.example'],
          tlsa: ['_25._tcp.mx1.dane-only.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['*.dane-only.example'] })
      return {
        hosts: [
          host('mx1.dane-only.example', ['203.0.113.182'], certificate),
          host('mx2.dane-only.example', ['203.0.113.183'], certificate),
          host('mx3.dane-only.example', ['203.0.113.184'], certificate),
        ],
        zones: [
          worldZone(
            'dane-only.example',
            [
              'dane-only.example MX 10 mx1.dane-only.example',
              'mx1.dane-only.example A 203.0.113.182',
              `_25._tcp.mx1.dane-only.example TLSA ${tlsaOf('3 1 1', certificate.certificate)}`,
              'without-tlsa.dane-only.example MX 10 mx2.dane-only.example',
              'mx2.dane-only.example A 203.0.113.183',
              'unusable.dane-only.example MX 10 mx3.dane-only.example',
              'mx3.dane-only.example A 203.0.113.184',
              `_25._tcp.mx3.dane-only.example TLSA ${tlsaOf('1 1 1', certificate.certificate)}`,
            ],
            { algorithms: [13], keys: 'split' },
          ),
          worldZone(
            'dane-only-unsigned.example',
            ['dane-only-unsigned.example MX 10 mx1.dane-only.example'],
            null,
          ),
        ],
        hops: [
          'dane-only.example',
          'without-tlsa.dane-only.example',
          'unusable.dane-only.example',
          'dane-only-unsigned.example',
        ].map(domain => ({ domain, to: 'mx' as const, level: 'dane-only' as const })),
      }
    },
  },
]

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
