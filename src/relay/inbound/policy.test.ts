import { expect, test } from 'vitest'
import { parseAddress } from '../../protocol/mail/address.ts'
import { createRelayPolicy } from './policy.ts'

const policy = createRelayPolicy({ hostname: 'mx.example.org', relayFrom: [], relayTo: [], postmaster: null })

test.each([
  ['postmaster@[IPv6:2001:db8::1]', 'accept'],
  ['"Postmaster"@[IPv6:2001:0DB8:0:0::0001]', 'accept'],
  ['postmaster@[IPv6:2001:db8::2]', 'refuse'],
  ['"postmaster "@[IPv6:2001:db8::1]', 'refuse'],
])('from a stranger to the address 2001:db8::1, %s is answered: %s', (text, kind) => {
  const to = parseAddress(text)
  if (typeof to === 'string') throw new Error(to)
  const client = { address: '192.0.2.9', ourAddress: '2001:db8::1', maySendAnywhere: false }
  expect(policy.decide(client, to).kind).toBe(kind)
})
