/**
 * The vectors of C2SP x509-limbo, where they are present: beside the repository, in `shared/vectors`.
 *
 * `strict` must agree with all of them but the listed; `mail` may differ from `strict` only by rules that it reports.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatIp, parseIp } from '../ip.ts'
import { createBudget } from './budget.ts'
import { matchIdentity } from './identity.ts'
import type { Certificate, Profile } from './model.ts'
import { findPaths } from './path.ts'
import { readChain } from './pem.ts'
import type { X509Reason } from './reasons.ts'
import { rules } from './rules.ts'

interface Vector {
  readonly id: string
  readonly features: readonly string[]
  readonly validation_kind: 'SERVER' | 'CLIENT'
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates: readonly string[]
  readonly peer_certificate: string
  readonly validation_time: string | null
  readonly key_usage: readonly string[]
  readonly extended_key_usage: readonly string[]
  readonly expected_result: 'SUCCESS' | 'FAILURE'
  readonly expected_peer_name: PeerName | null
  readonly expected_peer_names: readonly PeerName[]
  readonly max_chain_depth: number | null
}

interface PeerName {
  readonly kind: 'DNS' | 'IP' | 'RFC822'
  readonly value: string
}

const file = join(import.meta.dirname, '../../../..', 'shared/vectors/x509-limbo-a.json')
const vectors: readonly Vector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).testcases : []

/** Where `strict` knowingly answers otherwise. */
const disagreements: ReadonlyMap<string, string> = new Map([
  [
    'webpki::eku::ee-without-eku',
    'the same certificate as in rfc5280::eku::ee-without-eku, which is to be accepted: RFC 5280 §4.2.1.12 lets the extension be absent',
  ],
])

/** What `mail` lets pass, or refuses for another reason, as it reports what `strict` refuses; and the other way round where a rule has its `unless`. */
const differences: readonly string[] = [
  'pathlen::validation-ignores-pathlen-in-leaf: SUCCESS, mail: x509.leaf-key-usage',
  'rfc5280::aki::leaf-missing-aki: x509.missing-aki, mail: SUCCESS',
  'rfc5280::aki::intermediate-missing-aki: x509.missing-aki, mail: SUCCESS',
  'rfc5280::nc::permitted-dns-mismatch: x509.cn-not-in-san, mail: x509.name-constraints',
  'rfc5280::nc::permitted-dns-match-noncritical: x509.name-constraints-not-critical, mail: SUCCESS',
  'rfc5280::nc::not-allowed-in-ee-critical: x509.name-constraints-in-leaf, mail: SUCCESS',
  'rfc5280::nc::nc-permits-invalid-dns-san: x509.malformed-name, mail: x509.name-constraints',
  'rfc5280::nc::nc-permits-invalid-ip-san: x509.malformed-name, mail: x509.name-constraints',
  'rfc5280::nc::nc-permits-invalid-email-san: x509.malformed-name, mail: x509.name-constraints',
  'rfc5280::san::noncritical-with-empty-subject: x509.san-not-critical, mail: SUCCESS',
  'rfc5280::san::ip-in-dns: x509.malformed-name, mail: x509.name-mismatch',
  'rfc5280::serial::zero: x509.serial-number, mail: SUCCESS',
  'rfc5280::ski::intermediate-missing-ski: x509.missing-ski, mail: SUCCESS',
  'rfc5280::leaf-ku-keycertsign: x509.leaf-may-sign, mail: SUCCESS',
  'webpki::aki::root-with-aki-authoritycertissuer: x509.aki-issuer, mail: SUCCESS',
  'webpki::aki::root-with-aki-ski-mismatch: x509.aki-mismatch, mail: SUCCESS',
  'webpki::cn::ipv4-hex-mismatch: x509.cn-not-in-san, mail: SUCCESS',
  'webpki::cn::ipv4-leading-zeros-mismatch: x509.cn-not-in-san, mail: SUCCESS',
  'webpki::cn::ipv6-non-rfc5952-mismatch: x509.cn-not-in-san, mail: SUCCESS',
  'webpki::cn::punycode-not-in-san: x509.cn-not-in-san, mail: SUCCESS',
  'webpki::nc::intermediate-permitted-excluded-subtrees-both-null: x509.name-constraints-empty, mail: SUCCESS',
  'webpki::san::public-suffix-multi-label-wildcard-san: x509.cn-not-in-san, mail: x509.name-mismatch',
  'webpki::san::wildcard-embedded-ulabel-san: x509.malformed-name, mail: x509.name-mismatch',
  'webpki::san::san-wildcard-only: x509.malformed-name, mail: x509.name-mismatch',
  'webpki::san::san-wildcard-only-tld: x509.malformed-name, mail: x509.name-mismatch',
  'webpki::forbidden-weak-rsa-in-leaf: x509.key-short, mail: SUCCESS',
  'webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf: x509.key-size-odd, mail: SUCCESS',
  'webpki::v1-cert: x509.old-version, mail: x509.name-mismatch',
  'webpki::ee-basicconstraints-ca: x509.leaf-is-ca, mail: SUCCESS',
]

type Outcome = X509Reason | 'SUCCESS'

const absent = vectors.length === 0 ? ' (skipped: the vectors are not beside this checkout)' : ''

describe.skipIf(vectors.length === 0)(`x509-limbo${absent}`, () => {
  for (const vector of vectors) {
    const needsLists = vector.features.includes('has-crl')
    const title = `strict answers ${vector.expected_result} to ${vector.id}`
    test.skipIf(needsLists)(needsLists ? `${title} (skipped: revocation lists are not judged)` : title, () => {
      const outcome = judge(vector, 'strict')
      const agrees = (outcome === 'SUCCESS') === (vector.expected_result === 'SUCCESS')
      expect({ outcome, agrees }).toEqual({ outcome, agrees: !disagreements.has(vector.id) })
    })
  }

  test('mail differs from strict where a rule that it only reports is broken, and nowhere else', () => {
    const differing = vectors
      .filter(vector => !vector.features.includes('has-crl'))
      .map(vector => ({ id: vector.id, mail: judge(vector, 'mail'), strict: judge(vector, 'strict') }))
      .filter(({ mail, strict }) => mail !== strict)
    for (const { id, mail, strict } of differing)
      if (strict === 'SUCCESS') expect(mail !== 'SUCCESS' && rules[mail].unless, id).toBeDefined()
      else expect(rules[strict], id).toMatchObject({ mail: 'report', strict: 'refuse' })
    expect(differing.map(({ id, mail, strict }) => `${id}: ${strict}, mail: ${mail}`)).toEqual([...differences])
  })
})

function judge(vector: Vector, profile: Profile): Outcome {
  const [leaf] = readAll([vector.peer_certificate])
  const others = readAll(vector.untrusted_intermediates)
  const roots = readAll(vector.trusted_certs)
  if (leaf === undefined || leaf === null) return 'x509.malformed'
  const answer = findPaths({
    leaf,
    others: others.filter(each => each !== null),
    anchors: roots.filter(each => each !== null).map(certificate => ({ kind: 'certificate', certificate })),
    atMs: Date.parse(vector.validation_time ?? '2026-11-20T00:00:00Z'),
    profile,
    purpose: vector.validation_kind === 'SERVER' ? 'server' : 'client',
    maxIntermediates: vector.max_chain_depth ?? 8,
    budget: createBudget(),
  })
  if (answer.none !== null) return answer.none.reason
  if (vector.key_usage.some(usage => leaf.keyUsage !== null && ![...leaf.keyUsage].some(each => each === usage)))
    return 'x509.key-usage-no-signature'
  return carries(leaf, vector) ? 'SUCCESS' : 'x509.name-mismatch'
}

function carries(leaf: Certificate, { expected_peer_name, expected_peer_names }: Vector): boolean {
  const wanted = expected_peer_name === null ? expected_peer_names : [expected_peer_name, ...expected_peer_names]
  return wanted.every(({ kind, value }) => {
    if (kind === 'RFC822')
      return leaf.alternativeNames?.some(name => name.type === 'email' && name.value === value)
    const address = kind === 'IP' ? parseIp(value) : null
    const reference = address === null ? value : formatIp(address)
    const options = { cn: 'never', ip: 'allow', isPublicSuffix: (name: string) => suffixes.has(name) } as const
    return matchIdentity([reference], leaf, options) !== null
  })
}

function readAll(texts: readonly string[]): readonly (Certificate | null)[] {
  return texts.map(text => {
    const read = readChain(text)
    const [first] = Array.isArray(read) ? read : []
    return first?.kind === 'certificate' ? first.certificate : null
  })
}

/** Those that the vectors are about. */
const suffixes: ReadonlySet<string> = new Set(['com', 'uk', 'co.uk', 'us', 'io', 'test'])
