/**
 * Name constraints: the names that an authority's certificate lets those below it have (RFC 5280 §4.2.1.10).
 *
 * `breachOf` holds one certificate's names against one authority's constraints; null means that nothing forbids them. All names that could ever
 * be taken for the certificate's are held: alternative names, the subject, its e-mail addresses, and its common names where these may stand for host names.
 *
 * Where the RFC leaves room, the narrow reading is taken: a wildcard counts as every name that it covers (CVE-2025-61727), a name or a constraint that is not
 * well-formed refuses where the two meet, and a form we cannot compare refuses when both sides have one and the extension is critical. A constraint on DNS names that
 * begins with a dot permits the names below it, and excludes the name itself, too. A directory name is permitted as RFC 5280 §7.1 compares, and excluded in whatever string
 * type it is written, or when it cannot be compared.
 * Which certificates a constraint applies to (those below, self-issued intermediates excepted) is for path.ts.
 */
import { commonNames, emailAddresses, isEmptyName, isWithin, mayBeWithin, nameKey } from './distinguished-name.ts'
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
 * The names of a certificate, and the constraints of one, are sorted and read once, however many certificates they are held against.
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
  const bases = basesOf(authority)
  if (bases === null) return null
  const names = namesOf(subject, position)
  for (const [form, ofForm] of names.byForm) {
    const limits = bases.byForm.get(form)
    if (limits === undefined) continue
    if (!budget.spend('name-comparisons', ofForm.cost * (limits.permitted.length + limits.excluded.length)))
      return overBudget
    const breach = breachOfForm(ofForm.read(), limits)
    if (breach !== null) return breach
  }
  return bases.isCritical ? breachOfUnknown(names, bases) : null
}

/** RFC 5280 §6.1.4 (g): inside one of the permitted, and outside all of the excluded, which win. */
function breachOfForm(names: readonly Name[], { permitted, excluded, broken }: Limits): Breach | null {
  if (broken !== null) return forbidden(`the constraint ${broken.text} is not well-formed`)
  for (const name of names) {
    if (name.kind === 'malformed') return forbidden(`the name ${name.text} is not well-formed`)
    const hit = excluded.find(base => meets(name, base, 'any'))
    if (hit !== undefined) return forbidden(`${name.text} is excluded by ${hit.text}`)
    if (permitted.length > 0 && !permitted.some(base => meets(name, base, 'all')))
      return forbidden(`${name.text} is none of the permitted`)
  }
  return null
}

/** RFC 5280 §4.2.1.10: a form that a critical constraint limits, and that we cannot compare, refuses the certificate that has one. */
function breachOfUnknown(names: Names, bases: Bases): Breach | null {
  for (const tag of names.others)
    if (bases.others.has(tag)) return forbidden(`it has a name of the form [${tag}], which is limited`)
  return null
}

type Form = Comparable['type']

/** The names of one certificate, sorted. */
interface Names {
  readonly byForm: ReadonlyMap<Form, { readonly cost: number; readonly read: () => readonly Name[] }>
  /** Numbers of the forms that cannot be compared. */
  readonly others: ReadonlySet<number>
}

/** The constraints of one certificate, sorted and read. */
interface Bases {
  readonly byForm: ReadonlyMap<Form, Limits>
  readonly others: ReadonlySet<number>
  readonly isCritical: boolean
}

interface Limits {
  readonly permitted: readonly Base[]
  readonly excluded: readonly Base[]
  /** The first that is not well-formed. */
  readonly broken: Malformed | null
}

/** Certificates do not change. */
const knownNames = { leaf: new WeakMap<Certificate, Names>(), issuer: new WeakMap<Certificate, Names>() }
const knownBases = new WeakMap<Certificate, Bases>()

function namesOf(subject: Certificate, position: 'leaf' | 'issuer'): Names {
  const known = knownNames[position].get(subject)
  if (known !== undefined) return known
  const { byForm, others } = sorted(claimedNames(subject, position))
  const names: Names = {
    others,
    byForm: new Map(
      [...byForm].map(([form, ofForm]) => {
        let read: readonly Name[] | null = null
        return [form, { cost: costOf(ofForm), read: () => (read ??= ofForm.map(readName)) }]
      }),
    ),
  }
  knownNames[position].set(subject, names)
  return names
}

function basesOf(authority: Certificate): Bases | null {
  if (authority.nameConstraints === null) return null
  const known = knownBases.get(authority)
  if (known !== undefined) return known
  const permitted = sorted(authority.nameConstraints.permitted)
  const excluded = sorted(authority.nameConstraints.excluded)
  const limits = (form: Form): Limits => {
    const bases = {
      permitted: (permitted.byForm.get(form) ?? []).map(base => readBase(base, 'permitted')),
      excluded: (excluded.byForm.get(form) ?? []).map(base => readBase(base, 'excluded')),
    }
    const broken = [...bases.permitted, ...bases.excluded].find(base => base.kind === 'malformed')
    return { ...bases, broken: broken ?? null }
  }
  const forms = new Set([...permitted.byForm.keys(), ...excluded.byForm.keys()])
  const bases: Bases = {
    byForm: new Map([...forms].map(form => [form, limits(form)])),
    others: new Set([...permitted.others, ...excluded.others]),
    isCritical: isCritical(authority),
  }
  knownBases.set(authority, bases)
  return bases
}

function sorted(names: readonly GeneralName[]): {
  readonly byForm: ReadonlyMap<Form, readonly Comparable[]>
  readonly others: Set<number>
} {
  const byForm = new Map<Form, Comparable[]>()
  const others = new Set<number>()
  for (const name of names) {
    if (name.type === 'other') {
      others.add(name.tag)
      continue
    }
    const list = byForm.get(name.type)
    if (list === undefined) byForm.set(name.type, [name])
    else list.push(name)
  }
  return { byForm, others }
}

/** Every name that the certificate claims (RFC 5280 §4.2.1.10: the subject is a directory name, and its e-mail addresses count). */
function claimedNames(subject: Certificate, position: 'leaf' | 'issuer'): readonly GeneralName[] {
  const names: GeneralName[] = [...(subject.alternativeNames ?? [])]
  if (!isEmptyName(subject.subject)) names.push({ type: 'directory', value: subject.subject })
  for (const value of emailAddresses(subject.subject)) names.push({ type: 'email', value })
  if (position === 'leaf' && !names.some(name => name.type === 'dns'))
    for (const value of commonNames(subject.subject)) if (likeHost.test(value)) names.push({ type: 'dns', value })
  return names
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

/** Whether the base covers `all` that the name can stand for, or `any` of it: what a wildcard covers, what a directory name may be taken for. */
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
      if (name.kind !== 'directory') return false
      return much === 'all' ? isWithin(base.value, name.value) : mayBeWithin(base.value, name.value)
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

/** Whatever identity.ts could take for a host name, and not `Example Mail Server`. */
const likeHost = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i
/** A leading dot, and something behind it. */
const dottedDomain = /^\../
const uriAuthority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i
