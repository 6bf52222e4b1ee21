/** Questions to the lab's signed internet, answered in memory, as documents of `hermetic dns` are made from. */
import { privateInternet } from '../../lab/signing/private-internet.ts'
import { answersOf, createSignedWorld } from '../../lab/signing/signed-world.ts'
import { runValidation } from '../../protocol/dnssec/testing/validating.ts'
import type { DnsInquiry } from '../dns-document.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const server = '192.0.2.53:53'
const world = createSignedWorld({ zones: privateInternet(), nowMs })

export function answered(question: string, more: Partial<DnsInquiry> = {}): DnsInquiry {
  const { answer } = runValidation(question, answersOf(world), { anchors: world.anchors, nowMs })
  const { outcome, security, reason } = answer
  const [name = '', type = ''] = question.split(' ')
  return {
    answer,
    passes: [{ checking: 'disabled', avoided: [], outcome, security, reason, servers: [server] }],
    asked: [
      {
        name,
        type,
        pass: 0,
        server,
        over: 'udp',
        bytes: 120,
        ms: 3,
        rcode: 'NOERROR',
        flags: ['RD', 'RA', 'CD', 'DO'],
        answers: 2,
        authorities: 0,
        signatures: 1,
        why: null,
      },
    ],
    resolver: null,
    servers: [server],
    atMs: nowMs,
    ...more,
  }
}
