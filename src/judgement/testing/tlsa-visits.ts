/** Visits as hop would make them, judged by the same rules, without a network: for tests of what becomes of them. */
import { parseTlsa } from '../../protocol/dane/tlsa.ts'
import { readChain } from '../../protocol/x509/pem.ts'
import { certificateEvidence } from '../certificate-evidence.ts'
import { judgeDanePeer } from '../dane-peer.ts'
import type { SessionDocument } from '../evidence.ts'
import { failureEvidence, timestamp, verdictEvidence } from '../evidence-of.ts'
import type { Failure } from '../failure.ts'
import { findingFor } from '../findings.ts'
import { judge } from '../judge.ts'
import { judgePeer } from '../peer.ts'
import type { Plan } from '../plan.ts'
import { planFor } from '../plan-rules.ts'
import type { VisitedAddress } from '../tlsa-check.ts'
import type { AskedKeys, ChainVisit } from '../tlsa-check-document.ts'

export const visitAtMs = Date.now()

/** @param records as zone files have them; none: it is proven that there are none */
export function planOf(
  host: string,
  records: readonly string[],
  more: { readonly mx?: 'secure' | 'insecure'; readonly domain?: string } = {},
): Plan {
  const { mx = 'secure', domain = 'example.org' } = more
  const owner = `_25._tcp.${host}`
  return planFor({
    level: 'dane',
    host,
    from: 'mx-name',
    implicitTls: false,
    nextHop: { domain, aliases: [], security: mx },
    tlsa:
      records.length === 0
        ? { kind: 'none', because: 'absent', asked: [owner] }
        : {
            kind: 'records',
            base: host,
            from: 'host',
            owner,
            aliases: [],
            records: records.map(text => {
              const parsed = parseTlsa(text)
              if (parsed.kind === 'fault') throw new Error(parsed.says)
              return parsed.record
            }),
          },
  })
}

/** What was shown when asked so: a chain in PEM, or a failure. */
export type Shown = readonly [asked: AskedKeys, what: string | Failure]

export function visitedAddress(
  host: string,
  plan: Plan,
  shown: readonly Shown[],
  address = '192.0.2.1',
): VisitedAddress {
  return {
    host,
    address,
    preference: 10,
    aliases: [],
    plan,
    visits: shown.map(([asked, what]) => visitOf(host, plan, asked, what)),
  }
}

function visitOf(host: string, plan: Plan, asked: AskedKeys, what: string | Failure): ChainVisit {
  const session: SessionDocument = {
    schema: 'hermetic.session/1',
    id: 'v1',
    at: timestamp(visitAtMs),
    host,
    address: '192.0.2.1',
    port: 25,
    plan,
    dns: [],
    connected: true,
    tls: null,
    smtp: { greeting: null, offered: { clear: null, tls: null } },
    verdict: null,
    failure: null,
    findings: [],
    ms: { connect: 1, greeting: 1, handshake: 1 },
  }
  if (typeof what !== 'string')
    return {
      asked,
      chain: [],
      session: { ...session, failure: failureEvidence(what), findings: [findingFor(what, host)] },
    }
  const chain = readChain(what)
  const shown = { chain, roots: [], atMs: visitAtMs, openssl: { authorized: false, error: 'none' } }
  const peer =
    plan.dane?.kind === 'records' && plan.dane.asks === 'authenticate'
      ? judgeDanePeer(plan.references, plan.dane, shown)
      : judgePeer(plan.references, shown)
  const verdict = judge(plan, { kind: 'tls', peer })
  const failure = verdict.kind === 'refused' ? verdict.failure : null
  return {
    asked,
    chain,
    session: {
      ...session,
      tls: {
        outcome: 'established',
        version: 'TLSv1.3',
        cipher: 'TLS_AES_256_GCM_SHA384',
        group: null,
        sni: plan.sni,
        chain: chain.map(certificateEvidence),
        sent: chain.length,
        path: peer.path,
        dane: peer.dane,
        openssl: shown.openssl,
        failure: null,
      },
      verdict: verdictEvidence(verdict, plan, host),
      failure: failure === null ? null : failureEvidence(failure),
      findings: [
        ...(failure === null ? [] : [findingFor(failure, host)]),
        ...peer.remarks.map(remark => findingFor(remark, host)),
      ],
    },
  }
}
