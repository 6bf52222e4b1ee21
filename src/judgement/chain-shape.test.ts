import { describe, expect, test } from 'vitest'
import { intermediate, intermediateWith, leaf, root, rootWith } from '../../test/certificates/case.ts'
import { keyOf } from '../../test/certificates/keys.ts'
import type { Made } from '../../test/certificates/maker.ts'
import type { Read } from '../protocol/x509/model.ts'
import { chainShape } from './chain-shape.ts'
import { certificate, read } from './testing/chains.ts'

const stranger = rootWith({ subject: 'CN=A Stranger', key: keyOf('stranger') })
/** The same authority under another root. */
const crossSigned = intermediateWith({ issuer: stranger })
const malformed: Read = { kind: 'malformed', der: new Uint8Array([1, 2]), detail: 'no certificate' }

const shape = (chain: readonly Made[]) => chainShape(chain.map(read))
const sound = { early: [], strangers: [], copies: [], roots: [] }

describe('a chain', () => {
  test.each<[string, readonly Made[], Partial<ReturnType<typeof chainShape>>]>([
    ['of a leaf alone is in order', [leaf()], sound],
    ['in order is in order', [leaf(), intermediate()], sound],
    ['with its root tells where that is', [leaf(), intermediate(), root()], { ...sound, roots: [2] }],
    [
      'upside down above the leaf is not in order',
      [leaf(), root(), intermediate()],
      { ...sound, early: [1], roots: [1] },
    ],
    ['with a stranger says so', [leaf(), stranger, intermediate()], { ...sound, strangers: [1] }],
    [
      'with the leaf twice has a copy',
      [leaf(), leaf(), intermediate()],
      { ...sound, copies: [{ position: 1, of: 0 }] },
    ],
    ['whose intermediate is missing does not call its root a stranger', [leaf(), root()], sound],
    ['with both sides of a cross-signature is in order', [leaf(), intermediate(), crossSigned], sound],
    [
      'with a root signed by an algorithm of old tells where that is',
      [leaf(), intermediate(), rootWith({ key: keyOf('root', 'rsa-2048'), signature: 'rsa-sha1' })],
      { ...sound, roots: [2] },
    ],
    [
      'with the certificate by which a root passed on to its next key has no root to spare',
      [leaf(), intermediate(), rootWith({ issuer: rootWith({ key: keyOf('old root') }) })],
      sound,
    ],
    ['that is a root alone has no root to spare', [root()], sound],
  ])('%s', (_, made, expected) => {
    expect(shape(made)).toMatchObject(expected)
  })

  test('ends below the issuer that was not sent', () => {
    expect(shape([leaf()]).missing).toEqual(certificate(intermediate()).subject)
    expect(shape([leaf(), intermediate()]).missing).toEqual(certificate(root()).subject)
    expect(shape([leaf(), intermediate(), root()]).missing).toBeNull()
  })

  test('keeps its positions around a block that cannot be read', () => {
    expect(chainShape([read(leaf()), malformed, read(stranger)])).toMatchObject(sound)
  })

  test('without a readable leaf has no shape', () => {
    const none = { ...sound, missing: null }
    expect(chainShape([malformed, read(intermediate())])).toEqual(none)
    expect(chainShape([])).toEqual(none)
  })
})
