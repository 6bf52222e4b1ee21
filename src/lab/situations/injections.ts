/** Case 5: somebody between client and server puts lines of his own into what is said before TLS (RFC 3207 §4.2, CVE-2011-0411). */
import { deferred, delivered, mailTo } from '../scenario.ts'
import { worldZone } from '../signing/signed-world.ts'
import { host, type Situation } from '../situation.ts'

export const injections: readonly Situation[] = [
  {
    scenarios: [
      {
        name: 'injection',
        says: "Somebody puts MAIL, RCPT and DATA behind a client's STARTTLS, in clear text",
        expects: 'Refused with 554, nothing accepted, counted as an incident',
        from: 'case 5, RFC 3207 §4.2',
        act: {
          kind: 'injection',
          commands: [
            'EHLO victim.sender.example',
            'MAIL FROM:<mallory@sender.example>',
            'RCPT TO:<bob@down.example>',
            'DATA',
            'Subject: injected',
            '',
            'This line was sent before TLS.',
            '.',
          ],
        },
        expect: { outcome: 'refused', code: 554, incident: 'starttls.bytes-after-command' },
      },
    ],
    stage: () => ({}),
  },
  {
    scenarios: [
      {
        name: 'injected-replies',
        says: 'The first MX sends replies behind its 220 to STARTTLS, in clear text; the second is honest',
        expects: 'The first is left without a TLS handshake or a mail command; the second takes the message',
        from: 'case 5, RFC 3207 §4.2',
        act: mailTo('bob@injected.example', 'eight-bit'),
        expect: delivered('mx2.injected.example', {
          name: 'unauthenticated',
          peer: 'encrypted',
          references: ['mx2.injected.example'],
          failedBefore: ['starttls.bytes-after-220'],
          untouched: ['mx1.injected.example'],
        }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [
        host('mx1.injected.example', ['203.0.113.11'], await lab.leaf({ names: ['mx1.injected.example'] }), {
          knobs: { injectAfter220: forgedReplies },
        }),
        host('mx2.injected.example', ['203.0.113.12'], await lab.leaf({ names: ['mx2.injected.example'] })),
      ],
      zones: [
        worldZone(
          'injected.example',
          [
            'injected.example MX 10 mx1.injected.example',
            'injected.example MX 20 mx2.injected.example',
            'mx1.injected.example A 203.0.113.11',
            'mx2.injected.example A 203.0.113.12',
          ],
          null,
        ),
      ],
    }),
  },
  {
    scenarios: [
      {
        name: 'injected-replies-only',
        says: 'The only MX sends replies behind its 220 to STARTTLS',
        expects: 'Deferred; nothing is sent, in clear text or otherwise',
        from: 'case 5, RFC 3207 §4.2',
        act: mailTo('bob@middle.example'),
        expect: deferred('starttls.bytes-after-220', { untouched: ['mx.middle.example'] }),
      },
    ],
    stage: async ({ lab }) => ({
      hosts: [
        host('mx.middle.example', ['203.0.113.13'], await lab.leaf({ names: ['mx.middle.example'] }), {
          knobs: { injectAfter220: forgedReplies },
        }),
      ],
      zones: [
        worldZone(
          'middle.example',
          ['middle.example MX 10 mx.middle.example', 'mx.middle.example A 203.0.113.13'],
          null,
        ),
      ],
    }),
  },
]

/** What a man in the middle puts behind the `220`: an answer to the EHLO that the client will send inside TLS, and one to MAIL. */
const forgedReplies = '250-mx.example\r\n250 AUTH PLAIN\r\n250 2.1.0 Sender fine\r\n'
