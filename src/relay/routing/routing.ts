/**
 * Routing: which rule takes a recipient, and where that rule sends it. The first rule whose conditions all hold wins; when none does, a last
 * rule named `default` sends to the MX hosts of the domain, at level `dane`.
 *
 * Success is a decision for every recipient. A rule on MX hosts (case 4) whose names the DNS does not tell now is a decision to defer: taking
 * the next rule instead would send mail past a rule that may have been written to protect it.
 *
 * It does not resolve the destination, and it asks the DNS only for a rule on MX hosts all of whose other conditions hold.
 */
import type { Destination, Hop } from '../../hop/types.ts'
import type { Failure } from '../../judgement/failure.ts'
import { entryOf } from '../../judgement/findings.ts'
import { visible } from '../../judgement/visible.ts'
import { isInternational, type Path } from '../../protocol/mail/address.ts'
import { reply } from '../../protocol/smtp/reply.ts'
import type { PassedRule, RouteDecision, Routing, RoutingInput } from '../ports.ts'
import type { Match, RouteRule } from '../settings.ts'
import {
  compileNames,
  compileNetworks,
  compilePaths,
  keyOf,
  keysOf,
  type NameMatcher,
  type PathMatcher,
} from './patterns.ts'

/** The rule behind all others. */
const defaultRule: RouteRule = {
  name: 'default',
  match: { recipient: null, sender: null, source: null, mx: null },
  to: { kind: 'mx' },
  level: 'dane',
}

interface CompiledRule {
  readonly rule: RouteRule
  readonly recipient: PathMatcher | null
  readonly sender: PathMatcher | null
  readonly source: NameMatcher | null
  readonly mx: NameMatcher | null
  /** One object for every decision of a `host` rule: what is equal is identical, and cheap to compare. */
  readonly destination: Destination | null
}

/** What the DNS said about a recipient's MX hosts, in the course of one decision. */
type MxNames = { readonly names: readonly string[] } | { readonly failure: Failure }

/** @param hop Only its `mxNames` is used; it keeps what it learned for as long as the DNS allows. */
export function createRouting(
  rules: readonly RouteRule[],
  { hop }: { readonly hop: Pick<Hop, 'mxNames'> },
): Routing {
  const compiled = [...rules, defaultRule].map(compile)
  const candidates = rules.length > indexFrom ? createIndex(compiled) : () => compiled

  /** Goes on from `at`. Synchronous as long as no rule needs the DNS, so that the common case costs no waiting. */
  function walk(
    input: RoutingInput,
    tried: readonly CompiledRule[],
    at: number,
    mx: MxNames | null,
  ): RouteDecision | Promise<RouteDecision> {
    for (let i = at; i < tried.length; i++) {
      const candidate = tried[i]
      if (candidate === undefined || !holdsWithoutDns(candidate, input)) continue
      if (candidate.mx === null) return decision(candidate, input, mx)
      if (hasNoMx(input.recipient)) continue
      if (mx === null) return mxOf(input.recipient).then(found => walk(input, tried, i, found))
      if ('failure' in mx) return deferred(candidate, input, mx.failure)
      if (mx.names.some(name => candidate.mx?.matches(name) === true)) return decision(candidate, input, mx)
    }
    throw new Error('the default rule did not match')
  }

  async function mxOf({ domain }: Path): Promise<MxNames> {
    const { names, failure } = await hop.mxNames(domain)
    // A domain that surely has no MX host fits no rule on MX hosts. One that we could not ask about might.
    if (failure !== null && entryOf(failure.reason).lasting === 'for-now') return { failure }
    return { names: names.map(name => name.toLowerCase().replace(/\.$/, '')) }
  }

  function decision(winner: CompiledRule, input: RoutingInput, mx: MxNames | null): RouteDecision {
    const { rule } = winner
    const told = passedBefore(winner, input, mx)
    if (rule.to.kind === 'reject')
      return {
        kind: 'reject',
        rule,
        reply: reply(rule.to.code, rule.to.enhanced, rule.to.text),
        get passed() {
          return told()
        },
      }
    return {
      kind: 'deliver',
      rule,
      destination: winner.destination ?? { kind: 'mx', domain: input.recipient.domain, level: rule.level },
      get passed() {
        return told()
      },
    }
  }

  function deferred(asking: CompiledRule, input: RoutingInput, failure: Failure): RouteDecision {
    const told = passedBefore(asking, input, null)
    return {
      kind: 'defer',
      rule: asking.rule,
      failure,
      get passed() {
        return told()
      },
    }
  }

  /** Why each earlier rule did not match. Only `hermetic route` asks, so it is worked out on demand. */
  function passedBefore(
    winner: CompiledRule,
    input: RoutingInput,
    mx: MxNames | null,
  ): () => readonly PassedRule[] {
    return () =>
      compiled.slice(0, compiled.indexOf(winner)).map(passed => ({
        rule: passed.rule.name,
        because: whyNot(passed, input, mx),
        isNear: isNear(passed, input),
      }))
  }

  return {
    decide: input => {
      // `async` would cost every recipient one more turn of the loop.
      try {
        return Promise.resolve(walk(input, candidates(input.recipient), 0, null))
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)))
      }
    },
  }
}

function compile(rule: RouteRule): CompiledRule {
  const { match, to, level } = rule
  return {
    rule,
    recipient: match.recipient && compilePaths(match.recipient),
    sender: match.sender && compilePaths(match.sender),
    source: match.source && compileNetworks(match.source),
    mx: match.mx && compileNames(match.mx),
    destination:
      to.kind === 'host'
        ? {
            kind: 'hosts',
            hosts: to.hosts,
            level,
            implicitTls: to.implicitTls,
            ipv4Only: to.ipv4Only,
            roots: to.roots,
          }
        : null,
  }
}

/**
 * With many rules, most name a recipient domain: those that cannot match are found by look-up and not tried.
 * The order of the rules is kept, which is all that "first match wins" needs.
 */
function createIndex(compiled: readonly CompiledRule[]): (recipient: Path) => readonly CompiledRule[] {
  const always: number[] = []
  const byKey = new Map<string, number[]>()
  for (const [place, { rule }] of compiled.entries()) {
    if (rule.match.recipient === null) always.push(place)
    for (const key of new Set((rule.match.recipient ?? []).map(keyOf))) {
      if (key === null) continue
      const places = byKey.get(key)
      if (places === undefined) byKey.set(key, [place])
      else places.push(place)
    }
  }
  return ({ domain }) => {
    const places = new Set(always)
    for (const key of keysOf(domain)) for (const place of byKey.get(key) ?? []) places.add(place)
    return [...places].sort((a, b) => a - b).flatMap(place => compiled[place] ?? [])
  }
}

function holdsWithoutDns({ recipient, sender, source }: CompiledRule, input: RoutingInput): boolean {
  return (
    (recipient === null || recipient.matches(input.recipient)) &&
    (sender === null || sender.matches(input.sender)) &&
    (source === null || (input.source !== null && source.matches(input.source)))
  )
}

/** An address literal, and the bare postmaster, have no domain that could have MX hosts. */
function hasNoMx({ domain }: Path): boolean {
  return domain === '' || domain.startsWith('[')
}

function whyNot(
  { rule, recipient, sender, source }: CompiledRule,
  input: RoutingInput,
  mx: MxNames | null,
): string {
  if (recipient?.matches(input.recipient) === false)
    return `the recipient ${shown(input.recipient)} is not in ${listed(rule.match.recipient)}`
  if (sender?.matches(input.sender) === false)
    return `the sender ${input.sender === null ? '<>' : shown(input.sender)} is not in ${listed(rule.match.sender)}`
  if (source !== null && input.source === null)
    return `the mail is from this machine, not from ${listed(rule.match.source)}`
  if (source !== null && input.source !== null && !source.matches(input.source))
    return `the client ${visible(input.source)} is not in ${listed(rule.match.source)}`
  if (hasNoMx(input.recipient)) return `${shown(input.recipient)} has no domain that could have MX hosts`
  const names = mx !== null && 'names' in mx ? mx.names : []
  if (names.length === 0) return `${visible(input.recipient.domain)} has no MX host`
  return `no MX host of ${visible(input.recipient.domain)} (${names.slice(0, 5).map(one).join(', ')}) is in ${listed(rule.match.mx)}`
}

function isNear({ rule, recipient, sender, source }: CompiledRule, input: RoutingInput): boolean {
  const holds =
    recipient?.matches(input.recipient) === true ||
    sender?.matches(input.sender) === true ||
    (input.source !== null && source?.matches(input.source) === true)
  const { domain } = input.recipient
  return holds || (rule.match.recipient ?? []).some(pattern => isAround(domainIn(pattern), domain))
}

/** Of `user@.example.org`: `example.org`. Empty for the null sender's. */
function domainIn(pattern: string): string {
  return (keyOf(pattern) ?? '').replace(/^\*?\./, '')
}

/** The same name, or one below the other. */
function isAround(one: string, other: string): boolean {
  return one !== '' && (one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`))
}

function shown(path: Path): string {
  const { local, domain, text } = path
  return visible(isInternational(path) ? `${text} (${local}@${domain})` : text)
}

const one = (name: string) => visible(name)

function listed(patterns: Match['recipient']): string {
  const first = (patterns ?? []).slice(0, 5).map(one).join(', ')
  const more = (patterns?.length ?? 0) - 5
  return more > 0 ? `${first} and ${more} more` : first === '' ? 'an empty list' : first
}

/** From this many rules on, looking up beats trying them one by one. */
const indexFrom = 16
