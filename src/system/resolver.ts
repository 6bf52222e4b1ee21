/** The door to the DNS that walks are driven through. dns-client.ts implements it. */

import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'
import type { DnsStanding } from '../protocol/dns/standing.ts'

export interface Resolver {
  /** Never rejects for anything a server does; a failure is an answer. */
  resolve(question: DnsQuestion): Promise<DnsAnswer>
  close(): Promise<void>
  /**
   * The same for mail that does not go by what is proven: where proof was lost its answers are `unvalidated`, where `resolve` fails so that mail waits. Left out: there is
   * no difference.
   */
  readonly lenient?: Pick<Resolver, 'resolve'>
  /** What the servers are good for, as last found. Left out: nobody finds that out, and it never changes. */
  readonly standing?: DnsStanding
}

/** A resolver that also says whether its answers are validated, and finds that out anew from time to time. */
export interface TrustedResolver extends Resolver {
  /** Asks the servers what they are good for; resolves with what was found. Questions before that wait for the first one. */
  probe(): Promise<DnsStanding>
  readonly standing: DnsStanding
}
