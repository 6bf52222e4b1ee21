/** What the name servers make possible: part of the vocabulary of evidence, and known before any question is asked. */

/** Whether answers of the DNS can be told secure from insecure here, for people: without that there is no DANE. */
export interface DnsStanding {
  readonly trust: 'validate' | 'ad' | 'none'
  /**
   * `works`. `unavailable`: the servers pass no signatures on, or do not validate, and mail goes on without DANE. `required`: the same, and `dns.require` makes mail wait.
   * `lost`: these servers did it before, so mail waits. `mistimed`: by the clock of this machine the signatures of the root have ended or not begun, so mail waits.
   * `unknown`: none of them has answered yet. `off`: `dns.trust` is `none`.
   */
  readonly validation: 'works' | 'unavailable' | 'required' | 'lost' | 'mistimed' | 'unknown' | 'off'
  /** Whole sentences: what is not as it should be, and who must act. Empty when all is well. */
  readonly says: readonly string[]
}
