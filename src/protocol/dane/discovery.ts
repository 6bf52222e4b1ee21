/**
 * Which TLSA records hold for the addresses of mail hosts (RFC 7672 §2.2.2, §2.2.3): a walk, asked after the addresses are known and before anybody is
 * connected to.
 *
 * Success means that for every address it is known whether there are records that a chain of signatures vouches for, and at which name. The order of questions is
 * part of the standard: a host whose address is not secure is not asked for at all, because the servers of some unsigned zones answer such questions with
 * errors; the name at the end of a secure chain of aliases comes before the host's own; and a question that failed leads nowhere, least of all to "there are none".
 *
 * It does not judge the records: judge.ts. Equal questions are asked once, and all hosts at the same time.
 */
import type { DnsAnswer, DnsQuestion } from '../dns/answer.ts'
import type { HostAddress } from '../dns/mail-hosts.ts'
import { parseName } from '../dns/name.ts'
import type { DnsReason } from '../dns/reasons.ts'
import type { DnssecReason } from '../dnssec/reasons.ts'
import { canonicalIp } from '../ip.ts'
import type { Walk } from '../walk.ts'
import type { Tlsa } from './types.ts'

/** One address of one host, as `mailHosts` or `hostAddresses` found it. */
export interface DaneTarget {
  /** Lower case without the last dot. An address has no records. */
  readonly host: string
  /** Of the service as published: names stay those of port 25 wherever a dialer really leads. */
  readonly port: number
  readonly address: Pick<HostAddress, 'aliases' | 'security' | 'byHostsFile'>
}

export type TlsaFound =
  /** Secure records: the host owes TLS, and proof where one of them can be used. */
  | {
      readonly kind: 'records'
      /** The TLSA base domain. An alias of its owner does not move it. */
      readonly base: string
      readonly from: 'host' | 'expansion' | 'alias'
      readonly owner: string
      /** Names passed through by CNAME from the owner to the records. */
      readonly aliases: readonly string[]
      /** Not empty. */
      readonly records: readonly Tlsa[]
    }
  /** None that counts, and that is certain. `asked`: owners, in order. */
  | {
      readonly kind: 'none'
      readonly because: 'dns-not-validated' | 'no-name' | 'host-insecure' | 'absent' | 'records-insecure'
      readonly asked: readonly string[]
    }
  /** It could not be found out: the host may not be used (RFC 7672 §2.1.2). */
  | {
      readonly kind: 'failed'
      /** What was asked: `_25._tcp.mx.example TLSA`. */
      readonly question: string
      readonly reason: DnsReason | DnssecReason
      /** What was seen, in a few words; may hold text from outside. */
      readonly detail: string | null
    }

export interface TlsaDiscovery {
  /** In the order of the targets. */
  readonly found: readonly TlsaFound[]
  /** Every answer seen, in order. */
  readonly answers: readonly DnsAnswer[]
}

/** Never asks more than three questions for one target: the alias itself, records at its end, records at the host. */
export function* findTlsa(targets: readonly DaneTarget[]): Walk<DnsQuestion, DnsAnswer, TlsaDiscovery> {
  const ways = new Map<
    string,
    { readonly walk: Walk<DnsQuestion, DnsAnswer, TlsaFound>; found: TlsaFound | null }
  >()
  for (const target of targets)
    if (!ways.has(keyOf(target))) ways.set(keyOf(target), { walk: findOne(target), found: null })

  // All ways go on together: each round asks what every one of them needs next.
  const answers = new Map<string, DnsAnswer>()
  const waiting = new Map<string, DnsQuestion>()
  for (const [key, way] of ways) step(key, way, [])
  while (waiting.size > 0) {
    const asked = [...waiting]
    waiting.clear()
    const questions = new Map(asked.map(([, question]) => [questionKey(question), question]))
    const fresh = [...questions].filter(([key]) => !answers.has(key))
    if (fresh.length > 0) {
      const came = yield fresh.map(([, question]) => question)
      for (const [index, [key]] of fresh.entries()) {
        const answer = came[index]
        if (answer === undefined) throw new Error('the driver of a walk gave too few answers')
        answers.set(key, answer)
      }
    }
    for (const [key, question] of asked) {
      const way = ways.get(key)
      const answer = answers.get(questionKey(question))
      if (way !== undefined && answer !== undefined) step(key, way, [answer])
    }
  }
  const found = targets.map(target => {
    const way = ways.get(keyOf(target))
    if (way?.found == null) throw new Error('a way to TLSA records did not end')
    return way.found
  })
  return { found, answers: [...answers.values()] }

  function step(
    key: string,
    way: { readonly walk: Walk<DnsQuestion, DnsAnswer, TlsaFound>; found: TlsaFound | null },
    given: readonly DnsAnswer[],
  ) {
    const next = way.walk.next(given)
    if (next.done === true) {
      way.found = next.value
      return
    }
    const [question] = next.value
    if (question !== undefined) waiting.set(key, question)
  }
}

/** Of the name an operator or a zone gave; the owner begins with the port's and the protocol's labels (RFC 6698 §3). */
export function tlsaOwner(base: string, port: number): string {
  return `_${port}._tcp.${base}`
}

function* findOne({ host, port, address }: DaneTarget): Walk<DnsQuestion, DnsAnswer, TlsaFound> {
  if (canonicalIp(host) !== null) return { kind: 'none', because: 'no-name', asked: [] }
  if (address.security === 'unvalidated') return { kind: 'none', because: 'dns-not-validated', asked: [] }
  const expansion = address.aliases.at(-1)
  const asked: string[] = []
  let because: 'absent' | 'records-insecure' = 'absent'

  if (address.security !== 'secure') {
    // RFC 7672 §2.2.2: an insecure address behind an alias says nothing of the zone that the alias itself is in.
    if (expansion === undefined) return { kind: 'none', because: 'host-insecure', asked }
    const alias = yield* asking({ name: host, type: 'CNAME' })
    if (alias.outcome === 'failed') return failed(alias)
    if (alias.security !== 'secure') return { kind: 'none', because: 'host-insecure', asked }
  }
  const candidates =
    expansion === undefined
      ? [{ base: host, from: 'host' } as const]
      : [
          ...(address.security === 'secure' ? [{ base: expansion, from: 'expansion' } as const] : []),
          { base: host, from: 'alias' } as const,
        ]
  for (const { base, from } of candidates) {
    const owner = tlsaOwner(base, port)
    // A name so long that none can stand before it owns nothing below it.
    if (parseName(owner) === null) continue
    asked.push(owner)
    const answer = yield* asking({ name: owner, type: 'TLSA' })
    if (answer.outcome === 'failed') return failed(answer)
    if (answer.security === 'unvalidated') {
      // The hosts file vouches for its addresses, and the DNS for nothing. Else proofs came to an end between two questions, and nobody has looked.
      if (address.byHostsFile === true) return { kind: 'none', because: 'dns-not-validated', asked }
      return failed({ ...answer, reason: 'dns.validation-unavailable', why: 'the answer could not be validated' })
    }
    const records = tlsaRecords(answer.records)
    if (answer.security !== 'secure') because = 'records-insecure'
    else if (records.length > 0) return { kind: 'records', base, from, owner, aliases: answer.aliases, records }
  }
  return { kind: 'none', because, asked }
}

/** The same array for the same answer, however often and by whom it is read: what is made of a large set is made once. */
function tlsaRecords(records: DnsAnswer['records']): readonly Tlsa[] {
  const known = readBefore.get(records)
  if (known !== undefined) return known
  const found = records.filter(record => record.type === 'TLSA')
  readBefore.set(records, found)
  return found
}

const readBefore = new WeakMap<DnsAnswer['records'], readonly Tlsa[]>()

function* asking(question: DnsQuestion): Walk<DnsQuestion, DnsAnswer, DnsAnswer> {
  const [answer] = yield [question]
  if (answer === undefined) throw new Error('the driver of a walk gave no answer to its question')
  return answer
}

function failed({ question, reason, why, because }: DnsAnswer): TlsaFound {
  return {
    kind: 'failed',
    question: `${question.name} ${question.type}`,
    reason: reason ?? 'dns.lookup-failed',
    detail: because ?? why,
  }
}

function keyOf({ host, port, address }: DaneTarget): string {
  return `${host} ${port} ${address.security} ${address.byHostsFile === true} ${address.aliases.at(-1) ?? ''}`
}

function questionKey({ name, type }: DnsQuestion): string {
  return `${type} ${name}`
}
