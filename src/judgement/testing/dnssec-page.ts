/** docs/dnssec.md: the standard as the code applies it, with its tables made from the code. dnssec-page.test.ts holds the two to each other. */
import { formatName } from '../../protocol/dns/name.ts'
import { algorithmName, algorithmStatus } from '../../protocol/dnssec/algorithms.ts'
import { rootAnchors } from '../../protocol/dnssec/anchors.ts'
import { defaultDnssecLimits } from '../../protocol/dnssec/budget.ts'
import { maxNsec3Iterations } from '../../protocol/dnssec/nsec3.ts'
import { privateNames } from '../../protocol/dnssec/private-names.ts'
import type { DnssecReason } from '../../protocol/dnssec/reasons.ts'
import type { DnssecWork } from '../../protocol/dnssec/types.ts'
import { maxVerifications } from '../../protocol/dnssec/verify-set.ts'
import { dnsDocument } from '../dns-document.ts'
import { dnsText } from '../dns-text.ts'
import { dnssecFindings } from '../findings/dnssec.ts'
import type { FindingEntry } from '../findings/entry.ts'
import { soonDays } from '../zone-audit.ts'
import { zoneFindings } from '../zone-findings.ts'
import { answered } from './dns-answers.ts'

export function dnssecPage(): string {
  return `# DNSSEC, as Hermetic applies it

Answers of the DNS are validated in process, from the keys of the root down (\`src/protocol/dnssec\`); no resolver has to be trusted for it, and none is. The relay goes by it
([dane.md](dane.md) says what mail makes of an answer), and \`hermetic dns\` shows it. This page is made from the code and \`src/judgement/testing/dnssec-page.ts\`; \`vitest -u\` writes it anew.

## Asking

    hermetic dns example.org MX
    hermetic dns _25._tcp.mx.example.org TLSA --trace            # with the chain of reasons, and every question
    hermetic dns example.org --server 192.0.2.53 --json          # another resolver; the whole document
    hermetic dns example.org --server tls://192.0.2.53#dns.example  # over TLS, if its certificate proves the name

The first line says what there is, how far it can be trusted, and why. Then come the records as lines of a zone file, aliases with the security of each, and for whatever is not secure the reason, who must act, and what to do.

${example('_25._tcp.mx.nsec3.example TLSA')}

${example('host.unsigned.example A')}

${example('host.expired.example A')}

| exit | |
|---|---|
| 0 | there are records, and nothing is wrong with them: secure, or insecure |
| 1 | there is no such name or record, proven or plainly said |
| 2 | bogus or indeterminate: the answer cannot be trusted, or there is none |
| 64, 65 | wrong usage; \`--anchor\` is not a file of anchors |
| 69 | no server answers |

\`--json\` prints \`hermetic.dns/1\` ([dns.schema.json](dns.schema.json)), always whole. Lines are folded at 100 columns, strings of TXT too: what is to be pasted is \`line\` in the document. \`--at\` holds
signatures against another time, \`--anchor\` takes DS and DNSKEY records in the place of the root's (${rootAnchors.map(anchor => (anchor.kind === 'ds' ? anchor.ds.keyTag : anchor.dnskey.keyTag)).join(' and ')} are shipped). The hosts file and search suffixes play no part.

## What DNSSEC proves

A zone signs its record sets: an RRSIG beside each says which key made it, for what time, and for which zone. The keys stand in the zone's DNSKEY set, and that set is believed because
the parent publishes, and signs, a digest of one of its keys: the DS. So there is a chain from the root, whose keys are known here, to every signed zone (RFC 4033 to 4035). That something does *not* exist is
proven too: NSEC records name the next name that does, NSEC3 records the next hash of one (RFC 5155). It hides nothing, and it says nothing of who runs a host: for mail it is what makes MX and TLSA records
worth relying on.

## How an answer is judged

1. The question is asked, with DO and CD set. What comes back is looked at as RRsets; the response code, the AD bit and the section that a record stands in prove nothing.
2. For each signer that could be right, the zone's keys are found: from the nearest trust anchor, zone by zone, by a DS set that the upper zone signed and a DNSKEY set that the DS names. Where a name has no DS, the upper
   zone must prove that: then either no zone begins there, or everything below is insecure.
3. A signature counts when its zone is the one that owns the name, now lies within its time (serial arithmetic, RFC 4034 §3.1.5), a key of the zone has its tag and algorithm, and it verifies. A record made from a wildcard also needs the proof
   that the name itself does not exist (RFC 4035 §5.3.4).
4. Without records, NSEC or NSEC3 must prove that there is no such type, or no such name and no wildcard for it. A proof of the parent says nothing of the child, nor the other way round (RFC 6840 §4.1).
5. Aliases (CNAME, DNAME) are judged one by one, each in its zone; the answer is as weak as the weakest of them, and \`endSecurity\` is that of the end alone.

| security | means | records |
|---|---|---|
| \`secure\` | a chain of signatures from the trust anchor proves the answer, also that there is none | given |
| \`insecure\` | it is proven, or configured, that no such chain is meant to exist | given, and nobody vouches for them |
| \`bogus\` | a chain is meant to exist, and is broken | none: what needs them waits |
| \`indeterminate\` | no usable answer came, or no anchor is known | none, or such as nobody can judge |

## Reasons

${reasonTable()}

What to do about each stands in [findings.md](findings.md#answers-of-the-dns-dnssec). Where an answer cannot be trusted, the servers are looked at as well: one that takes signatures away, one that does not answer over TCP, and a clock that is wrong each
make sound zones look broken, and are named in the zone's place.

## What is asked of servers

- Any recursive server will do that passes DNSSEC records on; it need not validate. EDNS with 1,232 bytes, TCP for what was cut, a random id and port for each question, the question echoed, its letters in a case that is thrown each time (draft-vixie-dnsext-dns0x20): what comes back in another is asked for over
  TCP, and a server that has its own case is asked in ours for a quarter of an hour. Who was silent, and who denies a name without a signature, is asked once more in ours.
- \`tls://192.0.2.53#dns.example\` is asked over TLS (RFC 7858), after its certificate proved that name (RFC 8310, the strict profile): a few connections that are kept for 20 seconds and an hour at most, many questions in flight on each
  (RFC 7766 §6.2.1.1), padded to multiples of 128 bytes (RFC 8467). What a server leaves unanswered when it closes is asked again on another connection. One that does not prove its name is asked nothing, neither here nor in clear text (\`dns.server-unproven\`).
- A server without EDNS cannot send signatures and counts as failed; SERVFAIL and REFUSED too: the next one is asked. Silent ones are asked again, and after the others for half a minute.
- **Bogus is not final at once.** The same walk is driven again with the servers avoided that answered, then with CD left out, since a server that validates may keep something better than what it was told not to look at. Only then it stands. All of that is paid from one budget.
- Messages are kept for the smallest TTL in them, of which none is longer than the one that was signed (RFC 4035 §5.3.3), and for 5 seconds at most once they led to bogus; keys of zones, once proven, as long as the whole
  chain to them holds.
- **What was proven outlives a restart of the relay**, signed zones and unsigned delegations alike: in \`knowledge.db\`, 10,000 zones and 8 MB at most, the one unused for longest goes first. It counts under the very same anchors, \`dns.insecure\`, rules and version of Hermetic only,
  never beyond its end nor a day after it was proven, and not at all once the clock has been set back behind the last writing; a row of which any part has changed is dropped. What was kept is never the reason for bogus: the first answer that does not fit makes it forgotten, down from the root, and is asked for again.
  Commands beside the relay (\`dns\`, \`route\`, \`config check\`, \`tlsa check\`) neither read nor write it: they tell what is found now.
- All messages that one answer is made of may have 1 MB together; what comes beyond that has failed.

## Auditing a zone

    hermetic dns --zone-audit example.org                        # for its owner, and for the postmaster who depends on it
    hermetic dns --zone-audit example.org --at 2026-12-24T00:00:00Z   # will it still stand then?

Finds the zone that the domain lies in and asks recursive servers, as senders of mail do, for what stands at its top, for what is not there (a name, a type, a TLSA record), and for the way of its mail: MX, hosts, addresses, TLSA at port 25. It tells the chain with
DS and keys zone by zone, when each signature that was seen ends, whether absence is proven, which hosts DANE can prove, what did not fit a datagram, and where several servers do not say the same. No server of the zone itself is asked, and no host is visited
(\`hermetic tlsa check\` does that). Findings about zones above, whose owners are others, are never more than information, unless the chain is broken there.

| finding | severity | what to do | source |
|---|---|---|---|
${zoneTable()}

A severity may be milder where less depends on it. Signatures end soon when less than ${soonDays} days and less than a quarter of their time are left. Exit codes: 0 nothing is wrong, 1 something is broken, 2 warnings only, 69 no server answers, 64 wrong usage. \`--json\` prints
\`hermetic.zone-audit/1\` ([zone-audit.schema.json](zone-audit.schema.json)).

## Limits

Work that a zone can cause is counted, not timed (CVE-2023-50387 KeyTrap, CVE-2023-50868). What one question may cost, aliases and every further attempt included:

${limitTable()}

When one of them is spent the answer is \`dnssec.over-budget\`, never insecure. One RRset is verified ${maxVerifications} times at most, with colliding key tags or many signatures. NSEC3 with more than ${maxNsec3Iterations} additional iterations is no proof
(RFC 9276 §3.2): what it would deny is insecure, once its signature was verified.

## Algorithms

${algorithmTable()}

A zone whose DS set names only algorithms or digests that are not known is insecure, since the signed DS set says so (RFC 4035 §5.2); one that is known is enough for the zone to be held to it. DS digests: SHA-1, SHA-256, SHA-384; SHA-1 does not count beside a stronger one.

## Names that are never global

At and below these nothing has to be validated (negative trust anchors, RFC 7646), unless an anchor is given there: networks use them for themselves, and the root proves that most of them do not exist. Where a server passes that very proof on, the answer is "no such name", and secure, as the root itself has signed it; what a network answers for itself is insecure.

${privateNames.map(name => `\`${formatName(name)}\``).join(' ')}

## Where unbound and BIND decide otherwise

On purpose, and each held to by \`test/peers/signed-lab.test.ts\` over the lab's zones and by \`test/peers/foreign-zones.test.ts\` over zones that ldns and BIND signed and NSD serves; both ask delv, unbound and drill the same questions:

- **SHA-1** (algorithms 5 and 7): insecure here (RFC 9905 §2), validated by unbound and BIND as distributed.
- **REVOKE**: a key that says it is revoked vouches for nothing, for any purpose (RFC 5011 §2.1); unbound heeds the bit only where it keeps anchors up to date, BIND only in keys that sign data.
- **DS with SHA-1 beside one with SHA-256**: the weaker one counts for nothing (RFC 4509 §3); unbound, as distributed, lets it count.
- **A wrong CNAME beside a DNAME** is bogus; delv and unbound make their own CNAME, and never look at what was sent.
- **Opt-out**: a "no" whose proof lies in an opt-out span is insecure (RFC 5155 §9.2); delv calls some of them secure.
- **Ed448** is known; the unbound of Debian 12 does not know it.
- **Private names** are insecure without configuration; a resolver would call them bogus, or answer them itself.
- **Bogus leaves nothing**: there is no switch that shows the records all the same. \`--trace\` shows what came instead.
- **Not done**: no recursion from the root, no aggressive use of NSEC (RFC 8198), no automatic update of anchors (RFC 5011): both keys of the root are shipped.

## As a library

\`hermetic/dnssec\` exports \`validate\`, a generator that yields questions and is resumed with messages: it has no sockets, clock or packages, and runs over any transport or recording. \`src/system/validating-resolver.ts\` is the driver used here.
`
}

function example(question: string): string {
  const text = dnsText(dnsDocument(answered(question)), 'answer')
  // Keys of the lab are made anew each time.
  const lines = text.replaceAll(/\bkey tag \d+/g, 'key tag 4711').split('\n')
  return ['```', `$ hermetic dns ${question}`, ...lines, '```'].join('\n')
}

function reasonTable(): string {
  const seen = { host: '`HOST`', detail: '', reply: '' }
  const rows = Object.entries<FindingEntry>(dnssecFindings).map(
    ([code, { says, spec, severity }]) =>
      `| \`${code}\` | ${securityOf(code, severity)} | ${says(seen)} | ${spec ?? 'our own'} |`,
  )
  return ['| reason | security | means | source |', '|---|---|---|---|', ...rows].join('\n')
}

function securityOf(code: string, severity: FindingEntry['severity']): string {
  const none: DnssecReason = 'dnssec.no-anchor'
  if (code === none) return 'indeterminate'
  return severity === 'error' ? 'bogus' : 'insecure'
}

function zoneTable(): string {
  const rows = Object.entries(zoneFindings).map(
    ([code, { severity, remedy, spec }]) =>
      `| \`${code}\` | ${severity} | ${remedy === '' ? 'what stands with the reason, above' : remedy} | ${spec ?? 'our own'} |`,
  )
  return rows.join('\n')
}

function limitTable(): string {
  const what: Readonly<Record<DnssecWork, string>> = {
    questions: 'questions to servers; a name five zones deep takes some eleven',
    signatures: 'verifications, in units of one with RSA-2048; P-256 costs 3, P-384 21',
    digests: 'keys hashed for DS records, in units of 4 KB',
    'nsec3-hashes': 'blocks of SHA-1 for NSEC3, iterations included',
  }
  const rows = Object.entries(what).map(([work, says]) => {
    const limit = Object.entries(defaultDnssecLimits).find(([name]) => name === work)?.[1] ?? 0
    return `| \`${work}\` | ${limit} | ${says} |`
  })
  return ['| work | at most | |', '|---|---|---|', ...rows].join('\n')
}

function algorithmTable(): string {
  const says = { validates: 'proves', sha1: 'able, and insecure by default', unknown: '' }
  const rows = Array.from({ length: 256 }, (_, number) => number)
    .filter(number => algorithmStatus(number) !== 'unknown')
    .map(number => `| ${number} | ${algorithmName(number)} | ${says[algorithmStatus(number)]} |`)
  return ['| number | algorithm | a signature with it |', '|---|---|---|', ...rows].join('\n')
}
