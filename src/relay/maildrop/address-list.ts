/**
 * Address lists of header fields (RFC 5322 §3.4): mailboxes with display names, groups, comments, quoted strings, folded lines; and
 * the obsolete forms that mail programs still write (§4.4: source routes, empty list entries, dots in display names).
 *
 * Success means the addresses, as `local@domain` text, in their order. It does not judge them: an address without a domain is returned as it is,
 * and what SMTP makes of an address is decided by whoever sends it. Never throws; bounded by the length of its input.
 */

export type AddressList =
  | { readonly addresses: readonly string[] }
  /** Where the list stops making sense, as an offset, and what was expected there. */
  | { readonly offset: number; readonly expected: string }

type Token =
  | { readonly kind: 'atom' | 'quoted' | 'literal'; readonly text: string; readonly offset: number }
  | { readonly kind: ',' | ':' | ';' | '<' | '>' | '@' | '.'; readonly text: string; readonly offset: number }

/** @param value The field's body, folded or not. */
export function parseAddressList(value: string): AddressList {
  const tokens = tokensOf(value)
  if (!Array.isArray(tokens)) return tokens
  const addresses: string[] = []
  let at = 0
  let inGroup = false
  const peek = () => tokens[at]
  const fault = (expected: string) => ({ offset: peek()?.offset ?? value.length, expected })

  while (at < tokens.length) {
    const token = peek()
    if (token?.kind === ',') {
      at++
      continue
    }
    if (token?.kind === ';') {
      if (!inGroup) return fault('an address')
      inGroup = false
      at++
      continue
    }
    // What comes is a phrase or the start of a bare address: only the next special tells which.
    const start = at
    while (['atom', 'quoted', 'literal', '.', '@'].includes(peek()?.kind ?? '')) at++
    const words = tokens.slice(start, at)
    const special = peek()?.kind
    if (special === ':') {
      if (inGroup || words.length === 0) return fault('an address')
      inGroup = true
      at++
      continue
    }
    if (special === '<') {
      at++
      const inside = at
      while (peek() !== undefined && peek()?.kind !== '>') at++
      if (peek() === undefined) return fault('>')
      const address = addressOf(withoutRoute(tokens.slice(inside, at)))
      if (address === null)
        return { offset: tokens[inside]?.offset ?? value.length, expected: 'an address between < and >' }
      addresses.push(address)
      at++
    } else {
      const address = addressOf(words)
      if (address === null) return { offset: words[0]?.offset ?? value.length, expected: 'an address' }
      addresses.push(address)
    }
    if (peek() !== undefined && ![',', ';'].includes(peek()?.kind ?? '')) return fault('a comma')
  }
  return inGroup ? fault('; at the end of the group') : { addresses }
}

/** RFC 5322 §4.4, obs-route: `@a,@b:user@example.org`. */
function withoutRoute(tokens: readonly Token[]): readonly Token[] {
  if (tokens[0]?.kind !== '@') return tokens
  const end = tokens.findIndex(token => token.kind === ':')
  return end < 0 ? tokens : tokens.slice(end + 1)
}

/** `local@domain`, or a local part alone. Null when the words are no address. */
function addressOf(words: readonly Token[]): string | null {
  const at = words.findIndex(word => word.kind === '@')
  const local = words.slice(0, at < 0 ? words.length : at)
  const domain = at < 0 ? [] : words.slice(at + 1)
  if (!isDotted(local, ['atom', 'quoted'])) return null
  const localText = local.map(word => word.text).join('')
  if (at < 0) return localText
  const isLiteral = domain.length === 1 && domain[0]?.kind === 'literal'
  if (!isLiteral && !isDotted(domain, ['atom'])) return null
  return `${localText}@${domain.map(word => word.text).join('')}`
}

/** Words with one dot between each two. */
function isDotted(words: readonly Token[], kinds: readonly Token['kind'][]): boolean {
  return (
    words.length % 2 === 1 &&
    words.every((word, i) => (i % 2 === 0 ? kinds.includes(word.kind) : word.kind === '.'))
  )
}

function tokensOf(value: string): Token[] | { offset: number; expected: string } {
  const tokens: Token[] = []
  let offset = 0
  while (offset < value.length) {
    const character = value.charAt(offset)
    if (' \t\r\n'.includes(character)) {
      offset++
      continue
    }
    if (character === '(') {
      const end = endOfComment(value, offset)
      if (end < 0) return { offset, expected: 'a closing parenthesis' }
      offset = end
      continue
    }
    if (character === '"' || character === '[') {
      const end = endOfEnclosed(value, offset, character === '"' ? '"' : ']')
      if (end < 0) return { offset, expected: character === '"' ? 'a closing quote' : 'a closing bracket' }
      const text = value.slice(offset, end).replace(/\r?\n/g, '')
      tokens.push({ kind: character === '"' ? 'quoted' : 'literal', text, offset })
      offset = end
      continue
    }
    if (isSpecial(character)) {
      tokens.push({ kind: character, text: character, offset })
      offset++
      continue
    }
    atomPattern.lastIndex = offset
    const atom = atomPattern.exec(value)?.[0]
    if (atom === undefined) return { offset, expected: 'an address' }
    tokens.push({ kind: 'atom', text: atom, offset })
    offset += atom.length
  }
  return tokens
}

/** After the comment that begins here; comments nest (RFC 5322 §3.2.2). -1 when it does not end. */
function endOfComment(value: string, start: number): number {
  let depth = 0
  for (let i = start; i < value.length; i++) {
    const character = value.charAt(i)
    if (character === '\\') i++
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return i + 1
  }
  return -1
}

function endOfEnclosed(value: string, start: number, close: string): number {
  for (let i = start + 1; i < value.length; i++) {
    const character = value.charAt(i)
    if (character === '\\') i++
    else if (character === close) return i + 1
  }
  return -1
}

function isSpecial(character: string): character is ',' | ':' | ';' | '<' | '>' | '@' | '.' {
  return ',:;<>@.'.includes(character)
}

/** RFC 5322 §3.2.3, and anything that is not ASCII (RFC 6532 §3.2). */
const atomPattern = /[^\x00-\x20\x7f()<>[\]:;@\\,."]+/y
