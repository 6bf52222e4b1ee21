import { expect, test } from 'vitest'
import { ownAddresses } from './own-addresses.ts'

test('loopback is nobody, named addresses are ourselves, each once', () => {
  const listen = ['127.0.0.1', '::1', '192.0.2.1', '192.0.2.1', '2001:db8::1'].map(address => ({ address }))
  expect(ownAddresses(listen)).toEqual(['192.0.2.1', '2001:db8::1'])
})

test('a listener on every address of a kind stands for those of the machine', () => {
  const [ipv4, ipv6] = ['0.0.0.0', '::'].map(address => ownAddresses([{ address }]))
  expect(ipv4?.every(address => address.includes('.') && !/^(127|0)\./.test(address))).toBe(true)
  expect(ipv6?.every(address => address.includes(':') && !/^::1?$/.test(address))).toBe(true)
  const both = ownAddresses([{ address: '::' }, { address: '0.0.0.0' }])
  expect(both.toSorted()).toEqual([...(ipv4 ?? []), ...(ipv6 ?? [])].toSorted())
})
