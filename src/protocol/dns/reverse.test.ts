import { expect, test } from 'vitest'
import { parseIp } from '../ip.ts'
import { formatName } from './name.ts'
import { reverseName } from './reverse.ts'

test.each([
  ['192.0.2.25', '25.2.0.192.in-addr.arpa'],
  ['0.0.0.0', '0.0.0.0.in-addr.arpa'],
  // RFC 3596 §2.5.
  ['4321:0:1:2:3:4:567:89ab', 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa'],
])('%s is %s', (address, name) => {
  expect(formatName(reverseName(parseIp(address) ?? new Uint8Array()))).toBe(name)
})

test('what is no address is our own mistake', () => {
  expect(() => reverseName(new Uint8Array(5))).toThrow(RangeError)
})
