import { expect, test } from 'vitest'
import { maxMessageBytes } from './message.ts'
import { createMessageReader, withLength } from './stream.ts'

const message = (length: number, fill = 7) => new Uint8Array(length).fill(fill)
const streamOf = (messages: readonly Uint8Array[]) => Buffer.concat(messages.map(withLength))

test.each([
  ['one message', [message(12)]],
  ['several messages', [message(12, 1), message(300, 2), message(1, 3)]],
  ['a message without bytes between others', [message(3, 1), message(0), message(2, 2)]],
])('%s comes out whole however the stream is cut', (_, messages) => {
  const stream = streamOf(messages)
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = createMessageReader()
    expect([...reader.receive(stream.subarray(0, cut)), ...reader.receive(stream.subarray(cut))]).toEqual(messages)
  }
  const reader = createMessageReader()
  expect([...stream].flatMap(byte => reader.receive(Uint8Array.of(byte)))).toEqual(messages)
})

test('the longest message fits', () => {
  const reader = createMessageReader()
  expect(reader.receive(streamOf([message(maxMessageBytes), message(1)]))).toEqual([
    message(maxMessageBytes),
    message(1),
  ])
})

test('what is not whole does not come out', () => {
  const reader = createMessageReader()
  const stream = streamOf([message(5)])
  expect(reader.receive(stream.subarray(0, 6))).toEqual([])
})

test('a message stays as it is when the next one comes', () => {
  const reader = createMessageReader()
  const [first] = reader.receive(streamOf([message(4, 1)]))
  reader.receive(streamOf([message(4, 2)]))
  expect(first).toEqual(message(4, 1))
})
