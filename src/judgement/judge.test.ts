import { describe, expect, test } from 'vitest'
import { connectFailure, handshakeFailure } from './connection-failures.ts'
import type { Failure } from './failure.ts'
import { judge } from './judge.ts'
import type { Level } from './plan.ts'
import { planFor } from './plan-rules.ts'

const plan = (level: Level) => planFor({ level, host: 'mail.example', from: 'operator', implicitTls: false })

const expired: Failure = { reason: 'x509.expired', detail: 'it ended', reply: null }
const proved = { kind: 'tls', peer: { failure: null, matched: 'mail.example', by: 'pkix', record: null } } as const
const unproved = { kind: 'tls', peer: { failure: expired, matched: null, by: 'pkix', record: null } } as const

describe('the verdict', () => {
  test('a peer that proved itself is authenticated, at every level', () => {
    for (const level of ['opportunistic', 'encrypt', 'verify'] as const)
      expect(judge(plan(level), proved)).toEqual({
        kind: 'authenticated',
        name: 'configured',
        by: 'pkix',
        matched: 'mail.example',
        record: null,
      })
  })

  test('what does not authenticate is refused under verify, and encrypted under less', () => {
    expect(judge(plan('verify'), unproved)).toEqual({ kind: 'refused', failure: expired })
    for (const level of ['opportunistic', 'encrypt'] as const)
      expect(judge(plan(level), unproved)).toEqual({ kind: 'encrypted', name: 'configured', wouldFail: expired })
  })

  test('clear text is a verdict where the plan takes it, and a refusal where not', () => {
    const clear = { kind: 'clear', because: 'not-offered', failure: null } as const
    expect(judge(plan('opportunistic'), clear)).toEqual({
      kind: 'clear',
      name: 'configured',
      because: 'not-offered',
    })
    expect(judge(plan('encrypt'), clear)).toMatchObject({ failure: { reason: 'starttls.not-offered' } })
    const refused = { reason: 'starttls.refused', detail: null, reply: null } as const
    expect(judge(plan('verify'), { ...clear, failure: refused })).toEqual({ kind: 'refused', failure: refused })
  })
})

describe('codes of the system and of OpenSSL', () => {
  test.each([
    ['ECONNREFUSED', 'net.refused'],
    ['TIMEOUT', 'net.timeout'],
    ['EHOSTUNREACH', 'net.unreachable'],
    ['ECONNRESET', 'net.reset'],
    ['EWHATEVER', 'net.failed'],
  ])('connecting: %s is %s', (code, reason) => {
    expect(connectFailure({ code, message: 'text' }).reason).toBe(reason)
  })

  test.each([
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls.not-tls', 'text'],
    ['ERR_SSL_DH_KEY_TOO_SMALL', 'tls.short-dh-prime', 'text'],
    ['ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED', 'tls.no-secure-renegotiation', 'text'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls.no-common-version', 'alert protocol_version'],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'tls.alert', 'alert bad_certificate'],
    ['CLOSED', 'tls.closed', 'text'],
    ['ERR_SSL_SOMETHING_NEW', 'tls.handshake-failed', 'text'],
  ])('shaking hands: %s is %s', (code, reason, detail) => {
    expect(handshakeFailure({ code, message: 'text' })).toEqual({ reason, detail, reply: null })
  })

  test('OpenSSL’s long line is told by the part a person understands', () => {
    const message =
      '40E7:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../ssl/record.c:80:\n'
    expect(handshakeFailure({ code: 'ERR_SSL_WRONG_VERSION_NUMBER', message }).detail).toBe('wrong version number')
  })
})
