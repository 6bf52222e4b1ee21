/**
 * `hermetic/dnssec`: answers of the DNS validated from a trust anchor down (RFC 4033, 4034, 4035, 5155, 6840, 9276); pure, without packages.
 *
 * `validate` is a walk: a generator that yields questions, all that may be asked at once, and is resumed with the messages that came back, in the same order; it
 * yields none where it only pauses. Whoever drives it asks them of any recursive server, with DO and CD set and over TCP when a message was cut, or of a
 * recording; `decodeMessage` reads what comes.
 * What it returns says whether the answer is secure, insecure, bogus or indeterminate, and why, zone by zone. `rootAnchors` are those of the public root,
 * `readAnchors` reads others from a file. A budget is for one question, a cache of zones for one set of anchors.
 */
export { decodeMessage, encodeMessage, type Message, makeQuery, type ResourceRecord } from '../dns/message.ts'
export { formatName, type Name, parseName } from '../dns/name.ts'
export { typeFromName, typeName, typeNumbers } from '../dns/numbers.ts'
export type { DnsReason } from '../dns/reasons.ts'
export type { Walk } from '../walk.ts'
export type { Sha1Policy } from './algorithms.ts'
export { type ReadAnchors, readAnchors, rootAnchors } from './anchors.ts'
export { createDnssecBudget, defaultDnssecLimits } from './budget.ts'
export type { BogusReason, DnssecReason, IndeterminateReason, InsecureReason } from './reasons.ts'
export type {
  AliasStep,
  Dnskey,
  DnssecBudget,
  DnssecWork,
  Ds,
  KnownZone,
  Security,
  TrustAnchor,
  ValidatedAnswer,
  ValidationContext,
  WireAnswer,
  WireQuestion,
  ZoneCache,
  ZoneStep,
} from './types.ts'
export { validate } from './validate.ts'
export { createZoneCache } from './zone-cache.ts'
