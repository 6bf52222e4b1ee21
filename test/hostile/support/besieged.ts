/** A relay under attack: how its memory grew, and whether others are still served. */
import { readFileSync, writeFileSync } from 'node:fs'
import { corpus, withoutTrace } from '../../support/corpus.ts'
import { type Started, startHermetic, temporaryDirectory } from '../../support/hermetic.ts'
import { until } from '../../support/process.ts'
import { type Sink, startSink } from '../../support/sink.ts'
import { submit } from '../../support/source.ts'

/** Resets the kernel's record of the greatest memory a process ever had; the function returned tells in bytes how far it rose above what is there now. */
export function watchMemory(pid: number): () => number {
  const before = memoryBytes(pid, 'VmRSS')
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // Some sandboxes have no such file: then what is there at the end must do.
    return () => memoryBytes(pid, 'VmRSS') - before
  }
  return () => memoryBytes(pid, 'VmHWM') - before
}

function memoryBytes(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1]
  if (kilobytes === undefined) throw new Error(`no ${which} of process ${pid}`)
  return Number(kilobytes) * 1024
}

/**
 * What the relay may grow by whatever one attack sends, in octets. V8 lets 64 MB of buffers lie as garbage before it looks for any, and its young generation
 * grows under load by some tens more; an attack whose octets were kept would need several hundred, or all there is.
 */
export const allowedGrowthBytes = 160 * 1024 * 1024

/** Somebody else's message goes through, byte for byte, from an address of its own. */
export async function honestMessageArrives(
  relay: Started,
  sink: Sink,
  options: { readonly to?: string; readonly tls?: boolean } = {},
): Promise<void> {
  const to = options.to ?? 'bob@sink.example'
  const from = `honest-${++serial}@source.example`
  await submit(relay.port, honest, { from, to: [to], tls: options.tls === true, localAddress: honestAddress })
  const mine = () => sink.received.filter(each => each.from.includes(from))
  await until(() => mine().length > 0, `the message of ${from} is in the sink`)
  const [arrived] = mine()
  if (arrived === undefined || !withoutTrace(arrived.content).equals(honest))
    throw new Error(`the message of ${from} arrived changed`)
}

const honest = corpus[0]?.content ?? Buffer.alloc(0)
let serial = 0
/** No attacker comes from here. */
export const honestAddress = '127.0.0.99'

export interface Besieged {
  readonly relay: Started
  /** Where mail for everybody goes that no route of the test sends elsewhere. */
  readonly sink: Sink
  /** Waits until the log tells of this incident. @param client its address, where it matters */
  toldOf(code: string, client?: string): Promise<void>
  stop(): Promise<void>
}

/** A relay whose mail goes to a sink. @param yaml as for `startHermetic`; `routes` come before the one to the sink. */
export async function besiege(options: {
  readonly name: string
  readonly tls?: 'none' | 'starttls' | 'implicit'
  readonly yaml?: readonly string[]
  readonly routes?: readonly string[]
}): Promise<Besieged> {
  const directory = temporaryDirectory(options.name)
  const sink = await startSink({ smtputf8: true })
  const relay = await startHermetic({
    directory: directory.path,
    tls: options.tls ?? 'starttls',
    yaml: [
      ...(options.yaml ?? []),
      'routes:',
      ...(options.routes ?? []),
      '  - name: sink',
      `    to: { host: 127.0.0.1, port: ${sink.port} }`,
      '    tls: none',
    ],
  })
  return {
    relay,
    sink,
    toldOf: (code, client) =>
      until(
        () => relay.log().includes(`incident ${code} [${client ?? ''}`),
        `the incident ${code} of ${client ?? 'anybody'} is told`,
      ),
    async stop() {
      await relay.stop()
      await sink.stop()
      directory.remove()
    },
  }
}
