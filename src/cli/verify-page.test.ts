import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { playPage } from './testing/verify-page.ts'

const docs = join(import.meta.dirname, '..', '..', 'docs')

test('what docs/verify.md shows is what the commands print (vitest -u writes it anew)', async () => {
  const page = readFileSync(join(docs, 'verify.md'), 'utf8')
  const played = await playPage(page, join(docs, 'examples'))
  expect(played.match(/^\$ hermetic /gm)?.length).toBeGreaterThan(4)
  await expect(played).toMatchFileSnapshot('../../docs/verify.md')
})
