import { expect, test } from 'vitest'
import type { IncidentEvent } from '../../journal/journal.ts'
import { createIncidents } from './incidents.ts'

function setup() {
  const told: IncidentEvent[] = []
  const clock = { nowMs: 1_000_000 }
  const incidents = createIncidents(
    event => told.push(event),
    () => clock.nowMs,
  )
  return { told, clock, incidents }
}

test('the first of a kind from an address is told at once, the next ones as a number a minute later', () => {
  const { told, clock, incidents } = setup()
  for (let i = 0; i < 10; i++) incidents.tell('relay.denied', '192.0.2.1', `attempt ${i}`)
  incidents.tell('relay.denied', '192.0.2.2', 'another client')
  incidents.tell('starttls.bytes-after-command', '192.0.2.1', 'another kind')
  expect(told.map(event => event.says)).toEqual(['attempt 0', 'another client', 'another kind'])
  clock.nowMs += 60_000
  incidents.tell('relay.denied', '192.0.2.1', 'again')
  expect(told.at(-1)).toEqual({
    kind: 'incident',
    at: new Date(clock.nowMs).toISOString(),
    code: 'relay.denied',
    client: '192.0.2.1',
    says: 'again (and 9 more since the last time this was told)',
  })
})

test('text from outside is shown, not passed on', () => {
  const { told, incidents } = setup()
  incidents.tell('relay.denied', '192.0.2.1', 'to <a\x1b[31m\r\n\u202e>')
  expect(told[0]?.says).toBe('to <a\\x1b[31m\\r\\n\\u202e>')
})

test('a clock that goes back does not silence anything', () => {
  const { told, clock, incidents } = setup()
  incidents.tell('a', 'b', 'one')
  clock.nowMs -= 3_600_000
  incidents.tell('a', 'b', 'two')
  expect(told).toHaveLength(2)
})

test('what many addresses do is remembered for a bounded number of them', () => {
  const { told, incidents } = setup()
  for (let i = 0; i < 20_000; i++) incidents.tell('a', String(i), 'once')
  // The oldest are forgotten, and so told again; the newest are not.
  incidents.tell('a', '0', 'twice')
  incidents.tell('a', '19999', 'twice')
  expect(told.filter(event => event.says === 'twice').map(event => event.client)).toEqual(['0'])
})
