/**
 * Aliases on the way to TLSA records: of the recipient domain, of the MX host, of the records themselves; and names of one zone behind answers of another that is
 * not signed (RFC 7672 §2.2.1 to §2.2.3, §3.2.2).
 */
import { deferred, delivered, mailTo } from '../scenario.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, type Situation } from '../situation.ts'
import { strangeTlsa, tlsaOf } from '../tlsa-of.ts'

export const aliases: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'mx-alias-tlsa-at-target',
        says: 'The MX is a secure alias of a host in another signed zone; the TLSA records are at that host, and at the alias are some that do not fit',
        expects: 'Delivered: the expanded name is the TLSA base, SNI and name',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@at-target.example'),
        expect: delivered('host1.hosting.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['host1.hosting.example', 'at-target.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.host1.hosting.example'],
        }),
      },
      {
        name: 'mx-alias-name-of-alias',
        says: 'The MX is a secure alias with TLSA records at its target; the certificate is for the alias',
        expects: 'Deferred: the name is that of the TLSA base, and the alias is not it',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@name-of-alias.example'),
        expect: deferred('x509.name-mismatch', {
          untouched: ['host2.hosting.example'],
          tlsa: ['_25._tcp.host2.hosting.example'],
        }),
      },
      {
        name: 'mx-alias-tlsa-at-alias',
        says: 'The MX is a secure alias; at its target there are no TLSA records, at the alias there are',
        expects: 'Delivered: the name as published is the TLSA base, SNI and name',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@at-alias.example'),
        expect: delivered('host3.hosting.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx.at-alias.example', 'at-alias.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.host3.hosting.example', '_25._tcp.mx.at-alias.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const issuer = tlsaOf('2 1 1', intermediate.certificate)
      return {
        hosts: [
          host(
            'host1.hosting.example',
            ['203.0.113.101'],
            await intermediate.leaf({ names: ['host1.hosting.example'] }),
          ),
          host(
            'host2.hosting.example',
            ['203.0.113.102'],
            await intermediate.leaf({ names: ['mx.name-of-alias.example'] }),
          ),
          host(
            'host3.hosting.example',
            ['203.0.113.103'],
            await intermediate.leaf({ names: ['mx.at-alias.example'] }),
          ),
        ],
        zones: [
          worldZone(
            'hosting.example',
            [
              'host1.hosting.example A 203.0.113.101',
              `_25._tcp.host1.hosting.example TLSA ${issuer}`,
              'host2.hosting.example A 203.0.113.102',
              `_25._tcp.host2.hosting.example TLSA ${issuer}`,
              'host3.hosting.example A 203.0.113.103',
            ],
            { algorithms: [8], denial: nsec3 },
          ),
          worldZone(
            'at-target.example',
            [
              'at-target.example MX 10 mx.at-target.example',
              'mx.at-target.example CNAME host1.hosting.example',
              `_25._tcp.mx.at-target.example TLSA ${strangeTlsa('3 1 1')}`,
            ],
            { algorithms: [15] },
          ),
          worldZone(
            'name-of-alias.example',
            [
              'name-of-alias.example MX 10 mx.name-of-alias.example',
              'mx.name-of-alias.example CNAME host2.hosting.example',
            ],
            {},
          ),
          worldZone(
            'at-alias.example',
            [
              'at-alias.example MX 10 mx.at-alias.example',
              'mx.at-alias.example CNAME host3.hosting.example',
              `_25._tcp.mx.at-alias.example TLSA ${issuer}`,
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
        name: 'secure-alias-insecure-host',
        says: 'The MX is an alias in a signed zone, its target a host in one that is not; the TLSA records are at the alias',
        expects: 'Delivered and proved under the alias; nothing is asked in the unsigned zone',
        from: 'RFC 7672 §2.2.2',
        act: mailTo('bob@customer.example'),
        expect: delivered('host1.unsigned-hosting.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.customer.example', 'customer.example'],
          record: { index: 0, begins: '3 1 1' },
          tlsa: ['_25._tcp.mx.customer.example'],
        }),
      },
      {
        name: 'insecure-alias-secure-host',
        says: 'The MX is an alias in a zone that is not signed, its target a host in a signed one with TLSA records that do not fit',
        expects: 'Delivered as without DANE: who answered for the alias could have named any host',
        from: 'RFC 7672 §2.2.2',
        act: mailTo('bob@insecure-alias.example'),
        expect: delivered('host2.signed-hosting.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx.insecure-alias.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => {
      const certificate = await stranger.leaf({ names: ['localhost.localdomain'] })
      return {
        hosts: [
          host('host1.unsigned-hosting.example', ['203.0.113.104'], certificate),
          host('host2.signed-hosting.example', ['203.0.113.105'], certificate),
        ],
        zones: [
          worldZone('unsigned-hosting.example', ['host1.unsigned-hosting.example A 203.0.113.104'], null, {
            servers: [{ types: ['TLSA'], does: 'servfail' }],
          }),
          worldZone(
            'customer.example',
            [
              'customer.example MX 10 mx.customer.example',
              'mx.customer.example CNAME host1.unsigned-hosting.example',
              `_25._tcp.mx.customer.example TLSA ${tlsaOf('3 1 1', certificate.certificate)}`,
            ],
            { denial: nsec3 },
          ),
          worldZone(
            'signed-hosting.example',
            [
              'host2.signed-hosting.example A 203.0.113.105',
              `_25._tcp.host2.signed-hosting.example TLSA ${strangeTlsa('3 1 1')}`,
            ],
            {},
          ),
          worldZone(
            'insecure-alias.example',
            [
              'insecure-alias.example MX 10 mx.insecure-alias.example',
              'mx.insecure-alias.example CNAME host2.signed-hosting.example',
            ],
            null,
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'insecure-mx-secure-host',
        says: 'The MX records are in a zone that is not signed, the host in a signed one with TLSA records',
        expects: 'Delivered and proved to be that host; that it is the right host is said to be unauthenticated',
        from: 'RFC 7672 §2.2.1, §3.2.2',
        act: mailTo('bob@half-dane.example'),
        expect: delivered('mx1.provider.example', {
          name: 'unauthenticated',
          peer: 'dane-ta',
          references: ['mx1.provider.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.mx1.provider.example'],
        }),
      },
      {
        name: 'insecure-mx-no-match',
        says: 'The MX records are in a zone that is not signed; the host in a signed one shows a certificate that its records do not name',
        expects: 'Deferred: records of the host are enforced however it was found',
        from: 'RFC 7672 §2.2.1',
        act: mailTo('bob@half-mismatch.example'),
        expect: deferred('dane.no-match', {
          untouched: ['mx2.provider.example'],
          tlsa: ['_25._tcp.mx2.provider.example'],
        }),
      },
      {
        name: 'insecure-mx-next-hop-name',
        says: 'The MX records are in a zone that is not signed; the certificate of the host is for the recipient domain',
        expects: 'Deferred: behind an insecure MX answer only the name of the host will do',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@half-next-hop.example'),
        expect: deferred('x509.name-mismatch', {
          untouched: ['mx3.provider.example'],
          tlsa: ['_25._tcp.mx3.provider.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const issuer = tlsaOf('2 1 1', intermediate.certificate)
      return {
        hosts: [
          host(
            'mx1.provider.example',
            ['203.0.113.106'],
            await intermediate.leaf({ names: ['mx1.provider.example'] }),
          ),
          host(
            'mx2.provider.example',
            ['203.0.113.107'],
            await intermediate.leaf({ names: ['mx2.provider.example'] }),
          ),
          host(
            'mx3.provider.example',
            ['203.0.113.108'],
            await intermediate.leaf({ names: ['half-next-hop.example'] }),
          ),
        ],
        zones: [
          worldZone(
            'provider.example',
            [
              'mx1.provider.example A 203.0.113.106',
              `_25._tcp.mx1.provider.example TLSA ${issuer}`,
              'mx2.provider.example A 203.0.113.107',
              `_25._tcp.mx2.provider.example TLSA ${strangeTlsa('3 1 1')}`,
              'mx3.provider.example A 203.0.113.108',
              `_25._tcp.mx3.provider.example TLSA ${issuer}`,
            ],
            { algorithms: [13], keys: 'split' },
          ),
          worldZone('half-dane.example', ['half-dane.example MX 10 mx1.provider.example'], null),
          worldZone('half-mismatch.example', ['half-mismatch.example MX 10 mx2.provider.example'], null),
          worldZone('half-next-hop.example', ['half-next-hop.example MX 10 mx3.provider.example'], null),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'next-hop-alias',
        says: 'The recipient domain is a secure alias of another, whose MX has TLSA records; the certificate is for the expanded domain',
        expects: 'Delivered: three names will do, the MX, the domain, and what the domain expands to',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@moved.example'),
        expect: delivered('mx1.new-home.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx1.new-home.example', 'moved.example', 'new-home.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.mx1.new-home.example'],
        }),
      },
      {
        name: 'next-hop-alias-own-name',
        says: 'The same, with a certificate for the alias that is the recipient domain',
        expects: 'Delivered',
        from: 'RFC 7672 §3.2.2',
        act: mailTo('bob@alias.new-home.example'),
        expect: delivered('mx2.new-home.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx2.new-home.example', 'alias.new-home.example', 'other.new-home.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.mx2.new-home.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const issuer = tlsaOf('2 1 1', intermediate.certificate)
      return {
        hosts: [
          host(
            'mx1.new-home.example',
            ['203.0.113.109'],
            await intermediate.leaf({ names: ['new-home.example'] }),
          ),
          host(
            'mx2.new-home.example',
            ['203.0.113.110'],
            await intermediate.leaf({ names: ['alias.new-home.example'] }),
          ),
        ],
        zones: [
          worldZone('moved.example', ['moved.example CNAME new-home.example'], { algorithms: [14] }),
          worldZone(
            'new-home.example',
            [
              'new-home.example MX 10 mx1.new-home.example',
              'mx1.new-home.example A 203.0.113.109',
              `_25._tcp.mx1.new-home.example TLSA ${issuer}`,
              'alias.new-home.example CNAME other.new-home.example',
              'other.new-home.example MX 10 mx2.new-home.example',
              'mx2.new-home.example A 203.0.113.110',
              `_25._tcp.mx2.new-home.example TLSA ${issuer}`,
            ],
            { algorithms: [8], keys: 'split' },
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'tlsa-wildcard',
        says: 'One wildcard holds the TLSA records of all services of the host',
        expects: 'Delivered: what a wildcard answers is proven like anything else',
        from: 'RFC 6698 §A.2.1.3, RFC 4035 §5.3.4',
        act: mailTo('bob@wildcard.example'),
        expect: delivered('mx.wildcard.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.wildcard.example', 'wildcard.example'],
          record: { index: 0, begins: '3 1 1' },
          tlsa: ['_25._tcp.mx.wildcard.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['mx.wildcard.example'] })
      return {
        hosts: [host('mx.wildcard.example', ['203.0.113.111'], certificate)],
        zones: [
          worldZone(
            'wildcard.example',
            [
              'wildcard.example MX 10 mx.wildcard.example',
              'mx.wildcard.example A 203.0.113.111',
              `*._tcp.mx.wildcard.example TLSA ${tlsaOf('3 1 1', certificate.certificate)}`,
            ],
            { algorithms: [13], denial: nsec3 },
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'tlsa-owner-alias',
        says: 'The owner of the TLSA records is itself an alias, of records that several hosts share',
        expects: 'Delivered: the TLSA base stays the MX, and the certificate is held against its name',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@shared-records.example'),
        expect: delivered('mx.shared-records.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['mx.shared-records.example', 'shared-records.example'],
          record: { index: 0, begins: '2 0 1' },
          tlsa: ['_25._tcp.mx.shared-records.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'mx.shared-records.example',
          ['203.0.113.112'],
          await intermediate.leaf({ names: ['mx.shared-records.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'shared-records.example',
          [
            'shared-records.example MX 10 mx.shared-records.example',
            'mx.shared-records.example A 203.0.113.112',
            '_25._tcp.mx.shared-records.example CNAME tlsa201._dane.shared-records.example',
            `tlsa201._dane.shared-records.example TLSA ${tlsaOf('2 0 1', intermediate.certificate)}`,
          ],
          { algorithms: [16], denial: nsec3 },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'tlsa-owner-alias-insecure',
        says: 'The owner of the TLSA records is an alias into a zone that is not signed, where records stand that do not fit',
        expects: 'Delivered as without DANE: nothing vouches for those records',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@strange-records.example'),
        expect: delivered('mx.strange-records.example', {
          name: 'secure-mx',
          peer: 'encrypted',
          references: ['mx.strange-records.example'],
          tlsa: ['_25._tcp.mx.strange-records.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => ({
      hosts: [
        host(
          'mx.strange-records.example',
          ['203.0.113.113'],
          await stranger.leaf({ names: ['mx.strange-records.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'strange-records.example',
          [
            'strange-records.example MX 10 mx.strange-records.example',
            'mx.strange-records.example A 203.0.113.113',
            '_25._tcp.mx.strange-records.example CNAME tlsa.unsigned-records.example',
          ],
          {},
        ),
        worldZone(
          'unsigned-records.example',
          [`tlsa.unsigned-records.example TLSA ${strangeTlsa('3 1 1')}`],
          null,
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'mx-alias-records-insecure-at-target',
        says: 'The MX is a secure alias; the owner of the TLSA records at its target is an alias into a zone that is not signed, and the MX has records of its own',
        expects: 'Delivered: what nothing vouches for leads on to the records of the MX itself',
        from: 'RFC 7672 §2.2.3',
        act: mailTo('bob@leads-on.example'),
        expect: delivered('mx.leading-on.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.leads-on.example', 'leads-on.example'],
          record: { index: 0, begins: '3 1 1' },
          tlsa: ['_25._tcp.mx.leading-on.example', '_25._tcp.mx.leads-on.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => {
      const certificate = await stranger.leaf({ names: ['localhost.localdomain'] })
      return {
        hosts: [host('mx.leading-on.example', ['203.0.113.119'], certificate)],
        zones: [
          worldZone(
            'leads-on.example',
            [
              'leads-on.example MX 10 mx.leads-on.example',
              'mx.leads-on.example CNAME mx.leading-on.example',
              `_25._tcp.mx.leads-on.example TLSA ${tlsaOf('3 1 1', certificate.chain)}`,
            ],
            {},
          ),
          worldZone(
            'leading-on.example',
            [
              'mx.leading-on.example A 203.0.113.119',
              '_25._tcp.mx.leading-on.example CNAME tlsa.unsigned-leading-on.example',
            ],
            { denial: nsec3 },
          ),
          worldZone(
            'unsigned-leading-on.example',
            [`tlsa.unsigned-leading-on.example TLSA ${strangeTlsa('3 1 1')}`],
            null,
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'no-mx-tlsa-at-domain',
        says: 'A signed domain without MX records, with an address and TLSA records of its own',
        expects: 'Delivered: the domain itself is the host and the TLSA base',
        from: 'RFC 7672 §2.2.2, RFC 5321 §5.1',
        act: mailTo('bob@no-mx.example'),
        expect: delivered('no-mx.example', {
          name: 'secure-mx',
          peer: 'dane-ta',
          references: ['no-mx.example'],
          record: { index: 0, begins: '2 1 1' },
          tlsa: ['_25._tcp.no-mx.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [host('no-mx.example', ['203.0.113.114'], await intermediate.leaf({ names: ['no-mx.example'] }))],
      zones: [
        worldZone(
          'no-mx.example',
          [
            'no-mx.example A 203.0.113.114',
            `_25._tcp.no-mx.example TLSA ${tlsaOf('2 1 1', intermediate.certificate)}`,
          ],
          { algorithms: [15], denial: nsec3 },
        ),
      ],
    }),
  },
]

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
