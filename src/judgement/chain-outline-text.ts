/**
 * A `hermetic.cert/1` document as a page: one sentence, each certificate with who signed it, then what is wrong and what to do.
 *
 * Lines are at most 100 columns; what came from outside passes `visible`.
 */
import type {
  CertDocument,
  CertificateStatus,
  InformationalEvidence,
  RevocationReport,
  ShownCertificate,
} from './cert-document.ts'
import { wrapped } from './columns.ts'
import {
  counted,
  findingsLines,
  keyUsageText,
  namesText,
  type Paint,
  plain,
  rangesText,
  validityText,
} from './verify-text.ts'
import { visible } from './visible.ts'

/** @param paint Default: plain text. */
export function chainOutlineText(outline: CertDocument, paint: Paint = plain): string {
  const { sound, says, certificates, revocation, findings, at } = outline
  const shown = certificates.slice(0, shownCertificates)
  const rest = certificates.length - shown.length
  const parts = [
    wrapped(visible(says, maxSentenceChars), '', '').map(line => paint(sound ? 'green' : 'red', line)),
    [
      paint('bold', 'Certificates in the order of the file'),
      ...shown.flatMap(certificate => certificateLines(certificate, outline, paint)),
      ...(rest === 0 ? [] : [`  … and ${counted(rest, 'more certificate')}; --json has them all`]),
    ],
    revocationLines(revocation, paint),
    findingsLines(findings, paint),
    [paint('dim', `judged at ${at}`)],
  ]
  return parts
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')
}

function certificateLines(certificate: ShownCertificate, outline: CertDocument, paint: Paint): string[] {
  const { position, subject, names, key, keyUsage, notBefore, notAfter, sha256, informational } = certificate
  const first = `  ${String(position).padStart(2)}  `
  const further = ' '.repeat(first.length)
  const field = (label: string, text: string) =>
    wrapped(text, `${further}${label.padEnd(labelColumns)}`, ' '.repeat(further.length + labelColumns))
  if (subject === null) return [`${first}cannot be read as a certificate`]
  return [
    ...wrapped(subject === '' ? '(no subject)' : visible(subject), first, further).map(line =>
      paint('bold', line),
    ),
    ...field('signed', signerText(certificate, outline)),
    ...field('names', namesText(names)),
    ...field('key', `${key ?? 'cannot be read'}; ${keyUsageText(keyUsage)}`),
    ...field('valid', validityText(notBefore, notAfter, outline.at)),
    ...field('sha256', sha256),
    ...(informational === null ? [] : informationalSentences(informational)).flatMap((sentence, index) =>
      field(index === 0 ? 'also' : '', sentence),
    ),
  ]
}

/** What a certificate tells besides, each in a line of its own; none for most private authorities. */
function informationalSentences(informational: InformationalEvidence): string[] {
  const { mustStaple, scts, ocsp, caIssuers, crls, unreadable } = informational
  const sources = [
    ...addressTexts(ocsp).map(address => `${address} (OCSP)`),
    ...addressTexts(crls).map(address => `${address} (CRL)`),
  ]
  return [
    ...(mustStaple ? ['promises an OCSP answer with each handshake (must-staple)'] : []),
    ...(scts.length === 0 ? [] : [`${counted(scts.length, 'timestamp')} of public logs${sctDates(scts)}`]),
    ...(sources.length === 0 ? [] : [`revocation: ${sources.join(', ')}`]),
    ...(caIssuers.length === 0 ? [] : [`issuer: ${addressTexts(caIssuers).join(', ')}`]),
    ...unreadable.map(({ part, problem }) => `${partWords[part]}: ${visible(problem)}`),
  ]
}

/** `, 2026-01-01`, or the first and the last day. */
function sctDates(scts: InformationalEvidence['scts']): string {
  const days = scts.flatMap(({ timestamp }) => (timestamp === null ? [] : [timestamp.slice(0, 10)])).sort()
  const [first] = days
  const last = days.at(-1)
  if (first === undefined || last === undefined) return ''
  return first === last ? `, ${first}` : `, ${first} to ${last}`
}

function addressTexts(addresses: readonly string[]): string[] {
  const shown = addresses.slice(0, shownAddresses).map(address => visible(address, maxAddressChars))
  const rest = addresses.length - shown.length
  return rest === 0 ? shown : [...shown, `${rest} more`]
}

/** Each source with what it says of itself, then of each certificate. */
function revocationLines(reports: readonly RevocationReport[], paint: Paint): string[] {
  if (reports.length === 0) return []
  const shown = reports.slice(0, shownSources)
  const rest = reports.length - shown.length
  return [
    paint('bold', 'Revocation, reported and not judged: it changes nothing above'),
    ...shown.flatMap(({ kind, file, says, certificates }) => [
      ...wrapped(`${kind === 'crl' ? 'CRL' : 'OCSP'} ${visible(file, maxFileChars)}`, '  ', '    '),
      ...wrapped(visible(says, maxSentenceChars), '      ', '      '),
      ...statusLines(certificates, paint),
    ]),
    ...(rest === 0 ? [] : [`  … and ${counted(rest, 'more source')}; --json has them all`]),
  ]
}

/** What a source is about comes first; all the others share one line. */
function statusLines(statuses: readonly CertificateStatus[], paint: Paint): string[] {
  const told = statuses.filter(({ status }) => status !== 'not-covered')
  const shown = told.length > 0 ? told : statuses
  const lines = shown.slice(0, shownCertificates).flatMap(({ position, status, says }) => {
    const start = `  ${String(position).padStart(2)}  ${statusWords[status].padEnd(statusColumns)}`
    const [first = '', ...more] = wrapped(visible(says, maxSentenceChars), start, ' '.repeat(start.length))
    const style = statusStyles[status]
    const word = statusWords[status]
    return [style === null ? first : first.replace(word, paint(style, word)), ...more]
  })
  const rest = shown.length - shownCertificates
  const others = statuses.filter(status => !shown.includes(status)).map(({ position }) => position)
  return [
    ...lines,
    ...(rest > 0 ? [`      … and ${counted(rest, 'more certificate')}; --json has them all`] : []),
    ...(others.length === 0
      ? []
      : wrapped(
          `It is not about ${others.length === 1 ? 'certificate' : 'certificates'} ${rangesText(others)}.`,
          '      ',
          '      ',
        )),
  ]
}

function signerText({ signer, issuer }: ShownCertificate, { certificates }: CertDocument): string {
  const name = visible(issuer ?? '')
  switch (signer.kind) {
    case 'sent': {
      const also = signer.root === null ? '' : ', which is a known root as well'
      return `by ${signer.position}, ${visible(certificates[signer.position]?.subject ?? name)}${also}`
    }
    case 'itself':
      return signer.root === null ? 'by itself' : 'by itself; it is a known root'
    case 'root':
      return `by the known root ${visible(signer.subject)}, which need not be sent`
    case 'missing':
      return `by ${name}, which is not in the file and no known root`
    case 'forged':
      return signer.position === null
        ? `not by the known root ${name}, whose name it gives as its issuer's`
        : `not by ${signer.position}, whose name ${name} it gives as its issuer's`
    case 'unverified':
      return `by ${name}, as it says; that was not verified: ${visible(signer.because)}`
    case 'none':
      return 'by nobody'
    default:
      return signer satisfies never
  }
}

/** Where something is wrong with it, or left out. */
const partWords: Readonly<Record<InformationalEvidence['unreadable'][number]['part'], string>> = {
  'tls-feature': 'the TLS features (must-staple)',
  'sct-list': 'the timestamps of public logs',
  'authority-information': 'the addresses of issuer and OCSP',
  'crl-distribution-points': 'the addresses of revocation lists',
}

const statusWords: Readonly<Record<CertificateStatus['status'], string>> = {
  good: 'good',
  revoked: 'revoked',
  unknown: 'unknown',
  'not-covered': '-',
}

const statusStyles: Readonly<Record<CertificateStatus['status'], 'red' | 'green' | 'yellow' | null>> = {
  good: 'green',
  revoked: 'red',
  unknown: 'yellow',
  'not-covered': null,
}

const shownCertificates = 24
const shownSources = 10
const statusColumns = 9
const maxFileChars = 80
const shownAddresses = 4
const maxAddressChars = 200
const labelColumns = 8
const maxSentenceChars = 1_200
