/** What came of judging one peer under one plan. */
import type { Failure } from './failure.ts'
import type { NameProof, PeerProof } from './plan.ts'

export type Verdict =
  /** The peer proved a reference identifier; `by` says how, `matched` which name of the certificate fitted. */
  | {
      readonly kind: 'authenticated'
      readonly name: NameProof
      readonly by: 'pkix' | 'dane-ta' | 'dane-ee'
      readonly matched: string | null
      /** The TLSA record that decided; null when it was not DANE. */
      readonly record: string | null
    }
  /** TLS without proof of the peer, and the plan asks for no more. `wouldFail`: why it would not have authenticated; null when it would. */
  | { readonly kind: 'encrypted'; readonly name: NameProof; readonly wouldFail: Failure | null }
  /** No TLS, and the plan asks for none. `because`: why there is none. */
  | {
      readonly kind: 'clear'
      readonly name: NameProof
      readonly because: 'plan' | 'not-offered' | 'refused' | 'handshake-failed-before'
    }
  /** Less than the plan's least: nothing was sent. */
  | { readonly kind: 'refused'; readonly failure: Failure }

/** The verdict's place on the peer axis. */
export function peerProof(verdict: Verdict): PeerProof | null {
  switch (verdict.kind) {
    case 'authenticated':
      return verdict.by
    case 'encrypted':
      return 'encrypted'
    case 'clear':
      return 'clear'
    case 'refused':
      return null
    default:
      return verdict satisfies never
  }
}
