/** What to tell an operator of the name servers: what is not as it should be, what follows for mail, who must act. Whole sentences, most urgent first; none when all is well. */
import type { DnsStanding } from '../protocol/dns/standing.ts'
import type { ServerFinding } from './validation-standing.ts'

export interface StandingFacts {
  readonly trust: 'validate' | 'ad'
  readonly validation: DnsStanding['validation']
  readonly found: readonly ServerFinding[]
  /** Milliseconds since 1970: when these servers last passed signatures on, or vouched for answers. */
  readonly workedAtMs: number | null
}

export function standingSentences(facts: StandingFacts): readonly string[] {
  const { trust, found } = facts
  return [
    ...clockSentences(facts),
    ...(trust === 'validate' ? proofSentences(facts) : wordSentences(facts)),
    ...unprovenSentences(facts),
    ...about(
      found,
      ({ tcp }) => tcp === 'fails',
      (who, s) =>
        `${capital(who)} answer${s} over UDP and not over TCP: answers that do not fit a datagram are lost, and mail that needs them waits. Allow TCP to port 53 in the firewall between, or use another resolver.`,
    ),
  ]
}

/** Signatures of the root out of their time. Where another server sends such that hold, the clock is not to blame. */
function clockSentences({ validation, found }: StandingFacts): readonly string[] {
  const isAlone = validation === 'mistimed'
  return [
    ...about(
      found,
      ({ clock }) => clock === 'ahead',
      (who, s) =>
        isAlone
          ? `The signatures that ${who} send${s} for the root have ended: the clock of this machine is ahead, or what is sent is old. Signed answers are bogus, and mail waits. Set the clock; if it is right, use another resolver.`
          : `The signatures that ${who} send${s} for the root have ended, and those of others hold: what is sent is old, and not used. Name ${s === 's' ? 'another in its place' : 'others in their place'}.`,
    ),
    ...about(
      found,
      ({ clock }) => clock === 'behind',
      (who, s) =>
        isAlone
          ? `The signatures that ${who} send${s} for the root have not begun: the clock of this machine is behind. Signed answers are bogus, and mail waits. Set the clock.`
          : `The signatures that ${who} send${s} for the root have not begun, and those of others hold: the clock of this machine may be behind. Set the clock.`,
    ),
  ]
}

/** `dns.trust: validate`. */
function proofSentences({ validation, found, workedAtMs }: StandingFacts): readonly string[] {
  const isMissing = ({ proof }: ServerFinding) => proof === 'missing'
  switch (validation) {
    case 'works':
    case 'mistimed':
      return about(
        found,
        isMissing,
        (who, s) =>
          `${capital(who)} strip${s} DNSSEC signatures, and ${s === 's' ? 'is' : 'are'} asked only when the others do not answer. Name ${s === 's' ? 'another in its place' : 'others in their place'}.`,
      )
    case 'unavailable':
      return about(
        found,
        isMissing,
        (who, s) =>
          `${capital(who)} strip${s} DNSSEC signatures: TLSA records cannot be trusted, so mail goes on without DANE. Use another resolver, or run unbound on this machine; dns.require: true makes mail wait instead.`,
      )
    case 'required':
      return about(
        found,
        isMissing,
        (who, s) =>
          `${capital(who)} strip${s} DNSSEC signatures: TLSA records cannot be trusted, and mail waits, as dns.require says. Use another resolver, or run unbound on this machine.`,
      )
    case 'lost':
      return about(
        found,
        isMissing,
        (who, s) =>
          `${capital(who)} strip${s} DNSSEC signatures, and did not on ${day(workedAtMs)}: somebody on the way may do that to get around DANE, so mail waits. Find out what has changed, use another resolver, or run unbound on this machine; dns.trust: none lets mail go on without DANE.`,
      )
    case 'unknown':
      return [
        ...about(
          found,
          ({ isThere }) => isThere,
          (who, s) =>
            `${capital(who)} send${s} no keys of the root that the trust anchors vouch for: nothing can be validated, and mail waits. Use another resolver; if the root is one of your own, name a file with its keys in dns.anchors.`,
        ),
        ...nobody(found),
      ]
    case 'off':
      return []
    default:
      return validation satisfies never
  }
}

/** `dns.trust: ad`. */
function wordSentences({ validation, found, workedAtMs }: StandingFacts): readonly string[] {
  const isMissing = ({ proof }: ServerFinding) => proof === 'missing'
  const isFar = ({ proof }: ServerFinding) => proof === 'not-believed'
  const silent = (who: string, s: string) =>
    `${capital(who)} do${s === '' ? '' : 'es'} not validate (the answer for the root came without AD)`
  const far = (who: string, s: string) =>
    `${capital(who)} ${s === '' ? 'are' : 'is'} not on this machine, and anybody on the way could say that an answer is secure`
  const advice = 'Run a resolver that validates on this machine, or set dns.trust: validate'
  switch (validation) {
    case 'works':
      return [
        ...about(
          found,
          isMissing,
          (who, s) =>
            `${silent(who, s)}, and ${s === '' ? 'are' : 'is'} not asked. Turn validation on in it, or name another.`,
        ),
        ...about(
          found,
          isFar,
          (who, s) =>
            `${far(who, s)}, so ${s === '' ? 'they are' : 'it is'} not asked. Take ${s === '' ? 'them' : 'it'} out of dns.servers, or set dns.trust: validate.`,
        ),
      ]
    case 'unavailable':
      return [
        ...about(
          found,
          isMissing,
          (who, s) =>
            `${silent(who, s)}, so mail goes on without DANE. ${advice}; dns.require: true makes mail wait instead.`,
        ),
        ...about(found, isFar, (who, s) => `${far(who, s)}, so mail goes on without DANE. ${advice}.`),
      ]
    case 'required':
      return [
        ...about(
          found,
          isMissing,
          (who, s) => `${silent(who, s)}, and mail waits, as dns.require says. ${advice}.`,
        ),
        ...about(found, isFar, (who, s) => `${far(who, s)}, and mail waits, as dns.require says. ${advice}.`),
      ]
    case 'lost':
      return about(
        found,
        isMissing,
        (who, s) =>
          `${silent(who, s)}, and did on ${day(workedAtMs)}, so mail waits. Turn validation on again, or set dns.trust: validate; dns.trust: none lets mail go on without DANE.`,
      )
    case 'unknown':
      return [
        ...about(
          found,
          ({ isThere }) => isThere,
          (who, s) =>
            `${capital(who)} fail${s} when asked for the root, and mail waits. Look at ${s === '' ? 'their logs' : 'its log'}.`,
        ),
        ...nobody(found),
      ]
    case 'mistimed':
    case 'off':
      return []
    default:
      return validation satisfies never
  }
}

/** Each by itself, as the certificates differ. */
function unprovenSentences({ validation, found }: StandingFacts): readonly string[] {
  const follows = validation === 'unknown' ? ', and mail waits' : ''
  return found.flatMap(({ server, unproven }) =>
    unproven === null
      ? []
      : [
          `The resolver ${shown(server)} is asked nothing${follows}: ${unproven}. If its certificate is from an authority of your own, name its root in dns.tls_roots; else look for who is in between.`,
        ],
  )
}

function nobody(found: readonly ServerFinding[]): readonly string[] {
  if (found.some(({ isThere }) => isThere)) return []
  return about(
    found,
    ({ unproven }) => unproven === null,
    (who, s) =>
      `${capital(who)} do${s === '' ? '' : 'es'} not answer, and mail waits. Check the network, and the addresses of the resolvers.`,
  )
}

/** One sentence about all of them that fit. `s`: the ending of the verb, empty for several. */
function about(
  found: readonly ServerFinding[],
  fits: (one: ServerFinding) => boolean,
  says: (who: string, s: 's' | '') => string,
): readonly string[] {
  const names = found.filter(fits).map(({ server }) => shown(server))
  const [only] = names
  if (only === undefined) return []
  return [names.length === 1 ? says(`the resolver ${only}`, 's') : says(`the resolvers ${listed(names)}`, '')]
}

/** `192.0.2.53`: the port only where it is another than 53, or 853 over TLS. */
function shown(server: string): string {
  return server.replace(/^(tls:.*):853(?=#)/, '$1').replace(/^(?:\[(.*)\]|(.*)):53$/, '$1$2')
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function day(ms: number | null): string {
  return ms === null ? 'an earlier day' : new Date(ms).toISOString().slice(0, 10)
}
