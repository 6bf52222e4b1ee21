import { expect, test } from 'vitest'
import { inOrderOfHope, maxTried } from './hope.ts'
import { a, firstOf, memory, route, workbench, zone } from './testing/workbench.ts'

const now = Date.UTC(2026, 10, 21)

async function candidates(count: number) {
  const addresses = [...Array(count).keys()].map(i => `192.0.2.${i + 1}`)
  const hosts = addresses.map(address => ({ name: address, port: 25 }))
  const { hop } = workbench(1, { resolver: zone({ 'mail.example A': [a('192.0.2.1')] }) })
  const [, itinerary] = await firstOf(hop, route('opportunistic', { hosts }))
  return itinerary.candidates
}

const addresses = (list: readonly { readonly address: string }[]) => list.map(({ address }) => address)

test('what failed lately comes last in its old order, and not any more when its time is over', async () => {
  const knowledge = memory()
  knowledge.failed('192.0.2.1:25', 'net.timeout', now)
  knowledge.failed('192.0.2.2:25', 'net.timeout', now - 7_200_000)
  knowledge.failed('192.0.2.3:25', 'tls.closed', now)
  const { tried, left } = inOrderOfHope(await candidates(4), knowledge, now)
  expect(addresses(tried)).toEqual(['192.0.2.2', '192.0.2.4', '192.0.2.1', '192.0.2.3'])
  expect(left).toEqual([])
})

test('when all failed lately, all are tried', async () => {
  const knowledge = memory()
  for (const address of ['192.0.2.1', '192.0.2.2']) knowledge.failed(`${address}:25`, 'net.timeout', now)
  expect(addresses(inOrderOfHope(await candidates(2), knowledge, now).tried)).toEqual(['192.0.2.1', '192.0.2.2'])
})

test('more than one attempt tries are told apart: those that failed lately first', async () => {
  const knowledge = memory()
  knowledge.failed('192.0.2.1:25', 'net.timeout', now)
  const { tried, left } = inOrderOfHope(await candidates(maxTried + 1), knowledge, now)
  expect(tried).toHaveLength(maxTried)
  expect(addresses(left)).toEqual(['192.0.2.1'])
})

test('what failed by a clock that was ahead is not put off for the difference', async () => {
  const knowledge = memory()
  knowledge.failed('192.0.2.1:25', 'net.timeout', now + 864_000_000)
  const { tried } = inOrderOfHope(await candidates(2), knowledge, now)
  expect(addresses(tried)).toEqual(['192.0.2.1', '192.0.2.2'])
})
