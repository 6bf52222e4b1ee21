import { describe, expect, test } from 'vitest'
import { connectFailure, handshakeFailure } from './connection-failures.ts'
import type { CertificateEvidence } from './evidence.ts'
import { judge } from './judge.ts'
import type { Level } from './plan.ts'
import { planFor } from './plan-rules.ts'

const plan = (level: Level) => planFor({ level, host: 'mail.example', from: 'operator', implicitTls: false })

function certificate(
  position: number,
  subject: string,
  issuer: string,
  names: readonly string[] = [],
): CertificateEvidence {
  return {
    position,
    subject,
    issuer,
    names: names.map(value => ({ type: 'dns', value })),
    notBefore: `2026-01-0${position + 1}T00:00:00.000Z`,
    notAfter: `2027-01-0${position + 1}T00:00:00.000Z`,
    key: 'EC P-256',
    sha256: String(position),
  }
}

const leaf = certificate(0, 'CN=mail.example', 'CN=Between', ['mail.example'])
const between = certificate(1, 'CN=Between', 'CN=Root')
const root = certificate(2, 'CN=Root', 'CN=Root')
const trusted = { authorized: true, error: null }
const tls = (chain: readonly CertificateEvidence[], error: string | null = null) =>
  ({ kind: 'tls', tls: { chain, openssl: error === null ? trusted : { authorized: false, error } } }) as const

describe('the verdict', () => {
  test('path and name together authenticate, at every level', () => {
    for (const level of ['opportunistic', 'encrypt', 'verify'] as const)
      expect(judge(plan(level), tls([leaf, between]))).toEqual({
        kind: 'authenticated',
        name: 'configured',
        by: 'pkix',
        matched: 'mail.example',
      })
  })

  test('a trusted path without a certificate is none: anonymous suites leave OpenSSL content', () => {
    expect(judge(plan('verify'), tls([]))).toMatchObject({ failure: { reason: 'x509.no-certificate' } })
  })

  test('what does not authenticate is refused under verify, and encrypted under less', () => {
    const conversation = tls([leaf], 'CERT_HAS_EXPIRED')
    const failure = {
      reason: 'x509.expired',
      detail: 'CN=mail.example ended on 2027-01-01T00:00:00.000Z',
      reply: null,
    }
    expect(judge(plan('verify'), conversation)).toEqual({ kind: 'refused', failure })
    expect(judge(plan('encrypt'), conversation)).toEqual({
      kind: 'encrypted',
      name: 'configured',
      wouldFail: failure,
    })
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

test.each([
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', [leaf], 'x509.missing-intermediate', 'issued by CN=Between'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', [leaf, root], 'x509.missing-intermediate', 'issued by CN=Between'],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    [leaf, between],
    'x509.untrusted-root',
    'the chain as sent ends below CN=Root',
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', [leaf, between, root], 'x509.untrusted-root', 'root CN=Root'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', [root], 'x509.self-signed', 'CN=Root'],
  ['CERT_NOT_YET_VALID', [leaf, between], 'x509.not-yet-valid', 'CN=Between begins on 2026-01-02T00:00:00.000Z'],
  ['PATH_LENGTH_EXCEEDED', [leaf, between], 'x509.path-invalid', 'PATH_LENGTH_EXCEEDED'],
])('OpenSSL says %s', (error, chain, reason, detail) => {
  expect(judge(plan('verify'), tls(chain, error))).toMatchObject({ kind: 'refused', failure: { reason, detail } })
})

test('two certificates that name each other as issuer do not lead round for ever', () => {
  const one = certificate(0, 'CN=One', 'CN=Two')
  const two = certificate(1, 'CN=Two', 'CN=One')
  expect(judge(plan('verify'), tls([one, two], 'UNABLE_TO_GET_ISSUER_CERT'))).toMatchObject({ kind: 'refused' })
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
