/**
 * `hermetic tlsa create CERT.pem`: the TLSA records that name a certificate, as lines for a zone file; `hermetic.tlsa-create/1`.
 *
 * The server's own certificate (usage 3) is the first of the file, and found among the others where the file is upside down; those above it by verified
 * signatures are issuers (usage 2, RFC 7671 §5.2), as far as a client would accept them. A file of authorities alone is taken for the issuers themselves.
 * No line is printed that cannot work, unless --usage 2 asks for it; then the comments say so. What will break when the certificate is renewed stands
 * in comments beside the lines, so that the output is a zone file as it is. It publishes nothing and asks no DNS.
 */
import { wrapped } from '../../judgement/columns.ts'
import { type Issuer, type Placed, type TlsaSubjects, tlsaSubjects } from '../../judgement/tlsa-subjects.ts'
import { visible } from '../../judgement/visible.ts'
import { createTlsa, tlsaText } from '../../protocol/dane/tlsa.ts'
import type { Tlsa } from '../../protocol/dane/types.ts'
import { nameText, sameName } from '../../protocol/x509/distinguished-name.ts'
import { matchIdentity, presentedNames } from '../../protocol/x509/identity.ts'
import type { Certificate, Read } from '../../protocol/x509/model.ts'
import { certificatesOf, readCertificates } from '../certificate-file.ts'
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

/**
 * Prints the records that name a certificate, what is recommended first, and returns 0: at least one record was printed.
 *
 * @throws CliFailure For wrong usage (64), and for a file whose certificates no record can name (65).
 */
export function create(file: string, options: TlsaCreateOptions, context: Context): number {
  const chain = readCertificates(file, 'tlsa create')
  const [first] = chain
  if (first?.kind !== 'certificate')
    throw new CliFailure(
      'cli.bad-input',
      `the first block of ${visible(file, 200)} cannot be read as a certificate: ${visible(first?.detail ?? '')}`,
      "The server's own certificate must come first; 'hermetic cert show' tells more.",
    )
  const found = subjectsOf(chain, options)
  const host = hostOf(options.host, found.own?.certificate ?? first.certificate)
  const judged = subjectsOf(chain, { ...options, host })
  const subjects = chosen(judged, options, host)
  const owner = `_${options.port}._tcp.${host}.`
  const records = subjects
    .flatMap(subject => recordsOf(subject, options))
    .toSorted((a, b) => rankOf(a) - rankOf(b))
    .map((made, index) => documentOf(made, owner, index === 0))
  const warnings = warningsOf(judged, subjects, host)
  const document: TlsaCreateDocument = { schema: 'hermetic.tlsa-create/1', owner, records, warnings }
  context.answer({ ...document }, [...zoneComments(warnings), ...zoneLines(records)].join('\n'))
  return asHoped
}

/** A certificate, its place in the file, and the usage under which a record may name it. */
interface Subject extends Placed {
  readonly usage: 2 | 3
  readonly depth: number
  /** A record for it cannot work for the host, and was asked for all the same. */
  readonly isInVain: boolean
}

/** @throws CliFailure 65 when nobody can tell which certificate is the server's own. */
function subjectsOf(chain: readonly Read[], { host }: Pick<TlsaCreateOptions, 'host'>): TlsaSubjects {
  const subjects = tlsaSubjects({ chain, atMs: whenToBe(chain), host: host ?? null })
  if (subjects !== 'several') return subjects
  throw new CliFailure(
    'cli.bad-input',
    "the file begins with an authority's certificate and holds those of several servers",
    "Put the server's own certificate first, then the one that signed it, and so on upwards.",
  )
}

/** Records are made before a certificate is used: then it is valid. */
function whenToBe(chain: readonly Read[]): number {
  const begins = certificatesOf(chain).map(({ notBeforeMs }) => notBeforeMs ?? 0)
  return begins.reduce((latest, ms) => Math.max(latest, ms), Date.now())
}

function chosen({ own, issuers }: TlsaSubjects, { usage }: TlsaCreateOptions, host: string): readonly Subject[] {
  const server: readonly Subject[] = own === null ? [] : [{ ...own, usage: 3, depth: 0, isInVain: false }]
  const working = issuers.filter(({ trouble }) => trouble === null).map(issuer => asSubject(issuer, 'works'))
  if (usage === '3')
    return own === null ? issuers.slice(0, 1).map(first => ({ ...asSubject(first, 'works'), usage: 3 })) : server
  if (usage === undefined) {
    const all = [...server, ...working]
    if (all.length > 0) return all
  } else {
    // An authority that is a server as well, and stands alone.
    if (own?.certificate.basicConstraints?.isCa === true)
      return [{ ...own, usage: 2, depth: 0, isInVain: false }, ...working]
    if (working.length > 0) return working
    const others = issuers.filter(({ isForOtherNames }) => isForOtherNames)
    if (others.length > 0) return others.map(issuer => asSubject(issuer, 'in-vain'))
  }
  const [hopeless] = issuers
  throw new CliFailure(
    'cli.bad-input',
    hopeless?.trouble == null
      ? `usage 2 names an issuer, and the file has none of ${own === null ? host : visible(nameText(own.certificate.subject), 100)}`
      : `usage 2 cannot work here. ${hopeless.trouble}`,
    hopeless?.trouble == null
      ? 'Give it the whole chain ("fullchain.pem"), or the certificate of the issuer alone.'
      : "Publish a record with usage 3 (--usage 3 --selector 1 --mtype 1), or repair the chain: 'hermetic cert show' tells more.",
  )
}

function asSubject({ certificate, position, depth }: Issuer, hope: 'works' | 'in-vain'): Subject {
  return { certificate, position, depth, usage: 2, isInVain: hope === 'in-vain' }
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
function rankOf({ usage, depth, record }: Made): number {
  return (3 - usage) * 1_000_000 + depth * 1_000 + (1 - record.selector) * 100 + digestRank(record.matchingType)
}

function digestRank(matchingType: number): number {
  return matchingType === 1 ? 0 : matchingType === 2 ? 1 : 2
}

function documentOf(
  { certificate, position, record, isInVain }: Made,
  owner: string,
  isFirst: boolean,
): TlsaRecordDocument {
  const { usage, selector, matchingType } = record
  return {
    usage,
    selector,
    matchingType,
    data: Buffer.from(record.data).toString('hex'),
    line: `${owner} IN TLSA ${tlsaText(record)}`,
    position,
    subject: nameText(certificate.subject),
    recommended: isFirst && selector === 1 && matchingType === 1 && !isInVain,
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

function warningsOf(
  { own, issuers, order }: TlsaSubjects,
  subjects: readonly Subject[],
  host: string,
): readonly string[] {
  const hasIssuers = subjects.some(({ usage }) => usage === 2)
  const isInVain = subjects.some(subject => subject.isInVain)
  const isExpired = ({ notAfterMs }: Certificate) => notAfterMs !== null && notAfterMs < Date.now()
  const troubles = issuers.filter(issuer => !issuer.isForOtherNames).flatMap(({ trouble }) => trouble ?? [])
  const isForOtherNames = issuers.some(issuer => issuer.isForOtherNames)
  const isNamed =
    own === null ||
    matchIdentity([host], own.certificate, { cn: 'if-no-dns-id', ip: 'never', isPublicSuffix: () => false }) !==
      null
  return [
    ...(isInVain && own !== null
      ? [
          `None of these records can work: usage 2 asks for the host name, and the certificate does not carry ${host}. Recommended instead is ${recommendedFor(own.certificate)}.`,
        ]
      : []),
    ...(own !== null && own.position > 0
      ? [
          `The file does not begin with the server's own certificate; number ${own.position}, ${visible(nameText(own.certificate.subject), 100)}, is taken for it${order === null ? '' : `, and the order would be ${order.join(', ')}`}. A server needs it in that order.`,
        ]
      : order === null
        ? []
        : [
            `The certificates are not in order, each one followed by its issuer; the order would be ${order.join(', ')}.`,
          ]),
    'One record is enough. Publish the record for a new certificate at least its TTL before the server shows that certificate, and take the old record out after.',
    ...(hasIssuers
      ? [
          "Usage 2 counts only if the server sends the issuer along, and if the server's own certificate carries the host name.",
        ]
      : []),
    ...(isNamed || isInVain
      ? []
      : [
          `The certificate does not carry ${host}: usage 3 does not mind${isForOtherNames ? ', and records with usage 2, which do, are left out' : ', usage 2 does'}.`,
        ]),
    ...troubles,
    ...(own !== null && isExpired(own.certificate)
      ? [
          `${visible(nameText(own.certificate.subject), 100)} has expired: usage 3 does not mind, usage 2 and other clients do.`,
        ]
      : []),
    ...subjects
      .filter(({ certificate, usage }) => usage === 2 && isExpired(certificate))
      .map(
        ({ certificate }) =>
          `${visible(nameText(certificate.subject), 100)} has expired: not every client takes a record that names it.`,
      ),
  ]
}

/** `3 1 1 …`, whole. */
function recommendedFor(certificate: Certificate): string {
  return createTlsa(certificate, { usages: [3], selectors: [1], matchingTypes: [1] })
    .map(tlsaText)
    .join()
}

/** @throws CliFailure 64 where the certificate does not say which host is meant. */
function hostOf(option: string | undefined, certificate: Certificate): string {
  if (option !== undefined) {
    const owner = /^_\d+\._tcp\.(.+)$/i.exec(option)
    if (owner !== null)
      throw new CliFailure(
        'cli.usage',
        `--host: '${visible(option, 80)}' is the owner of the records, and the host is wanted`,
        `Leave the port and the protocol out, --port says them: --host ${visible(owner[1] ?? '', 80)}`,
      )
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
