/**
 * Evidence as text: one rendering for each part, the same wherever it is shown (`log`, `route`, DSNs).
 *
 * Lines are at most 100 columns of plain characters, no colours. Everything that came from outside passes `visible` here, whatever passed it before.
 * It shows; it adds no opinion that is not in the documents.
 */
import { wrapped } from './columns.ts'
import type {
  CertificateEvidence,
  DeliveryDocument,
  DnsEvidence,
  FailureEvidence,
  Finding,
  RecipientOutcome,
  ReplyEvidence,
  SessionDocument,
  TlsEvidence,
  VerdictEvidence,
} from './evidence.ts'
import { replyLine } from './findings.ts'
import type { DanePlan, NoDane, Plan } from './plan.ts'
import { shortRecord } from './tlsa-text.ts'
import { visible } from './visible.ts'

/** A delivery, and the sessions it refers to (those that are known), as a page. What a finding says stands there once, and elsewhere by its code. */
export function deliveryLines(delivery: DeliveryDocument, sessions: readonly SessionDocument[]): string[] {
  const next = delivery.nextAttempt === null ? [] : field('Next attempt', delivery.nextAttempt)
  const host =
    delivery.host === null
      ? []
      : field('Host', `${delivery.host} [${delivery.address ?? '?'}]:${delivery.port ?? '?'}`)
  const tls = delivery.tls === null ? [] : field('TLS', delivery.tls)
  const { findings } = delivery
  const verdict = delivery.verdict === null ? [] : field('Verdict', verdictText(delivery.verdict, findings))
  const told = [...findings]
  const sessionPages = sessions.map(session => {
    const lines = sessionLines(session, told)
    told.push(...session.findings)
    return lines
  })
  return [
    `Delivery ${visible(delivery.id)} of message ${visible(delivery.message)}`,
    ...field('When', `${delivery.at}, attempt ${delivery.attempt}, took ${delivery.ms} ms`),
    ...field('From', delivery.from === '' ? '<>' : delivery.from),
    ...field('Next hop', `${delivery.nextHop}, by route ${delivery.route}`),
    ...host,
    ...tls,
    ...verdict,
    ...delivery.recipients.flatMap(recipient => field('To', recipientText(recipient, findings))),
    ...next,
    ...findings.flatMap(finding => ['', ...findingLines(finding)]),
    ...sessionPages.flatMap(lines => ['', ...lines]),
  ]
}

/** One connection, from the DNS to the verdict. @param told Findings that stand above on the same page: they are not told again. */
export function sessionLines(session: SessionDocument, told: readonly Finding[] = []): string[] {
  const { smtp, tls } = session
  const isTold = ({ code, says }: Finding) => told.some(other => other.code === code && other.says === says)
  return [
    `Session ${visible(session.id)} at ${visible(session.at)}`,
    ...field('Host', `${session.host} [${session.address}]:${session.port}`),
    ...planLines(session.plan),
    ...session.dns.flatMap(answer => field('DNS', dnsText(answer))),
    ...field('Connection', connectionText(session)),
    ...(smtp.greeting === null ? [] : field('Greeting', replyLine(smtp.greeting))),
    ...(smtp.offered.clear === null ? [] : field('Offered', `in clear text: ${listed(smtp.offered.clear)}`)),
    ...(tls === null ? [] : tlsLines(tls)),
    ...(smtp.offered.tls === null ? [] : field('Offered', `inside TLS: ${listed(smtp.offered.tls)}`)),
    ...outcomeLines(session),
    ...session.findings.filter(finding => !isTold(finding)).flatMap(finding => ['', ...findingLines(finding)]),
  ]
}

/** What was acceptable, and which names had to be proved and why these. @param indent Before every line. */
export function planLines(plan: Plan, indent = ''): string[] {
  const how = plan.implicitTls ? 'TLS from the first byte' : startTlsWords[plan.starttls]
  const names = plan.references.map(({ name, from }) => `${name} (${nameOrigins[from]})`).join(', ')
  return [
    ...field('Plan', `${plan.level}: ${how}; the peer must be at least ${peerWords[plan.least.peer]}`, indent),
    ...field(
      'Names',
      `${names}; SNI ${plan.sni ?? 'none'}; the next hop's name is ${nameWords[plan.name]}`,
      indent,
    ),
    ...(plan.dane === null ? [] : field('DANE', daneText(plan.dane), indent)),
    ...(plan.dane?.kind === 'records'
      ? plan.dane.records
          .slice(0, shownRecords)
          .flatMap(({ text, state }) => field('', `${text} (${state})`, indent))
      : []),
    ...(plan.dane?.kind === 'records' && plan.dane.records.length > shownRecords
      ? field('', `and ${plan.dane.records.length - shownRecords} more`, indent)
      : []),
  ]
}

/** The TLSA base domain and why it is that one; or why there is none. */
function daneText(dane: DanePlan): string {
  if (dane.kind === 'none') {
    const asked = dane.asked.length === 0 ? '' : `; asked for ${dane.asked.join(', ')}`
    return `no TLSA records: ${noDaneWords[dane.because]}${asked}`
  }
  const alias = dane.aliases.length === 0 ? '' : `, an alias of ${dane.aliases.join(', ')}, which changes no name`
  const count = dane.records.length === 1 ? 'one record' : `${dane.records.length} records`
  const asks =
    dane.asks === 'authenticate'
      ? 'the peer must prove itself by one that counts'
      : 'none can be used, so TLS is required, and who the peer is is not asked'
  return `base ${dane.base} (${baseWords[dane.from]}); ${count} at ${dane.owner}${alias}: ${asks}`
}

/** What an earlier connection to a host showed: when, TLS and certificates, the verdict, and what is to be done about it. @param indent Before every line. */
export function seenLines(session: SessionDocument, indent = ''): string[] {
  const { at, tls } = session
  return [
    ...field('Last seen', `${at}${tls === null ? ', no TLS' : ''}`, indent),
    ...(tls === null ? [] : tlsLines(tls, indent)),
    ...outcomeLines(session, indent),
    ...session.findings.flatMap(finding => findingLines(finding, `${indent}  `)),
  ]
}

/** Verdict and failure; the findings stand below, or above. */
function outcomeLines({ verdict, failure, findings }: SessionDocument, indent = ''): string[] {
  return [
    ...(verdict === null ? [] : field('Verdict', verdictText(verdict, findings), indent)),
    // A refusal has said it.
    ...(failure === null || verdict?.kind === 'refused'
      ? []
      : field('Failure', shortFailure(failure, findings), indent)),
  ]
}

function tlsLines(tls: TlsEvidence, indent = ''): string[] {
  if (tls.outcome === 'failed') {
    const why = tls.failure === null ? 'no reason known' : failureText(tls.failure)
    return field('TLS', `the handshake failed: ${why}; SNI ${tls.sni ?? 'none'}`, indent)
  }
  const facts = [tls.version, tls.cipher, tls.group].filter(fact => fact !== null)
  return [
    ...field('TLS', `${facts.join(', ')}; SNI ${tls.sni ?? 'none'}`, indent),
    ...tls.chain.flatMap(certificate => field('Certificate', certificateText(certificate), indent)),
    ...(tls.sent > tls.chain.length ? field('', `and ${tls.sent - tls.chain.length} more`, indent) : []),
    ...(tls.dane === null ? field('Path', pathText(tls), indent) : []),
    ...(tls.dane?.records ?? []).flatMap(({ text, state, says }, index) =>
      field(
        `TLSA ${index}`,
        `${tls.dane?.record === index ? 'decides' : state}: ${shortRecord(text)}. ${says}`,
        indent,
      ),
    ),
  ]
}

/** What happened, who must act, and where it is written. @param indent Before every line. */
export function findingLines(finding: Finding, indent = ''): string[] {
  const { severity, code, culprit, condemns, lasting } = finding
  const further = `${indent}  `
  const scope = `${culprit}; condemns the ${condemns} ${lasting === 'for-now' ? 'for now' : 'for good'}`
  return [
    ...wrapped(`${severity}: ${code} (${scope})`, indent, further),
    ...wrapped(visible(finding.says, maxSentenceChars), further, further),
    ...wrapped(`What to do: ${visible(finding.remedy, maxSentenceChars)}`, further, further),
    ...(finding.spec === null ? [] : [`${further}${visible(finding.spec)}`]),
  ]
}

/** Both axes and the sentence, in one line. @param told Findings beside it: what one of them says is called by its code. */
export function verdictText(
  { kind, name, peer, matched, record, says }: VerdictEvidence,
  told: readonly Finding[] = [],
): string {
  const same = told.find(finding => finding.says !== '' && says.includes(finding.says))
  const short = same === undefined ? says : says.replace(same.says, () => `${same.code}.`)
  const proof = matched === null ? '' : `, by the name ${matched}`
  const by = record === null ? '' : `, by TLSA ${shortRecord(record)}`
  return visible(`${kind}: name ${name}, peer ${peer ?? 'refused'}${proof}${by}. ${short}`, maxSentenceChars)
}

/** `starttls.refused: 454 4.7.0 not now`. */
export function failureText({ code, detail, reply }: FailureEvidence): string {
  const what = [detail === null ? null : visible(detail), reply === null ? null : replyLine(reply)]
  const said = what.filter(part => part !== null).join('; ')
  return said === '' ? code : `${code}: ${said}`
}

/** The code alone, where the finding of this code says all of it: of several failures with one code, one has the finding. */
function shortFailure(failure: FailureEvidence, findings: readonly Finding[]): string {
  const { code, detail, reply } = failure
  const says = findings.find(finding => finding.code === code)?.says ?? null
  const isSaid = (text: string | null) => text === null || says?.includes(visible(text)) === true
  const isWhole = isSaid(detail) && isSaid(reply === null ? null : replyLine(reply))
  return says !== null && isWhole ? code : failureText(failure)
}

export function dnsText({
  name,
  type,
  answer,
  records,
  aliases,
  security,
  ttlSeconds,
  server,
  why,
  because,
}: DnsEvidence): string {
  const shown = records
    .slice(0, shownRecords)
    .map(record => (type === 'TLSA' ? shortRecord(record) : record))
    .join(', ')
  const more = records.length > shownRecords ? ` and ${records.length - shownRecords} more` : ''
  const what = answer === 'records' ? `${shown}${more}` : answerWords[answer]
  const notes = [
    // The sentence says more.
    ...(why === null || because !== null ? [] : [why]),
    ...(aliases.length === 0 ? [] : [`alias of ${aliases.join(', ')}`]),
    ...(ttlSeconds === null ? [] : [`TTL ${ttlSeconds} s`]),
    because === null ? security : `${security}: ${because.replace(/\.$/, '')}`,
    ...(server === null ? [] : [`from ${server}`]),
  ]
  return visible(`${name} ${type}: ${what} (${notes.join('; ')})`, maxSentenceChars)
}

function certificateText(certificate: CertificateEvidence): string {
  if (certificate.subject === null) return `${certificate.position}: no certificate that can be read`
  const carriedNames = certificate.names.filter(({ type }) => type !== 'cn').map(({ value }) => value)
  const more = carriedNames.length > shownNames ? ` and ${carriedNames.length - shownNames} more` : ''
  const carried = carriedNames.length === 0 ? '' : `; for ${carriedNames.slice(0, shownNames).join(', ')}${more}`
  const { position, subject, issuer, key, notBefore, notAfter } = certificate
  const dates = `${notBefore?.slice(0, 10) ?? '?'} to ${notAfter?.slice(0, 10) ?? '?'}`
  const named = subject === '' ? 'no subject' : subject
  return `${position}: ${named}, issued by ${issuer ?? '?'}; ${key ?? '?'}; ${dates}${carried}`
}

/** Ours first, then the second opinion. */
function pathText({ path, openssl }: TlsEvidence): string {
  const ours =
    path === null
      ? 'not judged'
      : path.failure === null
        ? `valid: ${path.certificates.map(({ subject }) => subject).join(' <- ')}`
        : `not valid, ${failureText(path.failure)}`
  const theirs =
    openssl === null
      ? ''
      : openssl.authorized
        ? '; OpenSSL trusts it'
        : `; OpenSSL does not trust it: ${openssl.error ?? 'no reason given'}`
  return `${ours}${theirs}`
}

function recipientText(
  { address, outcome, failure, reply }: RecipientOutcome,
  findings: readonly Finding[],
): string {
  const why = failure === null ? replyText(reply) : shortFailure(failure, findings)
  return `<${address}> ${outcome}${why === '' ? '' : `: ${why}`}`
}

function replyText(reply: ReplyEvidence | null): string {
  return reply === null ? '' : replyLine(reply)
}

function connectionText({ connected, ms }: SessionDocument): string {
  if (!connected) return 'none came about'
  const steps = [
    ['connected', ms.connect],
    ['greeting', ms.greeting],
    ['TLS handshake', ms.handshake],
  ] as const
  return steps.flatMap(([what, time]) => (time === null ? [] : [`${what} ${time} ms`])).join(', ')
}

function listed(keywords: readonly string[]): string {
  return keywords.length === 0 ? 'nothing' : keywords.join(', ')
}

/** `  Label       text`, going on below the text. */
function field(label: string, text: string, indent = ''): string[] {
  const first = `${indent}  ${label.padEnd(labelColumns)}`
  return wrapped(visible(text, maxSentenceChars), first, ' '.repeat(first.length))
}

const startTlsWords: Readonly<Record<Plan['starttls'], string>> = {
  never: 'no STARTTLS',
  'if-offered': 'STARTTLS if it is offered',
  required: 'STARTTLS is required',
}

export const nameOrigins: Readonly<Record<Plan['references'][number]['from'], string>> = {
  operator: 'as the route names it',
  'mx-name': 'as the MX record names it',
  'recipient-domain': "the recipient's domain itself",
  'secure-alias': 'where a secure alias leads',
}

export const baseWords: Readonly<Record<Extract<DanePlan, { kind: 'records' }>['from'], string>> = {
  host: 'the host itself',
  expansion: 'where the secure alias of the host leads',
  alias: 'the host itself, although it is an alias',
}

export const noDaneWords: Readonly<Record<NoDane, string>> = {
  'dns-not-validated': 'answers of the DNS are not validated here',
  'no-name': 'the host is an address, and has no name',
  'host-insecure': 'nothing vouches for the address of the host, so nobody was asked',
  absent: 'it is proven that there are none',
  'records-insecure': 'nothing vouches for what the DNS says of them',
}

export const nameWords: Readonly<Record<Plan['name'], string>> = {
  unauthenticated: 'not authenticated',
  'mta-sts': 'authenticated by MTA-STS',
  'secure-mx': 'authenticated by DNSSEC',
  configured: 'configured by the operator',
}

const peerWords: Readonly<Record<Plan['least']['peer'], string>> = {
  clear: 'there (clear text will do)',
  encrypted: 'encrypted',
  pkix: 'authenticated (pkix)',
  'dane-ta': 'authenticated by a TLSA record',
  'dane-ee': 'authenticated by a TLSA record for its own key',
}

const answerWords: Readonly<Record<Exclude<DnsEvidence['answer'], 'records'>, string>> = {
  'no-data': 'no such record',
  'no-such-name': 'no such name',
  failed: 'no answer',
}

const labelColumns = 14
const shownRecords = 10
const shownNames = 10
const maxSentenceChars = 1_200
