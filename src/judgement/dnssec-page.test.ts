import { expect, test } from 'vitest'
import { dnssecFindings } from './findings/dnssec.ts'
import { dnssecPage } from './testing/dnssec-page.ts'

test('docs/dnssec.md is what the code and its registers say (vitest -u writes it anew)', async () => {
  await expect(dnssecPage()).toMatchFileSnapshot('../../docs/dnssec.md')
})

test('docs/dnssec.md has every reason, and no other', () => {
  const told = [...dnssecPage().matchAll(/^\| `(dnssec\.[a-z0-9-]+)` \|/gm)].map(([, code]) => code)
  expect(told).toEqual(Object.keys(dnssecFindings))
})
