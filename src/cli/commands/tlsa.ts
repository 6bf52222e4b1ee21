/**
 * `hermetic tlsa create CERT.pem`: the TLSA records that name a certificate, as lines for a zone file; `hermetic.tlsa-create/1`.
 *
 * The first certificate of the file is the server's own (usage 3); those above it by verified signatures are issuers (usage 2, RFC 7671 §5.2). A file that
 * begins with an authority's certificate, one without names, is taken for the issuer itself. What will break when the certificate is renewed stands
 * in comments beside the lines, so that the output is a zone file as it is. It publishes nothing and asks no DNS.
 */
import { outlineChain } from '../../judgement/chain-outline.ts'
import { wrapped } from '../../judgement/text.ts'
import { visible } from '../../judgement/visible.ts'
import { createTlsa, tlsaText } from '../../protocol/dane/tlsa.ts'
import type { Tlsa } from '../../protocol/dane/types.ts'
import { createBudget } from '../../protocol/x509/budget.ts'
import { nameText, sameName } from '../../protocol/x509/distinguished-name.ts'
import { matchIdentity, presentedNames } from '../../protocol/x509/identity.ts'
import type { Certificate, Read } from '../../protocol/x509/model.ts'
import { readCertificates } from '../certificate-file.ts'
import { asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { referenceName } from '../reference-name.ts'

/** As commander hands them over: checked, and still text. */
export interface TlsaCreateOptions {
  readonly usage?: '2' | '3'
  readonly selector?: '0' | '1'
  readonly mtype?: '0' | '1' | '2'
  readonly port: number
  readonly host?: string
}

/** `hermetic.tlsa-create/1`; docs/tlsa-create.schema.json is its JSON Schema. */
export interface TlsaCreateDocument {
  readonly schema: 'hermetic.tlsa-create/1'
  /** `_25._tcp.mx.example.org.` */
  readonly owner: string
  /** What is recommended first. */
  readonly records: readonly TlsaRecordDocument[]
  /** Whole sentences. */
  readonly warnings: readonly string[]
}

export interface TlsaRecordDocument {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  /** In hexadecimal digits. */
  readonly data: string
  /** For a zone file. */
  readonly line: string
  /** Place in the file of the certificate that it names. */
  readonly position: number
  readonly subject: string
  readonly recommended: boolean
  /** What will make it wrong one day, in a whole sentence. */
  readonly renewal: string
}

export function create(file: string, options: TlsaCreateOptions, context: Context): number {
  const chain = readCertificates(file, 'tlsa create')
  const [first] = chain
  if (first?.kind !== 'certificate')
    throw new CliFailure(
      'cli.bad-input',
      `the first block of ${visible(file, 200)} cannot be read as a certificate: ${visible(first?.detail ?? '')}`,
      "The server's own certificate must come first; 'hermetic cert show' tells more.",
    )
  const subjects = subjectsOf(chain, first.certificate, options)
  const host = hostOf(options.host, first.certificate)
  const owner = `_${options.port}._tcp.${host}.`
  const records = subjects
    .flatMap(subject => recordsOf(subject, options))
    .toSorted((a, b) => rankOf(a) - rankOf(b))
    .map((made, index) => documentOf(made, owner, index === 0))
  const warnings = warningsOf(first.certificate, subjects, host)
  const document: TlsaCreateDocument = { schema: 'hermetic.tlsa-create/1', owner, records, warnings }
  context.answer({ ...document }, [...zoneComments(warnings), ...zoneLines(records)].join('\n'))
  return asHoped
}

/** A certificate, its place in the file, and the usage under which a record may name it. */
interface Subject {
  readonly certificate: Certificate
  readonly position: number
  readonly usage: 2 | 3
}

function subjectsOf(chain: readonly Read[], first: Certificate, { usage }: TlsaCreateOptions): readonly Subject[] {
  const own: Subject = { certificate: first, position: 0, usage: 3 }
  const path = outlineChain({ chain, roots: [], atMs: 0, budget: createBudget() }).path
  const above = path.slice(1).flatMap((position): Subject[] => {
    const read = chain[position]
    return read?.kind === 'certificate' ? [{ certificate: read.certificate, position, usage: 2 }] : []
  })
  const isAuthority = first.basicConstraints?.isCa === true
  const hasNames = presentedNames(first).some(({ type }) => type === 'dns' || type === 'ip')
  const issuers: readonly Subject[] =
    isAuthority && (usage === '2' || !hasNames) ? [{ ...own, usage: 2 }, ...above] : above
  if (usage === '3') return [own]
  if (usage === undefined) return isAuthority && !hasNames ? issuers : [own, ...issuers]
  if (issuers.length > 0) return issuers
  throw new CliFailure(
    'cli.bad-input',
    `usage 2 names an issuer, and the file has none of ${visible(nameText(first.subject), 100)}`,
    'Give it the whole chain ("fullchain.pem"), or the certificate of the issuer alone.',
  )
}

interface Made extends Subject {
  readonly record: Tlsa
}

function recordsOf(subject: Subject, { selector, mtype }: TlsaCreateOptions): readonly Made[] {
  const wanted = {
    usages: [subject.usage],
    selectors: selector === undefined ? [1, 0] : [Number(selector)],
    // Whole certificates in the DNS make answers that do not fit a datagram: only for those who ask.
    matchingTypes: mtype === undefined ? [1, 2] : [Number(mtype)],
  }
  return createTlsa(subject.certificate, wanted).map(record => {
    if (record.data.length > maxDataBytes)
      throw new CliFailure(
        'cli.bad-input',
        `a DNS record holds ${maxDataBytes} octets of data, and this would have ${record.data.length}`,
        'Publish a digest: --mtype 1.',
      )
    return { ...subject, record }
  })
}

/** What is recommended first: 3 1 1; then what is like it; whole certificates, which change at every renewal, last. */
function rankOf({ usage, position, record }: Made): number {
  return (3 - usage) * 1_000_000 + position * 1_000 + (1 - record.selector) * 100 + digestRank(record.matchingType)
}

function digestRank(matchingType: number): number {
  return matchingType === 1 ? 0 : matchingType === 2 ? 1 : 2
}

function documentOf({ certificate, position, record }: Made, owner: string, isFirst: boolean): TlsaRecordDocument {
  const { usage, selector, matchingType } = record
  return {
    usage,
    selector,
    matchingType,
    data: Buffer.from(record.data).toString('hex'),
    line: `${owner} IN TLSA ${tlsaText(record)}`,
    position,
    subject: nameText(certificate.subject),
    recommended: isFirst && selector === 1 && matchingType === 1,
    renewal: renewalOf(record, certificate),
  }
}

/** What will make the record wrong one day. */
function renewalOf({ usage, selector }: Tlsa, { subject, issuer }: Certificate): string {
  if (usage === 3)
    return selector === 0
      ? 'Breaks at every renewal: it names the certificate itself.'
      : 'Breaks when the key changes: renew with the same key, or publish the record of the new one first.'
  const what = sameName(subject, issuer) ? 'root' : 'intermediate'
  return selector === 0
    ? `Breaks when the authority takes another ${what}, or issues this one anew with the same key.`
    : `Breaks when the authority takes another ${what}, which it may do at any renewal.`
}

/** Records of one certificate that break for one reason share a comment. */
function zoneLines(records: readonly TlsaRecordDocument[]): string[] {
  let before: string | null = null
  return records.flatMap(({ line, usage, subject, recommended, renewal }) => {
    const what = usage === 3 ? 'the server' : 'an issuer'
    const comment = `Names ${what}, ${visible(subject, 100)}. ${renewal}`
    const comments = comment === before ? [] : ['', ...zoneComments([comment])]
    before = comment
    return [...comments, ...(recommended ? ['; Recommended:'] : []), line]
  })
}

function warningsOf(first: Certificate, subjects: readonly Subject[], host: string): readonly string[] {
  const issuers = subjects.some(({ usage }) => usage === 2)
  const isOwn = subjects.some(({ usage }) => usage === 3)
  const hasServers = isOwn || subjects.some(({ position }) => position > 0)
  const carries =
    !hasServers ||
    matchIdentity([host], first, { cn: 'if-no-dns-id', ip: 'never', isPublicSuffix: () => false }) !== null
  const ended = subjects.filter(
    ({ certificate: { notAfterMs } }) => notAfterMs !== null && notAfterMs < Date.now(),
  )
  return [
    'One record is enough. Publish the record for a new certificate at least its TTL before the server shows that certificate, and take the old record out after.',
    ...(issuers
      ? ['Usage 2 counts only if the server sends the issuer along, and if its certificate carries the host name.']
      : []),
    ...(carries ? [] : [`The certificate does not carry ${host}: usage 3 does not mind, usage 2 does.`]),
    ...ended.map(({ certificate, usage }) => {
      const subject = visible(nameText(certificate.subject), 100)
      return `${subject} has expired: ${usage === 3 ? 'usage 3 does not mind, other clients do.' : 'a record that names it proves nothing.'}`
    }),
  ]
}

/** @throws CliFailure 64 where the certificate does not say which host is meant. */
function hostOf(option: string | undefined, certificate: Certificate): string {
  if (option !== undefined) {
    const host = referenceName(option, '--host')
    if (/^[\d.]+$/.test(host) || host.includes(':'))
      throw new CliFailure(
        'cli.usage',
        `--host: ${host} is an address, and TLSA records belong to names`,
        hostHint,
      )
    return host
  }
  const names = [
    ...new Set(presentedNames(certificate).flatMap(({ type, value }) => (type === 'dns' ? [value] : []))),
  ]
  const [only] = names
  if (only === undefined)
    throw new CliFailure(
      'cli.usage',
      'the certificate carries no DNS name: --host must say whose records these are',
      hostHint,
    )
  if (names.length > 1)
    throw new CliFailure(
      'cli.usage',
      `the certificate carries ${names.length} DNS names (${names
        .slice(0, 5)
        .map(name => visible(name, 80))
        .join(', ')}${names.length > 5 ? ' …' : ''}): --host must say whose records these are`,
      hostHint,
    )
  if (only.startsWith('*'))
    throw new CliFailure(
      'cli.usage',
      `the certificate is for ${visible(only, 80)}: --host must say which host the records are for`,
      hostHint,
    )
  return referenceName(only, '--host')
}

function zoneComments(sentences: readonly string[]): string[] {
  return sentences.flatMap(sentence => wrapped(sentence, '; ', ';   '))
}

const hostHint = 'Name the host as the MX record does: --host mx.example.org'

/** RDATA has 65,535 octets, three of them numbers. */
const maxDataBytes = 65_532
