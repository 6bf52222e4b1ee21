/** The mail of a domain in the audit of its zone: MX, hosts and TLSA records, as far as a sender under DANE could go by them (RFC 7672 §2.2). */
import { readTlsaRdata, standings, tlsaText } from '../protocol/dane/tlsa.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import type { DnsReason } from '../protocol/dns/reasons.ts'
import { readData } from '../protocol/dns/records.ts'
import type { DnssecReason } from '../protocol/dnssec/reasons.ts'
import type { Security, ValidatedAnswer } from '../protocol/dnssec/types.ts'
import { plainName } from './dns-document.ts'
import type { Severity } from './evidence.ts'
import type { ZoneActor, ZoneMail, ZoneMailHost, ZoneTlsa } from './zone-audit-document.ts'
import type { ZoneCode } from './zone-findings.ts'
import type { ZoneInspection } from './zone-inspection.ts'
import type { AuditedHost } from './zone-questions.ts'

/** A finding before its texts are added: what stands in it is preferred to what the register says. */
export interface Found {
  readonly code: ZoneCode
  readonly subject: string
  /** Whole sentences. */
  readonly says: string
  readonly severity?: Severity
  readonly actor?: ZoneActor
  /** Whose owner must act, where that is not the subject. */
  readonly zone?: string
  readonly remedy?: string
  readonly spec?: string | null
  readonly reason?: DnssecReason | DnsReason | null
}

/** The hosts are those of the inspection, in its order, or none. */
export function mailOf({ answers, hosts, hostsLeftOut }: ZoneInspection): ZoneMail {
  const mx = answers.find(({ role }) => role === 'mx')?.answer
  const state = mx === undefined ? 'unknown' : mxState(mx)
  const security = mx?.security ?? 'indeterminate'
  // Neither MX records nor an address: nobody says that there is to be mail.
  const isNoMail =
    state === 'implicit' && hosts.every(({ addresses }) => addresses.every(({ outcome }) => outcome === 'no-data'))
  return isNoMail
    ? { mx: 'no-mail', security, hosts: [], hostsLeftOut }
    : { mx: state, security, hosts: hosts.map(hostOf), hostsLeftOut }
}

/** @param security of the zone */
export function mailFindings(
  { hosts, domain }: ZoneInspection,
  mail: ZoneMail,
  security: Security,
): readonly Found[] {
  const found: Found[] = []
  const name = plainName(domain)
  if (mail.mx === 'no-such-name')
    found.push({
      code: 'zone.no-such-name',
      subject: name,
      says: `There is no name ${name}: its zone was looked at all the same.`,
    })
  if (mail.security === 'insecure' && security === 'secure')
    found.push({
      code: 'zone.mx-insecure',
      subject: name,
      says: `The MX answer of ${name} is not secure, although the zone is: a part of the way to it is not signed.`,
    })
  for (const [index, host] of mail.hosts.entries()) {
    const asked = hosts[index]
    if (asked !== undefined) found.push(...hostFindings(host, asked, mail))
  }
  return [...found, ...coverage(mail, name)]
}

function hostFindings(host: ZoneMailHost, { addresses, tlsa }: AuditedHost, mail: ZoneMail): readonly Found[] {
  const found: Found[] = []
  const subject = host.host
  const isFailed = addresses.some(({ outcome }) => outcome === 'failed')
  if (host.addresses === 0 && !isFailed)
    found.push({ code: 'zone.mx-host-missing', subject, says: `The MX host ${subject} has no address.` })
  if (host.aliases.length > 0 && mail.mx === 'records')
    found.push({
      code: 'zone.mx-host-alias',
      subject,
      says: `The MX host ${subject} is an alias, of ${host.aliases.at(-1) ?? ''}.`,
    })
  if (host.security === 'insecure' && mail.security === 'secure') {
    const records = tlsa.some(({ outcome }) => outcome === 'records')
    found.push({
      code: 'zone.mx-host-insecure',
      subject,
      says: `The MX records are proven, and the addresses of ${subject} are not${records ? '; its TLSA records count for nothing' : ''}: DANE ends halfway.`,
    })
  }
  for (const answer of tlsa) {
    const { outcome, reason, question, steps } = answer
    if (outcome !== 'failed' || reason?.startsWith('dns.') !== true) continue
    const isAsked = host.security === 'secure'
    const seen = steps.at(-1)?.says ?? 'Nothing came.'
    const owner = plainName(question.name)
    const known = [...addresses.flatMap(address => address.steps), ...steps]
    const zone = known.findLast(({ security }) => security === 'secure' || security === 'insecure')?.zone
    found.push({
      code: 'zone.tlsa-unanswered',
      ...(zone === undefined ? {} : { zone }),
      ...(isAsked ? {} : { severity: 'warning' as const }),
      subject,
      says: isAsked
        ? `Nobody can find out whether there are TLSA records at ${owner}, so that mail for it waits. ${seen}`
        : `The question for TLSA records at ${owner} is not answered; senders do not ask it as long as the host is not signed. ${seen}`,
      reason,
    })
  }
  if (host.security === 'secure' && host.tlsa === 'unusable')
    found.push({
      code: 'zone.tlsa-unusable',
      subject,
      says: `No sender of mail can act on any of the TLSA records at ${host.owner}: they ask for TLS, and prove nobody.`,
    })
  else if (host.tlsa === 'usable' && host.records.some(({ state }) => state === 'unusable'))
    found.push({
      code: 'zone.tlsa-unusable',
      severity: 'info',
      subject,
      says: `Among the TLSA records at ${host.owner} are some that no sender of mail can act on.`,
    })
  if (host.security === 'secure' && host.tlsa === 'not-signed')
    found.push({
      code: 'zone.tlsa-insecure',
      subject,
      says: `There are TLSA records at ${host.owner}, and nobody vouches for them.`,
    })
  return found
}

/** Which of the hosts are proven by records, which are not. */
function coverage({ hosts, security }: ZoneMail, domain: string): readonly Found[] {
  const proven = hosts.filter(({ tlsa, security: own }) => tlsa === 'usable' && own === 'secure')
  const bare = hosts.filter(({ tlsa }) => tlsa === 'absent' || tlsa === 'not-signed')
  const names = bare.slice(0, shownHosts).map(({ host }) => host)
  if (proven.length > 0 && bare.length > 0)
    return [
      {
        code: 'zone.tlsa-partial',
        subject: domain,
        says: `Some MX hosts are proven by TLSA records, and ${names.join(', ')} ${bare.length === 1 ? 'is' : 'are'} not.`,
      },
    ]
  const absent = hosts.filter(
    ({ tlsa, security: own, addresses }) => tlsa === 'absent' && own === 'secure' && addresses > 0,
  )
  return absent.length > 0 && absent.length === hosts.length && security === 'secure'
    ? [
        {
          code: 'zone.tlsa-absent',
          subject: domain,
          says: `Everything is signed that DANE needs, and there are no TLSA records for ${names.join(', ')}.`,
        },
      ]
    : []
}

function mxState({ outcome, records }: ValidatedAnswer): ZoneMail['mx'] {
  switch (outcome) {
    case 'failed':
      return 'unknown'
    case 'no-such-name':
      return outcome
    case 'no-data':
      return 'implicit'
    case 'records': {
      const targets = records
        .map(readData)
        .flatMap(data => (data !== null && data !== 'malformed' && data.type === 'MX' ? [data.exchange] : []))
      return targets.length > 0 && targets.every(target => target === '') ? 'null-mx' : 'records'
    }
    default:
      return outcome satisfies never
  }
}

function hostOf({ name, preference, addresses, tlsa }: AuditedHost): ZoneMailHost {
  const security = weakest(addresses.map(answer => answer.security))
  const aliases =
    addresses.find(({ aliases: own }) => own.length > 0)?.aliases.map(({ to }) => plainName(to)) ?? []
  const last = tlsa.at(-1)
  const known = {
    host: plainName(name),
    preference,
    addresses: addresses.flatMap(({ records }) => records).length,
    security,
    aliases,
    owner: last === undefined ? plainName(name) : plainName(last.question.name),
    records: [],
  }
  // RFC 7672 §2.2.3: the expanded name first; an answer that failed leads nowhere else.
  for (const answer of tlsa.toReversed()) {
    const owner = plainName(answer.question.name)
    if (answer.outcome === 'failed') return { ...known, tlsa: 'failed', owner }
    if (answer.outcome !== 'records') continue
    const records = recordsOf(answer)
    if (security !== 'secure' || answer.security !== 'secure')
      return { ...known, tlsa: 'not-signed', owner, records }
    const isUsable = records.some(({ state }) => state === 'counts')
    return { ...known, tlsa: isUsable ? 'usable' : 'unusable', owner, records }
  }
  return { ...known, tlsa: 'absent' }
}

function recordsOf({ records }: ValidatedAnswer): readonly ZoneTlsa[] {
  const read = records
    .filter(({ type }) => type === typeNumbers.TLSA)
    .map(({ rdata }) => readTlsaRdata(rdata))
    .filter(record => record !== 'malformed')
  const states = standings(read)
  return read.map((record, index) => ({ text: tlsaText(record), state: states[index]?.state ?? 'unusable' }))
}

function weakest(all: readonly Security[]): Security {
  return weakestFirst.find(each => all.includes(each)) ?? 'indeterminate'
}

const weakestFirst = ['bogus', 'indeterminate', 'insecure', 'secure'] as const
const shownHosts = 5
