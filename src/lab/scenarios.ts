/**
 * What is tried in the lab and what must come of it. A table: run.ts plays it, judge.ts holds what happened against it.
 */
import type { ReasonCode } from '../judgement/failure.ts'

export interface Scenario {
  readonly name: string
  /** The situation, in one line. */
  readonly says: string
  /** What must happen, in one line. */
  readonly expects: string
  /** `case 3`, `RFC 7505 §3`: where the rule is from. */
  readonly from: string
  readonly act: Act
  readonly expect: Expectation
}

type Act =
  /** A message is submitted to the relay over STARTTLS. */
  | { readonly kind: 'mail'; readonly to: string; readonly content: 'plain' | 'eight-bit' }
  /** A man in the middle puts commands behind the client's STARTTLS. */
  | { readonly kind: 'injection'; readonly commands: readonly string[] }

export type Expectation =
  | {
      readonly outcome: 'delivered'
      /** The host that must hold the message, byte for byte save trace fields. */
      readonly at: string
      readonly peer: 'pkix' | 'encrypted' | 'clear'
      /** The names the plan asked the certificate for: exactly these. */
      readonly references: readonly string[]
      /** The SNI that the host saw; null for none. */
      readonly sni: string | null
      /** What sessions before it failed for, in order. */
      readonly failedBefore: readonly ReasonCode[]
      /** Hosts that must have seen no mail command. */
      readonly untouched: readonly string[]
    }
  | {
      readonly outcome: 'deferred'
      readonly reason: ReasonCode
      readonly untouched: readonly string[]
    }
  | {
      readonly outcome: 'returned'
      readonly reason: ReasonCode
      readonly untouched: readonly string[]
    }
  | {
      /** The client is told so and nothing is accepted. */
      readonly outcome: 'refused'
      readonly code: number
      /** The incident in the relay's journal. */
      readonly incident: string
    }

/** Where the senders of the lab get their returned mail. */
export const senderAddress = 'alice@sender.example'
export const senderHost = 'mx.sender.example'

export const scenarios: readonly Scenario[] = [
  {
    name: 'alias',
    says: 'The smarthost mail.dev.example is a CNAME to mail.example.local; its certificate is for *.dev.example',
    expects: "Delivered: the name checked and the SNI are what the operator wrote, not the alias's target",
    from: 'case 3',
    act: { kind: 'mail', to: 'bob@dev.example', content: 'plain' },
    expect: {
      outcome: 'delivered',
      at: 'mail.example.local',
      peer: 'pkix',
      references: ['mail.dev.example'],
      sni: 'mail.dev.example',
      failedBefore: [],
      untouched: [],
    },
  },
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
  {
    name: 'injected-replies',
    says: 'The first MX sends replies behind its 220 to STARTTLS, in clear text; the second is honest',
    expects: 'The first is left without a TLS handshake or a mail command; the second takes the message',
    from: 'case 5, RFC 3207 §4.2',
    act: { kind: 'mail', to: 'bob@injected.example', content: 'eight-bit' },
    expect: {
      outcome: 'delivered',
      at: 'mx2.injected.example',
      peer: 'encrypted',
      references: ['mx2.injected.example'],
      sni: 'mx2.injected.example',
      failedBefore: ['starttls.bytes-after-220'],
      untouched: ['mx1.injected.example'],
    },
  },
  {
    name: 'injected-replies-only',
    says: 'The only MX sends replies behind its 220 to STARTTLS',
    expects: 'Deferred; nothing is sent, in clear text or otherwise',
    from: 'case 5, RFC 3207 §4.2',
    act: { kind: 'mail', to: 'bob@middle.example', content: 'plain' },
    expect: { outcome: 'deferred', reason: 'starttls.bytes-after-220', untouched: ['mx.middle.example'] },
  },
  {
    name: 'smarthost',
    says: 'A smarthost with a certificate for its name, from the CA the operator trusts',
    expects: 'Delivered to the authenticated host',
    from: 'RFC 9525 §6.3',
    act: { kind: 'mail', to: 'bob@office.example', content: 'eight-bit' },
    expect: {
      outcome: 'delivered',
      at: 'smarthost.example',
      peer: 'pkix',
      references: ['smarthost.example'],
      sni: 'smarthost.example',
      failedBefore: [],
      untouched: [],
    },
  },
  {
    name: 'wrong-name',
    says: 'A smarthost at level verify shows a certificate for other.example',
    expects: 'Deferred before any mail command',
    from: 'RFC 9525 §6.3',
    act: { kind: 'mail', to: 'bob@wrong.example', content: 'plain' },
    expect: { outcome: 'deferred', reason: 'x509.name-mismatch', untouched: ['relay.wrong.example'] },
  },
  {
    name: 'untrusted-root',
    says: 'A smarthost at level verify shows the right name, from a CA that the operator was never told of',
    expects: 'Deferred before any mail command',
    from: 'RFC 5280 §6.1',
    act: { kind: 'mail', to: 'bob@untrusted.example', content: 'plain' },
    expect: { outcome: 'deferred', reason: 'x509.untrusted-root', untouched: ['relay.untrusted.example'] },
  },
  {
    name: 'opportunistic',
    says: 'An MX with a certificate that proves nothing (localhost.localdomain, unknown CA)',
    expects: 'Delivered over TLS, said to be unauthenticated',
    from: 'RFC 7435 §4',
    act: { kind: 'mail', to: 'bob@opportunistic.example', content: 'eight-bit' },
    expect: {
      outcome: 'delivered',
      at: 'mx.opportunistic.example',
      peer: 'encrypted',
      references: ['mx.opportunistic.example'],
      sni: 'mx.opportunistic.example',
      failedBefore: [],
      untouched: [],
    },
  },
  {
    name: 'clear-text',
    says: 'An MX that offers no STARTTLS',
    expects: 'Delivered in clear text at once, and said so',
    from: 'RFC 7435 §4',
    act: { kind: 'mail', to: 'bob@clear.example', content: 'plain' },
    expect: {
      outcome: 'delivered',
      at: 'mx.clear.example',
      peer: 'clear',
      references: ['mx.clear.example'],
      sni: null,
      failedBefore: [],
      untouched: [],
    },
  },
  {
    name: 'first-mx-down',
    says: 'The first MX refuses connections, the second is up',
    expects: 'Delivered to the second within the same attempt',
    from: 'RFC 5321 §5.1',
    act: { kind: 'mail', to: 'bob@down.example', content: 'plain' },
    expect: {
      outcome: 'delivered',
      at: 'mx2.down.example',
      peer: 'encrypted',
      references: ['mx2.down.example'],
      sni: 'mx2.down.example',
      failedBefore: ['net.refused'],
      untouched: [],
    },
  },
  {
    name: 'null-mx',
    says: 'A domain that says MX 0 . and so takes no mail, though it has an address',
    expects: 'Returned to the sender at once',
    from: 'RFC 7505 §3',
    act: { kind: 'mail', to: 'bob@nomail.example', content: 'plain' },
    expect: { outcome: 'returned', reason: 'dns.null-mx', untouched: [] },
  },
  {
    name: 'no-8bitmime',
    says: 'An 8-bit message for a host that does not offer 8BITMIME',
    expects: 'Returned to the sender at once; no octet is changed to make it fit',
    from: 'RFC 6152 §3',
    act: { kind: 'mail', to: 'bob@seven.example', content: 'eight-bit' },
    expect: { outcome: 'returned', reason: 'smtp.no-8bitmime', untouched: [] },
  },
  {
    name: '7-bit-needs-nothing',
    says: 'A 7-bit message for the same host',
    expects: 'Delivered',
    from: 'RFC 6152 §3',
    act: { kind: 'mail', to: 'bob@seven.example', content: 'plain' },
    expect: {
      outcome: 'delivered',
      at: 'mx.seven.example',
      peer: 'encrypted',
      references: ['mx.seven.example'],
      sni: 'mx.seven.example',
      failedBefore: [],
      untouched: [],
    },
  },
]
