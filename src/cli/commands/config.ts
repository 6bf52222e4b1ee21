/**
 * `hermetic config check | example | schema | reload`
 *
 * `check` reads what the relay would read, and asks the DNS servers what they are good for. Exit 0: a relay can work with it; servers of which none answers are a
 * remark, as the file may be checked where they are out of reach, or before the network is up. 1: the file is well-formed, and with what the servers send, or with the clock of
 * this machine, mail would wait: all that must be looked up, or that of a route. 78: the file is bad.
 */
import { createNameServerTrust } from '../../hop/name-server-trust.ts'
import { wrapped } from '../../judgement/columns.ts'
import type { DnsStanding } from '../../judgement/evidence.ts'
import { makesMailWait, standingPhrase } from '../../judgement/standing-text.ts'
import { visible } from '../../judgement/visible.ts'
import { exampleConfiguration } from '../../relay/configuration/example.ts'
import { configurationJsonSchema } from '../../relay/configuration/schema.ts'
import { askRelay } from '../../relay/control/client.ts'
import type { Settings } from '../../relay/settings.ts'
import { createDnsClient } from '../../system/dns-client.ts'
import { loadCertificates } from '../../system/server-certificates.ts'
import { configured, configuredToStart, problemLines } from '../configured.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'
import { resolversOf } from '../resolvers.ts'

export async function check(file: string | null, context: Context): Promise<number> {
  const { settings, file: used, remarks: read } = configuredToStart(file ?? context.config)
  const source = used === null ? 'the built-in defaults' : visible(used, 1_000)
  const remarks = [...read, ...checkedCertificates(settings)]
  const dns = await checkedServers(settings, context)
  const isGood = dns.waits === null
  const { waits } = dns
  const says = (text: string, indent = '  ') => wrapped(text, indent, `${indent}  `)
  const lines = [
    ...painted(wrapped(`${source}: ${headline(dns)}`, '', '  '), isGood ? 'green' : 'red', headline(dns), context),
    ...remarks.flatMap(remark => labelled('note', 'yellow', visible(remark, maxSentenceChars), '  ', context)),
    ...says(`hostname ${settings.hostname}, state in ${settings.state}`),
    ...settings.listen.map(({ address, port, tls }) => `  listens on ${address} port ${port}, TLS: ${tls}`),
    ...says(`routes: ${[...settings.routes.map(({ name }) => visible(name, 100)), 'then mx'].join(', ')}`),
    ...standingLines(dns, context),
  ]
  context.answer(
    { schema: 'hermetic.config-check/1', file: used, good: isGood, waits, remarks, dns: dns.standing, settings },
    lines.join('\n'),
  )
  return isGood ? asHoped : answerIsNo
}

interface CheckedServers {
  readonly standing: DnsStanding
  /** Which mail could not be delivered with these servers, as far as can be told: `all` that looks for its hosts in the DNS, or that of the routes named. */
  readonly waits: 'all' | readonly string[] | null
}

function headline({ standing, waits }: CheckedServers): string {
  if (waits === 'all')
    return standing.validation === 'mistimed'
      ? 'well-formed, but mail would wait: the clock of this machine and the DNS servers do not agree'
      : 'well-formed, but with these DNS servers mail would wait'
  if (waits !== null)
    return `well-formed, but with these DNS servers mail of ${waits.map(name => `route "${visible(name, 100)}"`).join(', ')} would wait`
  return standing.validation === 'unknown'
    ? 'good; whether mail would go is not known, as no DNS server answers'
    : 'good'
}

/** Asks what the relay will ask at its start, and believes what it remembers. */
async function checkedServers(settings: Settings, context: Context): Promise<CheckedServers> {
  const resolvers = resolversOf(settings)
  const slow = setTimeout(() => context.remark('asking the DNS servers …'), tellAfterMs)
  try {
    const standing = await resolvers.mail.probe()
    const { validation } = standing
    if (makesMailWait(validation) || (validation === 'unknown' && (await isThere(settings))))
      return { standing, waits: 'all' }
    const insisting = settings.routes.filter(({ level, to }) => level === 'dane-only' && to.kind !== 'reject')
    const isStuck = validation === 'unavailable' && insisting.length > 0
    return { standing, waits: isStuck ? insisting.map(({ name }) => name) : null }
  } finally {
    clearTimeout(slow)
    await resolvers.close()
  }
}

/** Whether a server answers at all, if only to refuse: then that nothing can be validated is no matter of being offline. */
async function isThere({ dns }: Settings): Promise<boolean> {
  const timeoutMs = Math.min(dns.timeoutMs, plainTimeoutMs)
  const tls = createNameServerTrust(dns.tlsRoots, Date.now)
  const client = createDnsClient({ servers: dns.servers, tls, timeoutMs, hostsFile: null })
  try {
    const { outcome, server, reason } = await client.resolve({ name: '.', type: 'TXT' })
    return outcome !== 'failed' || server !== null || reason === 'dns.server-unproven'
  } finally {
    await client.close()
  }
}

function standingLines({ standing, waits }: CheckedServers, context: Context): string[] {
  const [colour, label] = waits === null ? (['yellow', 'note'] as const) : (['red', 'problem'] as const)
  const insists =
    waits === null || waits === 'all'
      ? []
      : waits.map(
          name =>
            `Route "${visible(name, 100)}" is dane-only, and takes no answer that is not validated: its mail waits.`,
        )
  return [
    ...wrapped(`DNSSEC: ${standingPhrase(standing)}`, '  ', '    '),
    ...[...insists, ...standing.says.map(says => visible(says, maxSentenceChars))].flatMap(says =>
      labelled(label, colour, says, '    ', context),
    ),
  ]
}

function labelled(label: string, style: Style, text: string, indent: string, context: Context): string[] {
  return painted(wrapped(`${label}: ${text}`, indent, `${indent}  `), style, label, context)
}

/** Paints what stands whole on the first line. */
function painted([first = '', ...more]: readonly string[], style: Style, text: string, { paint }: Context) {
  const at = first.lastIndexOf(text)
  return at < 0
    ? [first, ...more]
    : [first.slice(0, at) + paint(style, text) + first.slice(at + text.length), ...more]
}

type Style = Parameters<Context['paint']>[0]

/** Looks at what the relay will show its clients. @returns remarks; throws the failure that tells every problem, as for any other option. */
function checkedCertificates({ listen, tls }: Settings): string[] {
  // Where nobody is offered TLS the relay reads none.
  if (listen.every(listener => listener.tls === 'none')) return []
  const loaded = loadCertificates(tls.certificates)
  if (loaded.kind === 'loaded') return loaded.warnings.map(({ says, hint }) => `${says} ${hint}`)
  const { problems } = loaded
  throw new CliFailure(
    'cli.configuration',
    `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
    'Put it right, and check again.',
    {
      fields: { problems },
      lines: problemLines(problems.map(({ says, hint }) => `tls.certificates: ${says} ${hint}`)),
    },
  )
}

export function example(context: Context): number {
  context.answer({ schema: 'hermetic.config-example/1', yaml: exampleConfiguration }, exampleConfiguration)
  return asHoped
}

/** The schema is JSON either way; under --json it stands in a document that names its own schema. */
export function schema(context: Context): number {
  const jsonSchema = configurationJsonSchema()
  context.answer({ schema: 'hermetic.config-schema/1', jsonSchema }, JSON.stringify(jsonSchema, null, 2))
  return asHoped
}

export async function reload(context: Context): Promise<number> {
  const { settings } = configured(context.config)
  const asked = await askRelay(settings.state, { op: 'reload' })
  if (asked.kind === 'no-relay')
    throw new CliFailure(
      'cli.relay-unreachable',
      `no relay runs on ${settings.state}`,
      "Start one with 'hermetic serve'.",
    )
  if (asked.kind === 'failed') throw new CliFailure('cli.relay-unreachable', asked.says, asked.hint)
  const { answer } = asked
  if (answer.kind === 'kept')
    throw new CliFailure(
      'cli.configuration',
      'the relay kept its configuration: the new one is bad',
      'Put it right, and reload again.',
      {
        fields: { problems: answer.problems },
        lines: problemLines(answer.problems),
      },
    )
  const restart = answer.needRestart.map(option => `${option} changed too, and holds after a restart`)
  context.answer(
    { schema: 'hermetic.config-reload/1', ...answer },
    ['the relay took the configuration', ...restart, ...answer.remarks].join('\n'),
  )
  return asHoped
}

/** Whoever waits is told for what. */
const tellAfterMs = 1_500
const plainTimeoutMs = 3_000
const maxSentenceChars = 1_200
