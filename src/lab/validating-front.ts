/**
 * What a host with a validating resolver of its own has on 127.0.0.1: a front over any recursive server that believes nothing but signatures
 * (RFC 4035 §3.2, RFC 6840 §5), as one function from query to response. It is for foreign mail servers, which ask such a resolver and believe its AD bit.
 *
 * Success means: what the trust anchors prove has AD, what they prove to be unsigned has not, what is broken or cannot be had is SERVFAIL with the
 * reason as an extended error (RFC 8914); with CD everything is passed on unjudged. DNSSEC records are passed on to who asks with DO. It
 * keeps nothing but what the wire and the validator keep.
 */
import type { EdnsOption, Message, ResourceRecord } from '../protocol/dns/message.ts'
import { isAtOrBelow, type Name } from '../protocol/dns/name.ts'
import { classInternet, rcodes, typeNumbers } from '../protocol/dns/numbers.ts'
import { isQueryType } from '../protocol/dnssec/denial-rules.ts'
import { privateNames } from '../protocol/dnssec/private-names.ts'
import type { TrustAnchor } from '../protocol/dnssec/types.ts'
import type { DnsWire } from '../system/dns-wire.ts'
import { createValidatingResolver, type ResolvedAnswer } from '../system/validating-resolver.ts'

export interface ValidatingFrontOptions {
  /** To the server behind it. Closed by whoever made it. */
  readonly wire: DnsWire
  readonly anchors: readonly TrustAnchor[]
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The promise never rejects for anything that client or server do. */
export type ValidatingFront = (query: Message) => Promise<Message>

export function createValidatingFront({ wire, anchors, now }: ValidatingFrontOptions): ValidatingFront {
  const insecure = privateNames.filter(name => !isAnchored(name, anchors))
  const resolver = createValidatingResolver({ wire, anchors, insecure, now })

  return async query => {
    const [question] = query.questions
    if (question === undefined || question.class !== classInternet || query.opcode !== 0)
      return respond(query, { rcode: rcodes.REFUSED })
    const { name, type } = question
    const isJudged = !query.checkingDisabled && canBeJudged(name, type)
    const answer = isJudged ? await resolver.resolve(name, type) : null
    if (answer !== null && !isUsable(answer)) return respond(query, refusalOf(answer))

    const reply = await wire.ask({ name, type }, { checking: 'disabled', avoid: [] })
    if (reply.kind === 'failed')
      return respond(query, { rcode: rcodes.SERVFAIL, options: [extendedError(noReachable, reply.why)] })
    const { rcode, answers, authorities } = reply.message
    const wantsDnssec = query.edns?.dnssecOk === true
    const shown = (records: readonly ResourceRecord[]) =>
      records.filter(record => wantsDnssec || record.type === type || !dnssecOnly.has(record.type))
    return respond(query, {
      rcode,
      answers: shown(answers),
      authorities: shown(authorities),
      // RFC 6840 §5.7 and §5.8: to those who show that they understand it.
      authenticData: answer?.security === 'secure' && (wantsDnssec || query.authenticData),
    })
  }
}

function isAnchored(name: Name, anchors: readonly TrustAnchor[]): boolean {
  return anchors.some(({ zone }) => zone.length > 0 && isAtOrBelow(zone, name))
}

/** Not so: all types at once, signatures by themselves, and the DS of the root, which nobody can have signed. */
function canBeJudged(name: Name, type: number): boolean {
  return !isQueryType(type) && type !== typeNumbers.RRSIG && !(type === typeNumbers.DS && name.length === 0)
}

function isUsable({ outcome, security }: ResolvedAnswer): boolean {
  return outcome !== 'failed' && (security === 'secure' || security === 'insecure')
}

function refusalOf(answer: ResolvedAnswer): Partial<Message> & Options {
  const because = answer.steps.findLast(({ reason }) => reason !== null)?.says ?? answer.reason ?? ''
  const code = answer.security === 'bogus' ? dnssecBogus : noReachable
  return { rcode: rcodes.SERVFAIL, options: [extendedError(code, because)] }
}

interface Options {
  readonly options?: readonly EdnsOption[]
}

function respond(query: Message, { options = [], ...rest }: Partial<Message> & Options): Message {
  return {
    ...query,
    isResponse: true,
    authoritative: false,
    truncated: false,
    recursionAvailable: true,
    authenticData: false,
    answers: [],
    authorities: [],
    additionals: [],
    edns: query.edns === null ? null : { udpPayloadBytes, version: 0, dnssecOk: query.edns.dnssecOk, options },
    ...rest,
  }
}

/** RFC 8914 §2. */
function extendedError(code: number, says: string): EdnsOption {
  const text = Buffer.from(says).subarray(0, longestTextBytes)
  return { code: extendedErrorOption, data: Buffer.concat([Buffer.from([code >> 8, code & 255]), text]) }
}

/** Sent only to who asks with DO, or asks for them (RFC 4035 §3.2.1). */
const dnssecOnly: ReadonlySet<number> = new Set([typeNumbers.RRSIG, typeNumbers.NSEC, typeNumbers.NSEC3])
/** The registry of RFC 8914 §5.2. */
const dnssecBogus = 6
const noReachable = 22
const extendedErrorOption = 15
const longestTextBytes = 400
/** RFC 9715 §3. */
const udpPayloadBytes = 1_400
