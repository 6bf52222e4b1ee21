import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  claim,
  claimStateDirectory,
  type Made,
  type Places,
  readMade,
  stateDirectories,
  writeMade,
} from './state-directory.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-state-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function places(odd: Partial<Places> = {}): Places {
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary, { recursive: true })
  return { stateHome: join(directory, 'states'), home: join(directory, 'home'), temporary, ...odd }
}

function held(at: Places) {
  const claimed = claimStateDirectory(at)
  if (claimed.kind === 'held') throw new Error('nobody holds it')
  return claimed.directory
}

describe('the state directory of a lab', () => {
  test('is in XDG_STATE_HOME, for this user alone, and is held by one lab at a time', () => {
    const first = held(places())
    expect(first.path).toBe(join(directory, 'states', 'hermetic-lab'))
    expect(statSync(first.path).mode & 0o777).toBe(0o700)
    expect(claimStateDirectory(places())).toEqual({ kind: 'held', path: first.path })
    first.release()
    held(places()).release()
  })

  test.each([
    ['without XDG_STATE_HOME', undefined],
    ['with one that is not absolute', 'states'],
  ])('%s it is below the home', (_, stateHome) => {
    const claimed = held(places({ stateHome }))
    expect(claimed.path).toBe(join(directory, 'home', '.local', 'state', 'hermetic-lab'))
    claimed.release()
  })

  test('is in the temporary directory when the first place cannot be, or is a link', () => {
    writeFileSync(join(directory, 'file'), '')
    const inFile = held(places({ stateHome: join(directory, 'file') }))
    expect(inFile.path).toContain(join(directory, 'tmp', 'hermetic-lab-'))
    inFile.release()
    mkdirSync(join(directory, 'linked'))
    mkdirSync(join(directory, 'elsewhere'))
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'linked', 'hermetic-lab'))
    const past = held(places({ stateHome: join(directory, 'linked') }))
    expect(past.path).toContain(join(directory, 'tmp', 'hermetic-lab-'))
    past.release()
    expect(stateDirectories(places({ stateHome: join(directory, 'linked') }))).toEqual([past.path])
  })

  test('that cannot be anywhere is told', () => {
    writeFileSync(join(directory, 'file'), '')
    const nowhere = join(directory, 'file')
    expect(() => claimStateDirectory(places({ stateHome: nowhere, temporary: nowhere }))).toThrow()
  })

  test('is free again when the process that held it was killed', async () => {
    const script = `import { claim } from ${JSON.stringify(join(import.meta.dirname, 'state-directory.ts'))}
console.log(claim(${JSON.stringify(directory)}).kind)
setInterval(() => undefined, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = await new Promise(resolve => child.stdout.once('data', bytes => resolve(String(bytes).trim())))
    expect(said).toBe('claimed')
    expect(claim(directory).kind).toBe('held')
    child.kill('SIGKILL')
    await new Promise(resolve => child.on('close', resolve))
    expect(claim(directory).kind).toBe('claimed')
  })
})

describe('what a lab made elsewhere', () => {
  test('is written down whole, and gone when all of it is', () => {
    expect(readMade(directory)).toBeNull()
    const made: Made = { namespace: 'x', id: null, etc: ['resolv.conf'] }
    writeMade(directory, made)
    expect(readMade(directory)).toEqual(made)
    writeMade(directory, { ...made, id: '4:1' })
    expect(readMade(directory)).toEqual({ ...made, id: '4:1' })
    writeMade(directory, null)
    expect(readMade(directory)).toBeNull()
  })

  test.each([
    '{}',
    'not json',
    '{"namespace":"../x","id":null,"etc":[]}',
    '{"namespace":"x","id":null,"etc":["/"]}',
  ])('is not believed from %j', text => {
    writeFileSync(join(directory, 'made.json'), text)
    expect(() => readMade(directory)).toThrow()
  })
})
