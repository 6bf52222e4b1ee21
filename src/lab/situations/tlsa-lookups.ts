/**
 * Whether TLSA records are asked for, and what a question without a good answer means: SERVFAIL, silence and what is bogus never mean that there are none
 * (RFC 7672 §2.1, §2.2.2). Hosts whose records cannot be had are not called.
 */
import { deferred, delivered, mailTo } from '../scenario.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, type Situation } from '../situation.ts'
import { strangeTlsa, tlsaOf } from '../tlsa-of.ts'

export const tlsaLookups: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'signed-without-tlsa',
        says: 'A signed zone that proves that it has no TLSA records, and a certificate of no known CA',
        expects: 'Delivered over TLS as anywhere, unauthenticated; the name of the host is secure',
        from: 'RFC 7672 §2.2',
        act: mailTo('bob@no-tlsa.example'),
        expect: delivered('mx.no-tlsa.example', {
          name: 'secure-mx',
          peer: 'encrypted',
          references: ['mx.no-tlsa.example'],
          tlsa: ['_25._tcp.mx.no-tlsa.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => ({
      hosts: [
        host('mx.no-tlsa.example', ['198.51.100.150'], await stranger.leaf({ names: ['localhost.localdomain'] })),
      ],
      zones: [
        worldZone(
          'no-tlsa.example',
          ['no-tlsa.example MX 10 mx.no-tlsa.example', 'mx.no-tlsa.example A 198.51.100.150'],
          { denial: nsec3 },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'tlsa-servfail',
        says: 'The servers of a signed zone answer SERVFAIL to questions for TLSA records',
        expects: 'Deferred without a connection: a question that failed does not mean that there are none',
        from: 'RFC 7672 §2.1.2',
        act: mailTo('bob@tlsa-servfail.example'),
        expect: deferred('dane.lookup-failed', {
          uncalled: ['mx.tlsa-servfail.example'],
          tlsa: ['_25._tcp.mx.tlsa-servfail.example'],
        }),
      },
      {
        name: 'tlsa-servfail-first-mx',
        says: 'The TLSA records of the first MX cannot be had; those of the second can, and fit',
        expects: 'The first is passed over without a connection; delivered to the second',
        from: 'RFC 7672 §2.1.2',
        act: mailTo('bob@two.tlsa-servfail.example'),
        expect: delivered('mx.elsewhere.example', {
          name: 'secure-mx',
          peer: 'dane-ee',
          references: ['mx.elsewhere.example', 'two.tlsa-servfail.example'],
          record: { index: 0, begins: '3 1 1' },
          uncalled: ['mx.tlsa-servfail.example'],
          tlsa: ['_25._tcp.mx.tlsa-servfail.example', '_25._tcp.mx.elsewhere.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const elsewhere = await intermediate.leaf({ names: ['mx.elsewhere.example'] })
      return {
        hosts: [
          host(
            'mx.tlsa-servfail.example',
            ['198.51.100.151'],
            await intermediate.leaf({ names: ['mx.tlsa-servfail.example'] }),
          ),
          host('mx.elsewhere.example', ['198.51.100.152'], elsewhere),
        ],
        zones: [
          worldZone(
            'tlsa-servfail.example',
            [
              'tlsa-servfail.example MX 10 mx.tlsa-servfail.example',
              'two.tlsa-servfail.example MX 10 mx.tlsa-servfail.example',
              'two.tlsa-servfail.example MX 20 mx.elsewhere.example',
              'mx.tlsa-servfail.example A 198.51.100.151',
            ],
            { algorithms: [8] },
            { servers: [{ types: ['TLSA'], does: 'servfail' }] },
          ),
          worldZone(
            'elsewhere.example',
            [
              'mx.elsewhere.example A 198.51.100.152',
              `_25._tcp.mx.elsewhere.example TLSA ${tlsaOf('3 1 1', elsewhere.certificate)}`,
            ],
            {},
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'tlsa-timeout',
        says: 'The servers of a signed zone do not answer questions for TLSA records at all',
        expects: 'Deferred without a connection',
        from: 'RFC 7672 §2.1.2',
        act: mailTo('bob@tlsa-timeout.example'),
        expect: deferred('dane.lookup-failed', {
          uncalled: ['mx.tlsa-timeout.example'],
          tlsa: ['_25._tcp.mx.tlsa-timeout.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'mx.tlsa-timeout.example',
          ['198.51.100.153'],
          await intermediate.leaf({ names: ['mx.tlsa-timeout.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'tlsa-timeout.example',
          ['tlsa-timeout.example MX 10 mx.tlsa-timeout.example', 'mx.tlsa-timeout.example A 198.51.100.153'],
          { denial: nsec3 },
          { servers: [{ types: ['TLSA'], does: 'silence' }] },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'tlsa-bogus',
        says: 'TLSA records that fit, with a signature that does not verify',
        expects: 'Deferred without a connection: what is bogus proves nothing, and is not nothing',
        from: 'RFC 7672 §2.1.1',
        act: mailTo('bob@tlsa-bogus.example'),
        expect: deferred('dane.lookup-failed', {
          uncalled: ['mx.tlsa-bogus.example'],
          tlsa: ['_25._tcp.mx.tlsa-bogus.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => {
      const certificate = await intermediate.leaf({ names: ['mx.tlsa-bogus.example'] })
      return {
        hosts: [host('mx.tlsa-bogus.example', ['198.51.100.154'], certificate)],
        zones: [
          worldZone(
            'tlsa-bogus.example',
            [
              'tlsa-bogus.example MX 10 mx.tlsa-bogus.example',
              'mx.tlsa-bogus.example A 198.51.100.154',
              `_25._tcp.mx.tlsa-bogus.example TLSA ${tlsaOf('3 1 1', certificate.certificate)}`,
            ],
            { damage: [{ kind: 'flipped-bit', type: 'TLSA' }] },
          ),
        ],
      }
    },
  },
  {
    scenarios: [
      {
        name: 'tlsa-denied-without-proof',
        says: 'Somebody says that there are no TLSA records, and the proof is missing',
        expects: 'Deferred without a connection: that nothing is there must be proven',
        from: 'RFC 7672 §2.1.1, RFC 4035 §5.4',
        act: mailTo('bob@tlsa-denied.example'),
        expect: deferred('dane.lookup-failed', {
          uncalled: ['mx.tlsa-denied.example'],
          tlsa: ['_25._tcp.mx.tlsa-denied.example'],
        }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'mx.tlsa-denied.example',
          ['198.51.100.155'],
          await intermediate.leaf({ names: ['mx.tlsa-denied.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'tlsa-denied.example',
          ['tlsa-denied.example MX 10 mx.tlsa-denied.example', 'mx.tlsa-denied.example A 198.51.100.155'],
          { algorithms: [15], damage: [{ kind: 'gap', at: '_25._tcp.mx.tlsa-denied.example' }] },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'unsigned-servfails-on-tlsa',
        says: 'A zone without signatures whose servers answer SERVFAIL to questions for TLSA records',
        expects: 'Delivered: where the address is not secure nobody asks for TLSA records',
        from: 'RFC 7672 §2.2.2',
        act: mailTo('bob@unsigned.example'),
        expect: delivered('mx.unsigned.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx.unsigned.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => ({
      hosts: [
        host('mx.unsigned.example', ['198.51.100.156'], await stranger.leaf({ names: ['mx.unsigned.example'] })),
      ],
      zones: [
        worldZone(
          'unsigned.example',
          ['unsigned.example MX 10 mx.unsigned.example', 'mx.unsigned.example A 198.51.100.156'],
          null,
          { servers: [{ types: ['TLSA'], does: 'servfail' }] },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'sha1-zone',
        says: 'A zone signed with an algorithm that rests on SHA-1, with TLSA records that do not fit',
        expects: 'Delivered as from a zone without signatures: nothing vouches for it, and nobody asks',
        from: 'RFC 9905 §2',
        act: mailTo('bob@sha1.example'),
        expect: delivered('mx.sha1.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx.sha1.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => ({
      hosts: [host('mx.sha1.example', ['198.51.100.157'], await stranger.leaf({ names: ['mx.sha1.example'] }))],
      zones: [
        worldZone(
          'sha1.example',
          [
            'sha1.example MX 10 mx.sha1.example',
            'mx.sha1.example A 198.51.100.157',
            `_25._tcp.mx.sha1.example TLSA ${strangeTlsa('3 1 1')}`,
          ],
          { algorithms: [7], denial: nsec3 },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'mx-bogus',
        says: 'MX records of a signed zone whose signature has expired',
        expects: 'Deferred without a connection: nobody knows where the mail should go',
        from: 'RFC 7672 §2.1.1, RFC 4035 §5.3.1',
        act: mailTo('bob@mx-bogus.example'),
        expect: deferred('dnssec.signature-expired', { uncalled: ['mx.mx-bogus.example'] }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'mx.mx-bogus.example',
          ['198.51.100.158'],
          await intermediate.leaf({ names: ['mx.mx-bogus.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'mx-bogus.example',
          ['mx-bogus.example MX 10 mx.mx-bogus.example', 'mx.mx-bogus.example A 198.51.100.158'],
          { algorithms: [13], damage: [{ kind: 'expired', type: 'MX' }] },
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'address-bogus',
        says: 'The address of the only MX lost its signature on the way',
        expects: "Deferred without a connection: the address is nobody's word",
        from: 'RFC 7672 §2.1.1',
        act: mailTo('bob@address-bogus.example'),
        expect: deferred('dnssec.signature-missing', { uncalled: ['mx.address-bogus.example'] }),
      },
    ],
    stage: async ({ public: { intermediate } }) => ({
      hosts: [
        host(
          'mx.address-bogus.example',
          ['198.51.100.159'],
          await intermediate.leaf({ names: ['mx.address-bogus.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'address-bogus.example',
          ['address-bogus.example MX 10 mx.address-bogus.example', 'mx.address-bogus.example A 198.51.100.159'],
          { algorithms: [16], damage: [{ kind: 'stripped', type: 'A' }] },
        ),
      ],
    }),
  },
]

const nsec3 = { kind: 'nsec3', iterations: 0, salt: '', optOut: 'none' } as const
