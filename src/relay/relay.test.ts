import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { direct } from '../system/dialer.ts'
import { defaultSettings } from './configuration/configuration.ts'
import { startRelay } from './relay.ts'

test('a fault of our own in a reload is told, and the relay goes on with what it has', async () => {
  const state = mkdtempSync(join(tmpdir(), 'relay-'))
  const lines: string[] = []
  const { dns } = defaultSettings()
  const relay = await startRelay(
    defaultSettings({
      dns: { ...dns, trust: 'none' },
      hostname: 'box.example.org',
      state,
      listen: [{ address: '127.0.0.1', port: 0, tls: 'none', tryNext: 0 }],
    }),
    {
      dialer: direct,
      resolver: null,
      log: line => lines.push(line),
      reread() {
        throw new Error('a bug')
      },
    },
  )
  expect(await relay.reload()).toMatchObject({
    kind: 'kept',
    problems: [expect.stringContaining('please report')],
  })
  expect(lines.join('\n')).toMatch(/error: reload met a fault of our own: Error: a bug/)
  await relay.stop()
  rmSync(state, { recursive: true })
})
