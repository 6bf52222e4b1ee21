/**
 * What an audit of a zone asks of the DNS: a walk whose answers come validated. zone-audit.ts makes of them what its owner should know.
 *
 * It finds the zone that the domain lies in, asks for what stands at its top, for what is not there (a name, a type, a TLSA record, so that each proof of absence is
 * seen once), and for the way of the domain's mail: MX, addresses of its hosts, TLSA at port 25 of each. Unlike a sender it asks for TLSA records of hosts in zones that are not
 * signed, too: that their servers fail at it, or that records lie there of no use, is worth knowing.
 *
 * Bounded: at most `maxAuditedHosts` hosts are looked at, and no more levels are climbed than the domain has.
 */
import { formatName, isAtOrBelow, isHostName, type Name, nameKey, parseName } from '../protocol/dns/name.ts'
import { typeNumbers } from '../protocol/dns/numbers.ts'
import { readData } from '../protocol/dns/records.ts'
import type { ValidatedAnswer, WireQuestion } from '../protocol/dnssec/types.ts'
import type { Walk } from '../protocol/walk.ts'

/** Why it is asked. `no-…`: what is meant not to be there. */
export type AuditRole =
  | 'soa'
  | 'ns'
  | 'dnskey'
  | 'ds'
  | 'nsec3param'
  | 'no-name'
  | 'no-type'
  | 'no-tlsa'
  | 'mx'
  | 'address'
  | 'tlsa'

export interface AuditAnswer {
  readonly role: AuditRole
  readonly answer: ValidatedAnswer
}

export interface AuditAnswers {
  /** The apex of the zone that the domain lies in, as far as could be told. */
  readonly apex: Name
  readonly answers: readonly AuditAnswer[]
  readonly hosts: readonly AuditedHost[]
  /** Hosts beyond `maxAuditedHosts`, which were not looked at. */
  readonly hostsLeftOut: number
}

export interface AuditedHost {
  /** As published. */
  readonly name: Name
  /** Null: the domain stands for itself (RFC 5321 §5.1). */
  readonly preference: number | null
  readonly addresses: readonly ValidatedAnswer[]
  /** At the name of the host, and at the end of its aliases where it has any: the one that a sender goes by comes last. */
  readonly tlsa: readonly ValidatedAnswer[]
}

/** As many as a sender looks at. */
export const maxAuditedHosts = 20

/** @param unusedLabel a label that no zone has, so that what is said of it comes fresh from the zone */
export function* zoneQuestions(
  domain: Name,
  unusedLabel: string,
): Walk<WireQuestion, ValidatedAnswer, AuditAnswers> {
  const answers: AuditAnswer[] = []
  function* all(
    asked: readonly (readonly [role: AuditRole, name: Name, type: number])[],
  ): Walk<WireQuestion, ValidatedAnswer, readonly ValidatedAnswer[]> {
    const came = asked.length === 0 ? [] : yield asked.map(([, name, type]) => ({ name, type }))
    for (const [index, [role]] of asked.entries()) {
      const answer = came[index]
      if (answer === undefined) throw new Error('the driver of a walk gave too few answers')
      answers.push({ role, answer })
    }
    return came
  }

  const [first, mx] = yield [
    { name: domain, type: typeNumbers.SOA },
    { name: domain, type: typeNumbers.MX },
  ]
  if (first === undefined || mx === undefined) throw new Error('the driver of a walk gave too few answers')
  let soa = first
  let apex = domain
  while (!isApex(soa) && soa.outcome !== 'failed' && apex.length > 0) {
    apex = apex.slice(1)
    const [higher] = yield [{ name: apex, type: typeNumbers.SOA }]
    if (higher === undefined) throw new Error('the driver of a walk gave no answer to its question')
    soa = higher
  }
  if (soa.outcome === 'failed') apex = lowestZone(soa, apex)
  answers.push({ role: 'soa', answer: soa }, { role: 'mx', answer: mx })

  const unused = parseName(unusedLabel) ?? []
  const atApex = (role: AuditRole, type: number) => [role, apex, type] as const
  const service = [label('_25'), label('_tcp')]
  yield* all([
    atApex('ns', typeNumbers.NS),
    atApex('dnskey', typeNumbers.DNSKEY),
    ...(apex.length === 0 ? [] : [atApex('ds', typeNumbers.DS)]),
    atApex('nsec3param', typeNumbers.NSEC3PARAM),
    ['no-name', [...unused, ...apex], typeNumbers.A],
    // No service stands at the apex itself, so there is no such record there (RFC 6698 §3).
    atApex('no-type', typeNumbers.TLSA),
    ['no-tlsa', [...service, ...unused, ...apex], typeNumbers.TLSA],
  ])

  const exchanges = exchangesOf(domain, mx)
  const looked = exchanges.slice(0, maxAuditedHosts)
  const addresses = yield* all(
    looked.flatMap(({ name }) => [
      ['address', name, typeNumbers.A] as const,
      ['address', name, typeNumbers.AAAA] as const,
    ]),
  )
  const bases = looked.map(({ name }, index) => {
    const own = addresses.slice(2 * index, 2 * index + 2)
    const end = own.map(({ aliases }) => aliases.at(-1)?.to).find(to => to !== undefined)
    // RFC 7672 §2.2.2: the name at the end of the aliases comes before the host's own.
    const names = new Map((end === undefined ? [name] : [name, end]).map(each => [nameKey(each), each]))
    return { own, names: [...names.values()] }
  })
  const tlsa = yield* all(
    bases.flatMap(({ names }) => names.map(name => ['tlsa', [...service, ...name], typeNumbers.TLSA] as const)),
  )
  let at = 0
  const hosts = looked.map((exchange, index): AuditedHost => {
    const { own = [], names = [] } = bases[index] ?? {}
    const found = tlsa.slice(at, at + names.length)
    at += names.length
    return { ...exchange, addresses: own, tlsa: found }
  })
  return { apex, answers, hosts, hostsLeftOut: exchanges.length - looked.length }
}

/** The domain itself has a SOA, and not one at the end of an alias. */
function isApex({ outcome, aliases }: ValidatedAnswer): boolean {
  return outcome === 'records' && aliases.length === 0
}

/** Where no SOA can be had, the last zone that was come to on the way is the best that is known. */
function lowestZone({ steps }: ValidatedAnswer, domain: Name): Name {
  const zones = steps.map(({ zone }) => parseName(zone)).filter(zone => zone !== null)
  const above = zones.filter(zone => isAtOrBelow(domain, zone))
  return above.toSorted((one, other) => other.length - one.length)[0] ?? domain
}

function exchangesOf(domain: Name, mx: ValidatedAnswer): readonly Pick<AuditedHost, 'name' | 'preference'>[] {
  // Without a usable answer nobody knows where the mail goes; without MX records it goes to the domain itself.
  if (mx.outcome === 'no-data') return isHostName(domain) ? [{ name: domain, preference: null }] : []
  const found = new Map<string, { readonly name: Name; readonly preference: number }>()
  for (const record of mx.records) {
    const data = readData(record)
    if (data === null || data === 'malformed' || data.type !== 'MX') continue
    const name = parseName(data.exchange)
    // `MX 0 .` says that there is no mail (RFC 7505 §3).
    if (name === null || name.length === 0) continue
    const known = found.get(formatName(name))
    if (known === undefined || data.preference < known.preference)
      found.set(formatName(name), { name, preference: data.preference })
  }
  return [...found.values()].toSorted((one, other) => one.preference - other.preference)
}

function label(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'ascii'))
}
