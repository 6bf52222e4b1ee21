/**
 * `hermetic/dane`: TLSA records read, written, made, and held against a chain (RFC 6698, 7671, 7672); pure, without packages.
 *
 * `parseTlsa` reads what stands in a zone, `readTlsaRdata` what came in a packet, `judgeDane` says who is authenticated by which record,
 * and what became of every other. `findTlsa` is a walk: it yields the questions by which the records of mail hosts are found (RFC 7672 §2.2), and is resumed with
 * answers that say what they are worth. Whether the DNS vouches for an answer is for the caller to know, `hermetic/dnssec` tells; chains come from `hermetic/x509`.
 */
export type { DnsAnswer, DnsQuestion, DnsSecurity } from '../dns/answer.ts'
export { type DaneTarget, findTlsa, type TlsaDiscovery, type TlsaFound, tlsaOwner } from './discovery.ts'
export { judgeDane, matchesAmong } from './judge.ts'
export type { DaneReason } from './reasons.ts'
export {
  associationOf,
  createTlsa,
  type ParsedTlsa,
  parseTlsa,
  readTlsaRdata,
  tlsaText,
  usability,
} from './tlsa.ts'
export type {
  DaneJudgement,
  DaneQuestion,
  RecordJudgement,
  RecordMatch,
  RecordOutcome,
  RecordState,
  Tlsa,
  UnusableBecause,
} from './types.ts'
