/**
 * Name constraints: the names that an authority's certificate lets those below it have (RFC 5280 §4.2.1.10).
 *
 * `breachOf` holds one certificate's names against one authority's constraints; null means that nothing forbids them. All names that could ever
 * be taken for the certificate's are held: alternative names, the subject, its e-mail addresses, and its common names where these may stand for host names.
 *
 * Where the RFC leaves room, the narrow reading is taken: a wildcard counts as every name that it covers (CVE-2025-61727), a name or a constraint that is not
 * well-formed refuses where the two meet, and a form we cannot compare refuses when both sides have one and the extension is critical. A constraint on DNS names that
 * begins with a dot permits the names below it, and excludes the name itself, too.
 * Which certificates a constraint applies to (those below, self-issued intermediates excepted) is for path.ts.
 */
import { commonNames, emailAddresses, isEmptyName, isWithin, nameKey } from './distinguished-name.ts'
import { constraintProblem, nameProblem } from './general-name.ts'
import type { Certificate, DistinguishedName, GeneralName } from './model.ts'
import { extensionOids } from './oids.ts'
import type { Budget } from './path-types.ts'

export type Breach =
  /** In one clause, for people: which name, and which constraint it meets. */
  { readonly kind: 'forbidden'; readonly detail: string } | { readonly kind: 'over-budget' }

/**
 * Why the constraints of `authority` forbid `subject`; null when they do not, or there are none.
 *
 * @param position `leaf`: the common names are held too, since a name can be matched against them (RFC 7672 §3.2.3) when there is no DNS name.
 * @param budget pays for each name held against each constraint, before it is done.
 */
export function breachOf(
  authority: Certificate,
  subject: Certificate,
  position: 'leaf' | 'issuer',
  budget: Budget,
): Breach | null {
  const constraints = authority.nameConstraints
  if (constraints === null) return null
  const names = namesOf(subject, position)
  for (const form of forms) {
    const ofForm = ofType(names, form)
    const permitted = ofType(constraints.permitted, form)
    const excluded = ofType(constraints.excluded, form)
    if (ofForm.length === 0 || permitted.length + excluded.length === 0) continue
    if (!budget.spend('name-comparisons', costOf(ofForm) * (permitted.length + excluded.length))) return overBudget
    const breach = breachOfForm(ofForm, permitted, excluded)
    if (breach !== null) return breach
  }
  return isCritical(authority) ? breachOfUnknown(names, [...constraints.permitted, ...constraints.excluded]) : null
}

/** RFC 5280 §6.1.4 (g): inside one of the permitted, and outside all of the excluded, which win. */
function breachOfForm(
  names: readonly Comparable[],
  permitted: readonly Comparable[],
  excluded: readonly Comparable[],
): Breach | null {
  const bases = {
    permitted: permitted.map(base => readBase(base, 'permitted')),
    excluded: excluded.map(base => readBase(base, 'excluded')),
  }
  const broken = [...bases.permitted, ...bases.excluded].find(base => base.kind === 'malformed')
  if (broken !== undefined) return forbidden(`the constraint ${broken.text} is not well-formed`)
  for (const presented of names) {
    const name = readName(presented)
    if (name.kind === 'malformed') return forbidden(`the name ${name.text} is not well-formed`)
    const hit = bases.excluded.findIndex(base => meets(name, base, 'any'))
    if (hit !== -1) return forbidden(`${name.text} is excluded by ${bases.excluded[hit]?.text ?? ''}`)
    if (permitted.length > 0 && !bases.permitted.some(base => meets(name, base, 'all')))
      return forbidden(`${name.text} is none of the permitted`)
  }
  return null
}

/** RFC 5280 §4.2.1.10: a form that a critical constraint limits, and that we cannot compare, refuses the certificate that has one. */
function breachOfUnknown(names: readonly GeneralName[], bases: readonly GeneralName[]): Breach | null {
  const limited = new Set(bases.flatMap(base => (base.type === 'other' ? [base.tag] : [])))
  const met = names.find(name => name.type === 'other' && limited.has(name.tag))
  return met?.type === 'other' ? forbidden(`it has a name of the form [${met.tag}], which is limited`) : null
}

/** Every name that the certificate claims (RFC 5280 §4.2.1.10: the subject is a directory name, and its e-mail addresses count). */
function namesOf(subject: Certificate, position: 'leaf' | 'issuer'): readonly GeneralName[] {
  const names: GeneralName[] = [...(subject.alternativeNames ?? [])]
  if (!isEmptyName(subject.subject)) names.push({ type: 'directory', value: subject.subject })
  for (const value of emailAddresses(subject.subject)) names.push({ type: 'email', value })
  if (position === 'leaf' && !names.some(name => name.type === 'dns'))
    for (const value of commonNames(subject.subject)) if (likeHost.test(value)) names.push({ type: 'dns', value })
  return names
}

function ofType(names: readonly GeneralName[], form: Comparable['type']): readonly Comparable[] {
  return names.filter(name => name.type !== 'other').filter(name => name.type === form)
}

function isCritical(authority: Certificate): boolean {
  return authority.extensions.some(
    extension => extension.oid === extensionOids.nameConstraints && extension.critical,
  )
}

/** Long directory names take longer to compare. */
function costOf(names: readonly Comparable[]): number {
  let cost = 0
  for (const name of names) cost += name.type === 'directory' ? 1 + Math.floor(name.value.der.length / 256) : 1
  return cost
}

type Comparable = Exclude<GeneralName, { readonly type: 'other' }>

type Malformed = { readonly kind: 'malformed'; readonly text: string }

/** A name, ready to be compared. `wildcard`: `host` is what follows `*.`. Hosts are in lower case. */
type Name =
  | { readonly kind: 'host' | 'wildcard'; readonly host: string; readonly text: string }
  | { readonly kind: 'mailbox'; readonly local: string; readonly host: string; readonly text: string }
  | { readonly kind: 'address'; readonly octets: Uint8Array; readonly text: string }
  | { readonly kind: 'directory'; readonly value: DistinguishedName; readonly text: string }
  | Malformed

/** What a constraint covers. `domain`: `host` and all below; `below`: all below only; `host`: it alone. */
type Base =
  | { readonly kind: 'domain' | 'below' | 'host'; readonly host: string; readonly text: string }
  | { readonly kind: 'mailbox'; readonly local: string; readonly host: string; readonly text: string }
  | { readonly kind: 'network'; readonly octets: Uint8Array; readonly mask: Uint8Array; readonly text: string }
  | { readonly kind: 'directory'; readonly value: DistinguishedName; readonly text: string }
  | Malformed

/** Whether the base covers the name; of a wildcard `any` or `all` of the names it stands for. */
function meets(name: Name, base: Base, much: 'any' | 'all'): boolean {
  switch (base.kind) {
    case 'domain':
    case 'below':
    case 'host':
      if (name.kind === 'mailbox' || name.kind === 'host') return coversHost(base, name.host)
      return name.kind === 'wildcard' && coversWildcard(base, name.host, much)
    case 'mailbox':
      // The local part as it is, the host in any case (RFC 5280 §7.5).
      return name.kind === 'mailbox' && name.local === base.local && name.host === base.host
    case 'network':
      return name.kind === 'address' && isInNetwork(name.octets, base)
    case 'directory':
      return name.kind === 'directory' && isWithin(base.value, name.value)
    case 'malformed':
      return much === 'any'
    default:
      return base satisfies never
  }
}

type HostBase = Extract<Base, { readonly kind: 'domain' | 'below' | 'host' }>

function coversHost(base: HostBase, host: string): boolean {
  if (base.kind !== 'below' && host === base.host) return true
  return base.kind !== 'host' && (base.host === '' || host.endsWith(`.${base.host}`))
}

/** `*.example.com` stands for each name one label below `example.com`. */
function coversWildcard(base: HostBase, parent: string, much: 'any' | 'all'): boolean {
  if (base.kind === 'host') return false
  if (parent === base.host || coversHost(base, parent)) return true
  // One of them may be the very base: `bar.example.com`. Those deeper than one label the wildcard does not reach.
  return much === 'any' && base.kind === 'domain' && base.host.slice(base.host.indexOf('.') + 1) === parent
}

function isInNetwork(octets: Uint8Array, base: Extract<Base, { readonly kind: 'network' }>): boolean {
  // RFC 5280 gives IPv4 and IPv6 one form: an address of the other family is in no network of this one.
  if (octets.length !== base.octets.length) return false
  return base.octets.every((octet, index) => {
    const mask = base.mask[index] ?? 0xff
    return (octet & mask) === ((octets[index] ?? 0) & mask)
  })
}

function readName(name: Comparable): Name {
  const text = textOf(name)
  const malformed = { kind: 'malformed', text } as const
  if (nameProblem(name) !== null) return malformed
  switch (name.type) {
    case 'dns':
      return name.value.startsWith('*.')
        ? { kind: 'wildcard', host: name.value.slice(2).toLowerCase(), text }
        : { kind: 'host', host: name.value.toLowerCase(), text }
    case 'email':
      return { kind: 'mailbox', ...mailboxOf(name.value), text }
    case 'uri': {
      const host = uriHost(name.value)
      return host === null ? malformed : { kind: 'host', host, text }
    }
    case 'ip':
      return { kind: 'address', octets: name.value, text }
    case 'directory':
      return nameKey(name.value) === null ? malformed : { kind: 'directory', value: name.value, text }
    default:
      return name satisfies never
  }
}

function readBase(base: Comparable, list: 'permitted' | 'excluded'): Base {
  const text = textOf(base)
  if (base.type === 'dns' && dottedDomain.test(base.value)) return dottedBase(base.value, list, text)
  if (constraintProblem(base) !== null) return { kind: 'malformed', text }
  switch (base.type) {
    case 'dns':
      return hostBase(base.value, 'domain', text)
    case 'email':
      return base.value.includes('@')
        ? { kind: 'mailbox', ...mailboxOf(base.value), text }
        : hostBase(base.value, 'host', text)
    case 'uri':
      return hostBase(base.value, 'host', text)
    case 'ip': {
      const half = base.value.length / 2
      return { kind: 'network', octets: base.value.subarray(0, half), mask: base.value.subarray(half), text }
    }
    case 'directory':
      return nameKey(base.value) === null
        ? { kind: 'malformed', text }
        : { kind: 'directory', value: base.value, text }
    default:
      return base satisfies never
  }
}

/**
 * RFC 5280 §4.2.1.10 has a leading dot for mail and URIs only. Private authorities write it before DNS names as well, and OpenSSL, GnuTLS and Go read it as
 * those below it. Whoever excludes that way may have meant the name itself, too: then it is not let through.
 */
function dottedBase(value: string, list: 'permitted' | 'excluded', text: string): Base {
  const host = value.slice(1)
  if (constraintProblem({ type: 'dns', value: host }) !== null) return { kind: 'malformed', text }
  return { kind: list === 'permitted' ? 'below' : 'domain', host: host.toLowerCase(), text }
}

/** With a leading dot all below; the empty text covers every host; any other one is of the kind `plain`. */
function hostBase(value: string, plain: 'domain' | 'host', text: string): Base {
  if (value === '') return { kind: 'domain', host: '', text }
  if (value.startsWith('.')) return { kind: 'below', host: value.slice(1).toLowerCase(), text }
  return { kind: plain, host: value.toLowerCase(), text }
}

function mailboxOf(value: string): { readonly local: string; readonly host: string } {
  const at = value.lastIndexOf('@')
  return { local: value.slice(0, at), host: value.slice(at + 1).toLowerCase() }
}

/**
 * The host of a URI with an authority (RFC 3986 §3.2). Null when there is none, or it is an address: RFC 5280 §4.2.1.10 refuses both where a
 * constraint applies.
 */
function uriHost(value: string): string | null {
  const authority = uriAuthority.exec(value)?.[1]
  if (authority === undefined) return null
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:[0-9]*$/, '')
  return host === '' || constraintProblem({ type: 'dns', value: host }) !== null ? null : host.toLowerCase()
}

/** As it stands, for details only: whoever shows it makes it visible. */
function textOf(name: Comparable): string {
  if (name.type === 'directory') return 'the directory name'
  const text = name.type === 'ip' ? Buffer.from(name.value).toString('hex') : name.value
  return `${name.type} ${text.length > longestText ? `${text.slice(0, longestText)}…` : text}`
}

function forbidden(detail: string): Breach {
  return { kind: 'forbidden', detail }
}

const overBudget: Breach = { kind: 'over-budget' }
const longestText = 80

const forms = ['dns', 'ip', 'email', 'uri', 'directory'] as const

/** Whatever identity.ts could take for a host name, and not `Example Mail Server`. */
const likeHost = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i
/** A leading dot, and something behind it. */
const dottedDomain = /^\../
const uriAuthority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i
