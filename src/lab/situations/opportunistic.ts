/** Mail to the hosts that the DNS names, with nothing to prove them by (RFC 7435): what comes of hosts that are down, that refuse mail, that cannot do much. */
import { delivered, mailTo } from '../scenario.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, hostThatIsDown, type Situation } from '../situation.ts'

export const opportunistic: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'opportunistic',
        says: 'An MX with a certificate that proves nothing (localhost.localdomain, unknown CA)',
        expects: 'Delivered over TLS, said to be unauthenticated',
        from: 'RFC 7435 §4',
        act: mailTo('bob@opportunistic.example', 'eight-bit'),
        expect: delivered('mx.opportunistic.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx.opportunistic.example'],
        }),
      },
    ],
    stage: async ({ stranger }) => ({
      hosts: [
        host(
          'mx.opportunistic.example',
          ['198.51.100.10', '2001:db8:10::25'],
          await stranger.leaf({ names: ['localhost.localdomain'] }),
        ),
      ],
      zones: [
        worldZone(
          'opportunistic.example',
          [
            'opportunistic.example MX 10 mx.opportunistic.example',
            'mx.opportunistic.example A 198.51.100.10',
            'mx.opportunistic.example AAAA 2001:db8:10::25',
          ],
          null,
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'clear-text',
        says: 'An MX that offers no STARTTLS',
        expects: 'Delivered in clear text at once, and said so',
        from: 'RFC 7435 §4',
        act: mailTo('bob@clear.example'),
        expect: delivered('mx.clear.example', {
          name: 'unauthenticated',
          peer: 'clear',
          references: ['mx.clear.example'],
          sni: null,
        }),
      },
    ],
    stage: () => ({
      hosts: [host('mx.clear.example', ['198.51.100.20'], null, { knobs: { startTls: 'absent' } })],
      zones: [
        worldZone(
          'clear.example',
          ['clear.example MX 10 mx.clear.example', 'mx.clear.example A 198.51.100.20'],
          null,
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'first-mx-down',
        says: 'The first MX refuses connections, the second is up',
        expects: 'Delivered to the second within the same attempt',
        from: 'RFC 5321 §5.1',
        act: mailTo('bob@down.example'),
        expect: delivered('mx2.down.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx2.down.example'],
          failedBefore: ['net.refused'],
        }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [
        hostThatIsDown('mx1.down.example', ['198.51.100.31']),
        host('mx2.down.example', ['198.51.100.32'], await lab.leaf({ names: ['mx2.down.example'] })),
      ],
      zones: [
        worldZone(
          'down.example',
          [
            'down.example MX 10 mx1.down.example',
            'down.example MX 20 mx2.down.example',
            'mx1.down.example A 198.51.100.31',
            'mx2.down.example A 198.51.100.32',
          ],
          null,
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'null-mx',
        says: 'A domain that says MX 0 . and so takes no mail, though it has an address',
        expects: 'Returned to the sender at once',
        from: 'RFC 7505 §3',
        act: mailTo('bob@nomail.example'),
        expect: { outcome: 'returned', reason: 'dns.null-mx', untouched: [] },
      },
    ],
    // Nobody is at the address, and nobody may ever try.
    stage: () => ({
      zones: [worldZone('nomail.example', ['nomail.example MX 0 .', 'nomail.example A 198.51.100.50'], {})],
    }),
  },
  {
    scenarios: [
      {
        name: 'no-8bitmime',
        says: 'An 8-bit message for a host that does not offer 8BITMIME',
        expects: 'Returned to the sender at once; no octet is changed to make it fit',
        from: 'RFC 6152 §3',
        act: mailTo('bob@seven.example', 'eight-bit'),
        expect: { outcome: 'returned', reason: 'smtp.no-8bitmime', untouched: [] },
      },
      {
        name: '7-bit-needs-nothing',
        says: 'A 7-bit message for the same host',
        expects: 'Delivered',
        from: 'RFC 6152 §3',
        act: mailTo('bob@seven.example'),
        expect: delivered('mx.seven.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx.seven.example'],
        }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [
        host('mx.seven.example', ['198.51.100.40'], await lab.leaf({ names: ['mx.seven.example'] }), {
          knobs: { eightBitMime: false, smtputf8: false },
        }),
      ],
      zones: [
        worldZone(
          'seven.example',
          ['seven.example MX 10 mx.seven.example', 'mx.seven.example A 198.51.100.40'],
          null,
        ),
      ],
    }),
  },
  {
    // Where mail returned to senders ends.
    scenarios: [],
    stage: async ({ lab }) => ({
      hosts: [host('mx.sender.example', ['203.0.113.5'], await lab.leaf({ names: ['mx.sender.example'] }))],
      zones: [
        worldZone(
          'sender.example',
          ['sender.example MX 10 mx.sender.example', 'mx.sender.example A 203.0.113.5'],
          null,
        ),
      ],
    }),
  },
]
