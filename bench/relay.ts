/**
 * npm run bench:relay: Hermetic and Debian's Postfix in turn, in the same run, on the same machine: 4 KB messages, both with an fsync before the 250,
 * from the first connection until the last message stands at the sink.
 *
 *   clear   smtp-source -> relay -> smtp-sink, 1, 10, 50 and 200 sessions
 *   tls     a new TLS connection for every message, on both sides (our own source and sink for both relays)
 *   dane    the same for Hermetic alone: a route with TLSA records that it proves, beside the same route without DNSSEC; answers cached
 *
 * Options: --rounds N (3), --messages N (4000), --only clear|tls|dane, --relay hermetic|postfix. Prints a table and, with --json, one document.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostfix } from '../test/peers/support/postfix.ts'
import { type Background, freePort, listening, must, run, start, until } from '../test/support/process.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '4000' },
    only: { type: 'string' },
    relay: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const messages = Number(values.messages)
const root = join(import.meta.dirname, '..')
const directory = mkdtempSync(join(tmpdir(), 'hermetic-bench-'))
chmodSync(directory, 0o755)

interface UnderTest {
  readonly name: string
  readonly port: number
  stop(): Promise<void>
}

type Mode = 'clear' | 'tls' | 'dane'

interface Row {
  readonly mode: Mode
  readonly relay: string
  readonly sessions: number
  /** Messages a second, one figure a round. */
  readonly drained: number[]
  readonly accepted: number[]
}

/** @param way as the configuration has it */
async function hermetic(
  sinkPort: number,
  name = 'hermetic',
  way = { to: `{ host: 127.0.0.1, port: ${sinkPort} }`, tls: 'opportunistic', dns: '{ trust: none }' },
): Promise<UnderTest> {
  const state = join(directory, `${name}-${sinkPort}`)
  mkdirSync(state, { recursive: true })
  const port = await freePort()
  const configuration = join(state, 'hermetic.yaml')
  writeFileSync(
    configuration,
    [
      'hostname: hermetic.test.example',
      `state: ${state}`,
      'listen:',
      `  - { address: 127.0.0.1, port: ${port}, tls: starttls }`,
      'relay: { from: [127.0.0.0/8] }',
      'limits: { connections: 1000, connections_per_address: 1000 }',
      'routes:',
      `  - { name: sink, to: ${way.to}, tls: ${way.tls} }`,
      `log: { format: human, file: ${join(state, 'log')} }`,
      `dns: ${way.dns}`,
      '',
    ].join('\n'),
  )
  const relay = start(join(root, 'hermetic'), ['serve', '--config', configuration])
  await listening(port).catch((error: unknown) => {
    throw new Error(`hermetic did not start: ${relay.output()} ${String(error)}`)
  })
  return { name, port, stop: () => relay.stop() }
}

/** The same host by the same DNS, once without DNSSEC and once proven by its TLSA record. */
async function withDane(sinkPort: number, dane: 'off' | 'on'): Promise<UnderTest> {
  const server = start(process.execPath, [
    join(import.meta.dirname, 'support/dane-zone-server.ts'),
    String(sinkPort),
    chain,
  ])
  await until(() => server.output().includes('\n\n'), 'the name server is there', 30_000)
  const [port = '', ...anchors] = server.output().trim().split('\n')
  const file = join(directory, `anchors-${sinkPort}`)
  writeFileSync(file, `${anchors.join('\n')}\n`)
  const dns = `servers: ["127.0.0.1:${port}"], hosts_file: false`
  const relay = await hermetic(sinkPort, dane === 'on' ? 'dane' : 'no dane', {
    to: `{ host: mx.bench.example, port: ${sinkPort} }`,
    tls: dane === 'on' ? 'dane-only' : 'opportunistic',
    dns: dane === 'on' ? `{ ${dns}, anchors: ${file} }` : `{ ${dns}, trust: none }`,
  })
  return {
    ...relay,
    async stop() {
      await relay.stop()
      await server.stop()
    },
  }
}

async function postfix(sinkPort: number, tls: boolean, chain: string, key: string): Promise<UnderTest> {
  const port = await freePort()
  const instance = await startPostfix({
    directory: join(directory, `postfix-${sinkPort}`),
    port,
    main: {
      relayhost: `[127.0.0.1]:${sinkPort}`,
      smtpd_tls_security_level: 'may',
      smtpd_tls_chain_files: `${key}, ${chain}`,
      ...(tls ? { smtp_tls_security_level: 'encrypt', smtp_connection_cache_on_demand: 'no' } : {}),
    },
  })
  return { name: 'postfix', port, stop: () => instance.stop() }
}

/** The counter the sink printed last. */
function taken(sink: Background): number {
  const counts = sink
    .output()
    .slice(-400)
    .match(/mesg=(\d+)/g)
  return Number(counts?.at(-1)?.slice(5) ?? 0)
}

const key = join(directory, 'key.pem')
const chain = join(directory, 'chain.pem')
await must('openssl', [
  ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=bench.example'.split(' '),
  '-keyout',
  key,
  '-out',
  chain,
])
chmodSync(key, 0o644)

const rows: Row[] = []
async function measure(mode: Mode, sessionCounts: readonly number[], total: number): Promise<void> {
  const sinks: Background[] = []
  const relays: { relay: UnderTest; sink: Background }[] = []
  for (const name of mode === 'dane' ? (['off', 'on'] as const) : (['hermetic', 'postfix'] as const)) {
    if (mode !== 'dane' && values.relay !== undefined && values.relay !== name) continue
    const sinkPort = await freePort()
    const sink =
      mode === 'clear'
        ? start('smtp-sink', ['-u', 'nobody', '-c', `127.0.0.1:${sinkPort}`, '1000'])
        : start(process.execPath, [join(import.meta.dirname, 'support/tls-sink.ts'), String(sinkPort), chain, key])
    sinks.push(sink)
    await listening(sinkPort)
    const relay =
      name === 'off' || name === 'on'
        ? await withDane(sinkPort, name)
        : name === 'hermetic'
          ? await hermetic(sinkPort)
          : await postfix(sinkPort, mode === 'tls', chain, key)
    relays.push({ relay, sink })
  }
  try {
    for (const sessions of sessionCounts) {
      const found = relays.map(
        ({ relay }) => ({ mode, relay: relay.name, sessions, drained: [], accepted: [] }) as Row,
      )
      rows.push(...found)
      for (let round = 0; round < rounds; round++) {
        for (const [index, { relay, sink }] of relays.entries()) {
          const before = taken(sink)
          const count = sessions === 1 ? Math.ceil(total / 4) : total
          const begin = process.hrtime.bigint()
          const source =
            mode === 'clear'
              ? run('smtp-source', [
                  ...['-s', String(sessions), '-m', String(count), '-l', '4096'],
                  ...['-f', 'a@source.example', '-t', 'b@sink.example', `127.0.0.1:${relay.port}`],
                ])
              : run(process.execPath, [
                  join(import.meta.dirname, 'support/tls-source.ts'),
                  ...[relay.port, count, sessions, 4096].map(String),
                ])
          let acceptedAt = begin
          const sent = source.then(done => {
            acceptedAt = process.hrtime.bigint()
            if (done.code !== 0) throw new Error(`the source failed against ${relay.name}: ${done.stderr}`)
          })
          await sent
          await until(
            () => taken(sink) - before >= count,
            `${relay.name} has passed on ${count} messages (${taken(sink) - before} so far)`,
            120_000,
          )
          const end = process.hrtime.bigint()
          found[index]?.drained.push((count / Number(end - begin)) * 1e9)
          found[index]?.accepted.push((count / Number(acceptedAt - begin)) * 1e9)
          if (!values.json)
            process.stdout.write(
              `${mode} ${sessions} sessions, round ${round + 1}: ${relay.name} ${Math.round(found[index]?.drained.at(-1) ?? 0)}/s\n`,
            )
        }
      }
    }
  } finally {
    for (const { relay } of relays) await relay.stop()
    for (const sink of sinks) await sink.stop()
  }
}

const median = (figures: readonly number[]) =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0

try {
  const isDone = (mode: Mode) => values.only === undefined || values.only === mode
  if (isDone('clear')) await measure('clear', [1, 10, 50, 200], messages)
  if (isDone('tls')) await measure('tls', [10, 50], Math.ceil(messages / 4))
  if (isDone('dane')) await measure('dane', [10, 50], Math.ceil(messages / 4))
} finally {
  rmSync(directory, { recursive: true, force: true })
}

if (values.json)
  process.stdout.write(`${JSON.stringify({ schema: 'hermetic.bench/1', cpus: cpus().length, rounds, rows })}\n`)
else {
  process.stdout.write(
    `\n${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}, ${rounds} rounds, median (messages/s)\n`,
  )
  process.stdout.write('mode   sessions   relay      until drained   accepted\n')
  for (const row of rows)
    process.stdout.write(
      `${row.mode.padEnd(7)}${String(row.sessions).padEnd(11)}${row.relay.padEnd(11)}${String(Math.round(median(row.drained))).padEnd(16)}${Math.round(median(row.accepted))}\n`,
    )
  for (const proven of rows.filter(row => row.relay === 'dane')) {
    const plain = rows.find(row => row.relay === 'no dane' && row.sessions === proven.sessions)
    if (plain !== undefined)
      process.stdout.write(
        `dane at ${proven.sessions}: ${(median(proven.drained) / median(plain.drained)).toFixed(2)} times the same without\n`,
      )
  }
  for (const ours of rows.filter(row => row.relay === 'hermetic')) {
    const theirs = rows.find(
      row => row.relay === 'postfix' && row.mode === ours.mode && row.sessions === ours.sessions,
    )
    if (theirs !== undefined)
      process.stdout.write(
        `${ours.mode} at ${ours.sessions}: ${(median(ours.drained) / median(theirs.drained)).toFixed(2)} times Postfix\n`,
      )
  }
}
