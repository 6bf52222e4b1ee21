import { expect, test } from 'vitest'
import type { z } from 'zod'
import { type zoneAuditDocumentSchema, zoneAuditSchema } from './testing/zone-audit-schema.ts'
import type { ZoneAuditDocument } from './zone-audit-document.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: Same<z.infer<typeof zoneAuditDocumentSchema>, ZoneAuditDocument> = true

test('docs/zone-audit.schema.json is what the types say (vitest -u writes it anew)', async () => {
  expect(typesAgree).toBe(true)
  await expect(`${JSON.stringify(zoneAuditSchema(), null, 2)}\n`).toMatchFileSnapshot(
    '../../docs/zone-audit.schema.json',
  )
})
