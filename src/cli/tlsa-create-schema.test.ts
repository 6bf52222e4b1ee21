import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { keyOf } from '../../test/certificates/keys.ts'
import { makeAuthority, makeLeaf } from '../../test/certificates/maker.ts'
import { create, type TlsaCreateDocument, type TlsaCreateOptions } from './commands/tlsa.ts'
import type { Context } from './context.ts'
import { type tlsaCreateDocumentSchema, tlsaCreateSchema } from './testing/tlsa-create-schema.ts'

/** True only if either type can stand for the other: a key more or less on one side does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const typesAgree: Same<z.infer<typeof tlsaCreateDocumentSchema>, TlsaCreateDocument> = true

const root = makeAuthority({ subject: 'CN=Root', key: keyOf('root') })
const middle = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('middle') })
const leaf = makeLeaf({ issuer: middle, names: ['mx.example.com'] })

const directory = mkdtempSync(join(tmpdir(), 'tlsa-create-'))
afterAll(() => rmSync(directory, { recursive: true }))
const chain = join(directory, 'chain.pem')
writeFileSync(chain, [leaf, middle, root].map(({ pem }) => pem).join(''))

function documentFor(options: Partial<TlsaCreateOptions>): unknown {
  const answers: unknown[] = []
  const context: Context = {
    json: true,
    config: null,
    paint: (_, text) => text,
    say: () => {},
    remark: () => {},
    answer: document => void answers.push(JSON.parse(JSON.stringify(document))),
  }
  create(chain, { port: 25, ...options }, context)
  return answers[0]
}

describe('docs/tlsa-create.schema.json', () => {
  test('is what the types say (vitest -u writes it anew)', async () => {
    expect(typesAgree).toBe(true)
    await expect(`${JSON.stringify(tlsaCreateSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../docs/tlsa-create.schema.json',
    )
  })

  const validate = new Ajv2020({ allErrors: true }).compile(tlsaCreateSchema())

  test.each<[string, Partial<TlsaCreateOptions>]>([
    ['all of them', {}],
    ['of the issuers', { usage: '2' }],
    ['with warnings, for another host', { host: 'mx.example.net', port: 465 }],
    ['a whole certificate', { usage: '3', selector: '0', mtype: '0' }],
  ])('a document is valid: %s', (_, options) => {
    expect(validate(documentFor(options)) || validate.errors).toBe(true)
  })

  test('a key more is not', () => {
    expect(validate({ ...Object(documentFor({})), key: 'secret' })).toBe(false)
  })
})
