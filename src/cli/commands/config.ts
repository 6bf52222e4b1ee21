/** `hermetic config check | example | schema | reload` */
import { exampleConfiguration } from '../../relay/configuration/example.ts'
import { configurationJsonSchema } from '../../relay/configuration/schema.ts'
import { askRelay } from '../../relay/control/client.ts'
import type { Settings } from '../../relay/settings.ts'
import { loadCertificates } from '../../system/server-certificates.ts'
import { configured, problemLines } from '../configured.ts'
import { asHoped, type Context } from '../context.ts'
import { CliFailure } from '../failure.ts'

export function check(file: string | null, context: Context): number {
  const { settings, file: used, remarks: read } = configured(file ?? context.config)
  const source = used ?? 'the built-in defaults'
  const remarks = [...read, ...checkedCertificates(settings)]
  const lines = [
    `${source}: ${context.paint('green', 'good')}`,
    ...remarks.map(remark => `  ${context.paint('yellow', 'note')}: ${remark}`),
    `  hostname ${settings.hostname}, state in ${settings.state}`,
    ...settings.listen.map(({ address, port, tls }) => `  listens on ${address} port ${port}, TLS: ${tls}`),
    `  routes: ${[...settings.routes.map(({ name }) => name), 'then mx'].join(', ')}`,
  ]
  context.answer(
    { schema: 'hermetic.config-check/1', file: used, good: true, remarks, settings },
    lines.join('\n'),
  )
  return asHoped
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
