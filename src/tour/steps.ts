/**
 * The steps of the tour: which scenario, with which message, what others do and how what Hermetic did is told.
 *
 * What others do is only what was measured or is on public record: Exim 4.96 (GnuTLS 3.7.9) and Postfix 3.7.11 on Debian 12, Exim bug 2594,
 * Debian bug 1075900, CVE-2011-0411. What Hermetic did comes from evidence; a fact that is not there is told as not there.
 */
import type { SessionDocument } from '../judgement/evidence.ts'
import { attachment, eightBit, large, longestLines, nonLatin, small, type TourMessage } from './messages.ts'
import type { Played } from './stage.ts'

export interface Step {
  readonly title: string
  readonly scenario: string
  /** Null for an attack, which submits nothing. */
  readonly message: (() => TourMessage) | null
  readonly others: string | null
  /** `one`: title and what Hermetic did share a line. */
  readonly lines: 'one' | 'several'
  /** Told when all came out as expected. */
  did(played: Played): string
}

export const steps: readonly Step[] = [
  {
    title: 'Case 2, nine TLSA records (Debian 1075900: Exim defers)',
    scenario: 'nine-records',
    message: () => small('user@et.example', 'Nine records, one match'),
    others: null,
    lines: 'one',
    did: played => `proved by ${decidingRecord(carrier(played))}`,
  },
  {
    title: 'Case 3, the alias: smarthost mail.dev.example is a CNAME to mail.example.local',
    scenario: 'alias',
    message: nonLatin,
    others: "Exim checked the certificate for the alias's target and did not deliver (bug 2594)",
    lines: 'several',
    did: played =>
      `delivered; SNI and name: ${sni(played)}, proved by ${matched(carrier(played))}; ${path(carrier(played))}`,
  },
  {
    title: "Case 5, commands injected: MAIL, RCPT, DATA behind a client's STARTTLS, in clear text",
    scenario: 'injection',
    message: null,
    others: 'servers that read ahead took such bytes for commands inside TLS (CVE-2011-0411)',
    lines: 'several',
    did: played =>
      `answered ${code(played.reply)}, hung up; nothing accepted; incident ${played.incidents[0] ?? 'not recorded'}`,
  },
  {
    title: 'Case 5, replies injected: more bytes behind the 220 of the first MX to STARTTLS',
    scenario: 'injected-replies',
    message: eightBit,
    others: null,
    lines: 'several',
    did: played => `no handshake, no mail command for ${failed(played)}; ${arrivedAt(played)} took it`,
  },
  {
    title: 'An ordinary smarthost at level verify',
    scenario: 'smarthost',
    message: large,
    others: 'Exim and Postfix send SNI only under DANE',
    lines: 'several',
    did: played => `SNI ${sni(played)}; chain and name proved (${peer(played)}) before MAIL; 25 MB delivered`,
  },
  {
    title: 'A wrong certificate: relay.wrong.example shows one for other.example',
    scenario: 'wrong-name',
    message: () => small('bob@wrong.example', 'A wrong certificate'),
    others: 'Postfix, under DANE, defers too; the first version of another relay bounced at once',
    lines: 'several',
    did: played =>
      `deferred, ${played.reasons.join(', ')}: ${path(refusing(played))}, no mail command; the message waits`,
  },
  {
    title: 'Opportunistic: an MX whose certificate proves nothing',
    scenario: 'opportunistic',
    message: attachment,
    others: null,
    lines: 'several',
    did: played =>
      `delivered over ${played.arrival?.tls ?? 'nothing'}; the log says ${peer(played)}, not authenticated`,
  },
  {
    title: 'The first MX is down',
    scenario: 'first-mx-down',
    message: longestLines,
    others: null,
    lines: 'one',
    did: played => `${failed(played)} refused; ${arrivedAt(played)} took it, same attempt`,
  },
]

function carrier(played: Played): SessionDocument | null {
  return played.sessions.findLast(({ failure }) => failure === null) ?? null
}

function refusing(played: Played): SessionDocument | null {
  return played.sessions.find(({ failure }) => failure !== null) ?? null
}

/** Our own judgement of the chain, whatever became of the name. */
function path(session: SessionDocument | null): string {
  const judged = session?.tls?.path ?? null
  if (judged === null) return 'no path judged'
  return judged.failure === null ? `path of ${judged.certificates.length} valid` : 'path not valid'
}

/** Counted as people do, while documents count records from 0: `the 8th record, depth 1`. */
function decidingRecord(session: SessionDocument | null): string {
  const { record = null, depth = null } = session?.tls?.dane ?? {}
  return record === null ? 'no record' : `the ${ordinal(record + 1)} record, depth ${depth ?? 'unknown'}`
}

function ordinal(place: number): string {
  const ending = place % 100 > 10 && place % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][place % 10] ?? 'th')
  return `${place}${ending}`
}

function matched(session: SessionDocument | null): string {
  return session?.verdict?.matched ?? 'no name'
}

/** `554 5.5.1` of a whole reply. */
function code(reply: string | null): string {
  return /^\d{3}(?: \d\.\d+\.\d+)?/.exec(reply ?? '')?.[0] ?? 'nothing'
}

function peer(played: Played): string {
  return carrier(played)?.verdict?.peer ?? 'not told'
}

function sni(played: Played): string {
  return played.arrival?.sni ?? 'absent'
}

function arrivedAt(played: Played): string {
  return played.arrival?.host ?? 'nobody'
}

function failed(played: Played): string {
  return played.sessions.find(({ failure }) => failure !== null)?.host ?? 'no host'
}
