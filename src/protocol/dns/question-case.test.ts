import { expect, test } from 'vitest'
import { decodeMessage, encodeMessage, type Message, makeQuery } from './message.ts'
import { formatName, parseName } from './name.ts'
import { typeNumbers } from './numbers.ts'
import { hasCaseOf, inCaseOf, withMixedCase } from './question-case.ts'
import { makeRecord } from './records.ts'

function name(text: string) {
  const parsed = parseName(text)
  if (parsed === null) throw new Error(`not a name: ${text}`)
  return parsed
}
function decoded(bytes: Uint8Array): Message {
  const message = decodeMessage(bytes)
  if (message.kind === 'malformed') throw new Error(message.because)
  return message.value
}
const queryFor = (text: string) =>
  encodeMessage(makeQuery({ id: 1, name: name(text), type: typeNumbers.MX, edns: null }))
const asked = (bytes: Uint8Array) => formatName(decoded(bytes).questions[0]?.name ?? [])
const upper = () => 0
const lower = () => 2 ** 31 - 1

test('letters are thrown, and nothing else', () => {
  const query = queryFor('_25._tcp.mx-1.Example.org')
  expect(asked(withMixedCase(query, upper))).toBe('_25._TCP.MX-1.EXAMPLE.ORG')
  expect(asked(withMixedCase(query, lower))).toBe('_25._tcp.mx-1.example.org')
  // As many letters as one throw has bits, and one more.
  const long = queryFor(`${'a'.repeat(31)}.b.example`)
  let throws = 0
  const counted = withMixedCase(long, () => (throws++ === 0 ? 0b101 : 1))
  expect(asked(counted)).toBe(`aAa${'A'.repeat(28)}.b.EXAMPLE`)
  expect(throws).toBe(2)
  expect(withMixedCase(query, upper).length).toBe(query.length)
})

test('octets that look like letters elsewhere stay', () => {
  const query = queryFor('\\255\\192\\064\\091\\096\\123a.example')
  const mixed = withMixedCase(query, upper)
  expect(decoded(mixed).questions[0]?.name[0]).toEqual(Uint8Array.of(255, 192, 64, 91, 96, 123, 0x41))
})

test('the root has nothing to throw', () => {
  const query = queryFor('.')
  expect(withMixedCase(query, upper)).toEqual(query)
  expect(hasCaseOf(query, query)).toBe(true)
})

test('the query that is given stays as it is', () => {
  const query = queryFor('example.org')
  const before = query.slice()
  withMixedCase(query, upper)
  expect(query).toEqual(before)
})

const answer = (query: Uint8Array) => {
  const message = decoded(query)
  const owner = message.questions[0]?.name ?? []
  const record = makeRecord(formatName(owner), 300, { type: 'MX', preference: 10, exchange: 'mx.example' })
  return encodeMessage({ ...message, isResponse: true, answers: [record] })
}

test('an answer that has the case of its question gets the one that was asked for back, in every name that points there', () => {
  const query = queryFor('mail.example.org')
  const mixed = withMixedCase(query, upper)
  const response = answer(mixed)
  expect(hasCaseOf(mixed, response)).toBe(true)
  expect(hasCaseOf(query, response)).toBe(false)
  const { questions, answers } = decoded(inCaseOf(query, response))
  expect([questions[0]?.name, answers[0]?.name].map(one => formatName(one ?? []))).toEqual([
    'mail.example.org',
    'mail.example.org',
  ])
})

test('one letter makes the difference', () => {
  const query = queryFor('mail.example.org')
  const response = answer(query)
  const letters = [...response.keys()].filter(at => at > 12 && at < 29 && at !== 17 && at !== 25)
  expect(Buffer.from(letters.map(at => response[at] ?? 0)).toString()).toBe('mailexampleorg')
  for (const at of letters) {
    const changed = response.slice()
    changed[at] = (changed[at] ?? 0) ^ 0x20
    expect(hasCaseOf(query, changed)).toBe(false)
  }
})

test('a response without a question differs in nothing', () => {
  const query = queryFor('mail.example.org')
  const refusal = encodeMessage({ ...decoded(query), isResponse: true, rcode: 1, questions: [] })
  expect(hasCaseOf(query, refusal)).toBe(true)
  expect(inCaseOf(query, refusal)).toEqual(refusal)
})

test('a response that is cut anywhere is looked at without a fault', () => {
  const query = queryFor('mail.example.org')
  const response = answer(query)
  for (let end = 0; end <= response.length; end++) {
    const cut = response.subarray(0, end)
    expect(typeof hasCaseOf(query, cut)).toBe('boolean')
    expect(inCaseOf(query, cut).length).toBe(end)
  }
})
