/**
 * npm run bench:dnssec: answers validated per second, with RSA-2048, P-256 and Ed25519: TLSA records, no data by NSEC3, and an address from a wildcard, each
 * in a zone below a top-level domain below a root, all of one algorithm.
 *
 *   in memory   the validator alone, its questions answered by messages that are read already: everything from the root down, and with the zone's keys known;
 *               beside the bare verifications of the same signatures by node:crypto
 *   over UDP    our resolver and unbound in turns, forwarding to the same name server, a process of its own; the same questions, as many at a time:
 *               cold, when each question has a top-level domain and a zone of its own to find out about; new names in zones whose keys are known;
 *               and the same names again
 *
 * In memory it is CPU time. Over UDP it is both, and CPU time is that of the resolver's process alone: ours asks itself, unbound is asked by this process. Everything that is not secure ends the run.
 * Without unbound (`test/peers/install`, as root) ours is measured alone.
 *
 * Options: --rounds N (3), --concurrency N (8), --algorithm 8|13|15, --json.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { answersOf } from '../src/lab/signing/signed-world.ts'
import { parseName } from '../src/protocol/dns/name.ts'
import { typeFromName } from '../src/protocol/dns/numbers.ts'
import { algorithmName, findAlgorithm } from '../src/protocol/dnssec/algorithms.ts'
import { readAnchors } from '../src/protocol/dnssec/anchors.ts'
import { createDnssecBudget } from '../src/protocol/dnssec/budget.ts'
import type { TrustAnchor, ValidatedAnswer, WireAnswer, WireQuestion } from '../src/protocol/dnssec/types.ts'
import { validate } from '../src/protocol/dnssec/validate.ts'
import { createZoneCache } from '../src/protocol/dnssec/zone-cache.ts'
import { createDnsWire, type DnsWire } from '../src/system/dns-wire.ts'
import { createValidatingResolver } from '../src/system/validating-resolver.ts'
import { start, until } from '../test/support/process.ts'
import { type AnswerCase, answerCases, signedZones } from './support/signed-zones.ts'
import { startUnbound, type Unbound, unboundVersion } from './support/unbound.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '8' },
    algorithm: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const concurrency = Number(values.concurrency)
const algorithms = values.algorithm === undefined ? [8, 13, 15] : [Number(values.algorithm)]
/** Chains of zones, and names asked for in each. */
const [chains, names] = [24, 16]
/** Flushes in one round, each followed by all chains cold. */
const coldTimes = 3
const inMemoryMs = 120

interface InMemory {
  readonly algorithm: number
  readonly answer: string
  readonly state: 'cold' | 'keys known'
  readonly verifications: number
  /** CPU time for one answer, one figure a round. */
  readonly us: number[]
  /** The same verifications alone. */
  readonly signaturesUs: number[]
}

type State = 'cold' | 'new names' | 'again'

interface OverUdp {
  readonly algorithm: number
  readonly answer: string
  readonly state: State
  readonly resolver: 'hermetic' | 'unbound'
  /** One figure a round. */
  readonly perSecond: number[]
  /** CPU time of its process for one answer; empty where the system does not tell. */
  readonly cpuUs: number[]
}

function questionFrom(text: string): WireQuestion {
  const [owner = '', type = ''] = text.split(' ')
  const [name, number] = [parseName(owner), typeFromName(type)]
  if (name === null || number === null) throw new Error(`not a question: ${text}`)
  return { name, type: number }
}

function mustBeSecure(answer: ValidatedAnswer, { label, outcome }: AnswerCase): void {
  if (answer.security !== 'secure' || answer.outcome !== outcome)
    throw new Error(`${label}: ${answer.outcome}, ${answer.security}, ${answer.reason}`)
}

/** Microseconds of CPU time for one. */
function measure(work: () => void): number {
  const until = performance.now() + inMemoryMs
  const before = cpuUs()
  let times = 0
  do {
    for (let i = 0; i < 10; i++) work()
    times += 10
  } while (performance.now() < until)
  return (cpuUs() - before) / times
}

/** CPU time this process has taken so far, in microseconds. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** One verification of what a signature on a small RRset covers. */
function bareVerification(algorithm: number): () => void {
  const { publicKey, privateKey } =
    algorithm === 8
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : algorithm === 13
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519')
  const data = Buffer.alloc(120, 'x')
  const hash = algorithm === 15 ? null : 'sha256'
  const signature = sign(hash, data, privateKey)
  return () => {
    if (!verify(hash, data, publicKey, signature)) throw new Error('a signature of our own is bad')
  }
}

function measureInMemory(algorithm: number): readonly InMemory[] {
  const world = signedZones(algorithm, 1, 1)
  const answers = new Map<string, WireAnswer>()
  const fresh = answersOf(world)
  const answerTo = (question: WireQuestion): WireAnswer => {
    const key = `${question.type} ${question.name.join()}`
    const known = answers.get(key) ?? fresh(question)
    answers.set(key, known)
    return known
  }
  const known = createZoneCache()
  const verifyOnce = bareVerification(algorithm)
  const found = findAlgorithm(algorithm)
  const units = found === null || found.kind === 'rsa' ? 1 : found.units
  const measured = answerCases.flatMap(answerCase =>
    (['cold', 'keys known'] as const).map(state => {
      const question = questionFrom(answerCase.question(0, 0))
      const once = () => {
        const budget = createDnssecBudget()
        const zones = state === 'cold' ? createZoneCache() : known
        const { anchors, nowMs } = world
        const walk = validate(question, { anchors, insecure: [], nowMs, budget, zones })
        let step = walk.next()
        while (step.done !== true) step = walk.next(step.value.map(answerTo))
        mustBeSecure(step.value, answerCase)
        return budget
      }
      once()
      const verifications = Math.floor(once().spent.signatures / units)
      const row: InMemory = { algorithm, answer: answerCase.label, state, verifications, us: [], signaturesUs: [] }
      return { row, once }
    }),
  )
  // Before the first round, so that what is measured is compiled.
  for (const { once } of measured) for (let time = 0; time < 3; time++) measure(once)
  for (let round = 0; round < rounds; round++) {
    const oneUs = measure(verifyOnce)
    for (const { row, once } of measured) {
      row.us.push(measure(once))
      row.signaturesUs.push(row.verifications * oneUs)
    }
  }
  return measured.map(({ row }) => row)
}

/** A resolver that can forget, asked everything from a list. */
interface Asked {
  ask(questions: readonly WireQuestion[], answerCase: AnswerCase): Promise<void>
  forget(): Promise<void>
  cpuUs(): number | null
  stop(): Promise<void>
}

function hermetic(port: number, anchors: readonly TrustAnchor[]): Asked {
  const open = () => {
    const wire: DnsWire = createDnsWire({ servers: [`127.0.0.1:${port}`], timeoutMs: 10_000 })
    return { wire, resolver: createValidatingResolver({ wire, anchors, insecure: [], now: Date.now }) }
  }
  let current = open()
  return {
    async ask(questions, answerCase) {
      let next = 0
      const one = async () => {
        for (let question = questions[next++]; question !== undefined; question = questions[next++])
          mustBeSecure(await current.resolver.resolve(question.name, question.type), answerCase)
      }
      await Promise.all(Array.from({ length: concurrency }, one))
    },
    async forget() {
      await current.wire.close()
      current = open()
    },
    cpuUs,
    stop: () => current.wire.close(),
  }
}

function beside(unbound: Unbound): Asked {
  return {
    ask: questions => unbound.ask(questions, concurrency),
    forget: () => unbound.flush(),
    cpuUs: () => unbound.cpuUs(),
    stop: () => unbound.stop(),
  }
}

async function measureOverUdp(
  algorithm: number,
  directory: string,
  withUnbound: boolean,
): Promise<readonly OverUdp[]> {
  const program = join(import.meta.dirname, 'support/signed-zones-server.ts')
  const server = start(process.execPath, [program, ...[algorithm, chains, names + 1].map(String)])
  await until(() => server.output().endsWith('\n\n'), 'the zones are served')
  const [first, ...keys] = server.output().trim().split('\n')
  const port = Number(first)
  const read = readAnchors(keys.join('\n'))
  if (read.kind !== 'anchors') throw new Error(read.says)
  const resolvers: readonly (readonly [OverUdp['resolver'], Asked])[] = [
    ['hermetic', hermetic(port, read.anchors)],
    ...(withUnbound ? [['unbound', beside(await startUnbound(directory, port, keys))] as const] : []),
  ]
  const rows = new Map<string, OverUdp>()
  try {
    for (let round = -1; round < rounds; round++)
      for (const answerCase of answerCases)
        for (const [resolver, asked] of resolvers) {
          const timed = async (
            state: State,
            times: number,
            before: () => Promise<void>,
            texts: readonly string[],
          ) => {
            const questions = texts.map(questionFrom)
            let [ms, us]: [number, number | null] = [0, 0]
            for (let time = 0; time < times; time++) {
              await before()
              const [startMs, startUs] = [performance.now(), asked.cpuUs()]
              await asked.ask(questions, answerCase)
              const endUs = asked.cpuUs()
              ms += performance.now() - startMs
              us = us === null || startUs === null || endUs === null ? null : us + endUs - startUs
            }
            // The first round only lets the server make its answers.
            if (round < 0) return
            const id = `${answerCase.label} ${state} ${resolver}`
            const row = rows.get(id) ?? {
              ...{ algorithm, answer: answerCase.label, state, resolver, perSecond: [], cpuUs: [] },
            }
            rows.set(id, row)
            row.perSecond.push((times * questions.length * 1_000) / ms)
            if (us !== null) row.cpuUs.push(us / (times * questions.length))
          }
          const every = Array.from({ length: chains }, (_, chain) => chain)
          // The last name of each zone is asked for only here, so that the others are new when it is their turn.
          await timed(
            'cold',
            coldTimes,
            () => asked.forget(),
            every.map(chain => answerCase.question(chain, names)),
          )
          const others = Array.from({ length: names }, (_, index) =>
            every.map(chain => answerCase.question(chain, index)),
          ).flat()
          const nothing = () => Promise.resolve()
          await timed('new names', 1, nothing, others)
          await timed('again', 2, nothing, others)
        }
  } finally {
    for (const [, asked] of resolvers) await asked.stop()
    await server.stop()
  }
  return [...rows.values()]
}

const median = (figures: readonly number[]): number => figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0
const perSecond = (figure: number): string => Math.round(figure).toLocaleString('en').padStart(8)

function print(algorithm: number, inMemory: readonly InMemory[], overUdp: readonly OverUdp[]): void {
  console.log(`\n${algorithm} (${algorithmName(algorithm)}), medians of ${rounds} rounds`)
  console.log('  in memory                               answers/s        us  verifications  alone, us')
  for (const { answer, state, verifications, us, signaturesUs } of inMemory) {
    const [one, alone] = [median(us), median(signaturesUs)]
    const share = Math.round((alone / one) * 100)
    console.log(
      `  ${answer.padEnd(24)}${state.padEnd(13)} ${perSecond(1_000_000 / one)}  ${one.toFixed(0).padStart(8)}  ${String(verifications).padStart(13)}  ${alone.toFixed(0).padStart(9)} (${share} %)`,
    )
  }
  console.log(
    `  over UDP, ${concurrency} at a time                 Hermetic   unbound   times   CPU us: Hermetic   unbound`,
  )
  for (const ours of overUdp.filter(row => row.resolver === 'hermetic')) {
    const theirs = overUdp.find(
      row => row.resolver === 'unbound' && row.answer === ours.answer && row.state === ours.state,
    )
    const beside = theirs === undefined ? '-' : perSecond(median(theirs.perSecond)).trim()
    const times = theirs === undefined ? '-' : (median(ours.perSecond) / median(theirs.perSecond)).toFixed(2)
    const cpuBeside = theirs === undefined || theirs.cpuUs.length === 0 ? '-' : median(theirs.cpuUs).toFixed(0)
    console.log(
      `  ${ours.answer.padEnd(24)}${ours.state.padEnd(13)} ${perSecond(median(ours.perSecond))}  ${beside.padStart(8)}  ${times.padStart(6)}  ${median(ours.cpuUs).toFixed(0).padStart(17)}  ${cpuBeside.padStart(8)}`,
    )
  }
}

const directory = mkdtempSync(join(tmpdir(), 'hermetic-dnssec-'))
try {
  const version = await unboundVersion()
  if (version === null)
    process.stderr.write(
      'There is no unbound, so ours is measured alone. To have both, run this once as root: test/peers/install\n',
    )
  const all: { inMemory: readonly InMemory[]; overUdp: readonly OverUdp[] }[] = []
  if (!values.json)
    console.log(
      `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, unbound ${version ?? 'not installed'}`,
    )
  for (const algorithm of algorithms) {
    process.stderr.write(`${algorithmName(algorithm)}: in memory\n`)
    const inMemory = measureInMemory(algorithm)
    process.stderr.write(`${algorithmName(algorithm)}: over UDP\n`)
    const overUdp = await measureOverUdp(algorithm, directory, version !== null)
    all.push({ inMemory, overUdp })
    if (!values.json) print(algorithm, inMemory, overUdp)
  }
  if (values.json) {
    const [inMemory, overUdp] = [all.flatMap(each => each.inMemory), all.flatMap(each => each.overUdp)]
    const head = { schema: 'hermetic.bench/1', cpus: cpus().length, unbound: version, rounds, concurrency }
    process.stdout.write(`${JSON.stringify({ ...head, inMemory, overUdp })}\n`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
