/**
 * Trust anchors as BIND has them in `bind.keys` and `named.conf`: the statements `trust-anchors`, and `managed-keys` and `trusted-keys` of earlier versions.
 *
 *     trust-anchors {
 *         . initial-key 257 3 8 "AwEAA…";
 *         . static-ds 20326 8 2 "E06D44…";
 *     };
 *
 * Success is one record a key, for anchors.ts to read. `initial-…` and `static-…` are the same here: keys that take over (RFC 5011) are not followed. Any other
 * statement is a fault, as a whole `named.conf` would be more than was meant.
 */

/** A record as words, or why there is none. */
export interface AnchorRecord {
  /** Where it begins, from 1. */
  readonly line: number
  readonly tokens: readonly string[]
  readonly fault: string | null
}

/** Whether the text is of this kind, and no zone file. */
export function hasStatements(text: string): boolean {
  return /^[ \t]*(?:trust-anchors|managed-keys|trusted-keys)\s*\{/m.test(text)
}

export function* recordsOfStatements(text: string): Generator<AnchorRecord> {
  let statement: string | null = null
  let isOpen = false
  let line = 1
  let words: string[] = []
  for (const word of wordsOf(text)) {
    const faulty = (fault: string) => ({ line: word.line, tokens: [], fault })
    if (word.kind === 'fault') return yield faulty('A comment or a quoted text has no end.')
    if (!isOpen) {
      if (word.text === ';' && statement === null) continue
      if (statement === null) {
        statement = word.text.toLowerCase()
        line = word.line
        if (!statements.has(statement)) return yield faulty(notAStatement)
        continue
      }
      if (word.text !== '{') return yield faulty(notAStatement)
      isOpen = true
      continue
    }
    if (word.kind === 'text' || !'{};'.includes(word.text)) {
      if (words.length === 0) line = word.line
      words.push(word.text)
      continue
    }
    if (word.text === ';') {
      if (words.length > 0) yield recordOf(statement ?? '', words, line)
      words = []
      continue
    }
    if (word.text === '{' || words.length > 0) return yield faulty('A key does not end with a semicolon.')
    isOpen = false
    statement = null
  }
  if (statement !== null) yield { line, tokens: [], fault: 'The statement has no closing brace.' }
}

function recordOf(statement: string, words: readonly string[], line: number): AnchorRecord {
  const [owner = '', second = '', ...rest] = words
  const type = statement === 'trusted-keys' ? 'DNSKEY' : kinds.get(second.toLowerCase())
  if (type === undefined)
    return {
      line,
      tokens: [],
      fault: 'Behind the name stands initial-key, static-key, initial-ds or static-ds.',
    }
  const data = statement === 'trusted-keys' ? [second, ...rest] : rest
  // A quoted key may be written with blanks and over lines.
  return { line, tokens: [owner, type, ...data.map(word => word.replace(/\s+/g, ''))], fault: null }
}

type Word = { readonly kind: 'text' | 'bare' | 'fault'; readonly text: string; readonly line: number }

/** Words, quoted texts, braces and semicolons, without the three kinds of comments. Takes every character once. */
function* wordsOf(text: string): Generator<Word> {
  const next = /\s+|\/\*.*?\*\/|(?:\/\/|#)[^\n]*|"([^"]*)"|[{};]|\/(?![/*])|[^\s{};"#/]+|./sy
  let line = 1
  for (let match = next.exec(text); match !== null; match = next.exec(text)) {
    const [whole, quoted] = match
    if (quoted !== undefined) yield { kind: 'text', text: quoted, line }
    else if (whole === '"' || (whole === '/' && text[next.lastIndex] === '*'))
      return yield { kind: 'fault', text: whole, line }
    else if (!/^(?:\s|\/\*|\/\/|#)/.test(whole)) yield { kind: 'bare', text: whole, line }
    line += whole.split('\n').length - 1
  }
}

const statements: ReadonlySet<string> = new Set(['trust-anchors', 'managed-keys', 'trusted-keys'])
const kinds: ReadonlyMap<string, string> = new Map([
  ['initial-key', 'DNSKEY'],
  ['static-key', 'DNSKEY'],
  ['initial-ds', 'DS'],
  ['static-ds', 'DS'],
])
const notAStatement = 'Only the statements trust-anchors, managed-keys and trusted-keys are read here.'
