/**
 * Proofs that something does not exist, for the validator: one face over NSEC (nsec.ts) and NSEC3 (nsec3.ts), whichever the zone has.
 *
 * Expected: every record was verified with a key of `zone`, the zone that `name` is in (for `proveNoDs`, the parent), under the name it stands at; one
 * that was expanded from a wildcard is left out, because where it stands it says nothing. No signature and no response code is looked at here. A record
 * that is not the zone's own, because it stands outside or is the other side of a zone cut, proves nothing; if a proof fails and such records came, the
 * reason is `dnssec.denial-of-wrong-zone`.
 *
 * No proof is put together from NSEC and NSEC3: when both came (RFC 5155 §10.4), one of the two must be enough.
 */
import type { Name } from '../dns/name.ts'
import { nameInText, unproven } from './denial-rules.ts'
import type { Denial, NoDs } from './denial-types.ts'
import * as byNsec from './nsec.ts'
import * as byNsec3 from './nsec3.ts'
import type { DnssecBudget, Nsec, Nsec3 } from './types.ts'

export interface DenialEvidence {
  readonly zone: Name
  readonly nsec: readonly Nsec[]
  readonly nsec3: readonly Nsec3[]
  /** Pays for NSEC3 hashes. */
  readonly budget: DnssecBudget
}

/** The name does not exist, nor a wildcard that would stand in for it: what NXDOMAIN claims. */
export function proveNoName(evidence: DenialEvidence, name: Name): Denial {
  return either(evidence, byNsec.deniesName, byNsec3.deniesName, name)
}

/** The name exists, or a wildcard stands in for it, and has neither records of the type nor an alias: what an empty NOERROR claims. */
export function proveNoData(evidence: DenialEvidence, name: Name, type: number): Denial {
  return either(
    evidence,
    (from, of) => byNsec.deniesType(from, of, type),
    (from, of) => byNsec3.deniesType(from, of, type),
    name,
  )
}

/**
 * The name itself does not exist, nor anything closer to it than the wildcard its records were made of.
 *
 * @param wildcardLabels the labels field of the RRSIG that was verified (RFC 4034 §3.1.3), less than `name` has without a leading asterisk.
 */
export function proveWildcard(evidence: DenialEvidence, name: Name, wildcardLabels: number): Denial {
  return either(
    evidence,
    (from, of) => byNsec.deniesWildcardExpansion(from, of, wildcardLabels),
    (from, of) => byNsec3.deniesWildcardExpansion(from, of, wildcardLabels),
    name,
  )
}

/**
 * Whether an unsigned zone begins at the name, by the word of the zone above: `proven` and `opt-out` say so (RFC 4035 §5.2, RFC 5155 §8.9);
 * `not-delegated` says that no zone begins there.
 */
export function proveNoDs(evidence: DenialEvidence, name: Name): NoDs {
  return either<NoDs>(evidence, byNsec.deniesDs, byNsec3.deniesDs, name)
}

function either<Result extends NoDs>(
  { zone, nsec, nsec3, budget }: DenialEvidence,
  withNsec: (evidence: byNsec.NsecEvidence, name: Name) => Result,
  withNsec3: (evidence: byNsec3.Nsec3Evidence, name: Name) => Result,
  name: Name,
): Result | Denial {
  if (nsec.length === 0 && nsec3.length === 0)
    return unproven(
      'dnssec.denial-unproven',
      `No NSEC or NSEC3 record of ${nameInText(zone)} came with the answer.`,
    )
  if (nsec3.length === 0) return withNsec({ zone, records: nsec }, name)
  const first = nsec.length === 0 ? null : withNsec({ zone, records: nsec }, name)
  if (first !== null && first.kind !== 'unproven') return first
  const second = withNsec3({ zone, records: nsec3, budget }, name)
  // Of two reasons the one that says more.
  if (second.kind === 'unproven' && second.reason === 'dnssec.denial-unproven' && first !== null) return first
  return second
}
