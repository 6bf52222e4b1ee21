/**
 * Real programs judge our certificate cases: the same outcome as ours, or a listed reason (disagreements.ts).
 *
 * A disagreement that is not listed fails, and so does a listed one that is none any more. docs/oracles.md is the outcome in words;
 * HERMETIC_WRITE=1 writes it anew.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isPublicSuffix } from '../../src/judgement/public-suffix.ts'
import { verifyChain } from '../../src/judgement/verify.ts'
import { parseTlsa } from '../../src/protocol/dane/tlsa.ts'
import type { Tlsa } from '../../src/protocol/dane/types.ts'
import type { Profile } from '../../src/protocol/x509/model.ts'
import { readChain } from '../../src/protocol/x509/pem.ts'
import { type CertificateCase, certificateCases } from '../certificates/cases.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { disagreements } from './disagreements.ts'
import * as programs from './support/oracles.ts'
import { type Comparison, type Ours, renderOracles, withoutVersions } from './support/oracles-document.ts'

const oracles: readonly programs.Oracle[] = [
  programs.opensslVerify,
  programs.opensslVerifyStrict,
  programs.gnutlsCli,
  programs.postfixPkix,
  programs.opensslDane,
  programs.postfixDane,
  programs.danetool,
  programs.gnutlsCliDane,
]
const document = new URL('../../docs/oracles.md', import.meta.url)
const directory = temporaryDirectory('certificates')
const found = disagreements.flatMap(each => each.found)
const compared = new Map<programs.Oracle, Comparison[]>(oracles.map(oracle => [oracle, []]))

beforeAll(async () => {
  sweepFaketime()
  const cases = await certificateCases()
  const started = await programs.startOracles(directory.path)
  const waiting = [...cases]
  let done = 0
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const asked = oracles.filter(({ kind }) => kind === (next?.tlsa === null ? 'pkix' : 'dane'))
      const answers = await started.ask(next, asked)
      for (const [i, oracle] of asked.entries()) {
        const answer = answers[i]
        if (answer === undefined) continue
        const ours = ourVerdict(next, oracle.profile)
        compared.get(oracle)?.push({ certificates: next, ours, answer, same: agrees(ours, answer) })
      }
      if (++done % 50 === 0) process.stderr.write(`${done} of ${cases.length} cases\n`)
    }
  }
  try {
    // One more than there are processors on the smallest machine: each waits for its programs most of the time.
    await Promise.all([work(), work(), work()])
  } finally {
    await started.stop()
  }
})
afterAll(() => {
  directory.remove()
  sweepFaketime()
})

/** Programs under libfaketime that were ended before their time leave its shared memory behind, and a process of the same number would stumble over it. */
function sweepFaketime(): void {
  for (const name of readdirSync('/dev/shm')) {
    const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join('/dev/shm', name), { force: true })
  }
}

test.for(oracles.map(oracle => [oracle.name, oracle] as const))('%s', ([name, oracle]) => {
  const comparisons = compared.get(oracle) ?? []
  const listed = new Set(found.filter(each => each.oracles.includes(name)).flatMap(each => each.cases))
  const unlisted = comparisons.filter(({ same, certificates }) => same === 'no' && !listed.has(certificates.id))
  expect(
    unlisted.map(
      ({ certificates, ours, answer }) =>
        `${certificates.id}: ${JSON.stringify(ours)}, other: ${JSON.stringify(answer)}`,
    ),
    'disagreements without a reason in disagreements.ts',
  ).toEqual([])
  const differing = new Set(
    comparisons.filter(({ same }) => same === 'no').map(({ certificates }) => certificates.id),
  )
  expect(
    [...listed].filter(id => !differing.has(id)),
    'listed, and no disagreement',
  ).toEqual([])
  expect(comparisons.some(({ same }) => same === 'yes')).toBe(true)
})

test('danetool says of all nine records what is true of one', () => {
  const nine = (compared.get(programs.danetool) ?? []).find(
    ({ certificates }) => certificates.id === 'dane-nine-one-match',
  )
  expect(nine?.certificates.tlsa).toHaveLength(9)
  expect(nine?.answer).toMatchObject({ says: 'Certificate matches, 9 times' })
})

test('no disagreement is listed twice', () => {
  const pairs = found.flatMap(each => each.oracles.flatMap(oracle => each.cases.map(id => `${oracle}: ${id}`)))
  expect(pairs.filter((pair, i) => pairs.indexOf(pair) !== i)).toEqual([])
})

test('docs/oracles.md says so', async () => {
  const versions = new Map<programs.Oracle, string>()
  for (const oracle of oracles) versions.set(oracle, await oracle.version())
  const text = renderOracles(compared, versions, disagreements)
  if (process.env['HERMETIC_WRITE'] === '1') writeFileSync(document, text)
  // Security updates change versions, which is no news about certificates.
  expect(withoutVersions(readFileSync(document, 'utf8'))).toBe(withoutVersions(text))
})

function agrees(ours: Ours, answer: programs.Answer): Comparison['same'] {
  if (answer.kind === 'not-asked') return 'not-asked'
  const isSame =
    answer.verdict === ours.verdict &&
    (ours.verdict !== 'authenticated' ||
      ((answer.by === null || answer.by === ours.by) && (answer.depth === null || answer.depth === ours.depth)))
  return isSame ? 'yes' : 'no'
}

function ourVerdict(certificates: CertificateCase, profile: Profile): Ours {
  const { verdict, by, depth, findings } = verifyChain({
    chain: readChain(certificates.chain.join('')),
    names: certificates.names,
    anyName: 'checked',
    tlsa: certificates.tlsa?.map(recordOf) ?? null,
    roots: readChain(certificates.roots.join('')).flatMap(read =>
      read.kind === 'certificate' ? [read.certificate] : [],
    ),
    rootsGiven: certificates.roots.length > 0,
    known: [],
    atMs: certificates.at.getTime(),
    profile,
    purpose: certificates.purpose,
    maxIntermediates: certificates.maxIntermediates ?? 10,
    keyExchange: null,
    cnFallback: 'never',
    isPublicSuffix,
  })
  return { verdict, by, depth, reason: verdict === 'authenticated' ? null : (findings[0]?.code ?? null) }
}

function recordOf(text: string): Tlsa {
  const parsed = parseTlsa(text)
  if (parsed.kind !== 'record') throw new Error(`no TLSA record: ${text}`)
  return parsed.record
}
