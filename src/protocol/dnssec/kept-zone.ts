/**
 * What is known of a zone as text, to be kept beyond the end of the process: form, lifetime, and what it was proven under.
 *
 * Success of reading means that every part is as it was written, for this zone, under the same trust, and that its time is not over. Anything else is no proof at all: it is
 * never believed in part, and asking again costs two questions. The sum finds damage; it keeps nobody out who may write where the text is kept, and who could as well
 * change the program or its anchors.
 *
 * Time is the wall clock's, as signatures are held against it. What was written later than now was written by a clock that has been set back since, and is not read.
 */
import { createHash } from 'node:crypto'
import { isAtOrBelow, type Name, nameKey, parseName } from '../dns/name.ts'
import type { Sha1Policy } from './algorithms.ts'
import { said } from './denial-rules.ts'
import type { InsecureReason } from './reasons.ts'
import { readDnskey } from './records.ts'
import type { Dnskey, KnownZone, TrustAnchor, ZoneStep } from './types.ts'

/** One zone, as it is kept. */
export interface KeptZone {
  /** `nameKey` of its name. */
  readonly zone: string
  /** What it was proven under: `trustFingerprint`. */
  readonly trust: string
  /** Milliseconds since 1970. */
  readonly keptAtMs: number
  readonly expiresAtMs: number
  readonly proof: string
  /** SHA-256 over all of this, in hex. */
  readonly sum: string
}

/** What decides, beside the answers, what becomes of a zone. */
export interface Trust {
  readonly anchors: readonly TrustAnchor[]
  /** Negative trust anchors. */
  readonly insecure: readonly Name[]
  readonly sha1: Sha1Policy
  /** Which program judged: another version may have other rules. */
  readonly validator: string
}

/** The same for two exactly when they are the same set of anchors, positive and negative, under the same rules. Order and case say nothing. */
export function trustFingerprint({ anchors, insecure, sha1, validator }: Trust): string {
  const positive = new Set(anchors.map(anchor => JSON.stringify([nameKey(anchor.zone), ...anchorParts(anchor)])))
  const negative = new Set(insecure.map(nameKey))
  return hashOf([form, validator, sha1, [...positive].sort(), [...negative].sort()])
}

/**
 * Null when it is not worth keeping, because it ends soon or is too large. However long its TTLs are, what is kept ends after `maxKeptMs`.
 * @param nowMs milliseconds since 1970
 */
export function keepZone(zone: Name, known: KnownZone, trust: string, nowMs: number): KeptZone | null {
  const expiresAtMs = Math.floor(Math.min(known.expiresAtMs, nowMs + maxKeptMs))
  if (expiresAtMs - nowMs < leastKeptMs) return null
  const steps = known.steps.map(({ zone: at, says }) => [at, says])
  const proof =
    known.kind === 'secure'
      ? JSON.stringify({ kind: known.kind, keys: known.keys.map(({ rdata }) => toBase64(rdata)), steps })
      : JSON.stringify({ kind: known.kind, reason: known.reason, steps })
  if (proof.length > maxProofChars) return null
  const kept = { zone: nameKey(zone), trust, keptAtMs: Math.floor(nowMs), expiresAtMs, proof }
  return { ...kept, sum: sumOf(kept) }
}

/** Null when it may not be believed, for whatever reason: it is of no use any more, then. */
export function readKeptZone(kept: KeptZone, zone: Name, trust: string, nowMs: number): KnownZone | null {
  const { keptAtMs, expiresAtMs, proof } = kept
  if (kept.zone !== nameKey(zone) || kept.trust !== trust || !holdsAt(kept, nowMs)) return null
  if (expiresAtMs - keptAtMs > maxKeptMs || proof.length > maxProofChars || kept.sum !== sumOf(kept)) return null
  const read = parsed(proof)
  if (!isObject(read) || !Array.isArray(read['steps'])) return null
  if (read['kind'] === 'secure') {
    const keys = keysFrom(read['keys'])
    const steps = stepsFrom(read['steps'], zone, null)
    return keys === null || steps === null ? null : { kind: 'secure', keys, expiresAtMs, steps }
  }
  const reason = insecureReasons.find(known => known === read['reason'])
  if (read['kind'] !== 'insecure' || reason === undefined) return null
  const steps = stepsFrom(read['steps'], zone, reason)
  return steps === null ? null : { kind: 'insecure', reason, expiresAtMs, steps }
}

/** Whether its time has come, and is not over. */
export function holdsAt({ keptAtMs, expiresAtMs }: KeptZone, nowMs: number): boolean {
  return keptAtMs <= nowMs && nowMs < expiresAtMs
}

function anchorParts(anchor: TrustAnchor): readonly (string | number)[] {
  if (anchor.kind === 'dnskey') return [anchor.kind, toBase64(anchor.dnskey.rdata)]
  const { keyTag, algorithm, digestType, digest } = anchor.ds
  return [anchor.kind, keyTag, algorithm, digestType, toBase64(digest)]
}

/** Null when one of them is no key, or there is none. */
function keysFrom(texts: unknown): readonly Dnskey[] | null {
  if (!Array.isArray(texts) || texts.length === 0) return null
  const keys: Dnskey[] = []
  for (const text of texts) {
    const key =
      typeof text === 'string' ? readDnskey({ rdata: new Uint8Array(Buffer.from(text, 'base64')) }) : null
    if (key === null || key === 'malformed') return null
    keys.push(key)
  }
  return keys
}

/**
 * From the anchor's zone to this one, each below the one before and all of them secure, but for the last of one that is not. Null when it is not so.
 * @param reason why the zone is insecure; null when it is secure
 */
function stepsFrom(
  pairs: readonly unknown[],
  zone: Name,
  reason: InsecureReason | null,
): readonly ZoneStep[] | null {
  const steps: ZoneStep[] = []
  let labels = -1
  for (const pair of pairs) {
    const [at, says]: readonly unknown[] = Array.isArray(pair) ? pair : []
    const name = typeof at === 'string' ? parseName(at) : null
    if (typeof at !== 'string' || typeof says !== 'string' || name === null) return null
    if (name.length <= labels || !isAtOrBelow(zone, name)) return null
    labels = name.length
    const isInsecure = reason !== null && steps.length === pairs.length - 1
    steps.push({
      zone: at,
      security: isInsecure ? 'insecure' : 'secure',
      reason: isInsecure ? reason : null,
      says,
    })
  }
  return labels === zone.length && steps.at(-1)?.zone.toLowerCase() === said(zone).toLowerCase() ? steps : null
}

function sumOf({ zone, trust, keptAtMs, expiresAtMs, proof }: Omit<KeptZone, 'sum'>): string {
  return hashOf([form, trust, zone, keptAtMs, expiresAtMs, proof])
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** What a zone can be proven to be. A negative anchor is configured, and never kept. */
const insecureReasons: readonly InsecureReason[] = [
  'dnssec.unsigned-delegation',
  'dnssec.opt-out',
  'dnssec.unknown-algorithms',
  'dnssec.sha1-algorithms',
  'dnssec.too-many-iterations',
]

/** Part of every sum: counted up when the text gets another form. */
const form = 'kept zone 1'

/** A day: an operator who starts anew must be rid of what was, some day, whatever TTLs a zone publishes. */
export const maxKeptMs = 24 * 60 * 60_000

/** What ends sooner is hardly ever read again. */
const leastKeptMs = 30_000

/** As `maxZoneBytes` of the cache in memory. Six keys of 4,096 bits take 5 KB. */
const maxProofChars = 32 * 1024
