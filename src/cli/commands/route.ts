/**
 * `hermetic route ADDRESS`: where mail for it would go now, by which rule and why, which hosts and addresses in which order, and what would be asked of each:
 * names, SNI, level. It asks the DNS and nobody else; nothing is sent. What the relay last saw of a host, its certificates and the verdict on them, is
 * told from the journal.
 *
 * Exit 0: there is a host to try. Exit 1: a rule refuses the mail, or no host can be found.
 */
import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import { createHop } from '../../hop/hop.ts'
import type { Candidate, Destination, Itinerary } from '../../hop/types.ts'
import type { JournalReader } from '../../journal/journal.ts'
import { openJournalReader } from '../../journal/journal-reader.ts'
import { wrapped } from '../../judgement/columns.ts'
import type { DnsStanding, SessionDocument } from '../../judgement/evidence.ts'
import type { Failure } from '../../judgement/failure.ts'
import { findingFor } from '../../judgement/findings.ts'
import type { Level } from '../../judgement/plan.ts'
import { asksForDane } from '../../judgement/plan-rules.ts'
import { makesMailWait, standingNotices } from '../../judgement/standing-text.ts'
import { dnsText, findingLines, planLines, seenLines } from '../../judgement/text.ts'
import { visible } from '../../judgement/visible.ts'
import { nothingLearned } from '../../knowledge/nothing-learned.ts'
import type { DnsSecurity } from '../../protocol/dns/answer.ts'
import { localPath } from '../../relay/maildrop/submit.ts'
import { ownAddresses } from '../../relay/own-addresses.ts'
import type { RouteDecision } from '../../relay/ports.ts'
import { createRouting } from '../../relay/routing/routing.ts'
import type { Settings } from '../../relay/settings.ts'
import { statePaths } from '../../relay/state-paths.ts'
import { direct } from '../../system/dialer.ts'
import { StoreRefused } from '../../system/sqlite.ts'
import { configured } from '../configured.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { resolversOf } from '../resolvers.ts'

export async function run(
  address: string,
  options: { readonly sender?: string; readonly source?: string },
  context: Context,
): Promise<number> {
  const { settings } = configured(context.config)
  const recipient = pathOf(address, settings)
  const sender = options.sender === undefined || options.sender === '<>' ? null : pathOf(options.sender, settings)
  const source = options.source ?? null
  if (source !== null && isIP(source) === 0)
    throw new CliFailure(
      'cli.usage',
      `"${visible(source, 60)}" is not an address`,
      'For example --source 192.0.2.1',
    )

  const resolvers = resolversOf(settings)
  const hop = createHop({
    resolver: resolvers.mail,
    hostsResolver: resolvers.hosts,
    dialer: direct,
    // What was learned changes the order of waiting, not the way.
    knowledge: nothingLearned,
    hostname: settings.hostname,
    ownAddresses: ownAddresses(settings.listen),
    allowAddresses: settings.dns.allowAddresses,
    timeouts: settings.timeouts,
    now: Date.now,
    random: below => randomInt(below),
  })
  try {
    const decision = await createRouting(settings.routes, { hop }).decide({ recipient, sender, source })
    const itinerary = decision.kind === 'deliver' ? await hop.itinerary(decision.destination) : null
    const seen = lastSeen(settings, itinerary?.candidates ?? [])
    const document = {
      ...documentOf(recipient.text, sender?.text ?? '', source, decision, itinerary, seen),
      // As it came out while the questions above were answered.
      standing: resolvers.mail.standing,
    }
    context.answer(document, textOf(document, context))
    return document.candidates.length > 0 ? asHoped : answerIsNo
  } finally {
    await hop.close()
    await resolvers.close()
  }
}

type RouteDocument = ReturnType<typeof documentOf> & { readonly standing: DnsStanding }

function documentOf(
  address: string,
  sender: string,
  source: string | null,
  decision: RouteDecision,
  itinerary: Itinerary | null,
  seen: readonly (SessionDocument | null)[],
) {
  const failure = decision.kind === 'defer' ? decision.failure : (itinerary?.failure ?? null)
  return {
    schema: 'hermetic.route/1' as const,
    address,
    sender,
    source,
    outcome: decision.kind,
    rule: decision.rule.name,
    passed: decision.passed,
    destination: decision.kind === 'deliver' ? destinationOf(decision.destination) : null,
    reply: decision.kind === 'reject' ? decision.reply : null,
    candidates: (itinerary?.candidates ?? []).map((candidate, i) => ({ ...candidate, lastSeen: seen[i] ?? null })),
    skipped: (itinerary?.skipped ?? []).map(({ host, address: where, failure: why }) => ({
      host,
      address: where,
      finding: findingFor(why, host),
    })),
    finding: failure === null ? null : findingFor(failure, hostOf(failure, itinerary)),
    mx: itinerary?.mx ?? null,
    dns: itinerary?.dns ?? [],
  }
}

/** Whose failure stands for all. */
function hostOf(failure: Failure, itinerary: Itinerary | null): string | null {
  return itinerary?.skipped.find(skipped => skipped.failure === failure)?.host ?? null
}

/** In the order of the candidates. A journal that cannot be read has nothing to tell: where mail goes does not depend on it. */
function lastSeen(settings: Settings, candidates: readonly Candidate[]): readonly (SessionDocument | null)[] {
  let reader: JournalReader | null = null
  try {
    reader = openJournalReader({ directory: statePaths(settings.state).journal })
    const journal = reader
    return candidates.map(candidate => journal.lastSeen(candidate))
  } catch (error) {
    if (error instanceof StoreRefused) return []
    throw error
  } finally {
    reader?.close()
  }
}

/** Roots are named, not printed. */
function destinationOf(destination: Destination) {
  return destination.kind === 'mx'
    ? destination
    : { ...destination, roots: destination.roots === null ? ('runtime' as const) : ('configured' as const) }
}

function textOf(document: RouteDocument, { paint }: Context): string {
  const { destination, finding } = document
  const address = visible(document.address, 80)
  const lines = painted('bold', address, wrapped(`${address}: ${whereTo(document)}`, '', '    '), paint)
  lines.push(...wrapped(`rule "${visible(document.rule)}" won${passedCount(document)}`, '  ', '    '))
  if (destination !== null) {
    lines.push(...wrapped(`level ${destination.level}: ${levelSays[destination.level]}`, '  ', '    '))
    if (document.mx !== null) lines.push(...wrapped(mxText(document.mx), '  ', '    '))
    if (literalOf(destination) === null && isWorthTelling(document.standing, destination.level))
      for (const { text } of standingNotices(document.standing))
        lines.push(...wrapped(`DNSSEC: ${visible(text, maxStandingChars)}`, '  ', '    '))
  }
  for (const [i, candidate] of document.candidates.entries())
    lines.push(...candidateLines(candidate, i + 1, paint))
  // Of a literal the finding says it all.
  if (document.skipped.length > 0 && literalOf(destination) === null) lines.push('  left out:')
  for (const { host, address: where, finding: why } of literalOf(destination) === null ? document.skipped : [])
    lines.push(
      ...wrapped(`${visible(host)}${where === null ? '' : ` [${visible(where)}]`}: ${why.says}`, '    ', '      '),
    )
  if (finding !== null) lines.push(...findingLines(finding, '  '))
  for (const answer of document.dns) lines.push(...wrapped(`DNS ${dnsText(answer)}`, '  ', '      '))
  lines.push(...passedLines(document))
  lines.push(paint('dim', '  nothing was sent'))
  return lines.join('\n')
}

function passedCount({ passed }: RouteDocument): string {
  if (passed.length === 0) return ', the first one'
  return `; ${passed.length === 1 ? 'one rule' : `${passed.length} rules`} before it did not match`
}

/** The answer comes first, and of many rules those that an operator may have expected to match. */
function passedLines({ passed }: RouteDocument): string[] {
  const shown = passed.length <= fewPassed ? passed : passed.filter(({ isNear }) => isNear).slice(0, mostNear)
  const rest = passed.length - shown.length
  if (passed.length === 0) return []
  if (shown.length === 0)
    return wrapped(`did not match: ${rest} rules about other mail; --json says why of each`, '  ', '    ')
  return [
    '  did not match:',
    ...shown.flatMap(({ rule, because }) => wrapped(`"${visible(rule)}": ${visible(because)}`, '    ', '      ')),
    ...(rest === 0 ? [] : [`    and ${rest} more; --json says why of each`]),
  ]
}

/** Where no TLSA record is sought it matters only when the mail waits for it all the same. */
function isWorthTelling({ validation, says }: DnsStanding, level: Destination['level']): boolean {
  return asksForDane(level) ? validation !== 'works' || says.length > 0 : makesMailWait(validation)
}

/** What the hosts' names are worth. */
function mxText({ security, because, aliases }: NonNullable<RouteDocument['mx']>): string {
  const alias = aliases.length === 0 ? '' : `, by the alias ${aliases.map(name => visible(name)).join(' -> ')}`
  const why = because === null ? mxWords[security] : visible(because)
  return `MX ${security}${alias}: ${why}`
}

function whereTo({ outcome, destination, reply, finding }: RouteDocument): string {
  if (outcome === 'reject') return `refused with ${reply?.code ?? ''} ${reply?.lines.join(' ') ?? ''}`
  if (outcome === 'defer' || destination === null) return 'waits'
  const literal = literalOf(destination)
  const where =
    literal !== null
      ? `the address ${visible(literal)} itself`
      : destination.kind === 'mx'
        ? `the MX hosts of ${visible(destination.domain)}`
        : destination.hosts.map(({ name, port }) => `${name}:${port}`).join(', then ')
  return finding === null ? `to ${where}` : `to ${where}, but there is no way now`
}

function candidateLines(
  candidate: RouteDocument['candidates'][number],
  number: number,
  paint: Context['paint'],
): string[] {
  const { host, address, port, preference, aliases, plan, lastSeen: seen } = candidate
  const preferred = preference === null ? '' : `, preference ${preference}`
  const alias = aliases.length === 0 ? '' : `, by the alias ${aliases.map(name => visible(name)).join(' -> ')}`
  const line = `${number}. ${visible(host)} [${visible(address)}] port ${port}${preferred}${alias}`
  return [
    ...painted('cyan', visible(host), wrapped(line, '  ', '     '), paint),
    ...planLines(plan, '   '),
    ...(seen === null ? [] : seenLines(seen, '   ')),
  ]
}

/** Colours a text where it stands in the first line: after wrapping, which counts every character. */
function painted(
  style: Parameters<Context['paint']>[0],
  text: string,
  [first = '', ...more]: readonly string[],
  paint: Context['paint'],
): string[] {
  return [first.replace(text, () => paint(style, text)), ...more]
}

/** The address in an address literal (RFC 5321 §4.1.3): no DNS is asked, and there are no MX hosts. */
function literalOf(destination: RouteDocument['destination']): string | null {
  return destination?.kind === 'mx' ? (/^\[(?:ipv6:)?(.*)\]$/i.exec(destination.domain)?.[1] ?? null) : null
}

function pathOf(text: string, settings: Settings) {
  // As it stands in a message or a log line.
  const path = localPath(/^<(.*)>$/s.exec(text)?.[1] ?? text, settings)
  if (typeof path !== 'string') return path
  throw new CliFailure('cli.usage', path, 'For example: hermetic route pat@example.org')
}

const mxWords: Readonly<Record<DnsSecurity, string>> = {
  secure: 'signatures prove which hosts take the mail',
  unvalidated: 'nobody was asked whether the answer is genuine',
  insecure: 'nothing vouches for the answer that names the hosts',
  indeterminate: 'nothing vouches for the answer that names the hosts',
  bogus: 'the answer contradicts its signatures',
}

const levelSays: Readonly<Record<Level, string>> = {
  none: 'never TLS',
  opportunistic: 'TLS when it is offered, with any certificate',
  dane: 'proof by TLSA records where the host has them, else TLS when it is offered',
  encrypt: 'always TLS, with any certificate',
  verify: 'always TLS, and the certificate must prove the name; else the mail waits',
  'dane-only': 'always proof by TLSA records, at hosts that a secure answer named; else the mail waits',
}

/** So few rules are shown whatever they are about. */
const fewPassed = 3
const mostNear = 10
/** What the resolvers are good for comes with their names and advice. */
const maxStandingChars = 1_200
