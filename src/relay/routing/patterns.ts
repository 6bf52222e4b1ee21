/**
 * The patterns that routes are written with, compiled once so that matching costs a few look-ups however many there are.
 *
 *     user@example.org    this mailbox           example.org      this domain
 *     *.example.org       any name below it      .example.org     it and any name below it
 *     <>                  the null sender        user@[192.0.2.1] a mailbox at an address literal
 *
 * Names are compared in lower case and as A-labels, as paths carry them. A local part is compared without regard to case: RFC 5321 §2.4 leaves
 * its case to the receiving host, but an operator who writes `user@` means that mailbox however a sender shouts it, or quotes it.
 */
import { type Network, networkContains, parseAddress, parseNetwork } from '../../judgement/addresses.ts'
import { type Path, unquotedLocal } from '../../protocol/mail/address.ts'

export interface NameMatcher {
  matches(name: string): boolean
}

export interface PathMatcher {
  /** Null: the null sender. */
  matches(path: Path | null): boolean
}

/** Compiles patterns for names alone: `example.org`, `*.example.org`, `.example.org`. */
export function compileNames(patterns: readonly string[]): NameMatcher {
  const set = new Set(patterns.map(pattern => pattern.toLowerCase()))
  const hasBelow = patterns.some(pattern => pattern.startsWith('*.') || pattern.startsWith('.'))
  return {
    matches: name => {
      if (name.startsWith('[')) return set.has(name.toLowerCase())
      if (set.has(name)) return true
      if (!hasBelow) return false
      return keysBeyondExact(name).some(key => set.has(key))
    },
  }
}

/** Compiles patterns for mail addresses. */
export function compilePaths(patterns: readonly string[]): PathMatcher {
  const domains: string[] = []
  const mailboxes = new Map<string, string[]>()
  let nullSender = false
  for (const pattern of patterns) {
    const at = pattern.lastIndexOf('@')
    if (pattern === '<>') nullSender = true
    else if (at < 0) domains.push(pattern)
    else {
      const local = mailbox({ local: pattern.slice(0, at), domain: '', text: '' })
      mailboxes.set(local, [...(mailboxes.get(local) ?? []), pattern.slice(at + 1)])
    }
  }
  const inDomains = compileNames(domains)
  const inMailboxes = new Map([...mailboxes].map(([local, names]) => [local, compileNames(names)]))
  return {
    matches: path => {
      if (path === null) return nullSender
      if (inDomains.matches(path.domain)) return true
      return inMailboxes.size > 0 && (inMailboxes.get(mailbox(path))?.matches(path.domain) ?? false)
    },
  }
}

/** Compiles addresses and networks. What is neither matches nothing: the configuration has refused it before. */
export function compileNetworks(patterns: readonly string[]): NameMatcher {
  const networks = patterns.map(parseNetwork).filter((network): network is Network => network !== null)
  return {
    matches: text => {
      const address = parseAddress(text)
      return address !== null && networks.some(network => networkContains(network, address))
    },
  }
}

/** Under which key a pattern for paths is found by the look-ups of `keysOf`; null for one that has no domain. */
export function keyOf(pattern: string): string | null {
  return pattern === '<>' ? null : pattern.slice(pattern.lastIndexOf('@') + 1).toLowerCase()
}

/** Every key whose patterns could match this name: itself, `.itself`, and `*.` and `.` with each name above it. */
export function keysOf(name: string): readonly string[] {
  return name.startsWith('[') ? [name.toLowerCase()] : [name, ...keysBeyondExact(name)]
}

const mailbox = (path: Path) => unquotedLocal(path).toLowerCase()

function keysBeyondExact(name: string): string[] {
  const keys = [`.${name}`]
  // A name has 127 labels at most (RFC 1035 §2.3.4), and paths have shorter ones still: the loop is bounded by the address.
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const above = name.slice(dot)
    keys.push(above, `*${above}`)
  }
  return keys
}
