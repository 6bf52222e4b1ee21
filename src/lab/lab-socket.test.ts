import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askLab, type LabSocket, openLabSocket } from './lab-socket.ts'

let directory = ''
let open: LabSocket | null = null
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-socket-'))
})
afterEach(async () => {
  await open?.close()
  open = null
  rmSync(directory, { recursive: true })
})

const answers = { status: () => ({ pid: 7 }), end: () => ({ ending: true }) }

describe('the socket of a lab', () => {
  test('answers each word with its document, and is for this user alone', async () => {
    open = await openLabSocket(directory, answers)
    expect(statSync(join(directory, 'lab.sock')).mode & 0o777).toBe(0o600)
    expect(await askLab(directory, 'status')).toEqual({ pid: 7 })
    expect(await askLab(directory, 'end')).toEqual({ ending: true })
  })

  test('replaces a file that was left, also in a directory whose path is long', async () => {
    const deep = join(directory, 'd'.repeat(120))
    mkdirSync(deep)
    writeFileSync(join(deep, 'lab.sock'), '')
    open = await openLabSocket(deep, answers)
    expect(await askLab(deep, 'status')).toEqual({ pid: 7 })
  })

  test.each([
    ['another word', 'halt\n'],
    ['no end', 'x'.repeat(1_000)],
  ])('hangs up on %s', async (_, said) => {
    open = await openLabSocket(directory, answers)
    const socket = connect(join(directory, 'lab.sock'))
    socket.write(said)
    let heard = ''
    socket.on('data', bytes => {
      heard += String(bytes)
    })
    await new Promise(resolve => socket.on('error', () => undefined).on('close', resolve))
    expect(heard).toBe('')
  })

  test('that is not there gives no answer, and so does a directory that is not', async () => {
    expect(await askLab(directory, 'status')).toBeNull()
    expect(await askLab(join(directory, 'none', 'x'.repeat(120)), 'status')).toBeNull()
    writeFileSync(join(directory, 'lab.sock'), '')
    expect(await askLab(directory, 'status')).toBeNull()
  })
})
