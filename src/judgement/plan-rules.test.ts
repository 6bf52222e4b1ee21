import { expect, test } from 'vitest'
import { isAtLeast, literalAddress, planFor } from './plan-rules.ts'

const route = { from: 'operator', implicitTls: false } as const

test.each([
  ['none', 'never', 'clear'],
  ['opportunistic', 'if-offered', 'clear'],
  ['encrypt', 'required', 'encrypted'],
  ['verify', 'required', 'pkix'],
] as const)('level %s: STARTTLS %s, and %s is the least acceptable', (level, starttls, peer) => {
  const plan = planFor({ ...route, level, host: 'mail.example' })
  expect(plan.starttls).toBe(starttls)
  expect(plan.least.peer).toBe(peer)
})

test('the operator’s name is verified and sent as SNI, in A-labels and lower case', () => {
  const plan = planFor({ ...route, level: 'verify', host: 'Mail.Dev.Example.' })
  expect(plan.references).toEqual([{ name: 'mail.dev.example', from: 'operator' }])
  expect(plan.sni).toBe('mail.dev.example')
  expect(plan.name).toBe('configured')
  expect(planFor({ ...route, level: 'verify', host: 'bücher.example' }).sni).toBe('xn--bcher-kva.example')
})

test('an MX name is verified as published, and counts as unauthenticated', () => {
  const plan = planFor({ level: 'verify', host: 'mx.example', from: 'mx-name', implicitTls: false })
  expect(plan.references).toEqual([{ name: 'mx.example', from: 'mx-name' }])
  expect(plan.name).toBe('unauthenticated')
  expect(plan.least.name).toBe('unauthenticated')
})

test('an address is a reference, but never an SNI', () => {
  const plan = planFor({ ...route, level: 'verify', host: '[IPv6:2001:DB8::1]' })
  expect(plan.references[0]?.name).toBe('2001:db8::1')
  expect(plan.sni).toBeNull()
})

test('with TLS from the first byte there is no STARTTLS and never clear text', () => {
  const plan = planFor({ level: 'opportunistic', host: 'mail.example', from: 'operator', implicitTls: true })
  expect(plan.starttls).toBe('never')
  expect(plan.least.peer).toBe('encrypted')
})

test('proofs have an order', () => {
  expect(isAtLeast('pkix', 'encrypted')).toBe(true)
  expect(isAtLeast('pkix', 'pkix')).toBe(true)
  expect(isAtLeast('encrypted', 'pkix')).toBe(false)
})

test('an address literal is its address', () => {
  expect(literalAddress('[192.0.2.1]')).toBe('192.0.2.1')
  expect(literalAddress('[IPv6:2001:DB8::1]')).toBe('2001:db8::1')
  expect(literalAddress('mx.example')).toBeNull()
})
