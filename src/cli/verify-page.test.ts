import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { playPage } from './testing/verify-page.ts'

test('what docs/verify.md shows is what the commands print', async () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'verify.md'), 'utf8')
  const directory = mkdtempSync(join(tmpdir(), 'verify-page-'))
  try {
    const played = await playPage(page, directory)
    expect(played.match(/^\$ hermetic /gm)?.length).toBeGreaterThan(4)
    expect(played).toBe(page)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
