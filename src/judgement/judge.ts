/**
 * One peer, one plan, one verdict, before any mail command (ARCHITECTURE decision 1).
 *
 * The name is judged by our rule (names.ts) from the leaf as sent. The path is, until path validation of our own lands, what OpenSSL
 * says of it. Success of the whole is a verdict that meets the plan's least on the peer axis; the name axis was settled when the plan was made.
 *
 * A verdict states what is: a peer that proved itself under an opportunistic plan is `authenticated` too. It does not decide what is
 * done with a refused peer: the failure's finding says what it condemns.
 */
import type { TlsEvidence } from './evidence.ts'
import type { Failure, ReasonCode } from './failure.ts'
import { matchName } from './names.ts'
import type { Plan } from './plan.ts'
import { isAtLeast } from './plan-rules.ts'
import type { Verdict } from './verdict.ts'

/** How the conversation stands when it is judged. */
export type Conversation =
  | { readonly kind: 'tls'; readonly tls: Pick<TlsEvidence, 'chain' | 'openssl'> }
  | {
      readonly kind: 'clear'
      readonly because: Extract<Verdict, { kind: 'clear' }>['because']
      /** Why there is no TLS, for plans that ask for it. */
      readonly failure: Failure | null
    }

export function judge(plan: Plan, conversation: Conversation): Verdict {
  if (conversation.kind === 'clear') {
    if (plan.least.peer === 'clear') return { kind: 'clear', name: plan.name, because: conversation.because }
    return { kind: 'refused', failure: conversation.failure ?? failure('starttls.not-offered', null) }
  }
  const { tls } = conversation
  const path = pathFailure(tls)
  const match = matchName(plan.references, tls.chain[0]?.names ?? [])
  if (path === null && match !== null)
    return { kind: 'authenticated', name: plan.name, by: 'pkix', matched: match.presented }
  const why = path ?? nameFailure(plan, tls)
  if (isAtLeast('encrypted', plan.least.peer)) return { kind: 'encrypted', name: plan.name, wouldFail: why }
  return { kind: 'refused', failure: why }
}

function pathFailure({ chain, openssl }: Pick<TlsEvidence, 'chain' | 'openssl'>): Failure | null {
  const leaf = chain[0]
  if (leaf === undefined) return failure('x509.no-certificate', null)
  if (openssl === null) return failure('x509.path-invalid', 'the path was not judged')
  if (openssl.authorized) return null
  const error = openssl.error ?? 'no reason given'
  switch (error) {
    case 'CERT_HAS_EXPIRED': {
      // OpenSSL does not say which one; if any has run out, the one that ends first has.
      const first = chain.reduce((one, other) => (other.notAfter < one.notAfter ? other : one))
      return failure('x509.expired', `${first.subject} ended on ${first.notAfter}`)
    }
    case 'CERT_NOT_YET_VALID': {
      // If any is not valid yet, the one that begins last is not.
      const last = chain.reduce((one, other) => (other.notBefore > one.notBefore ? other : one))
      return failure('x509.not-yet-valid', `${last.subject} begins on ${last.notBefore}`)
    }
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return failure('x509.self-signed', leaf.subject)
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_UNTRUSTED':
      return missingIssuer(chain)
    default:
      return failure('x509.path-invalid', error)
  }
}

/** The path ended before a trusted root. Which of two faults it was shows in what was sent. */
function missingIssuer(chain: TlsEvidence['chain']): Failure {
  let top = chain[0]
  for (let steps = 0; top !== undefined && steps < chain.length; steps++) {
    const { subject, issuer } = top
    if (subject === issuer) return failure('x509.untrusted-root', `root ${subject}`)
    const above = chain.find(certificate => certificate.subject === issuer)
    if (above === undefined) break
    top = above
  }
  const issuer = top?.issuer ?? 'unknown'
  if (top?.position === 0) return failure('x509.missing-intermediate', `issued by ${issuer}`)
  return failure('x509.untrusted-root', `the chain as sent ends below ${issuer}`)
}

function nameFailure(plan: Plan, { chain }: Pick<TlsEvidence, 'chain'>): Failure {
  const names = (chain[0]?.names ?? [])
    .filter(({ type }) => type === 'dns' || type === 'ip')
    .map(({ value }) => value)
  const shown = names.slice(0, shownNames).join(', ')
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : ''
  const wanted = plan.references.map(({ name }) => name).join(' or ')
  return failure('x509.name-mismatch', `wanted ${wanted}; it carries ${shown === '' ? 'no name' : shown}${more}`)
}

function failure(reason: ReasonCode, detail: string | null): Failure {
  return { reason, detail, reply: null }
}

const shownNames = 5
