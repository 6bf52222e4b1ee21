import { expect, test } from 'vitest'
import type { BodyWriter } from '../../spool/spool.ts'
import { createContentSink } from './content-sink.ts'

function recorder(): { body: BodyWriter; written: Uint8Array[] } {
  const written: Uint8Array[] = []
  const body: BodyWriter = {
    write: bytes => void written.push(bytes),
    size: 0,
    content: () => null,
    discard: () => {},
  }
  return { body, written }
}

test('what is lent may change after it was settled', () => {
  const { body, written } = recorder()
  const sink = createContentSink(body)
  const lent = Buffer.from('first')
  sink.add(lent)
  void sink.settle('more-comes')
  lent.write('SECND')
  sink.add(lent)
  void sink.settle('complete')
  lent.fill(0)
  expect(Buffer.concat(written).toString()).toBe('firstSECND')
})

test('small content goes to the body as one piece, of its own size', () => {
  const { body, written } = recorder()
  const sink = createContentSink(body)
  sink.add(Buffer.alloc(200, 1))
  sink.add(Buffer.alloc(4_000, 2))
  void sink.settle('complete')
  expect(written.map(piece => piece.length)).toEqual([4_200])
})

test('single octets are passed on in pieces of kilobytes, in their order', () => {
  const { body, written } = recorder()
  const sink = createContentSink(body)
  const whole = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
  for (let i = 0; i < whole.length; i++) {
    sink.add(whole.subarray(i, i + 1))
    void sink.settle('more-comes')
  }
  void sink.settle('complete')
  expect(Buffer.concat(written).equals(whole)).toBe(true)
  expect(written.length).toBeLessThan(10)
})

test('nothing added is nothing written', () => {
  const { body, written } = recorder()
  void createContentSink(body).settle('complete')
  expect(written).toEqual([])
})
