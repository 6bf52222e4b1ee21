/**
 * The zones of the lab and what a recursive resolver would answer from them (RFC 1034 §4.3.2, RFC 2308 §2).
 *
 * Success means a complete answer: the aliases passed through in order, then the records, or the right kind of "no". Wildcards,
 * delegations and signatures are not here; signed zones have their place beside `Zone`.
 */

/** What a name of the lab owns. Names in lower case without the last dot; the root is the empty string. */
export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: string }
  | { readonly type: 'CNAME'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }

export interface Zone {
  /** The apex: owns the SOA that negative answers carry. */
  readonly apex: string
  /** By owner name, relative to nothing: whole names. */
  readonly records: ReadonlyMap<string, readonly ZoneRecord[]>
}

interface OwnedRecord {
  readonly owner: string
  readonly record: ZoneRecord
}

export interface ZoneAnswer {
  readonly outcome: 'records' | 'no-data' | 'no-such-name' | 'servfail'
  /** Aliases first, in the order they were followed, then the records asked for. */
  readonly answers: readonly OwnedRecord[]
  /** The apex whose SOA belongs into the authority section of a "no"; the root when no zone holds the name. */
  readonly apex: string
}

/**
 * Answers one question.
 *
 * @param name any case, with or without the last dot
 * @param type the mnemonic; one that no zone holds finds no data
 */
export function lookUp(zones: readonly Zone[], name: string, type: string): ZoneAnswer {
  const answers: OwnedRecord[] = []
  let owner = name.toLowerCase().replace(/\.$/, '')
  for (let step = 0; step <= mostAliases; step++) {
    const zone = zoneOf(zones, owner)
    if (zone === null) return { outcome: 'no-such-name', answers, apex: '' }
    const here = zone.records.get(owner)
    if (here === undefined)
      return { outcome: isAboveAName(zone, owner) ? 'no-data' : 'no-such-name', answers, apex: zone.apex }
    const wanted = here.filter(record => record.type === type)
    for (const record of wanted) answers.push({ owner, record })
    if (wanted.length > 0) return { outcome: 'records', answers, apex: zone.apex }
    const alias = here.find(record => record.type === 'CNAME')
    if (alias === undefined) return { outcome: 'no-data', answers, apex: zone.apex }
    answers.push({ owner, record: alias })
    owner = alias.target
  }
  // An alias loop: what unbound and BIND say when they give up.
  return { outcome: 'servfail', answers: [], apex: '' }
}

/** A zone from lines such as `mail.dev.example CNAME mail.example.local`; throws on a line it cannot read, for the lines are ours. */
export function zone(apex: string, lines: readonly string[]): Zone {
  const records = new Map<string, ZoneRecord[]>()
  for (const line of lines) {
    const [owner = '', type = '', ...rest] = line.split(/\s+/)
    if (owner !== apex && !owner.endsWith(`.${apex}`)) throw new Error(`not in the zone ${apex}: ${line}`)
    const of = records.get(owner) ?? []
    of.push(zoneRecord(type, rest, line))
    records.set(owner, of)
  }
  if (!records.has(apex)) records.set(apex, [])
  return { apex, records }
}

function zoneRecord(type: string, rest: readonly string[], line: string): ZoneRecord {
  const [first = '', second] = rest
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: first }
    case 'MX':
      if (second === undefined) break
      return { type, preference: Number(first), exchange: second === '.' ? '' : second }
    case 'CNAME':
      return { type, target: first }
    case 'TXT':
      return { type, text: rest.join(' ') }
    default:
  }
  throw new Error(`not a record of the lab: ${line}`)
}

/** The zone with the longest apex that holds the name. */
function zoneOf(zones: readonly Zone[], name: string): Zone | null {
  let best: Zone | null = null
  for (const zone of zones)
    if ((name === zone.apex || name.endsWith(`.${zone.apex}`)) && zone.apex.length > (best?.apex.length ?? -1))
      best = zone
  return best
}

/** An empty non-terminal exists, without data (RFC 8020 §2). */
function isAboveAName(zone: Zone, name: string): boolean {
  for (const owner of zone.records.keys()) if (owner.endsWith(`.${name}`)) return true
  return false
}

/** Aliases followed in one answer. */
const mostAliases = 16
