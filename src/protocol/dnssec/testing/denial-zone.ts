/**
 * Zones for tests of denial, small enough to be known whole: what is in one, the chain a signer makes of it, and what is truly absent.
 * Written from the RFCs once more, and on strings, so that it shares no mistake with what it tests.
 */
import { createHash } from 'node:crypto'
import { type Name, parseName } from '../../dns/name.ts'
import { typeFromName } from '../../dns/numbers.ts'
import type { Nsec, Nsec3 } from '../types.ts'

/** Names in lower case without escapes, with their types as text: `{ 'a.example': 'A MX' }`. The apex needs its SOA and NS. */
export interface ZoneText {
  readonly apex: string
  readonly nodes: Readonly<Record<string, string>>
}

export interface Nsec3Parameters {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly optOut: 'opt-out' | 'all-signed'
}

export function nameOf(text: string): Name {
  const name = parseName(text)
  if (name === null) throw new Error(`${text} is no name`)
  return name
}

export function typesOf(text: string): ReadonlySet<number> {
  return new Set(
    text
      .split(' ')
      .filter(Boolean)
      .map(type => typeFromName(type) ?? -1),
  )
}

/** `a.example b.example A MX`: owner, next, types. */
export function nsec(text: string): Nsec {
  const [owner = '', next = '', ...types] = text.split(' ')
  return { owner: nameOf(owner), next: nameOf(next), types: typesOf(types.join(' ')) }
}

/** RFC 4034 §4: one record at each name that the zone has a say in, in canonical order. */
export function nsecChain(zone: ZoneText): readonly Nsec[] {
  const owners = visibleNames(zone).toSorted((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1))
  return owners.map((owner, index) =>
    nsec(`${owner} ${owners[(index + 1) % owners.length]} ${zone.nodes[owner]} RRSIG NSEC`),
  )
}

/** RFC 5155 §7.1: one record at the hash of each name, of empty non-terminals too; with opt-out not of unsigned delegations, and of nothing above them alone. */
export function nsec3Chain(zone: ZoneText, parameters: Nsec3Parameters): readonly Nsec3[] {
  const types = new Map<string, string>()
  for (const owner of visibleNames(zone)) {
    const text = zone.nodes[owner] ?? ''
    if (parameters.optOut === 'opt-out' && isDelegation(text) && !has(text, 'DS')) continue
    types.set(owner, isDelegation(text) && !has(text, 'DS') ? text : `${text} RRSIG`)
    for (let above = parent(owner); above.length > zone.apex.length; above = parent(above))
      if (!types.has(above)) types.set(above, '')
  }
  const hashed = [...types].map(([owner, text]) => ({ text, hash: hashOf(owner, parameters) }))
  hashed.sort((one, other) => Buffer.compare(one.hash, other.hash))
  return hashed.map(({ text, hash }, index) => ({
    zone: nameOf(zone.apex),
    hash,
    algorithm: 1,
    flags: parameters.optOut === 'opt-out' ? 1 : 0,
    iterations: parameters.iterations,
    salt: parameters.salt,
    nextHash: hashed[(index + 1) % hashed.length]?.hash ?? hash,
    types: typesOf(text),
  }))
}

/** RFC 5155 §5, for names without escapes. */
export function hashOf(
  name: string,
  { salt, iterations }: Pick<Nsec3Parameters, 'salt' | 'iterations'>,
): Uint8Array {
  const labels = name === '' ? [] : name.toLowerCase().split('.')
  const wire = Buffer.concat([
    ...labels.map(label => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.of(0),
  ])
  let value: Uint8Array = wire
  for (let round = 0; round <= iterations; round++) value = createHash('sha1').update(value).update(salt).digest()
  return value
}

export type Truth =
  /** Below a delegation or a DNAME, at a delegation for all types but DS, or made from a delegation: the zone has no say. */
  'not-ours' | 'no-name' | 'no-data' | 'present'

/** What a name and type come to by RFC 1034 §4.3.2 and RFC 4592, as seen from inside the zone. */
export function truth(zone: ZoneText, name: string, type: string): Truth {
  if (isHidden(zone, name)) return 'not-ours'
  if (type === 'DS' && name === zone.apex) return 'not-ours'
  if (exists(zone, name)) return dataAt(zone.nodes[name] ?? '', type)
  const wildcard = `*.${encloser(zone, name)}`
  if (!exists(zone, wildcard)) return 'no-name'
  const text = zone.nodes[wildcard] ?? ''
  return isDelegation(text) ? 'not-ours' : dataAt(text, type)
}

/** What a zone says of a delegation at the name. */
export function cutAt(zone: ZoneText, name: string): 'not-ours' | 'signed' | 'unsigned' | 'alias' | 'none' {
  if (isHidden(zone, name) || name === zone.apex) return 'not-ours'
  const text = zone.nodes[name] ?? ''
  if (has(text, 'CNAME')) return 'alias'
  if (!isDelegation(text)) return 'none'
  return has(text, 'DS') ? 'signed' : 'unsigned'
}

/** The name, or something below it, is in the zone. */
export function exists(zone: ZoneText, name: string): boolean {
  return visibleNames(zone).some(owner => owner === name || owner.endsWith(`.${name}`))
}

/** The longest ancestor that exists. */
export function encloser(zone: ZoneText, name: string): string {
  let above = parent(name)
  while (!exists(zone, above)) above = parent(above)
  return above
}

/** A delegation or a DNAME stands above the name. */
export function isHidden(zone: ZoneText, name: string): boolean {
  for (let above = name; above !== zone.apex; ) {
    above = parent(above)
    const text = zone.nodes[above] ?? ''
    if ((above !== zone.apex && isDelegation(text)) || has(text, 'DNAME')) return true
  }
  return false
}

function visibleNames(zone: ZoneText): readonly string[] {
  const known = visible.get(zone)
  if (known !== undefined) return known
  const names = Object.keys(zone.nodes).filter(owner => !isHidden(zone, owner))
  visible.set(zone, names)
  return names
}

function dataAt(text: string, type: string): Truth {
  if (isDelegation(text)) {
    if (type !== 'DS') return 'not-ours'
  }
  return has(text, type) || has(text, 'CNAME') ? 'present' : 'no-data'
}

const has = (text: string, type: string) => text.split(' ').includes(type)
const isDelegation = (text: string) => has(text, 'NS') && !has(text, 'SOA')
const parent = (name: string) => name.slice(name.indexOf('.') + 1)
const sortKey = (name: string) => name.split('.').reverse().join('\0')
const visible = new WeakMap<ZoneText, readonly string[]>()
