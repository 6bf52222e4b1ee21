/**
 * A `hermetic.tlsa-check/1` document as a page: the verdict, how the hosts are known, and for each host its records against every chain that it showed, one verdict
 * for each address, what the relay would do there; then what comes with the next certificate.
 *
 * Lines are at most 100 columns, those of a zone file begin in the first, to be copied. It shows and adds no opinion; what is too long to help is counted and left
 * to `--json`. Everything that came from outside passes `visible` here.
 */
import { pageColumns, wrapped } from './columns.ts'
import type { CertificateEvidence } from './evidence.ts'
import { baseWords, dnsText, findingLines, nameOrigins, nameWords, noDaneWords } from './text.ts'
import type {
  AddressVerdict,
  CheckedAddress,
  CheckedChain,
  CheckedHost,
  CheckedRecord,
  CheckVerdict,
  NextAtHost,
  NextDocument,
  NextVerdict,
  TlsaCheckDocument,
} from './tlsa-check-document.ts'
import type { StackName } from './verify-document.ts'
import { counted, type Paint, plain, rangesText, shortRecord, validityText } from './verify-text.ts'
import { visible } from './visible.ts'

/** @param paint Default: plain text. */
export function tlsaCheckText(document: TlsaCheckDocument, paint: Paint = plain): string {
  const parts = [
    verdictLines(document, paint),
    sourceLines(document, paint),
    ...document.hosts.map((host, index) => hostLines(host, index, document, paint)),
    skippedLines(document, paint),
    document.next === null ? [] : nextLines(document.next, document.at, paint),
  ]
  return parts
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')
}

function verdictLines({ verdict, says, at, finding, next }: TlsaCheckDocument, paint: Paint): string[] {
  const todays = sentences(says, '', '').map(line => paint(verdictStyles[verdict], line))
  const facts = `checked at ${visible(at, 40)}; no mail was sent`
  return [
    // The exit code speaks of what comes first here.
    ...(next === null
      ? [...todays, paint('dim', `${verdict}; ${facts}`)]
      : [
          ...sentences(next.says, '', '').map(line => paint(nextStyles[next.verdict], line)),
          paint('dim', `next: ${next.verdict}; today: ${verdict}; ${facts}`),
          ...todays,
        ]),
    ...(finding === null ? [] : ['', ...findingLines(finding)]),
  ]
}

function sourceLines({ mx, hosts, as, domain, dns }: TlsaCheckDocument, paint: Paint): string[] {
  const [host] = hosts
  const how =
    as === 'host'
      ? `${domain} was named as a host: no MX records were asked for.`
      : `The names of the hosts are ${nameWords[host?.name ?? 'unauthenticated']}.`
  const answers = mx !== null ? [mx] : hosts.length === 0 ? dns.slice(0, shownAnswers) : []
  return [
    paint('bold', 'How the hosts are known'),
    ...(as === 'domain' && host === undefined ? [] : sentences(how, '  ', '  ')),
    ...answers.flatMap(answer => sentences(dnsText(answer), '  ', '      ')),
  ]
}

function hostLines(host: CheckedHost, index: number, document: TlsaCheckDocument, paint: Paint): string[] {
  const { preference, tlsa, references, sni, chains, addresses } = host
  const preferred = preference === null ? '' : `, preference ${preference}`
  const names = references
    .map(({ name, from }) => `${name} (${from === 'operator' ? 'as it was named' : nameOrigins[from]})`)
    .join(', ')
  return [
    ...sentences(`${index + 1}. ${host.host}${preferred}, port ${document.port}`, '', '   ').map(line =>
      paint('bold', line),
    ),
    ...(tlsa.kind === 'records'
      ? [
          ...field('TLSA base', `${tlsa.base} (${baseWords[tlsa.from]}); SNI ${sni ?? 'none'}`),
          ...field('Names', names),
          ...field('Records', recordsText(tlsa)),
          '',
          ...tableLines(tlsa.records, chains, paint),
        ]
      : field(
          'TLSA',
          `none to go by: ${noDaneWords[tlsa.because]}${tlsa.asked.length === 0 ? '' : `; asked for ${tlsa.asked.join(', ')}`}`,
        )),
    ...chains.flatMap((chain, place) => ['', ...chainLines(chain, place, addresses, document.at, paint)]),
    '',
    ...addresses.flatMap(address => addressLines(address, chains, paint)),
  ]
}

function recordsText(tlsa: Extract<CheckedHost['tlsa'], { kind: 'records' }>): string {
  const alias = tlsa.aliases.length === 0 ? '' : `, an alias of ${tlsa.aliases.join(', ')}, which changes no name`
  const ttl = tlsa.ttlSeconds === null ? '' : `, TTL ${tlsa.ttlSeconds} s`
  const asks =
    tlsa.asks === 'authenticate'
      ? 'the peer must prove itself by one that counts'
      : 'none can be used, so TLS is required, and who the peer is is not asked'
  return `${counted(tlsa.records.length, 'record')} at ${tlsa.owner}${alias}${ttl}, secure: ${asks}`
}

interface Column {
  readonly chain: number
  /** Null: what only a record holds. */
  readonly position: number | null
  readonly title: string
}

/** Records down, certificates across: `A0` is the server's own certificate of chain A. */
function tableLines(records: readonly CheckedRecord[], chains: readonly CheckedChain[], paint: Paint): string[] {
  const columns = columnsOf(records, chains)
  const shown = records.length <= shownRecords ? records : interesting(records)
  const indexColumns = String(records.length - 1).length
  const textColumns = Math.max(...shown.map(({ text }) => shortRecord(text).length), 'record'.length)
  const head = `    ${''.padStart(indexColumns)}  ${'record'.padEnd(textColumns)}${columns.map(({ title }) => title.padStart(cellColumns)).join('')}`
  const rows = shown.map(record => {
    const decides = record.chains.filter(each => each.decides).map(({ chain }) => chains[chain]?.label ?? '?')
    const cells = columns.map(({ chain, position }) => {
      const told = record.chains.find(each => each.chain === chain)
      const isMatch = told?.matches.some(match => match.position === position) === true
      return paint(isMatch ? 'green' : 'dim', (isMatch ? 'yes' : '·').padStart(cellColumns))
    })
    const mark = decides.length > 0 ? '>' : ' '
    const start = `  ${mark} ${String(record.index).padStart(indexColumns)}  ${shortRecord(record.text).padEnd(textColumns)}`
    const word = decides.length > 0 ? `decides for ${decides.join(', ')}` : recordWord(record, chains.length)
    return `${decides.length > 0 ? paint('bold', start) : start}${cells.join('')}   ${decides.length > 0 ? paint('green', word) : word}`
  })
  const rest = records.length - shown.length
  return [
    head.trimEnd(),
    ...rows.map(row => row.trimEnd()),
    ...(rest > 0 ? [`      … and ${counted(rest, 'more record')}; --json has them all`] : []),
    ...whyLines(records, chains),
  ]
}

/** As many as a line holds: each chain's own certificate, and what a record names; then the others. */
function columnsOf(records: readonly CheckedRecord[], chains: readonly CheckedChain[]): readonly Column[] {
  const named = new Set(
    records.flatMap(record =>
      record.chains.flatMap(({ chain, matches }) =>
        matches.map(({ position }) => `${chain} ${position ?? 'dns'}`),
      ),
    ),
  )
  const all = chains.flatMap(({ label, certificates }, chain): readonly Column[] => [
    ...certificates.map(({ position }) => ({ chain, position, title: `${label}${position}` })),
    ...(named.has(`${chain} dns`) ? [{ chain, position: null, title: `${label}dns` }] : []),
  ])
  if (all.length <= shownColumns) return all
  const matters = ({ chain, position }: Column) => position === 0 || named.has(`${chain} ${position ?? 'dns'}`)
  return all.filter(matters).slice(0, shownColumns)
}

/** Of very many records those that name something, and the first others. */
function interesting(records: readonly CheckedRecord[]): readonly CheckedRecord[] {
  const names = (record: CheckedRecord) =>
    record.chains.some(({ matches, decides }) => decides || matches.length > 0)
  const news = records.filter(names).slice(0, shownRecords - 3)
  const others = records.filter(record => !names(record)).slice(0, 3)
  return [...news, ...others].sort((a, b) => a.index - b.index)
}

function recordWord({ state, chains }: CheckedRecord, shown: number): string {
  if (state !== 'counts') return state
  if (shown === 0) return 'counts'
  return chains.some(({ matches }) => matches.length > 0) ? 'matches' : 'no match'
}

/** Each sentence once, with the records and chains that it holds for. */
function whyLines(records: readonly CheckedRecord[], chains: readonly CheckedChain[]): string[] {
  const groups = new Map<string, { readonly records: Set<number>; readonly chains: Set<number> }>()
  for (const { index, chains: each } of records)
    for (const { chain, says } of each) {
      const group = groups.get(says) ?? { records: new Set<number>(), chains: new Set<number>() }
      group.records.add(index)
      group.chains.add(chain)
      groups.set(says, group)
    }
  const lines = [...groups].slice(0, shownSentences).flatMap(([says, group]) => {
    const numbers = [...group.records].sort((a, b) => a - b)
    const labels = [...group.chains].map(chain => chains[chain]?.label ?? '?')
    const where = labels.length === chains.length ? '' : `, chain ${labels.join(', ')}`
    return sentences(
      `${numbers.length === 1 ? 'Record' : 'Records'} ${rangesText(numbers)}${where}: ${says}`,
      '    ',
      '      ',
    )
  })
  const rest = groups.size - shownSentences
  return [
    ...(lines.length === 0 ? [] : ['', ...lines]),
    ...(rest > 0 ? [`    … and ${counted(rest, 'more sentence')}; --json has them all`] : []),
  ]
}

function chainLines(
  { label, key, certificates, sent, says, findings, stacks, publish }: CheckedChain,
  place: number,
  addresses: readonly CheckedAddress[],
  at: string,
  paint: Paint,
): string[] {
  const at0 = addresses.filter(({ visits }) => visits.some(({ chain }) => chain === place))
  const isOurs = addresses.some(({ visits }) => visits[0]?.chain === place)
  const where =
    at0.length === addresses.length ? 'at every address' : `at ${at0.map(({ address }) => address).join(', ')}`
  const title = `Chain ${label}`
  const [first = '', ...more] = field(
    title,
    `${key ?? 'no certificate that can be read'}, shown ${where}${isOurs ? '; Hermetic gets this one' : ''}`,
  )
  const shown = certificates.slice(0, shownCertificates)
  const besides = findings.filter(({ severity }) => severity !== 'info').slice(0, shownFindings)
  return [
    `  ${paint('bold', title)}${first.slice(2 + title.length)}`,
    ...more,
    ...shown.flatMap(certificate => certificateLines(certificate, label, at)),
    ...(sent > shown.length ? [`    … and ${counted(sent - shown.length, 'more certificate')}`] : []),
    ...(besides.some(({ severity }) => severity === 'error') ? [] : field('', says)),
    ...stackLines(stacks),
    ...besides.flatMap(finding => findingLines(finding, '    ')),
    ...(publish.length === 0
      ? []
      : [
          `    To be published beside what is there, if chain ${label} is of this host:`,
          ...publish.flatMap(zoneLines),
        ]),
  ]
}

function certificateLines(certificate: CertificateEvidence, label: string, at: string): string[] {
  const { position, subject, issuer, key, notBefore, notAfter, names } = certificate
  const first = `    ${`${label}${position}`.padEnd(4)}`
  const further = ' '.repeat(first.length)
  if (subject === null) return [`${first}cannot be read as a certificate`]
  const carried = names.filter(({ type }) => type !== 'cn').map(({ value }) => value)
  const more = carried.length > shownNames ? ` and ${carried.length - shownNames} more` : ''
  const whose = carried.length === 0 ? '' : `; for ${carried.slice(0, shownNames).join(', ')}${more}`
  const by = issuer === subject ? 'itself' : (issuer ?? '?')
  return sentences(
    `${subject === '' ? '(no subject)' : subject}, issued by ${by}; ${key ?? 'a key that cannot be read'}; ${validityText(notBefore, notAfter, at)}${whose}`,
    first,
    further,
  )
}

/** Only where they part: that all accept it is one line. */
function stackLines(stacks: CheckedChain['stacks']): string[] {
  if (stacks.length === 0) return []
  const refusing = stacks.filter(({ would }) => would === 'refuse')
  const others = stacks.filter(({ would }) => would !== 'refuse')
  const list = others.map(({ stack }) => stackWords[stack]).join(', ')
  return [
    ...(others.length === 0 ? [] : field('', `${list} ${others.length === 1 ? 'takes' : 'take'} its key usage.`)),
    ...refusing.flatMap(({ stack, because }) => field('', `${stackWords[stack]} would refuse it: ${because}.`)),
  ]
}

function addressLines(address: CheckedAddress, chains: readonly CheckedChain[], paint: Paint): string[] {
  const { verdict, says, hermetic, visits, finding, tls, aliases } = address
  // With the chain whose fault it is.
  const isTold = visits.some(
    ({ chain }) => chain !== null && chains[chain]?.findings.some(({ code }) => code === finding?.code) === true,
  )
  const alias = aliases.length === 0 ? '' : ` (by the alias ${aliases.join(' -> ')})`
  const version = tls === null ? '' : `${[tls.version, tls.cipher].filter(fact => fact !== null).join(', ')}. `
  const asked = visits.slice(1).flatMap(({ asked: keys, outcome, chain, failure }) => {
    const label = chain === null ? '' : (chains[chain]?.label ?? '?')
    const why = failure === null ? '' : ` (${failure.detail ?? failure.code})`
    const words = {
      shown: `chain ${label}`,
      same: 'the same chain',
      none: `no such chain${why}`,
      unseen: `could not be seen${why}`,
    } as const
    return [`asked for ${askedWords[keys]}: ${words[outcome]}`]
  })
  const title = `  ${visible(address.address, 60)}`
  const [first = '', ...more] = sentences(`${verdictWords[verdict]}${alias}`, `${title}  `, '      ')
  return [
    `${title}${paint(addressStyles[verdict], first.slice(title.length))}`,
    ...more,
    ...sentences(says, '      ', '      '),
    ...(finding === null || isTold ? [] : sentences(`What to do: ${finding.remedy}`, '      ', '      ')),
    ...(version === '' && asked.length === 0
      ? []
      : sentences(
          `${version}${asked.length === 0 ? '' : `${capital(asked.join('; '))}.`}`.trim(),
          '      ',
          '      ',
        )),
    ...sentences(hermetic, '      ', '      '),
  ]
}

function skippedLines({ skipped, finding: told }: TlsaCheckDocument, paint: Paint): string[] {
  if (skipped.length === 0) return []
  return [
    paint('bold', 'Left out, as the relay does'),
    ...skipped.slice(0, shownSkipped).flatMap(({ host, address, finding }) => {
      const name = `${host}${address === null ? '' : ` [${address}]`}`
      return finding.says === told?.says && finding.remedy === told.remedy
        ? sentences(`${name}: as said above`, '  ', '      ')
        : [
            ...sentences(`${name}: ${finding.says}`, '  ', '      '),
            ...sentences(`What to do: ${finding.remedy}`, '      ', '      '),
          ]
    }),
    ...(skipped.length > shownSkipped ? [`  … and ${counted(skipped.length - shownSkipped, 'more')}`] : []),
  ]
}

function nextLines(next: NextDocument, at: string, paint: Paint): string[] {
  return [
    paint('bold', 'When the next certificate comes'),
    ...next.certificates
      .slice(0, shownCertificates)
      .flatMap(certificate => certificateLines(certificate, 'N', at)),
    ...next.hosts.flatMap(host => ['', ...nextHostLines(host, paint)]),
  ]
}

function nextHostLines(host: NextAtHost, paint: Paint): string[] {
  const { verdict, says, records, publish, remove, finding, waitSeconds } = host
  const [first = '', ...more] = sentences(says, '  ', '  ')
  const style = verdict === 'breaks' || verdict === 'still-broken' ? 'red' : 'green'
  const useless = records.filter(({ fate }) => fate === 'useless').map(({ index }) => index)
  const whys = new Map<string, number[]>()
  for (const { index, says: why } of records) whys.set(why, [...(whys.get(why) ?? []), index])
  return [
    paint(style, first),
    ...more.map(line => paint(style, line)),
    ...(finding === null ? [] : sentences(`Today's records say: ${finding.says}`, '    ', '    ')),
    ...[...whys]
      .slice(0, shownSentences)
      .flatMap(([why, indexes]) =>
        sentences(
          `${indexes.length === 1 ? 'Record' : 'Records'} ${rangesText(indexes)}: ${why}`,
          '    ',
          '      ',
        ),
      ),
    ...(publish.length === 0
      ? []
      : [
          '',
          ...sentences(
            `1. Publish this beside what is there, and wait ${waitSeconds === null ? 'for twice the TTL of the records' : `${waitSeconds} s at least`} (RFC 7671 §8.1):`,
            '  ',
            '     ',
          ),
          ...publish.flatMap(zoneLines),
          '  2. Let the server show the next certificate, and check again.',
        ]),
    ...(remove.length === 0
      ? []
      : [
          '',
          `  ${publish.length === 0 ? 'After the change' : '3. Then'} take out what names no certificate any more:`,
          ...remove.flatMap(zoneLines),
        ]),
    ...(useless.length === 0
      ? []
      : [
          '',
          ...sentences(
            `${useless.length === 1 ? 'Record' : 'Records'} ${rangesText(useless)} ${useless.length === 1 ? 'names' : 'name'} nothing that is shown, today or then, and may go as well, unless a key is kept ready for it.`,
            '  ',
            '    ',
          ),
        ]),
  ]
}

/** A record as zone files have it, over several lines where it is long: blanks may stand in the digits. */
function zoneLines(text: string): string[] {
  const line = visible(text, maxLineChars)
  if (line.length <= pageColumns) return [line]
  const at = line.lastIndexOf(' ')
  const digits = line.slice(at + 1).match(/.{1,64}/g) ?? []
  return [
    ...wrapped(`${line.slice(0, at)} (`, '', '    '),
    ...digits.map((part, index) => `    ${part}${index === digits.length - 1 ? ' )' : ''}`),
  ]
}

/** `  Label       text`, going on below the text. */
function field(label: string, text: string): string[] {
  const first = `  ${label.padEnd(labelColumns)}`
  return sentences(text, first, ' '.repeat(first.length))
}

function sentences(text: string, first: string, following: string): string[] {
  return wrapped(visible(text, maxSentenceChars), first, following)
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

const verdictStyles: Readonly<Record<CheckVerdict, Parameters<Paint>[0]>> = {
  pass: 'green',
  partly: 'yellow',
  fail: 'red',
}

const nextStyles: Readonly<Record<NextVerdict, Parameters<Paint>[0]>> = {
  ready: 'green',
  'publish-first': 'yellow',
  refused: 'red',
  unknown: 'red',
}

const addressStyles: Readonly<Record<AddressVerdict, Parameters<Paint>[0]>> = {
  proved: 'green',
  partly: 'yellow',
  refused: 'red',
  encrypted: 'yellow',
  'no-records': 'yellow',
  unseen: 'red',
}

const verdictWords: Readonly<Record<AddressVerdict, string>> = {
  proved: 'authenticated',
  partly: 'authenticated in part',
  refused: 'refused',
  encrypted: 'encrypted only',
  'no-records': 'no TLSA records',
  unseen: 'not seen',
}

const askedWords = { any: 'any', rsa: 'RSA', ecdsa: 'ECDSA' } as const

const stackWords: Readonly<Partial<Record<StackName, string>>> = {
  gnutls: 'GnuTLS',
  openssl: 'OpenSSL',
  'exim-gnutls': 'Exim with GnuTLS',
  postfix: 'Postfix',
}

const labelColumns = 12
const cellColumns = 5
const shownColumns = 9
const shownRecords = 24
const shownSentences = 12
const shownFindings = 6
const shownCertificates = 6
const shownNames = 5
const shownSkipped = 20
const shownAnswers = 3
const maxSentenceChars = 1_200
/** Of a zone: a record has 65,535 octets. */
const maxLineChars = 140_000
