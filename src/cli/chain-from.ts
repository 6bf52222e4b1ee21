/**
 * The chain that a server shows, for `verify --from HOST:PORT`: greeting, EHLO, STARTTLS, handshake, QUIT, as the relay does it; TLS from the first byte at port
 * 465. No mail command is sent, and what is shown is judged by the caller.
 *
 * The host is the operator's own word: it is looked up as hosts of routes are, hosts file included, and may be anywhere.
 */
import { randomInt } from 'node:crypto'
import type { Candidate, Itinerary } from '../hop/types.ts'
import { createVisitor, type Visitor } from '../hop/visit.ts'
import { findingFor } from '../judgement/findings.ts'
import { visible } from '../judgement/visible.ts'
import type { Read } from '../protocol/x509/model.ts'
import { direct } from '../system/dialer.ts'
import { configured } from './configured.ts'
import type { Context } from './context.ts'
import { CliFailure } from './failure.ts'
import { resolversOf } from './resolvers.ts'
import type { ServerPlace } from './server-place.ts'

/** @returns as sent, leaf first; not empty. @throws CliFailure 69 when no address of the host shows a certificate */
export async function chainFrom({ host, port }: ServerPlace, context: Context): Promise<readonly Read[]> {
  const { settings } = configured(context.config)
  const resolvers = resolversOf(settings)
  const visitor = createVisitor({
    resolver: resolvers.hosts,
    dialer: direct,
    hostname: settings.hostname,
    allowAddresses: [],
    now: Date.now,
    random: below => randomInt(below),
  })
  try {
    const itinerary = await visitor.itinerary({
      kind: 'hosts',
      hosts: [{ name: host, port }],
      level: 'opportunistic',
      implicitTls: port === submissionsPort,
      ipv4Only: false,
      roots: null,
    })
    return await firstChain(visitor, itinerary, host)
  } finally {
    await visitor.close()
    await resolvers.close()
  }
}

async function firstChain(visitor: Visitor, itinerary: Itinerary, host: string): Promise<readonly Read[]> {
  const whys: string[] = []
  if (itinerary.failure !== null) whys.push(findingFor(itinerary.failure, host).says)
  for (const candidate of itinerary.candidates) {
    const shown = await shownBy(visitor, candidate, itinerary)
    if (typeof shown !== 'string') return shown
    whys.push(`${candidate.address}: ${shown}`)
  }
  throw new CliFailure(
    'cli.peer-unreachable',
    `--from: ${visible(host, 80)} showed no certificate`,
    'Many networks let nobody out to port 25: try from a machine that sends mail.',
    { lines: whys.slice(0, shownAddresses).map(why => visible(why, 500)) },
  )
}

/** A chain, or why there is none. */
async function shownBy(
  visitor: Visitor,
  candidate: Candidate,
  itinerary: Itinerary,
): Promise<readonly Read[] | string> {
  const { chain, session } = await visitor.visit(candidate, itinerary, 'any')
  if (chain.length > 0) return chain
  const { failure, verdict, host } = session
  if (failure !== null) return findingFor({ reason: failure.code, detail: failure.detail, reply: null }, host).says
  return verdict?.says ?? 'It showed no certificate.'
}

/** RFC 8314 §3.3: TLS from the first byte. */
const submissionsPort = 465
const shownAddresses = 5
