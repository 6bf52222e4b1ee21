/**
 * A `hermetic.verify/1` document as a page that a postmaster reads at a glance: the verdict in one sentence, records against certificates, the
 * certificates, the names, the findings with what to do, and what other TLS libraries would do.
 *
 * Lines are at most 100 columns. It shows and adds no opinion; what is too long to help is counted and left to `--json`. Everything that came
 * from outside passes `visible` here.
 */

import { wrapped } from './columns.ts'
import type { CertificateEvidence } from './evidence.ts'
import type {
  StackOpinion,
  VerifyDocument,
  VerifyFinding,
  VerifyRecord,
  VerifyVerdict,
} from './verify-document.ts'
import { visible } from './visible.ts'

/** Colours, or none: what is painted is as wide as before. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string

/** @param paint Default: plain text. */
export function verifyText(document: VerifyDocument, paint: Paint = plain): string {
  const parts = [
    verdictLines(document, paint),
    recordLines(document, paint),
    pathLines(document, paint),
    certificateLines(document, paint),
    nameLines(document, paint),
    findingsLines(document.findings, paint),
    stackLines(document.stacks, paint),
  ]
  return parts
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')
}

/** `0 to 6, 8 and 11`; after some ranges the rest is left out. @param numbers Ascending. */
export function rangesText(numbers: readonly number[]): string {
  const ranges: { from: number; to: number }[] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last.to + 1 === number) last.to = number
    else ranges.push({ from: number, to: number })
  }
  const words = ranges
    .slice(0, shownRanges)
    .flatMap(({ from, to }) =>
      from === to ? [`${from}`] : from + 1 === to ? [`${from}`, `${to}`] : [`${from} to ${to}`],
    )
  if (ranges.length > shownRanges) return `${words.join(', ')} and others`
  const last = words.pop() ?? ''
  return words.length === 0 ? last : `${words.join(', ')} and ${last}`
}

/** `2 1 1 8d02505c…dcfbcf28`: both ends of the data, as other tools show one or the other. @param text `2 1 1 8d02505c…`, whole. */
export function shortRecord(text: string): string {
  const [, numbers = '', data = ''] = /^(\d+ \d+ \d+) ?(.*)$/s.exec(text) ?? ['', '', text]
  const short = data.length <= 2 * dataEnd + 1 ? data : `${data.slice(0, dataEnd)}…${data.slice(-dataEnd)}`
  return visible(`${numbers} ${short}`.trim(), recordColumns)
}

/** `2026-01-01 to 2026-04-01, 12 days left`. @param at RFC 3339. */
export function validityText(notBefore: string | null, notAfter: string | null, at: string): string {
  const from = notBefore === null ? 'an unreadable time' : notBefore.slice(0, 10)
  const to = notAfter === null ? 'an unreadable time' : notAfter.slice(0, 10)
  return `${from} to ${to}${validityRemark(notBefore, notAfter, Date.parse(at))}`
}

function validityRemark(notBefore: string | null, notAfter: string | null, atMs: number): string {
  if (notBefore !== null && Date.parse(notBefore) > atMs)
    return `, begins ${daysText(Date.parse(notBefore) - atMs)} later`
  if (notAfter === null) return ''
  const left = Date.parse(notAfter) - atMs
  return left < 0 ? `, ended ${daysText(-left)} before` : `, ${daysText(left)} left`
}

/** `12 days`, `1 day`, `5 hours`. @param ms 0 or more. */
export function daysText(ms: number): string {
  const days = Math.floor(ms / dayMs)
  if (days > 0) return counted(days, 'day')
  return counted(Math.floor(ms / hourMs), 'hour')
}

/** `1 record`, `9 records`. */
export function counted(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `1,000`. By hand: the locales of the runtime take longer to load than everything else here. */
function numberText(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

function verdictLines({ verdict, says, by, record, depth, at }: VerifyDocument, paint: Paint): string[] {
  const facts = [
    ...(by === null ? [] : [`by ${by}`]),
    ...(record === null ? [] : [`record ${record}`]),
    ...(depth === null ? [] : [`depth ${depth}`]),
  ]
  return [
    ...wrapped(visible(says, maxSentenceChars), '', '').map(line => paint(verdictStyles[verdict], line)),
    paint('dim', `${verdict}${facts.length === 0 ? '' : ` ${facts.join(', ')}`}; judged at ${visible(at, 40)}`),
  ]
}

function recordLines(document: VerifyDocument, paint: Paint): string[] {
  const { records, record: decider } = document
  if (records.length === 0) return []
  const columns = matrixColumns(document)
  const shown = records.length <= shownRecords ? records : matchingFirst(records, decider)
  const indexColumns = String(records.length - 1).length
  const textColumns = Math.max(...shown.map(({ text }) => shortRecord(text).length), 'record'.length)
  const head = `    ${''.padStart(indexColumns)}  ${'record'.padEnd(textColumns)}${columns.map(column => column.title.padStart(widthOf(column))).join('')}`
  const rows = shown.map(record => {
    const cells = columns.map(column => {
      const mark = record.matches.some(({ position }) => position === column.position) ? 'yes' : '·'
      return paint(mark === 'yes' ? 'green' : 'dim', mark.padStart(widthOf(column)))
    })
    const decides = record.index === decider
    const start = `  ${decides ? '>' : ' '} ${String(record.index).padStart(indexColumns)}  ${shortRecord(record.text).padEnd(textColumns)}`
    const word = decides ? `decides, depth ${document.depth ?? '?'}` : recordWord(record)
    return `${decides ? paint('bold', start) : start}${cells.join('')}   ${decides ? paint('green', word) : word}`
  })
  const rest = records.length - shown.length
  return [
    paint('bold', 'TLSA records against the certificates as sent (0 is the leaf)'),
    head.trimEnd(),
    ...rows,
    ...(rest === 0 ? [] : [`      … and ${restOfRecords(records, new Set(shown))}; --json has them all`]),
    '',
    ...whyLines(records),
  ]
}

interface MatrixColumn {
  readonly title: string
  /** Null: what only a record holds. */
  readonly position: number | null
}

function widthOf({ title }: MatrixColumn): number {
  return Math.max(cellColumns, title.length + 2)
}

/** The certificates that matter most, when there are more than a line holds: the leaf, those of the path, those that a record names. */
function matrixColumns({ certificates, records, path }: VerifyDocument): MatrixColumn[] {
  const matched = records.flatMap(record => record.matches.map(match => match.position))
  const named = new Set([...path.map(({ position }) => position), ...matched])
  const chosen =
    certificates.length <= shownCertificates
      ? certificates
      : certificates.filter(({ position }) => position === 0 || named.has(position)).slice(0, shownCertificates)
  return [
    ...chosen.map(({ position }) => ({ title: String(position), position })),
    ...(matched.includes(null) ? [{ title: 'in DNS', position: null }] : []),
  ]
}

/** Of very many records those that name something, and the first others. */
function matchingFirst(records: readonly VerifyRecord[], decider: number | null): VerifyRecord[] {
  const isNews = (record: VerifyRecord) => record.index === decider || record.matches.length > 0
  const news = records.filter(isNews)
  const decides = news.find(({ index }) => index === decider)
  const first = news.slice(0, shownRecords - 1)
  const chosen = decides === undefined || first.includes(decides) ? first : [...first, decides]
  const others = records.filter(record => !isNews(record)).slice(0, Math.max(0, sampleRecords - chosen.length))
  return [...chosen, ...others].sort((a, b) => a.index - b.index)
}

function restOfRecords(records: readonly VerifyRecord[], shown: ReadonlySet<VerifyRecord>): string {
  const counts = new Map<string, number>()
  for (const record of records)
    if (!shown.has(record)) counts.set(recordWord(record), (counts.get(recordWord(record)) ?? 0) + 1)
  const total = records.length - shown.size
  const parts = [...counts].map(([word, count]) => `${numberText(count)} ${word}`)
  return `${numberText(total)} more: ${parts.join(', ')}`
}

function recordWord({ state, matches }: VerifyRecord): string {
  if (state !== 'counts') return state
  return matches.length === 0 ? 'no match' : 'matches'
}

/** Nine records mostly say the same: each sentence once, with the numbers it holds for. */
function whyLines(records: readonly VerifyRecord[]): string[] {
  const groups = groupedBy(records, record => record.why)
  const lines = groups.slice(0, shownSentences).flatMap(([why, same]) => {
    const label = `${same.length === 1 ? 'Record' : 'Records'} ${rangesText(same.map(({ index }) => index))}`
    return wrapped(`${label}: ${visible(why, maxSentenceChars)}`, '  ', '    ')
  })
  const rest = groups.length - shownSentences
  return rest > 0 ? [...lines, `  … and ${counted(rest, 'more sentence')}; --json has them all`] : lines
}

function pathLines({ path, certificates }: VerifyDocument, paint: Paint): string[] {
  // A path of what was sent, in its order, can be seen from the certificates below.
  if (path.length === 0 || path.every(({ position }, depth) => position === depth && depth < certificates.length))
    return []
  return [
    paint('bold', 'The path that decided'),
    ...path.slice(0, shownCertificates).flatMap(({ position, subject }, depth) => {
      const where = position === null ? 'not sent' : `sent as ${position}`
      return wrapped(`${visible(subject)} (${where})`, `  depth ${depth}  `, '           ')
    }),
  ]
}

function certificateLines(document: VerifyDocument, paint: Paint): string[] {
  const { certificates, at } = document
  if (certificates.length === 0) return []
  const columns = new Set(matrixColumns(document).map(({ position }) => position))
  const shown =
    certificates.length <= shownCertificates
      ? certificates
      : certificates.filter(({ position }) => columns.has(position))
  const rest = certificates.length - shown.length
  return [
    paint('bold', 'Certificates as sent'),
    ...shown.flatMap(certificate => oneCertificate(certificate, at)),
    ...(rest === 0 ? [] : [`  … and ${counted(rest, 'more certificate')}; --json has them all`]),
  ]
}

function oneCertificate(certificate: CertificateEvidence, at: string): string[] {
  const { position, subject, issuer, names, keyUsage, notBefore, notAfter, key } = certificate
  const first = `  ${String(position).padStart(2)}  `
  const further = ' '.repeat(first.length)
  if (subject === null) return [`${first}cannot be read as a certificate`]
  const field = (label: string, text: string) =>
    wrapped(text, `${further}${label.padEnd(fieldColumns)}`, ' '.repeat(further.length + fieldColumns))
  return [
    ...wrapped(subject === '' ? '(no subject)' : visible(subject), first, further),
    ...(issuer === null ? [] : field('issuer', issuer === subject ? 'itself' : visible(issuer))),
    ...field('names', namesText(names)),
    ...field('key', `${key ?? 'cannot be read'}; ${keyUsageText(keyUsage)}`),
    ...field('valid', validityText(notBefore, notAfter, at)),
  ]
}

/** The alternative names, bounded; or that there are none. */
export function namesText(names: CertificateEvidence['names']): string {
  const alternative = names.filter(({ type }) => type !== 'cn')
  if (alternative.length === 0) return 'none'
  const shown = alternative
    .slice(0, shownNames)
    .map(({ type, value }) => `${type === 'dns' ? '' : `${type}:`}${visible(value, maxNameChars)}`)
  const rest = alternative.length - shown.length
  return `${shown.join(', ')}${rest === 0 ? '' : ` and ${numberText(rest)} more`}`
}

/** `only for keyEncipherment`: a part of a sentence. @param keyUsage Null: the extension is absent, which permits everything (RFC 5280 §4.2.1.3). */
export function keyUsageText(keyUsage: CertificateEvidence['keyUsage']): string {
  if (keyUsage === null) return 'no key usage, which permits everything'
  return keyUsage.length === 0 ? 'key usage permits nothing' : `only for ${keyUsage.join(', ')}`
}

function nameLines({ names, certificates, by }: VerifyDocument, paint: Paint): string[] {
  const { tried, matched } = names
  const field = (label: string, text: string) =>
    wrapped(text, `  ${label.padEnd(fieldColumns)}`, ' '.repeat(2 + fieldColumns))
  const carried = certificates[0]?.names ?? []
  const commonNames = carried.filter(({ type }) => type === 'cn').map(({ value }) => visible(value, maxNameChars))
  const shown = tried.slice(0, shownNames).map(name => visible(name, maxNameChars))
  const rest = tried.length - shown.length
  const triedText =
    tried.length === 0 ? 'none was given' : `${shown.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`
  return [
    paint('bold', 'Names'),
    ...field('tried', by === 'dane-ee' ? `${triedText}; usage 3 does not ask for names` : triedText),
    ...field('carried', namesText(carried)),
    ...(commonNames.length === 0 ? [] : field('CN', commonNames.slice(0, shownNames).join(', '))),
    ...field('fits', matched === null ? '(none)' : visible(matched, maxNameChars)),
  ]
}

/** What is wrong and what to do, errors first; findings that say the same of several certificates are one. */
export function findingsLines(findings: readonly VerifyFinding[], paint: Paint): string[] {
  if (findings.length === 0) return []
  const sorted = [...findings].sort((a, b) => severityOrder[a.severity] - severityOrder[b.severity])
  const groups = groupedBy(sorted, ({ code, says, remedy }) => `${code}\n${says}\n${remedy}`)
  const lines = groups.slice(0, shownFindings).flatMap(([, same]) => findingText(same, paint))
  const rest = groups.length - shownFindings
  return [
    paint('bold', 'Findings'),
    ...lines,
    ...(rest > 0 ? [`  … and ${counted(rest, 'more finding')}; --json has them all`] : []),
  ]
}

/** One finding, of one certificate or of several. */
function findingText(same: readonly VerifyFinding[], paint: Paint): string[] {
  const finding = same[0]
  if (finding === undefined) return []
  const positions = [...new Set(same.flatMap(({ position }) => (position === null ? [] : [position])))].sort(
    (a, b) => a - b,
  )
  const where =
    positions.length === 0
      ? ''
      : `; ${positions.length === 1 ? 'certificate' : 'certificates'} ${rangesText(positions)}`
  const head = wrapped(`${finding.severity}: ${finding.code} (${finding.culprit}${where})`, '  ', '    ')
  return [
    ...head.map(line => paint(severityStyles[finding.severity], line)),
    ...wrapped(visible(finding.says, maxSentenceChars), '    ', '    '),
    ...(finding.remedy === ''
      ? []
      : wrapped(`What to do: ${visible(finding.remedy, maxSentenceChars)}`, '    ', '    ')),
  ]
}

/** Who refuses and why comes first; those that accept share a line, as there is nothing to do about them. */
function stackLines(stacks: readonly StackOpinion[], paint: Paint): string[] {
  if (stacks.length === 0) return []
  const others = (['refuse', 'unknown'] as const).flatMap(would =>
    stacks.filter(opinion => opinion.would === would),
  )
  const stackColumns = Math.max(0, ...others.map(({ stack }) => stack.length))
  const row = (would: StackOpinion['would'], middle: string, text: string) => {
    const start = `  ${would.padEnd(wouldColumns)}`
    const [first = '', ...more] = wrapped(visible(text), start + middle, ' '.repeat(start.length + middle.length))
    return [`  ${paint(wouldStyles[would], would.padEnd(wouldColumns))}${first.slice(start.length)}`, ...more]
  }
  const accepting = (['lab', 'source', 'unproven'] as const).flatMap(proof => {
    const names = stacks.filter(one => one.would === 'accept' && one.proof === proof).map(({ stack }) => stack)
    return names.length === 0 ? [] : [`${names.join(', ')} (${proof})`]
  })
  return [
    paint('bold', 'What TLS libraries do in the handshake with this leaf, by its key usage alone'),
    ...others.flatMap(({ stack, would, because, proof }) =>
      row(would, `${stack.padEnd(stackColumns)}  `, `${because} (${proof})`),
    ),
    ...(accepting.length === 0 ? [] : row('accept', '', accepting.join(', '))),
  ]
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return [...groups]
}

export const plain: Paint = (_style, text) => text

const verdictStyles: Readonly<Record<VerifyVerdict, 'green' | 'yellow' | 'red'>> = {
  authenticated: 'green',
  'authenticated-for-unchecked-name': 'yellow',
  'encrypt-only': 'yellow',
  'not-authenticated': 'red',
}

const severityOrder: Readonly<Record<VerifyFinding['severity'], number>> = { error: 0, warning: 1, info: 2 }

const severityStyles: Readonly<Record<VerifyFinding['severity'], 'red' | 'yellow' | 'dim'>> = {
  error: 'red',
  warning: 'yellow',
  info: 'dim',
}

const wouldStyles: Readonly<Record<StackOpinion['would'], 'green' | 'red' | 'yellow'>> = {
  accept: 'green',
  refuse: 'red',
  unknown: 'yellow',
}

const shownRecords = 24
/** Of very many records, so many rows even when none matches. */
const sampleRecords = 6
const shownCertificates = 10
const shownNames = 8
const shownFindings = 20
const shownSentences = 12
const shownRanges = 6
const cellColumns = 5
const fieldColumns = 9
const wouldColumns = 9
/** Hex digits shown of either end. */
const dataEnd = 8
const recordColumns = 40
const maxNameChars = 80
const maxSentenceChars = 1_200
const hourMs = 3_600_000
const dayMs = 24 * hourMs
