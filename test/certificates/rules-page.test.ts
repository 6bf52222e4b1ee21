import { expect, test } from 'vitest'
import { certificateCases } from './cases.ts'
import { rulesPage } from './rules-page.ts'

test('docs/x509.md is what the table of rules and the cases say (vitest -u writes it anew)', async () => {
  await expect(rulesPage(await certificateCases())).toMatchFileSnapshot('../../docs/x509.md')
})
