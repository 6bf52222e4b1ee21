import { describe, expect, test } from 'vitest'
import { formatNetwork, mayConnect, networkContains, parseAddress, parseNetwork } from './addresses.ts'

const networks = (...texts: string[]) =>
  texts.map(text => {
    const network = parseNetwork(text)
    if (network === null) throw new Error(text)
    return network
  })
const strict = { own: networks('8.8.4.4', '2a00::25'), allow: [] }

describe('an address that a stranger names', () => {
  const open = [
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '169.253.255.255',
    '11.0.0.0',
    '223.255.255.255',
    '2a00::1',
    '2606:4700::1111',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ]
  const closed = [
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.127.255.255',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '240.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '203.0.113.9',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2002:a00:1::',
    '2001::1',
    '2001:db8::1',
    '100::1',
  ]
  test.each(open)('%s may be connected to', address => expect(mayConnect(address, strict)).toBe(true))
  test.each(closed)('%s is not connected to', address => expect(mayConnect(address, strict)).toBe(false))

  test('is refused when it is one of ours, in any spelling', () => {
    for (const address of ['8.8.4.4', '::ffff:8.8.4.4', '64:ff9b::8.8.4.4', '2a00::25', '2A00:0:0:0:0:0:0:25'])
      expect(mayConnect(address, strict), address).toBe(false)
  })

  test('is accepted when the operator allowed its network, even if it is ours', () => {
    const allow = networks('127.0.0.0/8', 'fd00::/8', '8.8.4.4')
    for (const address of ['127.0.0.9', '::ffff:127.0.0.9', 'fd00::1', '8.8.4.4'])
      expect(mayConnect(address, { ...strict, allow }), address).toBe(true)
    expect(mayConnect('10.0.0.1', { ...strict, allow })).toBe(false)
  })

  test.each([
    '',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '010.0.0.1',
    '1.2.3.4 ',
    'fe80::1%eth0',
    '[::1]',
  ])('%j is no address, so nothing is connected to', text => {
    expect(parseAddress(text)).toBeNull()
    expect(mayConnect(text, { own: [], allow: networks('0.0.0.0/0', '::/0') })).toBe(false)
  })
})

describe('a network', () => {
  test.each([
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '192.0.2.1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.0/24', '::ffff:192.0.2.9', true],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
  ])('%s holds %s: %s', (network, address, holds) => {
    const bytes = parseAddress(address)
    expect(bytes).not.toBeNull()
    expect(networks(network).some(each => bytes !== null && networkContains(each, bytes))).toBe(holds)
  })

  test.each([
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/024',
    '192.0.2.7/24',
    '::1/129',
    '192.0.2.0/-1',
    '/8',
    '1.2.3/8',
    'x',
    '::ffff:1.2.3.4/95',
    '192.0.2.0/24/8',
    '10.0.0.0/ 8',
  ])('%j is refused', text => expect(parseNetwork(text)).toBeNull())

  test.each(['192.0.2.0/24', '192.0.2.1', '2001:db8::/32', '::/0'])('%s is written as it is read', text =>
    expect(networks(text).map(formatNetwork)).toEqual([text]),
  )
})
