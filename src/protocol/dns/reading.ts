/**
 * What a response says about one question: the records, that there are none, or that an alias leads elsewhere.
 *
 * Follows CNAMEs inside the answer section by their owner names, so records that the question does not lead to are never
 * taken. A response whose rcode is neither NOERROR nor NXDOMAIN is no answer; whoever asked deals with it before.
 * Security is not judged here.
 */
import type { RecordData, RecordType } from './answer.ts'
import type { Message, ResourceRecord } from './message.ts'
import { isAtOrBelow, type Name, nameKey, parseName } from './name.ts'
import { classInternet, rcodes, typeNumbers } from './numbers.ts'
import { readData } from './records.ts'

/** Aliases followed for one question, over all responses. Real chains have one to four. */
export const maxAliases = 12

/** `aliases`: the names passed through, in order, as keys (lower case, presentation form). `ttlSeconds`: the smallest on the way. */
export type Reading =
  | {
      readonly kind: 'records'
      readonly records: readonly RecordData[]
      readonly aliases: readonly string[]
      readonly ttlSeconds: number
    }
  /** `ttlSeconds` is null without an SOA: such an answer should not be kept (RFC 2308 §5). */
  | {
      readonly kind: 'no-data' | 'no-such-name'
      readonly aliases: readonly string[]
      readonly ttlSeconds: number | null
    }
  /** The chain of aliases ends at `at`, and the response does not say what is there. */
  | {
      readonly kind: 'continues'
      readonly at: Name
      readonly aliases: readonly string[]
      readonly ttlSeconds: number
    }
  | { readonly kind: 'alias-loop' }
  /** The server knows only whom else to ask: it does not resolve for us (RFC 2308 §2.2 tells it from "no data"). */
  | { readonly kind: 'referral' }
  | { readonly kind: 'malformed'; readonly because: string }

/**
 * @param passed names already passed through for this question in earlier responses, the question's own name included
 */
export function readResponse(name: Name, type: RecordType, message: Message, passed: readonly string[]): Reading {
  const byOwner = groupByOwner(message.answers)
  const seen = new Set([...passed, nameKey(name)])
  const aliases: string[] = []
  let current = name
  let ttlSeconds = Number.POSITIVE_INFINITY
  for (;;) {
    const here = byOwner.get(nameKey(current)) ?? []
    const wanted = here.filter(record => record.type === typeNumbers[type])
    if (wanted.length > 0) {
      if (message.rcode === rcodes.NXDOMAIN)
        return { kind: 'malformed', because: 'records of a name that does not exist' }
      const records = readAll(wanted)
      if (records === null) return { kind: 'malformed', because: `${type} record` }
      return { kind: 'records', records, aliases, ttlSeconds: smallestTtl(wanted, ttlSeconds) }
    }
    const alias = here.filter(record => record.type === typeNumbers.CNAME)
    if (alias.length === 0) break
    const target = targetOf(alias)
    if (target === null) return { kind: 'malformed', because: 'CNAME record' }
    ttlSeconds = smallestTtl(alias, ttlSeconds)
    const key = nameKey(target)
    if (seen.has(key) || seen.size > maxAliases) return { kind: 'alias-loop' }
    seen.add(key)
    aliases.push(key)
    current = target
  }

  const negative = negativeTtl(message, current)
  const lasts = negative === null ? null : Math.min(negative, ttlSeconds)
  // With aliases the rcode speaks of the last name (RFC 6604 §3).
  if (message.rcode === rcodes.NXDOMAIN) return { kind: 'no-such-name', aliases, ttlSeconds: lasts }
  if (negative !== null) return { kind: 'no-data', aliases, ttlSeconds: lasts }
  if (aliases.length > 0) return { kind: 'continues', at: current, aliases, ttlSeconds }
  const isReferral = !message.authoritative && message.authorities.some(record => record.type === typeNumbers.NS)
  return isReferral ? { kind: 'referral' } : { kind: 'no-data', aliases, ttlSeconds: null }
}

function groupByOwner(records: readonly ResourceRecord[]): Map<string, ResourceRecord[]> {
  const groups = new Map<string, ResourceRecord[]>()
  for (const record of records) {
    if (record.class !== classInternet) continue
    const key = nameKey(record.name)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [record])
    else group.push(record)
  }
  return groups
}

function readAll(records: readonly ResourceRecord[]): RecordData[] | null {
  const read: RecordData[] = []
  for (const record of records) {
    const data = readData(record)
    if (data === null || data === 'malformed' || data.type === 'SOA' || data.type === 'NS') return null
    read.push(data)
  }
  return read
}

/** The target that all CNAMEs of one owner agree on. Two different ones are an error of the zone (RFC 2181 §10.1), and no choice of ours. */
function targetOf(records: readonly ResourceRecord[]): Name | null {
  const targets = new Set<string>()
  for (const record of records) {
    const data = readData(record)
    if (data === null || data === 'malformed' || data.type !== 'CNAME') return null
    targets.add(data.target)
  }
  const [only] = targets
  return only === undefined || targets.size > 1 ? null : parseName(only)
}

/** RFC 2308 §5: the smaller of the SOA's own TTL and its minimum field. Only the SOA of a zone that the name is in counts. */
function negativeTtl(message: Message, name: Name): number | null {
  for (const record of message.authorities) {
    if (record.type !== typeNumbers.SOA || !isAtOrBelow(name, record.name)) continue
    const data = readData(record)
    if (data !== null && data !== 'malformed' && data.type === 'SOA')
      return Math.min(record.ttlSeconds, data.minimum)
  }
  return null
}

/** TTLs within one RRset should not differ; where they do the smallest holds (RFC 2181 §5.2). */
function smallestTtl(records: readonly ResourceRecord[], before: number): number {
  return records.reduce((smallest, record) => Math.min(smallest, record.ttlSeconds), before)
}
