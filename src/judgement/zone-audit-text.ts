/**
 * A `hermetic.zone-audit/1` document as a page: the verdict, what is wrong and who must act, the chain with its keys, when signatures end, what is proven not to be
 * there, the mail, the servers.
 *
 * Lines are at most 100 columns. It shows and adds no opinion; of what is long the part is shown that matters first, and `--json` has it all. Everything that came
 * from outside passes `visible` here.
 */
import type { Security } from '../protocol/dnssec/types.ts'
import { wrapped } from './columns.ts'
import { counted, daysText, type Paint, plain, shortRecord } from './verify-text.ts'
import { visible } from './visible.ts'
import type {
  ZoneAuditDocument,
  ZoneFinding,
  ZoneLink,
  ZoneMailHost,
  ZoneSignatures,
} from './zone-audit-document.ts'

/** @param paint Default: plain text. */
export function zoneAuditText(document: ZoneAuditDocument, paint: Paint = plain): string {
  const parts = [
    headLines(document, paint),
    ...document.findings.map(finding => findingLines(finding, paint)),
    titled(
      'The chain',
      document.chain.flatMap(link => linkLines(link, paint)),
      paint,
    ),
    titled('Signatures, the first to end first', signatureLines(document), paint),
    titled('What is not there', denialLines(document), paint),
    titled('Mail', mailLines(document, paint), paint),
    titled('Servers', serverLines(document), paint),
  ]
  return parts
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')
}

function headLines({ domain, zone, verdict, says, at, questions }: ZoneAuditDocument, paint: Paint): string[] {
  const facts = [
    ...(domain === zone ? [] : [`the zone that ${domain} lies in`]),
    counted(questions, 'question'),
    `judged at ${at}`,
  ]
  return [
    ...sentence(says, '', '').map(line => paint(verdictStyles[verdict], line)),
    ...sentence(facts.join('; '), '', '').map(line => paint('dim', line)),
  ]
}

function findingLines({ code, severity, spec, says, acts, remedy, reason }: ZoneFinding, paint: Paint): string[] {
  const details = [...(reason === null ? [] : [reason]), ...(spec === null ? [] : [spec])].join('; ')
  return [
    paint(severityStyles[severity], `${severity}: ${code}${details === '' ? '' : ` (${details})`}`),
    ...sentence(says),
    ...(acts === 'nobody' ? [] : sentence(`Who must act: ${acts}.`)),
    ...sentence(`What to do: ${remedy}`),
  ]
}

function linkLines({ zone, security, says, ds, keys }: ZoneLink, paint: Paint): string[] {
  const dsTexts = ds.map(
    ({ keyTag, algorithmName, digestType, state }) =>
      `${keyTag} ${algorithmName}, ${digestNames.get(digestType) ?? `digest type ${digestType}`} (${dsWords[state]})`,
  )
  const keyTexts = keys.map(({ keyTag, algorithmName, bits, isEntryPoint, isRevoked, isUsed }) => {
    const facts = [
      ...(bits === null ? [] : [`${bits} bits`]),
      ...(isEntryPoint ? ['entry point'] : []),
      ...(isRevoked ? ['revoked'] : []),
      ...(isUsed ? [] : ['no signature seen']),
    ]
    return `${keyTag} ${algorithmName}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`
  })
  return [
    ...sentence(`${zone}  ${security}`, '  ').map(line => paint(securityStyles[security], line)),
    ...sentence(says, '      ', '      '),
    ...(dsTexts.length === 0 ? [] : sentence(`DS ${several(dsTexts)}`, '      ', '        ')),
    ...(keyTexts.length === 0 ? [] : sentence(`keys ${several(keyTexts)}`, '      ', '        ')),
  ]
}

function signatureLines({ signatures }: ZoneAuditDocument): string[] {
  const rest = signatures.length - shownSignatures
  return [
    ...signatures.slice(0, shownSignatures).flatMap(each => {
      const { name, type, signer, keyTags, ends } = each
      const keys = `key${keyTags.length === 1 ? '' : 's'} ${keyTags.slice(0, shownParts).join(', ')}`
      return sentence(
        `${ends.slice(0, 16)}Z  ${leftText(each)}  ${name} ${type}, by ${signer}, ${keys}`,
        '  ',
        '      ',
      )
    }),
    ...(rest > 0
      ? [`  … and ${counted(rest, 'set')} that ${rest === 1 ? 'ends' : 'end'} later; --json has them all`]
      : []),
  ]
}

function leftText({ state, secondsLeft }: ZoneSignatures): string {
  switch (state) {
    case 'now':
      return `${daysText(secondsLeft * 1000)} left`
    case 'ended':
      return `ended ${daysText(Math.max(0, -secondsLeft) * 1000)} ago`
    case 'not-yet':
      return 'not begun'
    default:
      return state satisfies never
  }
}

function denialLines({ denials, denial }: ZoneAuditDocument): string[] {
  const how =
    denial === null
      ? []
      : denial.by === 'nsec'
        ? ['  proven by NSEC']
        : [
            `  proven by NSEC3, ${counted(denial.iterations ?? 0, 'iteration')}, ${denial.salt === '' ? 'no salt' : `salt ${denial.salt ?? ''}`}${denial.optOut ? ', opt-out' : ''}`,
          ]
  return [
    ...how.flatMap(line => sentence(line.trim(), '  ', '      ')),
    ...denials.flatMap(({ question, state, says }) => [
      ...sentence(`${state}: ${question}`, '  ', '      '),
      ...(state === 'proven' || state === 'exists' ? [] : sentence(says, '      ', '      ')),
    ]),
  ]
}

function mailLines({ mail, domain }: ZoneAuditDocument, paint: Paint): string[] {
  const { mx, security, hosts, hostsLeftOut } = mail
  return [
    ...sentence(`${domain} MX: ${mxWords[mx]}, ${security}`, '  ', '      '),
    ...hosts.flatMap(host => hostLines(host, paint)),
    ...(hostsLeftOut > 0 ? [`  … and ${counted(hostsLeftOut, 'more host')}, not looked at`] : []),
  ]
}

function hostLines(
  { host, preference, addresses, security, tlsa, owner, records }: ZoneMailHost,
  paint: Paint,
): string[] {
  const preferred = preference === null ? '' : `, preference ${preference}`
  return [
    ...sentence(
      `${host}${preferred}: ${addresses === 1 ? '1 address' : `${addresses} addresses`}, ${security}`,
      '  ',
      '      ',
    ).map(line => paint(securityStyles[security], line)),
    ...sentence(`TLSA ${tlsaWords[tlsa]}, at ${owner}`, '      ', '        '),
    ...records.slice(0, shownRecords).map(({ text, state }) => `        ${shortRecord(text)} (${state})`),
    ...(records.length > shownRecords ? [`        … and ${records.length - shownRecords} more`] : []),
  ]
}

function serverLines({ servers, large }: ZoneAuditDocument): string[] {
  return [
    ...servers.flatMap(({ server, isThere, signatures, tcp, clock, serial }) => {
      if (!isThere) return sentence(`${server}: no answer`, '  ', '      ')
      const facts = [
        `signatures ${signatures === 'unknown' ? 'not known to arrive' : signatures === 'arrive' ? 'arrive' : 'are stripped'}`,
        `TCP ${tcp}`,
        ...(clock === 'sane' || clock === 'unknown' ? [] : [`clock ${clock}`]),
        ...(serial === null ? [] : [`serial ${serial}`]),
      ]
      return sentence(`${server}: ${facts.join(', ')}`, '  ', '      ')
    }),
    ...large
      .slice(0, shownParts)
      .flatMap(({ question, bytes }) => sentence(`over TCP: ${question}, ${bytes} bytes`, '  ', '      ')),
  ]
}

function titled(title: string, lines: string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : [paint('bold', title), ...lines]
}

function several(texts: readonly string[]): string {
  const rest = texts.length - shownParts
  return `${texts.slice(0, shownParts).join('; ')}${rest > 0 ? `; … and ${rest} more` : ''}`
}

function sentence(text: string, first = '    ', following = '    '): string[] {
  return wrapped(visible(text, maxSentenceChars), first, following)
}

const verdictStyles = { sound: 'green', warnings: 'yellow', broken: 'red' } as const
const severityStyles = { error: 'red', warning: 'yellow', info: 'dim' } as const
const securityStyles: Readonly<Record<Security, 'green' | 'yellow' | 'red'>> = {
  secure: 'green',
  insecure: 'yellow',
  indeterminate: 'red',
  bogus: 'red',
}
const dsWords = { matches: 'its key is there', 'no-key': 'no such key', unknown: 'not known here' } as const
const mxWords = {
  records: 'records',
  implicit: 'no records, the domain stands for itself',
  'no-mail': 'no records, and no address: no mail',
  'null-mx': 'takes no mail',
  'no-such-name': 'no such name',
  unknown: 'not known',
} as const
const tlsaWords = {
  usable: 'records that prove the host',
  unusable: 'records that prove nobody',
  absent: 'none',
  'not-signed': 'records that nobody vouches for',
  failed: 'not known',
} as const
const digestNames: ReadonlyMap<number, string> = new Map([
  [1, 'SHA-1'],
  [2, 'SHA-256'],
  [4, 'SHA-384'],
])
const shownSignatures = 10
const shownParts = 6
const shownRecords = 12
const maxSentenceChars = 1_200
