import { describe, expect, test } from 'vitest'
import { keyOf } from '../../test/certificates/keys.ts'
import { at, extendedKeyUsage, type Made, makeAuthority, makeLeaf } from '../../test/certificates/maker.ts'
import { read } from './testing/chains.ts'
import { tlsaSubjects } from './tlsa-subjects.ts'

const root = makeAuthority({ subject: 'CN=Root', key: keyOf('root') })
const middle = makeAuthority({ subject: 'CN=Middle', issuer: root, key: keyOf('middle') })
const leaf = makeLeaf({ issuer: middle, names: ['mx.example.com'] })
const stranger = makeAuthority({ subject: 'CN=Stranger', key: keyOf('stranger') })

function subjects(made: readonly Made[], host: string | null = 'mx.example.com') {
  const found = tlsaSubjects({ chain: made.map(read), atMs: at.getTime(), host })
  if (found === 'several') return found
  return {
    own: found.own?.position ?? null,
    order: found.order,
    working: found.issuers.filter(({ trouble }) => trouble === null).map(({ position }) => position),
    troubles: found.issuers.flatMap(({ trouble }) => trouble ?? []),
  }
}

describe('the server’s own certificate and its issuers', () => {
  test.each<[string, Made[], object]>([
    ['in order', [leaf, middle, root], { own: 0, order: null, working: [1, 2] }],
    ['upside down', [root, middle, leaf], { own: 2, order: [2, 1, 0], working: [1, 0] }],
    ['with the root before its time', [leaf, root, middle], { own: 0, order: [0, 2, 1], working: [2, 1] }],
    ['with a stranger, which signed nothing', [leaf, stranger, middle], { own: 0, order: null, working: [2] }],
    ['behind an authority that did not sign it', [stranger, leaf, middle], { own: 1, order: null, working: [2] }],
    ['an authority alone', [middle], { own: null, order: null, working: [0] }],
    ['authorities alone', [middle, root], { own: null, order: null, working: [0, 1] }],
  ])('%s', (_title, made, expected) => {
    expect(subjects(made)).toMatchObject({ ...expected, troubles: [] })
  })

  test('of several servers behind an authority nobody can tell', () => {
    const other = makeLeaf({ names: ['other.example.com'] })
    const another = makeLeaf({ names: ['another.example.com'] })
    expect(subjects([stranger, other, another])).toBe('several')
  })
})

test('an expired certificate of the server keeps no issuer from being named for the next one', () => {
  const old = makeLeaf({ issuer: middle, names: ['mx.example.com'], notAfter: new Date(at.getTime() - 1_000) })
  expect(subjects([old, middle])).toMatchObject({ own: 0, working: [1], troubles: [] })
})

describe('no issuer that a client refuses', () => {
  const below = (recipe: Parameters<typeof makeAuthority>[0]) => {
    const issuer = makeAuthority({ subject: 'CN=Sub', key: keyOf('sub'), issuer: root, ...recipe })
    return [makeLeaf({ issuer, names: ['mx.example.com'] }), issuer, root]
  }
  test.each<[string, Made[], string]>([
    ['that is no authority', below({ extensions: { basicConstraints: null } }), 'is not an authority'],
    [
      'above a leaf for clients',
      [makeLeaf({ issuer: middle, extensions: { extendedKeyUsage: extendedKeyUsage(['clientAuth']) } }), middle],
      'may not be used for this',
    ],
  ])('%s', (_title, made, trouble) => {
    const found = subjects(made)
    expect(found).toMatchObject({ own: 0, working: [] })
    expect(JSON.stringify(found)).toContain(trouble)
  })

  test('that stands above an expired one, which itself may be named', () => {
    const found = subjects(below({ notAfter: new Date(at.getTime() - 1_000) }))
    expect(found).toMatchObject({ working: [1] })
    expect(JSON.stringify(found)).toContain('No record can name CN=Root: A certificate of the server has expired')
  })

  test('nor one for a host that the certificate does not carry', () => {
    expect(subjects([leaf, middle], 'mx.example.net')).toMatchObject({
      working: [],
      troubles: ["The server's own certificate does not carry mx.example.net."],
    })
    expect(subjects([leaf, middle], null)).toMatchObject({ working: [1] })
  })
})
