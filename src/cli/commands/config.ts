/**
 * `hermetic config check | example | schema | reload`
 *
 * `check` reads what the relay would read, and asks the DNS servers what they are good for. Exit 0: a relay can work with it; servers that do not answer are a
 * remark, as the file may be checked where they are out of reach. 1: the file is good, and with these servers mail would wait. 78: the file is bad.
 */
import { createNameServerTrust } from '../../hop/name-server-trust.ts'
import type { DnsStanding } from '../../judgement/evidence.ts'
import { standingPhrase } from '../../judgement/standing-text.ts'
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
  const source = used ?? 'the built-in defaults'
  const remarks = [...read, ...checkedCertificates(settings)]
  const dns = await checkedServers(settings, context)
  const lines = [
    dns.isGood
      ? `${source}: ${context.paint('green', 'good')}`
      : `${source}: well-formed, but ${context.paint('red', 'with these DNS servers mail would wait')}`,
    ...remarks.map(remark => `  ${context.paint('yellow', 'note')}: ${remark}`),
    `  hostname ${settings.hostname}, state in ${settings.state}`,
    ...settings.listen.map(({ address, port, tls }) => `  listens on ${address} port ${port}, TLS: ${tls}`),
    `  routes: ${[...settings.routes.map(({ name }) => name), 'then mx'].join(', ')}`,
    ...standingLines(dns, context),
  ]
  context.answer(
    { schema: 'hermetic.config-check/1', file: used, good: dns.isGood, remarks, dns: dns.standing, settings },
    lines.join('\n'),
  )
  return dns.isGood ? asHoped : answerIsNo
}

interface CheckedServers {
  readonly standing: DnsStanding
  /** Mail that looks for TLSA records could be delivered, as far as can be told. */
  readonly isGood: boolean
}

/** Asks what the relay will ask at its start, and believes what it remembers. */
async function checkedServers(settings: Settings, context: Context): Promise<CheckedServers> {
  const resolvers = resolversOf(settings)
  const slow = setTimeout(() => context.remark('asking the DNS servers …'), tellAfterMs)
  try {
    const standing = await resolvers.mail.probe()
    const { validation } = standing
    const waits = validation === 'lost' || validation === 'required'
    const isGood = !waits && (validation !== 'unknown' || !(await isThere(settings)))
    return { standing, isGood }
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

function standingLines({ standing, isGood }: CheckedServers, { paint }: Context): string[] {
  const [colour, label] = isGood ? (['yellow', 'note'] as const) : (['red', 'problem'] as const)
  return [
    `  DNSSEC: ${standingPhrase(standing)}`,
    ...standing.says.map(says => `    ${paint(colour, label)}: ${visible(says, maxSentenceChars)}`),
  ]
}

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
