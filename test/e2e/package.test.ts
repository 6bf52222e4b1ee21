/** What other programs import, as npm packs it: built, packed, unpacked into an empty folder, and used there. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { answersOf, createSignedWorld, worldZone } from '../../src/lab/signing/signed-world.ts'
import { encodeMessage } from '../../src/protocol/dns/message.ts'
import { parseName } from '../../src/protocol/dns/name.ts'
import { typeFromName } from '../../src/protocol/dns/numbers.ts'
import { createAuthority } from '../../src/system/certificate-maker.ts'
import { must } from '../support/process.ts'

const root = join(import.meta.dirname, '..', '..')
const directory = mkdtempSync(join(tmpdir(), 'hermetic-package-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('hermetic/x509 and hermetic/dane judge a chain, and hermetic/dnssec an answer, in a program of somebody else', async () => {
  await must(join(root, 'scripts', 'run'), ['build'])
  await must('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], { cwd: root })
  const [packed = ''] = readdirSync(directory)
  const home = join(directory, 'node_modules', 'hermetic')
  mkdirSync(home, { recursive: true })
  await must('tar', ['-xzf', join(directory, packed), '-C', home, '--strip-components=1'])

  const authority = await createAuthority({ commonName: 'Root' })
  const leaf = await authority.leaf({ names: ['mx.example'] })
  writeFileSync(join(directory, 'chain.pem'), leaf.chain + authority.root)
  writeFileSync(join(directory, 'recording.json'), JSON.stringify(recordedAnswers()))
  writeFileSync(
    join(directory, 'program.mjs'),
    `import { readFileSync } from 'node:fs'
import { createTlsa, findTlsa, judgeDane, parseTlsa, tlsaText } from 'hermetic/dane'
import { createDnssecBudget, createZoneCache, decodeMessage, formatName, parseName, readAnchors, typeName, typeNumbers, validate } from 'hermetic/dnssec'
import { createBudget, judgePkix, readChain } from 'hermetic/x509'

const chain = readChain(readFileSync('chain.pem', 'utf8'))
const [leaf, root] = chain.map(read => read.certificate)
const question = {
  chain,
  names: ['mx.example'],
  atMs: Date.now(),
  profile: 'mail',
  purpose: 'server',
  maxIntermediates: 8,
  isPublicSuffix: name => !name.includes('.'),
}
const pkix = judgePkix({ ...question, roots: [root], cn: 'never', budget: createBudget() })
const [record] = createTlsa(root, { usages: [2], selectors: [1], matchingTypes: [1] })
const parsed = parseTlsa(tlsaText(record))
const dane = judgeDane({ ...question, records: [parsed.record], budget: createBudget() })

const search = findTlsa([{ host: 'mx.example', port: 25, address: { aliases: [], security: 'secure' } }])
const [asked] = search.next().value

const { anchors, nowMs, answers } = JSON.parse(readFileSync('recording.json', 'utf8'))
const walk = validate(
  { name: parseName('mx.example'), type: typeNumbers.A },
  { anchors: readAnchors(anchors).anchors, insecure: [], nowMs, budget: createDnssecBudget(), zones: createZoneCache() },
)
let step = walk.next()
while (!step.done)
  step = walk.next(
    step.value.map(({ name, type }) => {
      const { value } = decodeMessage(Buffer.from(answers[formatName(name) + ' ' + typeName(type)], 'hex'))
      return { kind: 'message', message: value, server: 'recording' }
    }),
  )
const { outcome, security } = step.value
console.log(JSON.stringify([pkix.verdict.kind, pkix.verdict.depth, dane.verdict.by, dane.verdict.depth, outcome, security, asked.name]))
`,
  )
  const { stdout } = await must(process.execPath, ['program.mjs'], { cwd: directory })
  expect(JSON.parse(stdout)).toEqual([
    'authenticated',
    1,
    'dane-ta',
    1,
    'records',
    'secure',
    '_25._tcp.mx.example',
  ])
  writeFileSync(
    join(directory, 'program.ts'),
    `import type { DaneJudgement } from 'hermetic/dane'
import { rootAnchors, type ValidatedAnswer } from 'hermetic/dnssec'
import { readChain, type Certificate } from 'hermetic/x509'
const [first] = readChain('')
export const leaf: Certificate | null = first?.kind === 'certificate' ? first.certificate : null
export const record = (judgement: DaneJudgement): string => judgement.records[0]?.state ?? 'none'
export const status = (answer: ValidatedAnswer): string => answer.security + rootAnchors.length
`,
  )
  const types = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  await must(
    join(root, 'node_modules', '.bin', 'tsc'),
    [...types, '--typeRoots', join(root, 'node_modules', '@types'), 'program.ts'],
    { cwd: directory },
  )

  // Only what is for others is in it, and none of it is a test.
  const files = readdirSync(home, { recursive: true }).map(String)
  expect(files.filter(file => /\.test\.|testing/.test(file))).toEqual([])
})

/** What a signed internet of two zones answers, as bytes by question. */
function recordedAnswers() {
  const nowMs = Date.UTC(2026, 0, 15)
  const world = createSignedWorld({ zones: [worldZone('example', ['mx.example A 192.0.2.1'], {})], nowMs })
  const ask = answersOf(world)
  const questions = ['mx.example A', '. DNSKEY', 'example DS', 'example DNSKEY'] as const
  const answers = questions.map(text => {
    const [owner, type] = text.split(' ')
    const answer = ask({ name: parseName(owner ?? '') ?? [], type: typeFromName(type ?? '') ?? 0 })
    if (answer.kind === 'failed') throw new Error(answer.why)
    return [text.replace(/^\. /, ' '), Buffer.from(encodeMessage(answer.message)).toString('hex')]
  })
  return { anchors: world.anchorLines.ds.join('\n'), nowMs, answers: Object.fromEntries(answers) }
}
