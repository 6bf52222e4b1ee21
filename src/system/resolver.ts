/** The door to the DNS that walks are driven through. dns-client.ts implements it. */
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'

export interface Resolver {
  /** Never rejects for anything a server does; a failure is an answer. */
  resolve(question: DnsQuestion): Promise<DnsAnswer>
  close(): Promise<void>
}
