/**
 * A `hermetic.dns/1` document as a page: the answer in one sentence, the records as in a zone file, aliases, why it is not secure and who must act; on demand
 * the chain of reasons and every question that was asked.
 *
 * Lines are at most 100 columns: longer records are folded within parentheses, and a string of TXT that is longer than a line is folded as well, so that what
 * is to be pasted comes from `line` in the document. Everything that came from outside passes `visible` here.
 */
import type { Security } from '../protocol/dnssec/types.ts'
import { pageColumns, wrapped } from './columns.ts'
import type { DnsAsked, DnsDocument, DnsRecord } from './dns-document.ts'
import { counted, type Paint, plain } from './verify-text.ts'
import { visible } from './visible.ts'

/** @param detail `trace`: with the chain of reasons and the questions. @param paint Default: plain text. */
export function dnsText(document: DnsDocument, detail: 'answer' | 'trace', paint: Paint = plain): string {
  const parts = [
    headLines(document, paint),
    document.records.length === 0 ? [] : recordLines(document.records),
    aliasLines(document, paint),
    findingLines(document, paint),
    document.notes.length === 0 ? [] : [paint('bold', 'Also'), ...document.notes.flatMap(note => field(note))],
    detail === 'trace' ? [...chainLines(document, paint), '', ...askedLines(document, paint)] : [],
  ]
  return parts
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')
}

function headLines(
  { says, security, outcome, servers, asked, ttlSeconds, at }: DnsDocument,
  paint: Paint,
): string[] {
  const heard = [...new Set(asked.flatMap(({ server }) => server ?? []))]
  const facts = [
    heard.length > 0 ? `from ${heard.join(', ')}` : `asked ${servers.join(', ')}`,
    counted(asked.filter(({ over }) => over !== 'cache').length, 'question'),
    ...(ttlSeconds === null ? [] : [`good for ${ttlSeconds} s`]),
    `judged at ${at}`,
  ]
  const style = outcome === 'failed' ? 'red' : styles[security]
  return [
    ...wrapped(visible(says, maxSentenceChars), '', '').map(line => paint(style, line)),
    ...wrapped(visible(facts.join('; '), maxSentenceChars), '', '').map(line => paint('dim', line)),
  ]
}

function recordLines(records: readonly DnsRecord[]): string[] {
  const lines = records.slice(0, shownRecords).flatMap(({ line }) => recordText(visible(line, maxRecordChars)))
  const rest = records.length - shownRecords
  return rest > 0 ? [...lines, `; … and ${counted(rest, 'more record')}; --json has them all`] : lines
}

/** A line as it is, or its data within parentheses over several. */
function recordText(line: string): string[] {
  // Plain ASCII, so that characters are columns.
  if (line.length <= pageColumns) return [line]
  const [, head = '', data = ''] = /^((?:\S+ ){4})(.*)$/s.exec(line) ?? []
  return wrapped(`${head}( ${data} )`, '', '    ')
}

function aliasLines({ aliases }: DnsDocument, paint: Paint): string[] {
  if (aliases.length === 0) return []
  return [
    paint('bold', 'Aliases'),
    ...aliases.flatMap(({ from, to, by, security }) => {
      const text = `${visible(from, maxNameChars)} -> ${visible(to, maxNameChars)} (${by}), ${security}`
      return wrapped(text, '  ', '      ')
    }),
  ]
}

function findingLines({ finding, outcome }: DnsDocument, paint: Paint): string[] {
  if (finding === null) return []
  const { code, severity, culprit, seen, says, acts, remedy, spec } = finding
  return [
    paint('bold', outcome === 'failed' || severity === 'error' ? 'What is wrong' : 'Why it is not secure'),
    paint(severityStyles[severity], `  ${severity}: ${code} (${culprit}${spec === null ? '' : `; ${spec}`})`),
    ...(seen === '' ? [] : field(seen)),
    ...field(says),
    ...(acts === 'nobody' ? [] : field(`Who must act: ${acts}.`)),
    ...field(`What to do: ${remedy}`),
  ]
}

function chainLines({ steps }: DnsDocument, paint: Paint): string[] {
  const columns = Math.max(...steps.map(({ security }) => security.length), 0) + 2
  return [
    paint('bold', 'The chain of reasons'),
    ...(steps.length === 0 ? ['  none: no zone was come to'] : []),
    ...steps.flatMap(({ security, says }) => {
      const [first = '', ...more] = wrapped(
        visible(says, maxSentenceChars),
        `  ${security.padEnd(columns)}`,
        ' '.repeat(columns + 2),
      )
      return [`  ${paint(styles[security], security)}${first.slice(2 + security.length)}`, ...more]
    }),
  ]
}

function askedLines({ asked, passes }: DnsDocument, paint: Paint): string[] {
  return passes.flatMap((pass, index) => {
    const to = pass.servers.length === 1 ? ` to ${pass.servers[0] ?? ''}` : ''
    const how = pass.checking === 'disabled' ? 'checking by the server off' : 'checking by the server on'
    const avoiding = pass.avoided.length === 0 ? '' : `, without ${pass.avoided.join(', ')}`
    const title = `${passes.length === 1 ? 'Questions' : `Questions of round ${index + 1}`}${to}, ${how}${avoiding}`
    const own = asked.filter(each => each.pass === index)
    const rest = own.length - shownQuestions
    const [first = '', ...more] = wrapped(visible(title, maxSentenceChars), '', '  ')
    return [
      ...(index === 0 ? [] : ['']),
      paint('bold', first),
      ...more,
      ...own.slice(0, shownQuestions).flatMap(each => questionLines(each, to === '' ? each.server : null)),
      ...(rest > 0 ? [`  … and ${counted(rest, 'more question')}; --json has them all`] : []),
    ]
  })
}

/** @param from Who answered, where that is not said already. */
function questionLines(asked: DnsAsked, from: string | null): string[] {
  const { name, type, over, bytes, ms, rcode, flags, answers, authorities, signatures, why } = asked
  const facts = [
    ...(rcode === null ? [`failed: ${why ?? 'nothing came'}`] : [rcode]),
    ...(from === null ? [] : [`from ${from}`]),
    ...(over === 'cache' ? ['kept from before'] : over === null ? [`${ms} ms`] : [over.toUpperCase(), `${ms} ms`]),
    ...(rcode === null
      ? []
      : [
          `${bytes} bytes`,
          flags.join(' '),
          `${answers}+${authorities} records`,
          counted(signatures, 'signature'),
        ]),
  ]
  return wrapped(visible(`${name} ${type}: ${facts.join(', ')}`, maxSentenceChars), '  ', '      ')
}

function field(text: string): string[] {
  return wrapped(visible(text, maxSentenceChars), '    ', '    ')
}

const styles: Readonly<Record<Security, 'green' | 'yellow' | 'red'>> = {
  secure: 'green',
  insecure: 'yellow',
  indeterminate: 'red',
  bogus: 'red',
}
const severityStyles = { error: 'red', warning: 'yellow', info: 'dim' } as const

const shownRecords = 50
const shownQuestions = 60
const maxNameChars = 300
const maxRecordChars = 4_000
const maxSentenceChars = 1_200
