import { expect, test } from 'vitest'
import { decodeMessage, encodeMessage, makeQuery } from './message.ts'
import { parseName } from './name.ts'
import { typeNumbers } from './numbers.ts'
import { padded, paddingBlockBytes, paddingOption } from './padding.ts'

const edns = { udpPayloadBytes: 1232, version: 0, dnssecOk: true, options: [] }

function query(text: string, options: readonly { code: number; data: Uint8Array }[] = []) {
  const name = parseName(text)
  if (name === null) throw new Error(`not a name: ${text}`)
  return makeQuery({ id: 1, name, type: typeNumbers.TLSA, edns: { ...edns, options } })
}

const names = Array.from(
  { length: 240 },
  (_, i) => `${'x'.repeat(1 + (i % 60))}.${'y'.repeat(1 + Math.floor(i / 4))}.example`,
)

test.each(names.filter((_, i) => i % 7 === 0))(
  'a question for %s fills whole blocks, and asks what it asked',
  name => {
    const plain = query(name)
    const bytes = encodeMessage(padded(plain))
    expect(bytes.length % paddingBlockBytes).toBe(0)
    expect(bytes.length - encodeMessage(plain).length).toBeLessThan(paddingBlockBytes + 4)
    const decoded = decodeMessage(bytes)
    if (decoded.kind === 'malformed') throw new Error(decoded.because)
    const [option, ...others] = decoded.value.edns?.options ?? []
    expect(others).toEqual([])
    expect(option?.code).toBe(paddingOption)
    expect(option?.data.every(byte => byte === 0)).toBe(true)
    expect(decoded.value.questions).toEqual(plain.questions)
  },
)

test('every length that names can have is padded to the next block', () => {
  for (const name of names) expect(encodeMessage(padded(query(name))).length % paddingBlockBytes).toBe(0)
})

test('other options stay, and padding that is there is replaced', () => {
  const cookie = { code: 10, data: Uint8Array.of(1, 2, 3) }
  const once = padded(query('mx.example', [cookie]))
  expect(once.edns?.options.map(({ code }) => code)).toEqual([10, paddingOption])
  expect(padded(once)).toEqual(once)
})

test('a message without EDNS stays as it is', () => {
  const plain = { ...query('mx.example'), edns: null }
  expect(padded(plain)).toBe(plain)
})
