import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compileCacheDirectory } from './compile-cache.js'

const uid = process.getuid?.() ?? -1
let root = ''
let packages = ''
let home = ''
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'compile-')))
  packages = made('node_modules', 0o755)
  home = made('home', 0o755)
})
afterEach(() => rmSync(root, { recursive: true }))

/** Whatever the umask says. */
function made(name: string, mode: number): string {
  const path = join(root, name)
  mkdirSync(path, { recursive: true })
  chmodSync(path, mode)
  return path
}
const place = (more: Partial<Parameters<typeof compileCacheDirectory>[0]> = {}) =>
  compileCacheDirectory({ packages, env: { HOME: home }, uid, ...more })
const inCheckout = () => join(packages, '.cache', 'compiled')
const inHome = () => join(home, '.cache', 'hermetic', 'compiled')

describe('compiled code is kept', () => {
  test('in a checkout that is ours, for nobody else to write to, whatever the umask', () => {
    const before = process.umask(0)
    try {
      expect(place()).toBe(inCheckout())
    } finally {
      process.umask(before)
    }
    expect(statSync(inCheckout()).mode & 0o777).toBe(0o700)
    expect(place()).toBe(inCheckout())
    // So earlier versions made it: what Node makes inside with a loose umask must not be open either.
    chmodSync(inCheckout(), 0o755)
    expect(place()).toBe(inCheckout())
    expect(statSync(inCheckout()).mode & 0o777).toBe(0o700)
  })

  test.each([
    ['a checkout that its group can write to', () => chmodSync(packages, 0o775)],
    ['a checkout that everybody can write to, sticky or not', () => chmodSync(packages, 0o1777)],
    ['a checkout that is not there', () => rmSync(packages, { recursive: true })],
    ['a checkout whose cache others can write to', () => made('node_modules/.cache', 0o777)],
    ['a checkout whose cache is a link', () => symlinkSync(made('elsewhere', 0o755), join(packages, '.cache'))],
  ])('not in %s, but in the user’s cache', (_title, spoil) => {
    spoil()
    expect(place()).toBe(inHome())
    expect(statSync(inHome()).mode & 0o777).toBe(0o700)
  })

  test('in $XDG_CACHE_HOME before $HOME, when it is a whole path', () => {
    rmSync(packages, { recursive: true })
    const xdg = made('xdg', 0o700)
    expect(place({ env: { HOME: home, XDG_CACHE_HOME: xdg } })).toBe(join(xdg, 'hermetic', 'compiled'))
    expect(place({ env: { HOME: home, XDG_CACHE_HOME: 'xdg' } })).toBe(inHome())
  })
})

describe('it is kept nowhere', () => {
  beforeEach(() => chmodSync(packages, 0o777))

  test.each([
    ['without a home', {}],
    ['with an empty home', { HOME: '' }],
    ['with a home that is not there', { HOME: '/gone' }],
  ])('%s', (_title, env) => {
    expect(place({ env })).toBeNull()
  })

  test.each([
    ['with a home that others can write to', () => chmodSync(home, 0o777)],
    ['with a home in a directory where others can put another in its place', () => chmodSync(root, 0o777)],
    ['where somebody made it open to all before us', () => made('home/.cache/hermetic/compiled', 0o777)],
  ])('%s', (_title, spoil) => {
    spoil()
    expect(place()).toBeNull()
  })

  test('where users have no numbers', () => {
    expect(place({ uid: null })).toBeNull()
  })

  test('in what belongs to another user, and nothing is made there', () => {
    chmodSync(packages, 0o755)
    expect(place({ uid: uid + 1 })).toBeNull()
    expect([existsSync(join(packages, '.cache')), existsSync(join(home, '.cache'))]).toEqual([false, false])
  })
})
