/** Questions to the lab's signed internet, answered in memory, as documents of `hermetic dns` are made from. */
import { privateInternet } from '../../lab/signing/private-internet.ts'
import { answersOf, createSignedWorld } from '../../lab/signing/signed-world.ts'
import { encodeMessage } from '../../protocol/dns/message.ts'
import { rcodeName, typeName, typeNumbers } from '../../protocol/dns/numbers.ts'
import { runValidation } from '../../protocol/dnssec/testing/validating.ts'
import type { WireAnswer, WireQuestion } from '../../protocol/dnssec/types.ts'
import { type DnsAsked, type DnsInquiry, plainName } from '../dns-document.ts'

const nowMs = Date.UTC(2026, 0, 15, 12)
const server = '192.0.2.53:53'
const world = createSignedWorld({ zones: privateInternet(), nowMs })

export function answered(question: string, more: Partial<DnsInquiry> = {}): DnsInquiry {
  const asked: DnsAsked[] = []
  const honest = answersOf(world)
  const answers = (one: WireQuestion) => {
    const answer = honest(one)
    asked.push(askedOf(one, answer))
    return answer
  }
  const { answer } = runValidation(question, answers, { anchors: world.anchors, nowMs })
  const { outcome, security, reason } = answer
  return {
    answer,
    passes: [{ checking: 'disabled', avoided: [], outcome, security, reason, servers: [server] }],
    asked,
    resolver: null,
    servers: [server],
    atMs: nowMs,
    ...more,
  }
}

function askedOf({ name, type }: WireQuestion, answer: WireAnswer): DnsAsked {
  const base = { name: plainName(name), type: typeName(type), pass: 0, ms: 3 }
  if (answer.kind === 'failed')
    return {
      ...base,
      server: null,
      over: null,
      bytes: 0,
      rcode: null,
      flags: [],
      answers: 0,
      authorities: 0,
      signatures: 0,
      why: answer.why,
    }
  const { answers, authorities, rcode } = answer.message
  const isSignature = (record: { readonly type: number }) => record.type === typeNumbers.RRSIG
  return {
    ...base,
    server,
    over: 'udp',
    bytes: encodeMessage(answer.message).length,
    rcode: rcodeName(rcode),
    flags: ['RD', 'RA', 'CD', 'DO'],
    answers: answers.length,
    authorities: authorities.length,
    signatures: [...answers, ...authorities].filter(isSignature).length,
    why: null,
  }
}
