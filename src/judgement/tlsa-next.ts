/**
 * What breaks when the next certificate comes: the records of today against the chain of tomorrow, what must be published before, for how long, and
 * what may go after (RFC 7671 §8.1 and §8.4, RFC 7672 §4).
 *
 * Every piece of advice has been judged by the rules that will decide: that the new records prove the next chain and leave today's proved, and that the next chain, and
 * those that stay beside it, are proved still when the old records have gone. It takes the next chain's place to be that of the chains with the same kind of key.
 */
import type { Tlsa } from '../protocol/dane/types.ts'
import { nameKey } from '../protocol/x509/distinguished-name.ts'
import { matchIdentity } from '../protocol/x509/identity.ts'
import type { Certificate, Read } from '../protocol/x509/model.ts'
import { certificateEvidence } from './certificate-evidence.ts'
import { judgeByRecords, recordOf, recordsTold } from './dane-peer.ts'
import { findingFor } from './findings.ts'
import type { PeerJudgement } from './peer.ts'
import type { Plan } from './plan.ts'
import { isPublicSuffix } from './public-suffix.ts'
import { additions, judgeBy, leafOf, lineOf, type Records, withRecords } from './tlsa-additions.ts'
import { chainLabel, groupsOf, type HostGroup, recordName, type VisitedAddress } from './tlsa-check.ts'
import type { NextAtHost, NextDocument, NextVerdict } from './tlsa-check-document.ts'

export interface NextQuestion {
  readonly addresses: readonly VisitedAddress[]
  /** Names of hosts that could not be looked up. */
  readonly leftOut: readonly string[]
  /** As the server will send it, its own certificate first; that one can be read. */
  readonly next: readonly Read[]
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** What the zone says of the records at an owner, in seconds; null: not known. */
  readonly ttlOf: (owner: string) => number | null
}

export function nextCertificate({ addresses, leftOut, next, atMs, ttlOf }: NextQuestion): NextDocument {
  const groups = groupsOf(addresses)
  const leaf = leafOf(next)
  const named = groups.filter(({ plan }) => leaf !== null && carries(leaf, plan))
  const meant = named.length > 0 ? named : groups
  const hosts = meant.map(group => nextAtHost(group, { next, atMs, ttlOf }))
  const isMeant = (host: string) => named.length === 0 || (leaf !== null && isNamed(leaf, [host]))
  const unknown = [...new Set(leftOut)].filter(host => groups.every(group => group.host !== host) && isMeant(host))
  const verdict = verdictOf(hosts, unknown)
  return {
    verdict,
    certificates: next.slice(0, mostCertificates).map(certificateEvidence),
    says: `${documentSentence(verdict, hosts, unknown)} ${whose(named.length, groups.length)}`.trim(),
    hosts,
  }
}

function nextAtHost(
  { host, plan, chains }: HostGroup,
  { next: given, atMs, ttlOf }: Omit<NextQuestion, 'addresses' | 'leftOut'>,
): NextAtHost {
  const kind = kindOf(given)
  const isReplaced = chains.map(({ visit }) => kindOf(visit.chain) === kind)
  const replaces = isReplaced.flatMap((is, index) => (is ? [index] : []))
  const { dane } = plan
  const base = {
    host,
    owner: null,
    replaces,
    records: [],
    publish: [],
    waitSeconds: null,
    remove: [],
    finding: null,
  }
  if (dane?.kind !== 'records' || dane.asks === 'encrypt')
    return {
      ...base,
      verdict: 'not-asked',
      says: `Nothing breaks at ${host}: it has no TLSA record that asks for proof. To publish one: hermetic tlsa create.`,
    }

  const todays = chains.map(({ visit }) => visit.chain)
  const replaced = todays.filter((_, index) => isReplaced[index] === true)
  const staying = todays.filter((_, index) => isReplaced[index] !== true)
  const completed = completedChain(given, todays)
  const whenMs = whenUsed(completed, atMs)
  const judge = judgeBy(plan, dane)
  const nowRecords = dane.records.map(({ text }) => recordOf(text))

  const today = judge(nowRecords, completed, whenMs)
  const added =
    today.failure === null
      ? []
      : additions({ dane, plan, nowRecords, todays: replaced, chain: completed, whenMs, atMs })
  const all = [...nowRecords, ...added]
  const withAll = judge(all, completed, whenMs)
  const told = recordsTold(
    judgeByRecords(plan.references, withRecords(dane, all), { chain: completed, atMs: whenMs }),
  )

  const names = (chain: readonly Read[]) => {
    const { records } = judgeByRecords(plan.references, withRecords(dane, all), { chain, atMs: whenMs })
    return (index: number) => (records[index]?.matches.length ?? 0) > 0
  }
  const staysNamed = [completed, ...staying].map(names)
  const wasNamed = replaced.map(names)
  /** Nobody who is proved with all records may be left without the rest. */
  const isSafeWithout = (indexes: readonly number[]) => {
    const kept = all.filter((_, index) => !indexes.includes(index))
    const isProved = (records: readonly Tlsa[], chain: readonly Read[], when: number) =>
      records.length > 0 && judge(records, chain, when).failure === null
    return (
      isProved(kept, completed, whenMs) &&
      staying.every(chain => isProved(kept, chain, atMs) || !isProved(all, chain, atMs))
    )
  }
  const unnamed = nowRecords.flatMap((_, index) => (!staysNamed.some(isNamed => isNamed(index)) ? [index] : []))
  const outdated = unnamed.filter(index => wasNamed.some(isNamed => isNamed(index)))
  const gone = isSafeWithout(outdated) ? outdated : []
  const useless = isSafeWithout(unnamed) ? unnamed.filter(index => !outdated.includes(index)) : []
  const ttl = ttlOf(dane.owner)
  const isReady = today.failure === null
  const failure = isReady ? null : today.failure
  const isBroken = replaced.length > 0 && replaced.every(chain => judge(nowRecords, chain, atMs).failure !== null)

  return {
    ...base,
    owner: dane.owner,
    verdict: isReady ? 'ready' : isBroken ? 'still-broken' : 'breaks',
    says: hostSentence({
      host,
      today,
      dane,
      added,
      isBroken,
      isHealed: withAll.failure === null,
      chains: replaces.map(chainLabel),
      ttl,
    }),
    records: told.slice(0, nowRecords.length).map(({ text, matches, why }, index) => ({
      index,
      text,
      matches: matches.map(({ position, depth }) => ({ position, depth })),
      fate: gone.includes(index) ? 'goes-after' : useless.includes(index) ? 'useless' : 'stays',
      says: why,
    })),
    publish: added.map(record => lineOf(dane.owner, record)),
    waitSeconds: added.length === 0 || ttl === null ? null : 2 * ttl,
    remove: gone.flatMap(index => {
      const record = nowRecords[index]
      return record === undefined ? [] : [lineOf(dane.owner, record)]
    }),
    finding: failure === null ? null : findingFor(failure, host),
  }
}

/** A file with the server's own certificate alone: the issuers that are sent today are taken to be sent with it, if they fit. */
function completedChain(next: readonly Read[], todays: readonly (readonly Read[])[]): readonly Read[] {
  const leaf = leafOf(next)
  if (next.length !== 1 || leaf === null) return next
  const issuer = nameKey(leaf.issuer)
  const fits = (read: Read) =>
    read.kind === 'certificate' && issuer !== null && nameKey(read.certificate.subject) === issuer
  const above = todays.map(chain => chain.slice(1)).find(chain => chain.some(fits))
  return above === undefined ? next : [...next, ...above]
}

/** Records are published before a certificate is used: then it is valid. */
function whenUsed(chain: readonly Read[], atMs: number): number {
  return chain.reduce(
    (latest, read) => Math.max(latest, read.kind === 'certificate' ? (read.certificate.notBeforeMs ?? 0) : 0),
    atMs,
  )
}

function carries(leaf: Certificate, { references }: Plan): boolean {
  return isNamed(
    leaf,
    references.filter(({ from }) => from !== 'recipient-domain').map(({ name }) => name),
  )
}

function isNamed(leaf: Certificate, names: readonly string[]): boolean {
  return matchIdentity(names, leaf, { cn: 'if-no-dns-id', ip: 'never', isPublicSuffix }) !== null
}

function kindOf(chain: readonly Read[]): string {
  const kind = leafOf(chain)?.publicKey.facts.kind ?? 'none'
  return kind === 'rsa-pss' ? 'rsa' : kind
}

function hostSentence({
  host,
  today,
  dane,
  added,
  isBroken,
  isHealed,
  chains,
  ttl,
}: {
  readonly host: string
  readonly today: PeerJudgement
  readonly dane: Records
  readonly added: readonly Tlsa[]
  readonly isBroken: boolean
  readonly isHealed: boolean
  readonly chains: readonly string[]
  readonly ttl: number | null
}): string {
  const place =
    chains.length === 0
      ? 'with a kind of key that no chain has there'
      : `in place of chain ${chains.join(' and ')}`
  if (today.failure === null) {
    const index = dane.records.findIndex(({ text }) => text === today.record)
    return `Nothing breaks at ${host}: the next certificate, ${place}, is proved by ${recordName(index, today.record ?? '')} already.`
  }
  const why = findingFor(today.failure, host).says
  const many = chains.length > 1
  const already = `At ${host} chain ${chains.join(' and ')} ${many ? 'are' : 'is'} refused today already, and the next certificate in ${many ? 'their' : 'its'} place`
  if (!isHealed || added.length === 0)
    return isBroken
      ? `${already} would be too; no record would change that: ${why}`
      : `The next certificate, ${place}, would not be accepted at ${host}, and no record would change that: ${why}`
  const count = added.length === 1 ? 'the record below is' : `the ${added.length} records below are`
  const long = ttl === null ? 'twice the TTL of the records' : `${2 * ttl} s, twice the TTL of the records,`
  const published = `${count} published ${long} before the server shows it.`
  return isBroken
    ? `${already} would be too, unless ${published}`
    : `The next certificate breaks ${host}, ${place}, unless ${published}`
}

function isFailing({ verdict }: NextAtHost): boolean {
  return verdict === 'breaks' || verdict === 'still-broken'
}

function verdictOf(hosts: readonly NextAtHost[], unknown: readonly string[]): NextVerdict {
  const failing = hosts.filter(isFailing)
  if (failing.some(({ publish }) => publish.length === 0)) return 'refused'
  if (unknown.length > 0 || hosts.length === 0) return 'unknown'
  return failing.length === 0 ? 'ready' : 'publish-first'
}

function documentSentence(verdict: NextVerdict, hosts: readonly NextAtHost[], unknown: readonly string[]): string {
  const names = (all: readonly NextAtHost[]) => all.map(({ host }) => host).join(', ')
  const failing = hosts.filter(isFailing)
  switch (verdict) {
    case 'ready':
      return 'Nothing breaks when the next certificate comes.'
    case 'publish-first': {
      const isOld = failing.every(({ verdict: each }) => each === 'still-broken')
      return isOld
        ? `Mail to ${names(failing)} waits today already, and also when the next certificate comes, unless records are published before.`
        : `Mail to ${names(failing)} waits when the next certificate comes, unless records are published before.`
    }
    case 'refused':
      return `Mail to ${names(failing.filter(({ publish }) => publish.length === 0))} waits when the next certificate comes, whatever records are published.`
    case 'unknown':
      return unknown.length === 0
        ? 'Nobody can tell what the next certificate breaks, as no host is known.'
        : `Nobody can tell what the next certificate breaks, as not all could be looked up of ${unknown.join(', ')}.`
    default:
      return verdict satisfies never
  }
}

function whose(named: number, all: number): string {
  if (all === 0) return ''
  if (named === 0) return 'It carries the name of no host, so it is taken to be for every one of them.'
  return named === all
    ? `It carries the name of ${all === 1 ? 'the host' : 'every host'}.`
    : `It carries the name of ${named} of ${all} hosts.`
}

const mostCertificates = 20
