import { describe, expect, test } from 'vitest'
import type { Played, Stage } from './stage.ts'
import { steps } from './steps.ts'
import { openingLine, runTour } from './tour.ts'

const asExpected: Played = {
  ok: true,
  happened: 'delivered',
  differences: [],
  message: '01k9v3p0c2ma7',
  arrival: { host: 'mx2.injected.example', sni: 'smarthost.example', tls: 'TLSv1.3' },
  identical: true,
  sessions: [],
  reasons: ['x509.name-mismatch'],
  reply: '554 5.5.1 Bytes behind STARTTLS: they came in clear text and are not taken for commands',
  incidents: ['starttls.bytes-after-command'],
}

/** The wrong certificate's message arrives nowhere; the attack submits none. */
const notCompared = ['wrong-name', 'injection']

function stage(change: (scenario: string, played: Played) => Played): Stage & { readonly played: string[] } {
  const played: string[] = []
  return {
    played,
    relay: { address: '127.0.0.1', port: 2525 },
    hostCount: 12,
    configuration: '/home/pat/.local/state/hermetic-tour/hermetic.yaml',
    play(scenario) {
      played.push(scenario)
      return Promise.resolve(
        change(scenario, notCompared.includes(scenario) ? { ...asExpected, identical: null } : asExpected),
      )
    },
  }
}

async function tour(on: Stage, staysUp = false): Promise<{ ok: boolean; lines: readonly string[] }> {
  const lines: string[] = [openingLine('/home/pat/.local/state/hermetic-tour')]
  const document = await runTour(on, { staysUp, hasSwaks: true, tell: line => lines.push(line) })
  return { ok: document.ok, lines }
}

describe('the tour', () => {
  test.each([true, false])('tells all in at most 25 lines of 100 columns (stays up: %s)', async staysUp => {
    const on = stage((_, played) => played)
    const { ok, lines } = await tour(on, staysUp)
    expect(ok).toBe(true)
    expect(lines.length).toBeLessThanOrEqual(25)
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100)
    expect(on.played).toEqual(steps.map(({ scenario }) => scenario))
    expect(lines.filter(line => line.includes('./hermetic') || line.includes('swaks'))).toHaveLength(3)
    expect(lines.join('\n')).not.toContain('FAILED')
    expect(lines.join('\n')).not.toContain('…')
  })

  test.each(steps.map(({ scenario }) => scenario))(
    'marks %s when it did not come out as expected, and is not ok',
    async failing => {
      const difference = `it arrived at the wrong host\x1b[2J, ${'which is a long story '.repeat(10)}`
      const { ok, lines } = await tour(
        stage((scenario, played) =>
          scenario === failing ? { ...played, ok: false, differences: [difference] } : played,
        ),
      )
      expect(ok).toBe(false)
      expect(lines.filter(line => line.startsWith('FAILED'))).toHaveLength(1)
      expect(lines.join('\n')).toContain('it arrived at the wrong host\\x1b')
      expect(lines.length).toBeLessThanOrEqual(25)
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100)
    },
  )

  test('is not ok when a message changed on its way, or did not arrive', async () => {
    for (const identical of [false, null]) {
      const on = stage((scenario, played) => (scenario === 'smarthost' ? { ...played, identical } : played))
      const { ok, lines } = await tour(on)
      expect(ok).toBe(false)
      expect(lines.some(line => line.startsWith('FAILED Byte-identical'))).toBe(true)
    }
  })

  test('the path of the state is never cut', () => {
    const path = `/srv/${'a-long-name/'.repeat(12)}hermetic-tour`
    expect(openingLine(path).endsWith(path)).toBe(true)
  })

  test('a configuration with a blank in its name is quoted in the commands', async () => {
    const { lines } = await tour({
      ...stage((_, played) => played),
      configuration: "/tmp/it's mine/hermetic.yaml",
    })
    expect(lines.at(-1)).toContain(`--config '/tmp/it'\\''s mine/hermetic.yaml'`)
  })
})
