/**
 * What an audit of a zone goes by (judgement/zone-audit.ts), asked of recursive servers: the answers, validated here; every message that they were made of; what the
 * servers are good for; and where there are several, what each of them says alone.
 *
 * Nothing is judged here, and nothing is thrown for what a server does. The servers of the zone itself are not asked: what senders of mail hear is what counts, and they
 * ask a resolver.
 */
import { randomBytes } from 'node:crypto'
import type { HeardReply, InspectedServer, ZoneInspection } from '../judgement/zone-inspection.ts'
import { type AuditAnswers, zoneQuestions } from '../judgement/zone-questions.ts'
import { formatName, type Name, nameKey } from '../protocol/dns/name.ts'
import type { TrustAnchor, ValidatedAnswer, WireQuestion } from '../protocol/dnssec/types.ts'
import type { DnsWire } from '../system/dns-wire.ts'
import { createTurns } from '../system/turns.ts'
import { createValidatingResolver, type ValidatingResolver } from '../system/validating-resolver.ts'
import { runWalk } from '../system/walk-driver.ts'

export interface ZoneInspectionOptions {
  /** Closed by whoever made it. */
  readonly wire: DnsWire
  readonly anchors: readonly TrustAnchor[]
  /** Negative trust anchors (RFC 7646). */
  readonly insecure: readonly Name[]
  /** Milliseconds since 1970: what signatures are held against. */
  readonly now: () => number
  /** After this time, in ms, no further question is asked. Default: two minutes; a sound zone takes seconds. */
  readonly maxMs?: number
}

/** Null: no server answered anything. */
export async function inspectZone(domain: Name, options: ZoneInspectionOptions): Promise<ZoneInspection | null> {
  const { wire, anchors, insecure, now, maxMs = defaultMaxMs } = options
  const heard: HeardReply[] = []
  const resolver = createValidatingResolver({ wire: overheard(wire, heard), anchors, insecure, now })
  // First, as nothing is asked where nobody answers.
  const probes = await Promise.all(resolver.probeServers())
  if (probes.every(({ isThere }) => !isThere)) return null
  // Nobody has it as a name, and no cache knows what is said of it.
  const unusedLabel = `no-such-${randomBytes(6).toString('hex')}`
  const deadlineMs = performance.now() + maxMs
  const answers = await runWalk(zoneQuestions(domain, unusedLabel), inTurns(resolver, deadlineMs))
  const servers = await Promise.all(
    probes.map(async (probe): Promise<InspectedServer> => {
      const isCompared = probes.length > 1 && probe.isThere
      return { ...probe, answers: isCompared ? await repeated(answers, onlyBy(wire, probe.server)) : [] }
    }),
  )
  return { domain, atMs: now(), heard, servers, ...answers }

  async function repeated({ answers: all }: AuditAnswers, alone: DnsWire) {
    const own = createValidatingResolver({ wire: alone, anchors, insecure, now })
    const questions = new Map<string, WireQuestion>()
    // What is asked for fresh names differs by itself, and what is not there is proven by records that change with every name.
    for (const { role, answer } of all)
      if (comparedRoles.has(role))
        questions.set(`${answer.question.type} ${nameKey(answer.question.name)}`, answer.question)
    return Promise.all([...questions.values()].map(inTurns(own, deadlineMs)))
  }
}

/** A few validations at once, as all of them together would have servers drop what they take for a flood; and none begins after the deadline. */
function inTurns(
  resolver: ValidatingResolver,
  deadlineMs: number,
): (question: WireQuestion) => Promise<ValidatedAnswer> {
  const turns = createTurns(mostAtOnce)
  return async question => {
    const done = await turns.take()
    try {
      return performance.now() > deadlineMs
        ? tooLate(question)
        : await resolver.resolve(question.name, question.type)
    } finally {
      done()
    }
  }
}

function tooLate(question: WireQuestion): ValidatedAnswer {
  const reason = 'dns.timeout'
  const says = 'It was not asked, as the servers had taken too long with the questions before.'
  return {
    question,
    outcome: 'failed',
    security: 'indeterminate',
    endSecurity: 'indeterminate',
    records: [],
    aliases: [],
    ttlSeconds: null,
    reason,
    steps: [{ zone: formatName(question.name), security: 'indeterminate', reason, says }],
    server: null,
  }
}

function overheard(wire: DnsWire, heard: HeardReply[]): DnsWire {
  return {
    ...wire,
    async ask(question, how) {
      const reply = await wire.ask(question, how)
      const { server, over, bytes, cached } = reply
      const message = reply.kind === 'message' ? reply.message : null
      const why = reply.kind === 'failed' ? reply.why : null
      // What is asked over TCP alone says nothing of what fits a datagram.
      const isByChoice = how.over === 'tcp'
      heard.push({ question, over: cached || isByChoice ? 'cache' : over, bytes, server, message, why })
      return reply
    },
  }
}

/** As if there were no other server. */
function onlyBy(wire: DnsWire, server: string): DnsWire {
  const others = wire.servers().filter(other => other !== server)
  return {
    ...wire,
    ask: (question, how) => wire.ask(question, { ...how, avoid: [...new Set([...how.avoid, ...others])] }),
    servers: () => [server],
  }
}

const comparedRoles: ReadonlySet<string> = new Set(['soa', 'ns', 'dnskey', 'ds', 'mx', 'address', 'tlsa'])
const mostAtOnce = 8
const defaultMaxMs = 120_000
