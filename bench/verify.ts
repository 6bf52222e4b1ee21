/**
 * npm run bench:verify: chains judged per second, RSA-2048 and P-256, three certificates each (leaf, intermediate, root), beside OpenSSL.
 * Options: --rounds N (5), --seconds S (1, of each measurement).
 *
 * In turns within each round, so that a noisy machine is noisy for all: our own judgement of a chain whose certificates were read before (a relay's usual
 * case: it remembers them), the same with reading them anew each time, the two signature checks inside it alone (by node:crypto, with the keys at
 * hand), and a whole `X509_verify_cert` by OpenSSL as `openssl verify` does it, taken as the difference between verifying the chain a thousand times in one
 * process and once; and what `openssl speed` says of one raw verification. Last, `./hermetic verify` as a process, Node's own start included.
 */
import { createPublicKey, verify as verifySignature, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isPublicSuffix } from '../src/judgement/public-suffix.ts'
import { createBudget } from '../src/protocol/x509/budget.ts'
import { parseCertificate } from '../src/protocol/x509/certificate.ts'
import type { Certificate, Read } from '../src/protocol/x509/model.ts'
import { judgePkix } from '../src/protocol/x509/pkix.ts'
import { createAuthority, type KeyKind } from '../src/system/certificate-maker.ts'
import { must } from '../test/support/process.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '1' } },
})
const rounds = Number(values.rounds)
const milliseconds = Number(values.seconds) * 1_000
const opensslTimes = 1_000
const directory = mkdtempSync(join(tmpdir(), 'hermetic-verify-'))

interface Chain {
  readonly kind: KeyKind
  readonly leaf: Uint8Array
  readonly intermediate: Uint8Array
  readonly root: Uint8Array
}

async function makeChain(kind: KeyKind): Promise<Chain> {
  const authority = await createAuthority({ commonName: 'Bench Root', key: kind })
  const between = await authority.intermediate({ commonName: 'Bench CA', key: kind, pathLength: 0 })
  const leaf = await between.leaf({ names: ['mx.bench.example', '*.bench.example'], key: kind })
  writeFileSync(join(directory, `${kind}-chain.pem`), leaf.chain)
  writeFileSync(join(directory, `${kind}-leaf.pem`), leaf.certificate)
  writeFileSync(join(directory, `${kind}-between.pem`), between.certificate)
  writeFileSync(join(directory, `${kind}-root.pem`), authority.root)
  const der = (pem: string) => new X509Certificate(pem).raw
  return { kind, leaf: der(leaf.certificate), intermediate: der(between.certificate), root: der(authority.root) }
}

function read(der: Uint8Array): Certificate {
  const found = parseCertificate(der)
  if (found.kind !== 'certificate') throw new Error('a certificate of our own cannot be read')
  return found.certificate
}

function judgeOnce(chain: readonly Read[], roots: readonly Certificate[]): void {
  const { verdict } = judgePkix({
    chain,
    roots,
    names: ['mx.bench.example'],
    cn: 'never',
    atMs: Date.now(),
    profile: 'mail',
    purpose: 'server',
    maxIntermediates: 10,
    isPublicSuffix,
    budget: createBudget(),
  })
  if (verdict.kind !== 'authenticated') throw new Error(`the chain was refused: ${verdict.reason}`)
}

/** Microseconds for one. */
function measure(work: () => void): number {
  const until = performance.now() + milliseconds
  const before = performance.now()
  let times = 0
  do {
    for (let i = 0; i < 50; i++) work()
    times += 50
  } while (performance.now() < until)
  return ((performance.now() - before) * 1_000) / times
}

/** Microseconds for one verification of the chain inside OpenSSL: many leaves in one process, less one. */
async function measureOpenssl(kind: KeyKind): Promise<number> {
  const leaf = join(directory, `${kind}-leaf.pem`)
  const common = [
    'verify',
    '-CAfile',
    join(directory, `${kind}-root.pem`),
    '-untrusted',
    join(directory, `${kind}-between.pem`),
  ]
  const timed = async (leaves: number) => {
    const before = performance.now()
    await must('openssl', [...common, ...Array.from({ length: leaves }, () => leaf)])
    return performance.now() - before
  }
  const [one, many] = [await timed(1), await timed(1 + opensslTimes)]
  return ((many - one) * 1_000) / opensslTimes
}

/** Microseconds of one raw verification, as OpenSSL measures itself. */
async function opensslSpeed(kind: KeyKind): Promise<number> {
  const name = kind === 'rsa' ? 'rsa2048' : 'ecdsap256'
  const { stdout } = await must('openssl', ['speed', '-mr', '-seconds', '1', name])
  // Machine-readable: `+F2:NUMBER:BITS:SIGNATURES:VERIFICATIONS`, each a second; F4 for ECDSA.
  const fields = /^\+F[24]:.*$/m.exec(stdout)?.[0].split(':') ?? []
  return 1_000_000 / Number(fields[4])
}

async function measureProcess(): Promise<number> {
  const before = performance.now()
  const hermetic = join(import.meta.dirname, '..', 'hermetic')
  await must(hermetic, [
    'verify',
    ...['--chain', join(directory, 'rsa-chain.pem'), '--roots', join(directory, 'rsa-root.pem')],
    ...['--name', 'mx.bench.example'],
  ])
  return performance.now() - before
}

async function measureNode(): Promise<number> {
  const before = performance.now()
  await must(process.execPath, ['-e', '0'])
  return performance.now() - before
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
const perSecond = (us: number): string => Math.round(1_000_000 / us).toLocaleString('en')

try {
  console.log(
    `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, OpenSSL ${process.versions.openssl} inside`,
  )
  console.log((await must('openssl', ['version'])).stdout.trim())
  for (const kind of ['rsa', 'ec'] as const) {
    const chain = await makeChain(kind)
    const roots = [read(chain.root)]
    const known: readonly Read[] = [chain.leaf, chain.intermediate].map(der => ({
      kind: 'certificate',
      certificate: read(der),
    }))
    const signatures = [chain.leaf, chain.intermediate].map((der, place) => {
      const { tbs, signature } = read(der)
      const issuer = new X509Certificate(place === 0 ? chain.intermediate : chain.root).publicKey
      return { tbs, signature, key: createPublicKey(issuer.export({ type: 'spki', format: 'pem' })) }
    })
    const times = {
      known: [] as number[],
      anew: [] as number[],
      signatures: [] as number[],
      openssl: [] as number[],
      raw: [] as number[],
    }
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`${kind} ${round + 1} of ${rounds}\n`)
      times.known.push(measure(() => judgeOnce(known, roots)))
      times.anew.push(measure(() => judgeOnce([chain.leaf, chain.intermediate].map(parseCertificate), roots)))
      times.signatures.push(
        measure(() => {
          for (const { tbs, signature, key } of signatures)
            if (!verifySignature('sha256', tbs, key, signature)) throw new Error('a signature of our own is bad')
        }),
      )
      times.openssl.push(await measureOpenssl(kind))
      times.raw.push(await opensslSpeed(kind))
    }
    const [one, anew, alone, openssl, raw] = [
      times.known,
      times.anew,
      times.signatures,
      times.openssl,
      times.raw,
    ].map(median)
    const share = (whole = 1) => `${Math.round(((alone ?? 0) / whole) * 100)} % of it inside the signatures`
    console.log(`\n${kind === 'rsa' ? 'RSA-2048' : 'P-256'}, chain of 3, medians of ${rounds} rounds`)
    console.log(
      `  Hermetic, certificates known  ${perSecond(one ?? 1).padStart(8)}/s  ${(one ?? 0).toFixed(1).padStart(7)} us, ${share(one)}`,
    )
    console.log(
      `  Hermetic, certificates read   ${perSecond(anew ?? 1).padStart(8)}/s  ${(anew ?? 0).toFixed(1).padStart(7)} us, ${share(anew)}`,
    )
    console.log(
      `  the two signatures alone      ${perSecond(alone ?? 1).padStart(8)}/s  ${(alone ?? 0).toFixed(1).padStart(7)} us`,
    )
    console.log(
      `  openssl verify, per chain     ${perSecond(openssl ?? 1).padStart(8)}/s  ${(openssl ?? 0).toFixed(1).padStart(7)} us, leaf read from its file included`,
    )
    console.log(
      `  openssl speed, two of them    ${perSecond(2 * (raw ?? 1)).padStart(8)}/s  ${(2 * (raw ?? 0)).toFixed(1).padStart(7)} us`,
    )
  }
  const [processes, starts]: [number[], number[]] = [[], []]
  await measureProcess()
  for (let round = 0; round < Math.max(rounds, 11); round++) {
    processes.push(await measureProcess())
    starts.push(await measureNode())
  }
  console.log(
    `\n./hermetic verify as a process: ${median(processes).toFixed(0)} ms (node -e 0: ${median(starts).toFixed(0)} ms), medians of ${processes.length}`,
  )
} finally {
  rmSync(directory, { recursive: true })
}
