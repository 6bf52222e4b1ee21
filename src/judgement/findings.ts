/**
 * The register of findings: for every reason code who caused it, what it condemns, whether waiting can help, the status a DSN carries,
 * and the words for a postmaster. A reason without an entry does not compile; docs/findings.md is made from here.
 *
 * `condemns` and `lasting` together decide what delivery does (ARCHITECTURE decision 3):
 * - `session`: only this connection; a fresh one to the same host may serve.
 * - `host`: this host, for this message; the next host is tried.
 * - `message`: this message for all its recipients; no other host is asked in this attempt.
 * - `recipient`: this recipient only.
 * When no host is left: `for-now` defers, `for-good` returns the mail to its sender.
 *
 * Texts say who must act and the narrowest fix. They never contain anything from outside that did not pass `visible`.
 */
import type { Finding, ReplyEvidence } from './evidence.ts'
import type { Failure, ReasonCode } from './failure.ts'
import { daneFindings } from './findings/dane.ts'
import { dnssecFindings } from './findings/dnssec.ts'
import type { FindingEntry, Seen } from './findings/entry.ts'
import { x509Findings } from './findings/x509.ts'
import { visible } from './visible.ts'

const wait = (): string => 'Nothing to do: it is tried again by the retry schedule.'

export const findings = {
  'dns.no-such-domain': {
    severity: 'error',
    culprit: 'sender',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.1.2',
    spec: 'RFC 5321 §5.1',
    says: s => `The recipient's domain does not exist in the DNS${s.detail}.`,
    remedy: () =>
      'The sender should check the spelling of the address; if it is right, the owner of the domain must register it again.',
  },
  'dns.null-mx': {
    severity: 'error',
    culprit: 'zone',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.1.10',
    spec: 'RFC 7505 §3',
    says: s => `The recipient's domain says with a null MX record that it takes no mail${s.detail}.`,
    remedy: () =>
      'The sender needs another address; if the domain should take mail, its owner must replace `MX 0 .` by a host.',
  },
  'dns.lookup-failed': {
    severity: 'warning',
    culprit: 'zone',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.4.3',
    spec: 'RFC 5321 §5.1',
    says: s => `The DNS gave no usable answer for the destination${s.detail}.`,
    remedy: () =>
      'If other domains resolve, the owner of this domain must look at its name servers; else check the servers named in `dns`.',
  },
  'dns.timeout': {
    severity: 'warning',
    culprit: 'network',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.4.3',
    spec: 'RFC 5321 §5.1',
    says: s => `No DNS server answered in time for the destination${s.detail}.`,
    remedy: () =>
      'If every domain is concerned, check the servers named in `dns` and the way to them; else wait, it is tried again.',
  },
  'dns.server-unproven': {
    severity: 'error',
    culprit: 'network',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.4.3',
    spec: 'RFC 8310 §8.1',
    says: s => `The DNS server did not prove who it is, so it was asked nothing${s.detail}.`,
    remedy: () =>
      'If its certificate is from an authority of your own, name a file with the root in `dns.tls_roots`; if the name behind `#` in `dns.servers` is wrong, mend it. Else somebody may be in between: nothing is asked in clear text instead.',
  },
  'dns.validation-unavailable': {
    severity: 'error',
    culprit: 'network',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 7672 §2.1.1',
    says: s => `Answers of the DNS cannot be validated at present, and mail does not go on without${s.detail}.`,
    remedy: () =>
      'Look at the servers named in `dns`: they must pass signatures on. If others are used now on purpose, name them there; `dns.trust: none` gives up DANE for all mail.',
  },
  'dns.clock-wrong': {
    severity: 'error',
    culprit: 'operator',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 4035 §5.3.1',
    says: s =>
      `By the clock of this machine the signatures of the root have ended or not begun, so that no signed answer of the DNS can be used${s.detail}.`,
    remedy: () =>
      'Set the clock of this machine, and keep it right with NTP. If it is right, the servers named in `dns` send what is old: use others; a root of your own (`dns.anchors`) must be signed again.',
  },
  'dns.alias-loop': {
    severity: 'warning',
    culprit: 'zone',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.4.4',
    spec: 'RFC 1034 §3.6.2',
    says: s =>
      `The destination's DNS names are aliases that lead round in a circle, or to too many others${s.detail}.`,
    remedy: () =>
      'The owner of the domain must make one of these CNAME records point to a name with records of its own.',
  },
  'dns.too-many-hosts': {
    severity: 'warning',
    culprit: 'zone',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.4',
    spec: 'RFC 5321 §5.1',
    says: s => `The destination has more mail hosts or addresses than one attempt tries${s.detail}.`,
    remedy: () =>
      'Nothing to do: those that failed are put last for a while, so the next attempt comes to others; the owner of the domain should name fewer.',
  },
  'dns.name-invalid': {
    severity: 'error',
    culprit: 'sender',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.1.2',
    spec: 'RFC 1035 §2.3.4',
    says: s => `The destination is not a name that the DNS can hold${s.detail}.`,
    remedy: () =>
      'The sender, or the operator if the name is from a route, must correct it: labels of 1 to 63 octets, 253 in all.',
  },
  'dns.no-mail-host': {
    severity: 'error',
    culprit: 'zone',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.4.4',
    spec: 'RFC 5321 §5.1',
    says: s => `The recipient's domain exists, but has neither an MX record nor an address${s.detail}.`,
    remedy: () =>
      'The sender should check the address; if the domain should take mail, its owner must publish an MX record.',
  },
  'dns.mx-points-to-us': {
    severity: 'error',
    culprit: 'operator',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.4.6',
    spec: 'RFC 5321 §5.1',
    says: s =>
      `The best mail host of the domain is this relay itself, and no route says where its mail goes from here${s.detail}.`,
    remedy: () =>
      'If the domain is ours, add a route that sends it to the host of its mailboxes; else its owner must take our name out of the MX records.',
  },
  'dns.host-without-address': {
    severity: 'error',
    culprit: 'zone',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.4.4',
    spec: 'RFC 5321 §5.1',
    says: s => `${s.host} is named as a mail host, but has no address${s.detail}.`,
    remedy: s =>
      `The owner of the domain must give ${s.host} an A or AAAA record, or take it out of the MX records.`,
  },
  'dns.address-forbidden': {
    severity: 'error',
    culprit: 'zone',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.4.4',
    spec: null,
    says: s =>
      `${s.host} has an address that a stranger's DNS may not send us to: loopback, private, link-local or our own${s.detail}.`,
    remedy: () =>
      'If that is meant, the operator names the network in `dns.allow_addresses`, or writes a `host` route; else the zone is wrong.',
  },
  'dns.literal-forbidden': {
    severity: 'error',
    culprit: 'sender',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.1.2',
    spec: 'RFC 5321 §4.1.3',
    says: s =>
      `The recipient's domain is itself an address, and mail is sent to none that is loopback, private, link-local or our own${s.detail}.`,
    remedy: () =>
      'The sender should write the name of a domain; if the address is meant, the operator names its network in `dns.allow_addresses`, or writes a `host` route.',
  },

  'net.refused': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.1',
    spec: 'RFC 5321 §4.5.4.1',
    says: s => `${s.host} refused the connection: nothing listens there, or a firewall says no${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must start its mail service; if other senders reach it, look at the firewalls between.`,
  },
  'net.timeout': {
    severity: 'warning',
    culprit: 'network',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.1',
    spec: 'RFC 5321 §4.5.4.1',
    says: s => `${s.host} did not answer the connection in time${s.detail}.`,
    remedy: s =>
      `Check that this machine may connect out to port 25 at all (many providers block it); if it may, ${s.host} is down or drops our packets.`,
  },
  'net.unreachable': {
    severity: 'warning',
    culprit: 'network',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.1',
    spec: 'RFC 5321 §4.5.4.1',
    says: s => `There is no way to ${s.host} from here${s.detail}.`,
    remedy: () =>
      'For an IPv6 address on a machine without IPv6 this is to be expected; else check the routing of this machine.',
  },
  'net.reset': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.2',
    spec: 'RFC 5321 §4.5.4.1',
    says: s => `${s.host} broke the connection off before it said anything${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must say whether it limits or blocks our address; it is tried again.`,
  },
  'net.failed': {
    severity: 'warning',
    culprit: 'network',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.1',
    spec: null,
    says: s => `The connection to ${s.host} failed${s.detail}.`,
    remedy: () => 'The text in brackets is the system’s own: look there first. It is tried again.',
  },

  'smtp.greeting-refused-for-now': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.3.2',
    spec: 'RFC 5321 §3.1',
    says: s => `${s.host} takes no mail for the moment: it greeted with${s.reply}.`,
    remedy: wait,
  },
  'smtp.greeting-refused-for-good': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.3.2',
    spec: 'RFC 5321 §3.1',
    says: s => `${s.host} takes no mail from us: it greeted with${s.reply}.`,
    remedy: s =>
      `The postmaster of ${s.host} must say why; a 521 means that it never takes mail (RFC 7504), so the MX record is wrong.`,
  },
  'smtp.hello-refused-for-now': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.3.2',
    spec: 'RFC 5321 §4.1.1.1',
    says: s => `${s.host} did not accept our EHLO for the moment:${s.reply}.`,
    remedy: wait,
  },
  'smtp.refused-before-tls': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 7672 §2.2',
    says: s =>
      `${s.host} refused to talk before there was TLS${s.reply}: nobody has proved that it was ${s.host} who spoke, so the mail waits instead of going back.`,
    remedy: s =>
      `If ${s.host} really serves no mail any more, the owner of the domain must take it out of the MX records; if it serves others, somebody between may be sending mail back.`,
  },
  'smtp.hello-refused-for-good': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.5.0',
    spec: 'RFC 5321 §4.1.1.1',
    says: s => `${s.host} refused our EHLO and our HELO:${s.reply}.`,
    remedy: () =>
      'Check that `hostname` is a full name whose address is ours, both ways: many servers refuse any other.',
  },
  'smtp.sender-refused-for-now': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.1.0',
    spec: 'RFC 5321 §3.3',
    says: s => `${s.host} did not take the sender for the moment:${s.reply}.`,
    remedy: wait,
  },
  'smtp.sender-refused-for-good': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-good',
    enhanced: '5.1.0',
    spec: 'RFC 5321 §3.3',
    says: s => `${s.host} refused the sender:${s.reply}.`,
    remedy: s =>
      `The reply says what ${s.host} dislikes; often the sender's domain does not let this relay send for it (SPF).`,
  },
  'smtp.recipient-refused-for-now': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'recipient',
    lasting: 'for-now',
    enhanced: '4.2.0',
    spec: 'RFC 5321 §3.3',
    says: s => `${s.host} did not take this recipient for the moment:${s.reply}.`,
    remedy: () => 'Nothing to do: it is tried again; a server that greylists takes the mail then.',
  },
  'smtp.recipient-refused-for-good': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.1.1',
    spec: 'RFC 5321 §3.3',
    says: s => `${s.host} refused this recipient:${s.reply}.`,
    remedy: s =>
      `The sender should check the address; if it is right, the postmaster of ${s.host} must say why it is refused.`,
  },
  'smtp.data-refused-for-now': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.3.0',
    spec: 'RFC 5321 §4.1.1.4',
    says: s => `${s.host} accepted recipients, but not the DATA command for the moment:${s.reply}.`,
    remedy: wait,
  },
  'smtp.data-refused-for-good': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-good',
    enhanced: '5.3.0',
    spec: 'RFC 5321 §4.1.1.4',
    says: s => `${s.host} accepted recipients, but refused the DATA command:${s.reply}.`,
    remedy: s => `The postmaster of ${s.host} must say why.`,
  },
  'smtp.message-refused-for-now': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.3.0',
    spec: 'RFC 5321 §4.1.1.4',
    says: s => `${s.host} read the message and did not take it for the moment:${s.reply}.`,
    remedy: wait,
  },
  'smtp.message-refused-for-good': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-good',
    enhanced: '5.6.0',
    spec: 'RFC 5321 §4.1.1.4',
    says: s => `${s.host} read the message and refused it:${s.reply}.`,
    remedy: s =>
      `The reply says why: its content or size, as a rule. The sender can change the message, or ask the postmaster of ${s.host}.`,
  },
  'smtp.reply-malformed': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.5.0',
    spec: 'RFC 5321 §4.2',
    says: s => `${s.host} answered with something that is not an SMTP reply${s.detail}.`,
    remedy: s =>
      `Check that the port of ${s.host} is one for SMTP, and that no firewall rewrites the conversation.`,
  },
  'smtp.reply-too-long': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.5.0',
    spec: 'RFC 5321 §4.5.3.1.5',
    says: s => `${s.host} sent a reply longer than any that makes sense${s.detail}.`,
    remedy: s => `The postmaster of ${s.host} must repair its server; no setting of ours helps.`,
  },
  'smtp.reply-unexpected': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.5.0',
    spec: 'RFC 5321 §4.3.2',
    says: s =>
      `${s.host} sent a reply that answers nothing we had asked, or that cannot be the answer${s.detail}${s.reply}.`,
    remedy: s =>
      `Client and server no longer agree where they are, so nothing more is sent; the postmaster of ${s.host} must repair it.`,
  },
  'smtp.timeout': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.2',
    spec: 'RFC 5321 §4.5.3.2',
    says: s => `${s.host} stopped answering in the middle of the conversation${s.detail}.`,
    remedy: () =>
      'Nothing to do at first; if it is always large messages, look for a path MTU problem between the two.',
  },
  'smtp.closed': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'session',
    lasting: 'for-now',
    enhanced: '4.4.2',
    spec: 'RFC 5321 §3.8',
    says: s => `${s.host} closed the connection in the middle of the conversation${s.detail}.`,
    remedy: wait,
  },
  'smtp.closed-after-dot': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.4.2',
    spec: 'RFC 5321 §4.5.3.2.6',
    says: s =>
      `${s.host} went away after the whole message was sent and before it said whether it took it${s.detail}.`,
    remedy: () => 'It is sent again later and may then arrive twice: the only other choice would be to lose it.',
  },
  'smtp.shutting-down': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'session',
    lasting: 'for-now',
    enhanced: '4.3.2',
    spec: 'RFC 5321 §3.8',
    says: s => `${s.host} ended the conversation:${s.reply}.`,
    remedy: wait,
  },
  'smtp.no-8bitmime': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.6.3',
    spec: 'RFC 6152 §3',
    says: s =>
      `The message has 8-bit content and ${s.host} does not offer 8BITMIME; a relay does not rewrite content.`,
    remedy: s =>
      `The postmaster of ${s.host} should turn 8BITMIME on; or the sender encodes the message as quoted-printable or base64.`,
  },
  'smtp.no-smtputf8': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.6.7',
    spec: 'RFC 6531 §3.2',
    says: s => `The message has addresses or header fields in UTF-8 and ${s.host} does not offer SMTPUTF8.`,
    remedy: s => `The sender needs an ASCII address for this recipient, or ${s.host} must learn SMTPUTF8.`,
  },
  'smtp.message-exceeds-size': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-good',
    enhanced: '5.3.4',
    spec: 'RFC 1870 §6.1',
    says: s => `The message is larger than ${s.host} takes${s.detail}.`,
    remedy: s => `The sender should send less at a time; or the postmaster of ${s.host} raises its limit.`,
  },

  'starttls.not-offered': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.4',
    spec: 'RFC 3207 §4',
    says: s => `${s.host} does not offer STARTTLS, and the route asks for TLS: nothing was sent.`,
    remedy: s =>
      `If ${s.host} used to offer it, somebody between may be taking it out; else its postmaster must turn it on, or the operator lowers the level of this one route.`,
  },
  'starttls.refused': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.4',
    spec: 'RFC 3207 §4',
    says: s => `${s.host} offers STARTTLS, then refused it:${s.reply}. The route asks for TLS: nothing was sent.`,
    remedy: s =>
      `The postmaster of ${s.host} must repair its TLS set-up: a 454 mostly means that it cannot read its certificate or key.`,
  },
  'starttls.left-out': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'session',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 7435 §4',
    says: s =>
      `${s.host} offers STARTTLS and clear text was used: TLS handshakes for this message had failed, in an earlier attempt and in this one, and the route accepts that${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must repair its TLS; the failed connection just before this one says what is wrong. If clear text will not do, set the level of the route to \`encrypt\`.`,
  },
  'starttls.bytes-after-220': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.0',
    spec: 'RFC 3207 §4.2',
    says: s =>
      `Clear text followed ${s.host}'s reply to STARTTLS${s.detail}: the server, or somebody between, talks before TLS. The connection was dropped.`,
    remedy: () =>
      'Treat it as an attack until shown otherwise: compare from another network. If it is the server itself, its postmaster must update it (compare CVE-2011-0411).',
  },

  'tls.handshake-failed': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 3207 §4.1',
    says: s => `The TLS handshake with ${s.host} failed${s.detail}.`,
    remedy: s =>
      `The text in brackets is OpenSSL's: the postmaster of ${s.host} should compare it with its own log of this minute.`,
  },
  'tls.not-tls': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 3207 §4',
    says: s => `Where TLS should have begun, ${s.host} sent something else${s.detail}.`,
    remedy: s =>
      `With implicit TLS: check that the port is 465, not 25 or 587. After STARTTLS: the postmaster of ${s.host} must repair its server.`,
  },
  'tls.closed': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 3207 §4.1',
    says: s => `${s.host} closed the connection in the middle of the TLS handshake, without an alert${s.detail}.`,
    remedy: s => `Only the log of ${s.host} can say why; servers that hang up on a large ClientHello do this too.`,
  },
  'tls.timeout': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 3207 §4.1',
    says: s => `${s.host} did not finish the TLS handshake in time${s.detail}.`,
    remedy: s =>
      `If it is always so, ${s.host} or a firewall before it may choke on a ClientHello larger than one packet.`,
  },
  'tls.no-common-version': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 8996 §4',
    says: s => `${s.host} offers no TLS version that we still speak (1.2 and 1.3)${s.detail}.`,
    remedy: s => `The postmaster of ${s.host} must turn on TLS 1.2; versions 1.0 and 1.1 are withdrawn.`,
  },
  'tls.no-common-cipher': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 9325 §4.2',
    says: s => `${s.host} and we share no cipher suite, group or signature algorithm${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should allow ECDHE with AES-GCM or ChaCha20, and see that its certificate's key fits.`,
  },
  'tls.short-dh-prime': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 9325 §4.1',
    says: s => `${s.host} proposed a Diffie-Hellman prime that is too short to be safe${s.detail}.`,
    remedy: s => `The postmaster of ${s.host} should offer ECDHE, or a prime of 2048 bits or more.`,
  },
  'tls.no-secure-renegotiation': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 5746 §4.1',
    says: s =>
      `${s.host} lacks the fix of 2009 for TLS renegotiation, and OpenSSL does not talk to such servers${s.detail}.`,
    remedy: s => `The postmaster of ${s.host} must update its TLS library.`,
  },
  'tls.alert': {
    severity: 'error',
    culprit: 'peer',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.7.5',
    spec: 'RFC 8446 §6.2',
    says: s => `${s.host} ended the TLS handshake with an alert${s.detail}.`,
    remedy: s => `The alert's name says what ${s.host} disliked; its own log says why.`,
  },

  ...x509Findings,
  ...daneFindings,
  ...dnssecFindings,

  'policy.rejected-by-route': {
    severity: 'error',
    culprit: 'policy',
    condemns: 'recipient',
    lasting: 'for-good',
    enhanced: '5.7.1',
    spec: null,
    says: s => `A route of this relay rejects mail for this recipient${s.detail}.`,
    remedy: () =>
      'If that is not meant, the operator changes the route: `hermetic route ADDRESS` says which one won and why.',
  },
  'policy.route-host-not-found': {
    severity: 'error',
    culprit: 'operator',
    condemns: 'host',
    lasting: 'for-now',
    enhanced: '4.4.4',
    spec: null,
    says: s =>
      `The route names ${s.host}, and neither the DNS nor the hosts file knows an address for it${s.detail}.`,
    remedy: () => 'The operator corrects the name in the route, or makes it resolve; the mail waits.',
  },
  'message.expired': {
    severity: 'error',
    culprit: 'network',
    condemns: 'message',
    lasting: 'for-good',
    enhanced: '5.4.7',
    spec: 'RFC 5321 §4.5.4.1',
    says: s => `The message could not be delivered in the time it may stay in the queue${s.detail}.`,
    remedy: () => 'The last failure before this one says what was in the way.',
  },
  'us.content-unreadable': {
    severity: 'error',
    culprit: 'us',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.3.0',
    spec: null,
    says: s => `The stored content of the message could not be read${s.detail}.`,
    remedy: () => 'The operator looks at the disk under the state directory and at the system log.',
  },
  'us.next-hop-busy': {
    severity: 'warning',
    culprit: 'peer',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.4.5',
    spec: null,
    says: s =>
      `So much mail waits for this next hop that the message was put back without an attempt, to make room for mail to others${s.detail}.`,
    remedy: () =>
      'Find out why the next hop is slow; if it is ours and can take more, raise `limits.deliveries_per_next_hop`.',
  },
  'us.internal': {
    severity: 'error',
    culprit: 'us',
    condemns: 'message',
    lasting: 'for-now',
    enhanced: '4.3.0',
    spec: null,
    says: s => `Hermetic met a fault of its own${s.detail}.`,
    remedy: () =>
      'This is a bug: please report it with the text in brackets. The message is kept and tried again.',
  },
} as const satisfies Record<ReasonCode, FindingEntry>

/** The register as a lookup by any code. */
export function entryOf(code: ReasonCode): FindingEntry {
  return findings[code]
}

/** The finding of a failure as documents carry it. @param host The host it happened with, as the route or the MX record names it; null: none yet. */
export function findingFor(failure: Failure, host: string | null): Finding {
  const entry = entryOf(failure.reason)
  const seen: Seen = {
    host: hostText(host),
    // A whole sentence loses its full stop in parentheses.
    detail: failure.detail === null ? '' : ` (${visible(failure.detail).replace(/\.$/, '')})`,
    reply: failure.reply === null ? '' : ` “${replyLine(failure.reply)}”`,
  }
  return {
    code: failure.reason,
    severity: entry.severity,
    culprit: entry.culprit,
    condemns: entry.condemns,
    lasting: entry.lasting,
    says: asSentence(entry.says(seen)),
    remedy: asSentence(entry.remedy(seen)),
    spec: entry.spec,
  }
}

/** What texts call a host. @param host Null: no name is known. */
export function hostText(host: string | null): string {
  return host === null ? 'the server' : visible(host)
}

/** Only our own stand-in for a host begins a sentence in lower case by mistake; a host's name keeps the case it has. */
export function asSentence(text: string): string {
  return text.startsWith('the server') ? `T${text.slice(1)}` : text
}

/** The status a DSN gives for a failure: the peer's own where it gave one of the right class, else the register's (RFC 3463 §2). */
export function enhancedStatus(failure: Failure): string {
  const { enhanced } = entryOf(failure.reason)
  const peers = failure.reply?.enhanced ?? null
  return peers?.charAt(0) === enhanced.charAt(0) ? peers : enhanced
}

/** A reply in one harmless line: `550 5.1.1 no such user`. Lines are joined by ` / `. */
export function replyLine(reply: { readonly code: number; readonly enhanced: string | null } & ReplyText): string {
  const text = 'lines' in reply ? reply.lines.join(' / ') : reply.text
  return visible([String(reply.code), reply.enhanced, text].filter(part => part !== null && part !== '').join(' '))
}

type ReplyText = { readonly lines: readonly string[] } | Pick<ReplyEvidence, 'text'>
