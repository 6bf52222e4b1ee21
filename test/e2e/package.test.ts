/** What other programs import, as npm packs it: built, packed, unpacked into an empty folder, and used there. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createAuthority } from '../../src/system/certificate-maker.ts'
import { must } from '../support/process.ts'

const root = join(import.meta.dirname, '..', '..')
const directory = mkdtempSync(join(tmpdir(), 'hermetic-package-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('hermetic/x509 and hermetic/dane judge a chain in a program of somebody else', async () => {
  await must(join(root, 'scripts', 'run'), ['build'])
  await must('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], { cwd: root })
  const [packed = ''] = readdirSync(directory)
  const home = join(directory, 'node_modules', 'hermetic')
  mkdirSync(home, { recursive: true })
  await must('tar', ['-xzf', join(directory, packed), '-C', home, '--strip-components=1'])

  const authority = await createAuthority({ commonName: 'Root' })
  const leaf = await authority.leaf({ names: ['mx.example'] })
  writeFileSync(join(directory, 'chain.pem'), leaf.chain + authority.root)
  writeFileSync(
    join(directory, 'program.mjs'),
    `import { readFileSync } from 'node:fs'
import { createTlsa, judgeDane, parseTlsa, tlsaText } from 'hermetic/dane'
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
console.log(JSON.stringify([pkix.verdict.kind, pkix.verdict.depth, dane.verdict.by, dane.verdict.depth]))
`,
  )
  const { stdout } = await must(process.execPath, ['program.mjs'], { cwd: directory })
  expect(JSON.parse(stdout)).toEqual(['authenticated', 1, 'dane-ta', 1])
  writeFileSync(
    join(directory, 'program.ts'),
    `import type { DaneJudgement } from 'hermetic/dane'
import { readChain, type Certificate } from 'hermetic/x509'
const [first] = readChain('')
export const leaf: Certificate | null = first?.kind === 'certificate' ? first.certificate : null
export const record = (judgement: DaneJudgement): string => judgement.records[0]?.state ?? 'none'
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
