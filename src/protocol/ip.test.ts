import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalIp, formatIp, isIpv4Mapped, parseIp } from './ip.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::ffff:c000:201', '::ffff:192.0.2.1'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
])('%s is the address %s', (text, canonical) => expect(canonicalIp(text)).toBe(canonical))

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.04',
  '1.2.3.',
  '.1.2.3',
  '1..2.3',
  '0x1.2.3.4',
  '１.2.3.4',
  '+1.2.3.4',
  ':',
  ':::',
  '1:::2',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  'g::',
  ':1::2',
  '1::2:',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4:1',
  '::01.2.3.4',
  '1:2:3:4:5:6:7:1.2.3.4',
  '::1%lo',
  '::1 ',
  '[::1]',
])('%j is no address', text => expect(parseIp(text)).toBeNull())

test('whatever the bytes, their text is read back to them, and the platform reads it as an address', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc
      .array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 })
      .map(list => Uint8Array.from(list)),
  )
  fc.assert(
    fc.property(bytes, address => {
      expect(parseIp(formatIp(address))).toEqual(address)
      expect(isIP(formatIp(address))).toBe(address.length === 4 ? 4 : 6)
    }),
  )
})

test('we take an address exactly when the platform does, zone indices aside', () => {
  const piece = fc.constantFrom(
    ':',
    '::',
    '.',
    '0',
    '1',
    '255',
    '256',
    'ffff',
    'abcd1',
    '10',
    '00',
    'g',
    '192.0.2.1',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), pieces => {
      const text = pieces.join('')
      expect(parseIp(text) !== null, text).toBe(isIP(text) !== 0)
    }),
    { numRuns: 2000 },
  )
})

test('only ::ffff:0:0/96 is IPv4-mapped', () => {
  const isMapped = (text: string) => isIpv4Mapped(parseIp(text) ?? new Uint8Array())
  expect(['::ffff:1.2.3.4', '::1.2.3.4', '::fffe:1.2.3.4', '1::ffff:1.2.3.4', '1.2.3.4'].map(isMapped)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})
