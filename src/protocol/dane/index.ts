/**
 * `hermetic/dane`: TLSA records read, written, made, and held against a chain (RFC 6698, 7671, 7672); pure, without packages.
 *
 * `parseTlsa` reads what stands in a zone, `readTlsaRdata` what came in a packet, `judgeDane` says who is authenticated by which record,
 * and what became of every other. Whether the DNS vouches for the records is for the caller to know; chains come from `hermetic/x509`.
 */
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
