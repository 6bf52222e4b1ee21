/** Next hops that the operator configured, at level `verify`: names and roots (RFC 9525, RFC 5280), and case 3. */
import { deferred, delivered, mailTo } from '../scenario.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, type Situation } from '../situation.ts'

export const configuredHops: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'alias',
        says: 'The smarthost mail.dev.example is a CNAME to mail.example.local; its certificate is for *.dev.example',
        expects: "Delivered: the name checked and the SNI are what the operator wrote, not the alias's target",
        from: 'case 3',
        act: mailTo('bob@dev.example'),
        expect: delivered('mail.example.local', {
          name: 'configured',
          peer: 'pkix',
          references: ['mail.dev.example'],
        }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [host('mail.example.local', ['192.0.2.6'], await lab.leaf({ names: ['*.dev.example'] }))],
      zones: [
        worldZone('dev.example', ['mail.dev.example CNAME mail.example.local'], {}),
        // Of the network inside: no zone above it knows it, and nothing vouches for it (RFC 6762 §22.1).
        worldZone('example.local', ['mail.example.local A 192.0.2.6'], null, { delegation: 'none' }),
      ],
      hops: [{ domain: 'dev.example', to: { host: 'mail.dev.example', port: 25 }, level: 'verify' }],
    }),
  },
  {
    scenarios: [
      {
        name: 'smarthost',
        says: 'A smarthost with a certificate for its name, from the CA the operator trusts',
        expects: 'Delivered to the authenticated host',
        from: 'RFC 9525 §6.3',
        act: mailTo('bob@office.example', 'eight-bit'),
        expect: delivered('smarthost.example', {
          name: 'configured',
          peer: 'pkix',
          references: ['smarthost.example'],
        }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [
        host(
          'smarthost.example',
          ['192.0.2.25', '2001:db8:25::25'],
          await lab.leaf({ names: ['smarthost.example'] }),
        ),
      ],
      zones: [
        worldZone(
          'smarthost.example',
          ['smarthost.example A 192.0.2.25', 'smarthost.example AAAA 2001:db8:25::25'],
          null,
        ),
      ],
      hops: [{ domain: 'office.example', to: { host: 'smarthost.example', port: 25 }, level: 'verify' }],
    }),
  },
  {
    scenarios: [
      {
        name: 'wrong-name',
        says: 'A smarthost at level verify shows a certificate for other.example',
        expects: 'Deferred before any mail command',
        from: 'RFC 9525 §6.3',
        act: mailTo('bob@wrong.example'),
        expect: deferred('x509.name-mismatch', { untouched: ['relay.wrong.example'] }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [host('relay.wrong.example', ['192.0.2.31'], await lab.leaf({ names: ['other.example'] }))],
      zones: [worldZone('wrong.example', ['relay.wrong.example A 192.0.2.31'], { denial: { kind: 'nsec' } })],
      hops: [{ domain: 'wrong.example', to: { host: 'relay.wrong.example', port: 25 }, level: 'verify' }],
    }),
  },
  {
    scenarios: [
      {
        name: 'untrusted-root',
        says: 'A smarthost at level verify shows the right name, from a CA that the operator was never told of',
        expects: 'Deferred before any mail command',
        from: 'RFC 5280 §6.1',
        act: mailTo('bob@untrusted.example'),
        expect: deferred('x509.untrusted-root', { untouched: ['relay.untrusted.example'] }),
      },
    ],
    stage: async ({ stranger }) => {
      const leaf = await stranger.leaf({ names: ['relay.untrusted.example'] })
      // The root is sent along: so it is plain that nothing is missing but trust.
      const certificate = { ...leaf, chain: leaf.chain + stranger.root }
      return {
        hosts: [host('relay.untrusted.example', ['192.0.2.32'], certificate)],
        zones: [worldZone('untrusted.example', ['relay.untrusted.example A 192.0.2.32'], null)],
        hops: [
          { domain: 'untrusted.example', to: { host: 'relay.untrusted.example', port: 25 }, level: 'verify' },
        ],
      }
    },
  },
]
