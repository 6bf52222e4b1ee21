/**
 * What a domain publishes for DANE against what its mail hosts show: one verdict for each host and address, and one for the domain (RFC 7672 §2.2, §3).
 *
 * Each chain was judged when it was shown, by the relay's own rules; here the visits are put together, and nothing is judged anew. A chain that only some senders
 * get counts as much as the others: it is for a sender's TLS to choose. What other TLS libraries make of a certificate's key usage is told, and changes no verdict.
 */
import type { Read } from '../protocol/x509/model.ts'
import { judgeByRecords, recordOf, recordsTold } from './dane-peer.ts'
import type { DnsEvidence, Finding, SessionDocument } from './evidence.ts'
import { timestamp } from './evidence-of.ts'
import type { Failure } from './failure.ts'
import { findingFor } from './findings.ts'
import { leafKey } from './key-usage.ts'
import type { Plan } from './plan.ts'
import { stackOpinions } from './stacks.ts'
import { additions, leafOf, lineOf } from './tlsa-additions.ts'
import type {
  AddressVerdict,
  ChainVisit,
  CheckedAddress,
  CheckedChain,
  CheckedHost,
  CheckedRecord,
  CheckedTlsa,
  CheckVerdict,
  NextDocument,
  TlsaCheckDocument,
} from './tlsa-check-document.ts'
import { shortRecord } from './tlsa-text.ts'
import type { KeyExchange, StackName, VerifyRecord } from './verify-document.ts'

/** One address that mail may be offered to, with what was seen there. */
export interface VisitedAddress {
  readonly host: string
  readonly address: string
  readonly preference: number | null
  readonly aliases: readonly string[]
  readonly plan: Plan
  /** None: there was no time left for it. */
  readonly visits: readonly ChainVisit[]
}

export interface CheckInput {
  readonly domain: string
  readonly as: 'domain' | 'host'
  readonly port: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** In the order mail is offered. */
  readonly addresses: readonly VisitedAddress[]
  readonly skipped: readonly {
    readonly host: string
    readonly address: string | null
    readonly failure: Failure
  }[]
  /** Why there is no address. */
  readonly failure: Failure | null
  readonly dns: readonly DnsEvidence[]
}

/** @param next what comes with the next certificate, from tlsa-next.ts; it changes no verdict on today */
export function tlsaCheck(input: CheckInput, next: NextDocument | null = null): TlsaCheckDocument {
  const { domain, as, port, atMs, dns } = input
  const hosts = groupsOf(input.addresses).map(group => checkedHost(group, input))
  const mx = as === 'host' ? null : (dns.find(({ type }) => type === 'MX') ?? null)
  const skipped = input.skipped.map(({ host, address, failure }) => ({
    host,
    address,
    finding: findingAt(failure, host, as),
  }))
  const isReason = ({ reason, detail }: Failure) =>
    reason === input.failure?.reason && detail === input.failure.detail
  const whose = input.skipped.find(({ failure }) => isReason(failure))?.host ?? domain
  const finding = input.failure === null ? null : findingAt(input.failure, whose, as)
  const verdict = verdictOf(hosts, skipped.length)
  return {
    schema: 'hermetic.tlsa-check/1',
    domain,
    as,
    port,
    at: timestamp(atMs),
    verdict,
    says: sentence(verdict, { domain, hosts, skipped: skipped.length, finding: finding?.says ?? null }),
    mx,
    hosts,
    skipped,
    finding,
    next,
    dns,
  }
}

/** A host that was named here is in nobody's MX records, as far as is known. */
function findingAt(failure: Failure, host: string, as: CheckInput['as']): Finding {
  const finding = findingFor(failure, host)
  return as === 'host' && failure.reason === 'dns.host-without-address'
    ? { ...finding, remedy: 'Check the name. That of a domain is checked without `--as-host`, with its MX hosts.' }
    : finding
}

/** 0 as hoped, 1 the answer is no, 2 partly. With the next certificate it speaks of that: 0 nothing breaks, 2 records have to be published before, 1 no, or nobody can tell. */
export function exitCodeOfCheck({ verdict, next }: Pick<TlsaCheckDocument, 'verdict' | 'next'>): 0 | 1 | 2 {
  if (next !== null) return next.verdict === 'ready' ? 0 : next.verdict === 'publish-first' ? 2 : 1
  return verdict === 'pass' ? 0 : verdict === 'partly' ? 2 : 1
}

/** Whether nothing was seen of any host, because none could be reached: then there is no verdict on the chains. */
export function isNobodyReached({ hosts }: Pick<TlsaCheckDocument, 'hosts'>): boolean {
  const addresses = hosts.flatMap(host => host.addresses)
  return addresses.length > 0 && addresses.every(({ finding }) => finding?.code.startsWith('net.') === true)
}

/** Addresses of one host that are held to the same records, with the chains shown at any of them. */
export interface HostGroup {
  readonly host: string
  readonly plan: Plan
  readonly addresses: readonly VisitedAddress[]
  /** Each once, in the order they were met. */
  readonly chains: readonly ShownAtHost[]
}

export interface ShownAtHost {
  readonly id: string
  readonly visit: ChainVisit
}

export function groupsOf(addresses: readonly VisitedAddress[]): readonly HostGroup[] {
  const groups = new Map<string, { first: VisitedAddress; all: VisitedAddress[] }>()
  for (const each of addresses) {
    const { host, plan } = each
    const key = `${host} ${plan.dane?.kind === 'records' ? plan.dane.owner : (plan.dane?.because ?? '')}`
    const group = groups.get(key) ?? { first: each, all: [] }
    group.all.push(each)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ first, all }) => {
    const chains = new Map<string, ShownAtHost>()
    for (const visit of all.flatMap(({ visits }) => visits)) {
      const id = chainId(visit)
      if (id !== null && !chains.has(id)) chains.set(id, { id, visit })
    }
    return { host: first.host, plan: first.plan, addresses: all, chains: [...chains.values()] }
  })
}

/** A, B … Z, then A1. */
export function chainLabel(index: number): string {
  const round = Math.floor(index / 26)
  return `${String.fromCharCode(65 + (index % 26))}${round === 0 ? '' : round}`
}

/** What a chain is known by; null when none was shown. */
function chainId({ chain, session }: ChainVisit): string | null {
  if (session.tls?.outcome !== 'established') return null
  return chain.length === 0 ? 'none' : chain.map(read => Buffer.from(derOf(read)).toString('base64')).join(' ')
}

function derOf(read: Read): Uint8Array {
  return read.kind === 'certificate' ? read.certificate.der : read.der
}

function checkedHost(group: HostGroup, input: CheckInput): CheckedHost {
  const { host, plan, addresses, chains } = group
  const judged = chains.map(({ visit }) => judgedBy(visit, plan))
  const checked = chains.map(({ visit }, index) =>
    checkedChain(visit, judged[index] ?? null, { index, publish: publishFor(index, group, input.atMs) }),
  )
  return {
    host,
    preference: addresses[0]?.preference ?? null,
    name: plan.name,
    references: plan.references,
    sni: plan.sni,
    tlsa: checkedTlsa(plan, judged, input.dns),
    chains: checked,
    addresses: addresses.map(address => checkedAddress(address, group, checked)),
  }
}

/** Every record against one chain, those that cannot be used as well. */
interface ByRecords {
  readonly records: readonly VerifyRecord[]
  /** Place of the one that decided; null when none did. */
  readonly decider: number | null
}

/** As the relay judged it; evidence keeps the first of many records, and the table wants to know of all. */
function judgedBy({ session, chain }: ChainVisit, plan: Plan): ByRecords | null {
  if (plan.dane?.kind !== 'records') return null
  const judged = judgeByRecords(plan.references, plan.dane, { chain, atMs: Date.parse(session.at) })
  const { verdict } = judged
  return { records: recordsTold(judged), decider: verdict.kind === 'authenticated' ? verdict.record : null }
}

function checkedTlsa(
  { dane }: Plan,
  judged: readonly (ByRecords | null)[],
  dns: readonly DnsEvidence[],
): CheckedTlsa {
  if (dane === null) return { kind: 'none', because: 'no-name', asked: [] }
  if (dane.kind === 'none') return dane
  const { base, from, owner, aliases, asks } = dane
  const records = dane.records.map(
    ({ text, state }, index): CheckedRecord => ({
      index,
      text,
      state,
      chains: judged.flatMap((by, chain) => {
        const told = by?.records[index]
        if (told === undefined) return []
        const matches = told.matches.map(({ position, depth }) => ({ position, depth }))
        return [{ chain, decides: by?.decider === index, matches, says: told.why }]
      }),
    }),
  )
  const answer = dns.find(({ name, type }) => type === 'TLSA' && name === owner)
  return { kind: 'records', base, from, owner, aliases, asks, ttlSeconds: answer?.ttlSeconds ?? null, records }
}

/**
 * What would prove a chain that is shown beside one that is proved, to senders that prefer the other kind of key. Where none is proved nothing is proposed: an
 * attacker's certificate looks just like this.
 */
function publishFor(index: number, { plan, chains, addresses }: HostGroup, atMs: number): readonly string[] {
  const { dane } = plan
  const own = chains[index]
  if (dane?.kind !== 'records' || dane.asks === 'encrypt' || own === undefined) return []
  const proves = ({ session }: ChainVisit) => isDaneProof(session.verdict?.peer ?? null)
  if (proves(own.visit) || leafOf(own.visit.chain) === null) return []
  const beside = addresses.some(
    ({ visits }) => visits.some(proves) && visits.some(visit => chainId(visit) === own.id),
  )
  if (!beside) return []
  const added = additions({
    dane,
    plan,
    nowRecords: dane.records.map(({ text }) => recordOf(text)),
    todays: chains.map(({ visit }) => visit.chain),
    chain: own.visit.chain,
    whenMs: atMs,
    atMs,
  })
  return added.map(record => lineOf(dane.owner, record))
}

function checkedChain(
  { session, chain }: ChainVisit,
  byRecords: ByRecords | null,
  { index, publish }: { readonly index: number; readonly publish: readonly string[] },
): CheckedChain {
  const { tls, verdict } = session
  const [first] = chain
  const leaf = first?.kind === 'certificate' ? first.certificate : null
  const proof = verdict?.kind === 'authenticated' ? verdict.peer : null
  return {
    label: chainLabel(index),
    key: tls?.chain[0]?.key ?? null,
    certificates: tls?.chain ?? [],
    sent: tls?.sent ?? 0,
    by: proof === 'dane-ee' || proof === 'dane-ta' || proof === 'pkix' ? proof : null,
    record: byRecords?.decider ?? null,
    matched: verdict?.matched ?? null,
    says: verdict?.says ?? 'Nothing came of it.',
    publish,
    findings:
      publish.length === 0
        ? session.findings
        : session.findings.map(finding => besideOthers(finding, session.host)),
    stacks:
      leaf === null
        ? []
        : stackOpinions(leafKey(leaf.publicKey.facts, leaf.keyUsage), exchangeOf(session)).filter(({ stack }) =>
            shownStacks.has(stack),
          ),
  }
}

/** The certificate was not renewed, but is one of two, so that advice about renewals leads astray. */
function besideOthers(finding: Finding, host: string): Finding {
  if (finding.severity !== 'error') return finding
  return {
    ...finding,
    remedy: `If this chain is of ${host} too, its postmaster must publish the record below beside those that are there, or take the chain off the server; until then mail from senders that get it waits.`,
  }
}

/** Null for TLS 1.3: what the others would come to is told beside it. */
function exchangeOf({ tls }: SessionDocument): KeyExchange | null {
  if (tls === null || tls.version === null || tls.version === 'TLSv1.3') return null
  return tls.cipher?.startsWith('TLS_RSA_WITH_') === true ? 'rsa' : 'ecdhe'
}

function checkedAddress(
  { address, aliases, plan, visits, host }: VisitedAddress,
  group: HostGroup,
  chains: readonly CheckedChain[],
): CheckedAddress {
  const placeOf = (visit: ChainVisit) => {
    const place = group.chains.findIndex(({ id }) => id === chainId(visit))
    return place < 0 ? null : place
  }
  const [first] = visits
  const firstPlace = first === undefined ? null : placeOf(first)
  const told = visits.map((visit, index) => {
    const chain = placeOf(visit)
    const failure = chain === null ? visit.session.failure : null
    const outcome =
      chain !== null
        ? index > 0 && chain === firstPlace
          ? ('same' as const)
          : ('shown' as const)
        : firstPlace !== null && failure !== null && meansNoSuchChain.has(failure.code)
          ? ('none' as const)
          : ('unseen' as const)
    return { asked: visit.asked, outcome, chain, failure }
  })
  const shown = [...new Set(told.flatMap(({ chain }) => chain ?? []))].flatMap(place => chains[place] ?? [])
  const isWhole = told.every(({ outcome }) => outcome !== 'unseen')
  const failure = first === undefined ? notVisited : first.session.failure
  const verdict = addressVerdict(plan, shown, isWhole, failure)
  const session = first?.session ?? null
  const isFailed =
    verdict === 'refused' || verdict === 'unseen' || (verdict === 'no-records' && shown.length === 0)
  const finding = isFailed ? failureFinding(failure, shown, host) : null
  return {
    address,
    aliases,
    verdict,
    says: addressSentence(verdict, shown, finding?.says ?? null, told, session),
    mail: mailAt(plan, session),
    hermetic: hermeticSentence(plan, session),
    peer: peerOf(session),
    tls:
      session?.tls?.outcome === 'established'
        ? { version: session.tls.version, cipher: session.tls.cipher }
        : null,
    visits: told,
    finding,
  }
}

type SeenFailure = Pick<Failure, 'detail'> & { readonly code: Failure['reason'] }

/** The first visit's, or that of the chain that was seen instead. */
function failureFinding(failure: SeenFailure | null, shown: readonly CheckedChain[], host: string) {
  if (failure === null)
    return shown.flatMap(({ findings }) => findings).find(({ severity }) => severity === 'error') ?? null
  return findingFor({ reason: failure.code, detail: failure.detail, reply: null }, host)
}

function addressVerdict(
  { dane }: Plan,
  shown: readonly CheckedChain[],
  isWhole: boolean,
  failure: SeenFailure | null,
): AddressVerdict {
  const asks = dane?.kind === 'records' ? dane.asks : 'nothing'
  if (shown.length === 0) {
    if (failure === null) return asks === 'nothing' ? 'no-records' : 'refused'
    const isPeers = /^(?:starttls\.|tls\.|dane\.no-starttls$)/.test(failure.code)
    return !isPeers ? 'unseen' : asks === 'nothing' ? 'no-records' : 'refused'
  }
  if (asks === 'nothing') return 'no-records'
  if (asks === 'encrypt') return 'encrypted'
  const proved = shown.filter(isProved).length
  if (proved === 0) return 'refused'
  return proved === shown.length && isWhole ? 'proved' : 'partly'
}

function isProved({ by }: CheckedChain): boolean {
  return isDaneProof(by)
}

function isDaneProof(proof: string | null): boolean {
  return proof === 'dane-ee' || proof === 'dane-ta'
}

function addressSentence(
  verdict: AddressVerdict,
  shown: readonly CheckedChain[],
  failure: string | null,
  visits: CheckedAddress['visits'],
  session: SessionDocument | null,
): string {
  const proofs = shown
    .filter(isProved)
    .map(({ label, by, record }) => `chain ${label} by record ${record} (${by})`)
  switch (verdict) {
    case 'proved':
      return `Authenticated: ${proofs.join(', ')}.`
    case 'partly': {
      const others = shown.filter(chain => !isProved(chain)).map(({ label }) => label)
      const unseen = visits.flatMap(({ asked, outcome }) => (outcome === 'unseen' ? [keyWords[asked]] : []))
      const but = [
        ...(others.length === 0 ? [] : [`not with chain ${others.join(' and ')}, which some senders get`]),
        ...(unseen.length === 0 ? [] : [`whether there is ${unseen.join(' or ')} could not be seen`]),
      ]
      return `Authenticated with ${proofs.join(', ')}, but ${but.join('; ')}.`
    }
    case 'refused':
      return shown.length > 0
        ? `Not authenticated: no record proves chain ${shown.map(({ label }) => label).join(' or ')}.`
        : (failure ?? 'It does not prove itself by the records.')
    case 'encrypted':
      return 'Not authenticated: no record can be used. TLS is required all the same.'
    case 'no-records':
      return shown.length > 0
        ? `Not authenticated: there are no records to go by. ${session?.verdict?.says ?? ''}`.trim()
        : `Not authenticated: there are no records to go by, and TLS did not come about. ${failure ?? session?.verdict?.says ?? ''}`.trim()
    case 'unseen':
      return failure ?? 'It could not be visited.'
    default:
      return verdict satisfies never
  }
}

function mailAt({ starttls }: Plan, session: SessionDocument | null): CheckedAddress['mail'] {
  if (session === null) return 'unknown'
  const { verdict, failure } = session
  if (failure === null && verdict !== null) return verdict.kind === 'refused' ? 'waits' : 'goes'
  return failure?.code.startsWith('tls.') === true && starttls === 'if-offered' ? 'goes' : 'waits'
}

/** What the relay does, which takes the chain that it is given. */
function hermeticSentence(plan: Plan, session: SessionDocument | null): string {
  if (session === null) return 'What Hermetic would do is not known.'
  const { verdict, failure } = session
  if (failure === null && verdict !== null)
    switch (verdict.kind) {
      case 'authenticated':
        return `Hermetic sends here, to a peer that proved itself (${verdict.peer ?? ''}).`
      case 'encrypted':
        return 'Hermetic sends here, encrypted, and does not know to whom.'
      case 'clear':
        return 'Hermetic sends here in clear text.'
      case 'refused':
        break
      default:
        return verdict.kind satisfies never
    }
  if (failure?.code.startsWith('tls.') === true && plan.starttls === 'if-offered')
    return 'Hermetic sends nothing here at the first attempt, and in clear text from the second on.'
  return 'Hermetic sends nothing here: it goes on to the next address or host, and mail waits when none is left.'
}

function peerOf(session: SessionDocument | null): CheckedAddress['peer'] {
  const peer = session?.verdict?.peer ?? null
  return peerProofs.find(proof => proof === peer) ?? null
}

function verdictOf(hosts: readonly CheckedHost[], skipped: number): CheckVerdict {
  const all = hosts.flatMap(({ addresses }) => addresses)
  const verdicts = all.map(({ verdict }) => verdict)
  const has = (...wanted: readonly AddressVerdict[]) => verdicts.some(verdict => wanted.includes(verdict))
  const isAll = verdicts.length > 0 && verdicts.every(verdict => verdict === 'proved')
  if (isAll && skipped === 0 && hosts.every(({ name }) => name !== 'unauthenticated')) return 'pass'
  // One that proves itself to others alone is no way for us.
  if (all.some(({ verdict, mail }) => mail === 'goes' && (verdict === 'proved' || verdict === 'partly')))
    return 'partly'
  // Records that somewhere ask for proof in vain, and mail goes by another host.
  return has('refused', 'partly') && has('encrypted', 'no-records') ? 'partly' : 'fail'
}

function sentence(
  verdict: CheckVerdict,
  seen: {
    readonly domain: string
    readonly hosts: readonly CheckedHost[]
    readonly skipped: number
    readonly finding: string | null
  },
): string {
  const { domain, hosts, finding } = seen
  if (hosts.length === 0) return `Mail to ${domain} has no way: ${finding ?? 'there is no host to take it.'}`
  const problems = problemsOf(seen)
  const addresses = hosts.reduce((sum, host) => sum + host.addresses.length, 0)
  const where = `${counted(hosts.length, 'host')} with ${counted(addresses, 'address', 'addresses')}`
  switch (verdict) {
    case 'pass':
      return `Mail to ${domain} is authenticated by DANE wherever it goes: ${where}, and every chain they show.`
    case 'partly':
      return `Mail to ${domain} has a way, but ${problems}.`
    case 'fail': {
      const isAsked = hosts.some(({ tlsa }) => tlsa.kind === 'records' && tlsa.asks === 'authenticate')
      return isAsked
        ? `Mail to ${domain} waits, at senders that go by DANE: ${problems}.`
        : `Nothing authenticates the mail hosts of ${domain}: ${problems}.`
    }
    default:
      return verdict satisfies never
  }
}

function problemsOf({
  hosts,
  skipped,
}: {
  readonly hosts: readonly CheckedHost[]
  readonly skipped: number
}): string {
  const all = hosts.flatMap(({ addresses }) => addresses)
  const count = (verdict: AddressVerdict) => all.filter(each => each.verdict === verdict).length
  const closed = all.filter(({ verdict, mail }) => verdict === 'partly' && mail !== 'goes').length
  const half = count('partly') - closed
  const some = (verdict: AddressVerdict) => amount(count(verdict))
  const amount = (many: number) => {
    return many === all.length
      ? many === 1
        ? 'its only address'
        : 'every address'
      : counted(many, 'address', 'addresses')
  }
  const problems = [
    ...(hosts.some(({ name }) => name === 'unauthenticated')
      ? ['its MX records are not secure, so that nobody can tell whether these are its hosts']
      : []),
    ...(count('refused') > 0 ? [`${some('refused')} ${is(count('refused'))} refused`] : []),
    ...(closed > 0
      ? [
          `${amount(closed)} ${closed === 1 ? 'shows' : 'show'} a chain that no record proves to Hermetic, and to others that choose as it does, such as Postfix, while other senders get one that is proved`,
        ]
      : []),
    ...(half > 0 ? [`${amount(half)} ${is(half)} not proved with every chain`] : []),
    ...(count('encrypted') > 0
      ? [`${some('encrypted')} ${has(count('encrypted'))} no TLSA record that can be used`]
      : []),
    ...(count('no-records') > 0
      ? [`${some('no-records')} ${has(count('no-records'))} no TLSA records to go by`]
      : []),
    ...(count('unseen') > 0 ? [`${some('unseen')} could not be visited`] : []),
    ...(skipped > 0
      ? [`${counted(skipped, 'host or address', 'hosts or addresses')} ${is(skipped)} left out`]
      : []),
  ]
  return problems.join('; ')
}

const is = (count: number) => (count === 1 ? 'is' : 'are')
const has = (count: number) => (count === 1 ? 'has' : 'have')

function counted(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`
}

/** `record 7 (2 1 1 8d02505c…)`. */
export function recordName(index: number, text: string): string {
  return `record ${index} (${shortRecord(text)})`
}

/** How a server that showed another chain just before ends a handshake in which it may not. */
const meansNoSuchChain: ReadonlySet<string> = new Set([
  'tls.alert',
  'tls.closed',
  'tls.no-common-cipher',
  'tls.no-common-version',
])

const notVisited: SeenFailure = {
  code: 'net.timeout',
  detail: 'the time for this check was over before it was visited',
}

const keyWords: Readonly<Record<ChainVisit['asked'], string>> = {
  any: 'a chain',
  rsa: 'an RSA chain',
  ecdsa: 'an ECDSA chain',
}

const peerProofs = ['clear', 'encrypted', 'pkix', 'dane-ta', 'dane-ee'] as const

const shownStacks: ReadonlySet<StackName> = new Set(['gnutls', 'openssl', 'exim-gnutls', 'postfix'])
