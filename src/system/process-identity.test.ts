import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { livingProcess, processIdentity } from './process-identity.ts'

describe.skipIf(process.platform !== 'linux')('the identity of a process (needs /proc)', () => {
  test('is of that process as long as it lives, and of nobody afterwards', async () => {
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => undefined, 1000)'])
    await new Promise(resolve => child.on('spawn', resolve))
    const identity = processIdentity(child.pid ?? 0)
    if (identity === null) throw new Error('it lives')
    expect(livingProcess(identity)).toBe(child.pid)
    child.kill('SIGKILL')
    await new Promise(resolve => child.on('close', resolve))
    expect(livingProcess(identity)).toBeNull()
  })

  test('is not of another that has its number', () => {
    expect(livingProcess(`${process.pid} 1`)).toBeNull()
  })

  test.each(['', '0 ', '-1 5', 'x y', '1e99 1'])('%j is of nobody', text => {
    expect(livingProcess(text)).toBeNull()
  })
})
