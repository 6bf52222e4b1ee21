import { expect, test } from 'vitest'
import { rsaModulusBits } from './rsa-size.ts'

const modulus = (bytes: number, first = 0xc1) => [first, ...Array.from({ length: bytes - 1 }, () => 0x5a)]
const ofKey = (algorithm: number, ...bytes: readonly number[]) =>
  rsaModulusBits({ algorithm, publicKey: Uint8Array.from(bytes) })

test.each<[string, number | null, number | null]>([
  ['2,048 bits under an exponent of three bytes', ofKey(8, 3, 1, 0, 1, ...modulus(256)), 2_048],
  ['a length of the exponent in three bytes', ofKey(10, 0, 0, 3, 1, 0, 1, ...modulus(128)), 1_024],
  ['a first byte that is not full', ofKey(5, 1, 3, ...modulus(128, 0x01)), 1_017],
  ['zeros in front do not count', ofKey(7, 1, 3, 0, 0, ...modulus(64)), 512],
  ['a curve has none', ofKey(13, 3, 1, 0, 1, ...modulus(64)), null],
  ['an unknown algorithm has none', ofKey(200, 3, 1, 0, 1, ...modulus(64)), null],
  ['no key', ofKey(8), null],
  ['a key that ends in its exponent', ofKey(8, 200, 1, 0, 1), null],
  ['a modulus of zeros', ofKey(8, 1, 3, 0, 0, 0), null],
])('%s', (_, bits, expected) => {
  expect(bits).toBe(expected)
})

test('a key that is cut anywhere is no surprise', () => {
  const whole = [3, 1, 0, 1, ...modulus(16)]
  for (let cut = 0; cut <= whole.length; cut++) {
    const bits = ofKey(8, ...whole.slice(0, cut))
    expect(bits).toBe(cut <= 4 ? null : (cut - 4) * 8)
  }
})
