import { describe, expect, test } from 'vitest'
import type { DnsAnswer, DnsSecurity, RecordType } from '../dns/answer.ts'
import { found, lookupFailed, noData, noSuchName, replay } from '../dns/testing/replay.ts'
import { type DaneTarget, findTlsa, tlsaOwner } from './discovery.ts'
import type { Tlsa } from './types.ts'

const record = (octet: number): Tlsa & { readonly type: 'TLSA' } => ({
  type: 'TLSA',
  usage: 3,
  selector: 1,
  matchingType: 1,
  data: new Uint8Array(32).fill(octet),
})
const one = record(1)
const two = record(2)

/** How the DNS judges an answer. */
const judged = (security: DnsSecurity, answer: DnsAnswer): DnsAnswer => ({ ...answer, security })
const secure = (answer: DnsAnswer) => judged('secure', answer)
const insecure = (answer: DnsAnswer) => judged('insecure', answer)
const tlsa = (base: string, records: readonly ReturnType<typeof record>[], aliases: readonly string[] = []) =>
  found(tlsaOwner(base, 25), 'TLSA', records, { aliases })
const no = (base: string, type: RecordType = 'TLSA') => noData(type === 'TLSA' ? tlsaOwner(base, 25) : base, type)

const target = (
  security: DnsSecurity,
  aliases: readonly string[] = [],
  more: Partial<DaneTarget> = {},
): DaneTarget => ({ host: 'mx.example', port: 25, address: { security, aliases }, ...more })

function outcome(one: DaneTarget, answers: readonly DnsAnswer[]) {
  const { result, asked } = replay(findTlsa([one]), answers)
  return { found: result.found[0], asked: asked.flat().map(({ name, type }) => `${name} ${type}`) }
}

const alias = ['hop.example', 'host.provider.example'] as const
const end = 'host.provider.example'

describe('RFC 7672 §2.2.2, §2.2.3: which name owns the records', () => {
  test('a host with a secure address is asked for itself', () => {
    expect(outcome(target('secure'), [secure(tlsa('mx.example', [one, two]))])).toEqual({
      found: {
        kind: 'records',
        base: 'mx.example',
        from: 'host',
        owner: '_25._tcp.mx.example',
        aliases: [],
        records: [one, two],
      },
      asked: ['_25._tcp.mx.example TLSA'],
    })
  })

  test('a host whose address is insecure and no alias is not asked for at all', () => {
    expect(outcome(target('insecure'), [])).toEqual({
      found: { kind: 'none', because: 'host-insecure', asked: [] },
      asked: [],
    })
    // For want of an anchor: no better than insecure (RFC 7672 §2.1.1).
    expect(outcome(target('indeterminate'), []).found).toMatchObject({ because: 'host-insecure' })
  })

  test('answers that nobody validates ask for nothing', () => {
    expect(outcome(target('unvalidated', alias), [])).toEqual({
      found: { kind: 'none', because: 'dns-not-validated', asked: [] },
      asked: [],
    })
  })

  test('an address has no records', () => {
    expect(outcome(target('secure', [], { host: '192.0.2.1' }), []).found).toMatchObject({ because: 'no-name' })
    expect(outcome(target('secure', [], { host: '2001:db8::1' }), []).found).toMatchObject({ because: 'no-name' })
  })

  test('where a secure alias leads comes first, and its records end the search', () => {
    expect(outcome(target('secure', alias), [secure(tlsa(end, [one]))])).toMatchObject({
      found: { kind: 'records', base: end, from: 'expansion' },
      asked: [`_25._tcp.${end} TLSA`],
    })
  })

  test.each([
    ['absent there', secure(no(end))],
    ['absent there with the name', secure(noSuchName(tlsaOwner(end, 25), 'TLSA'))],
    ['insecure there', insecure(tlsa(end, [two]))],
    ['absent there, and nothing vouches for that', insecure(no(end))],
  ])('records that are %s lead on to the host’s own name', (_, first) => {
    expect(outcome(target('secure', alias), [first, secure(tlsa('mx.example', [one]))])).toMatchObject({
      found: { kind: 'records', base: 'mx.example', from: 'alias', records: [one] },
      asked: [`_25._tcp.${end} TLSA`, '_25._tcp.mx.example TLSA'],
    })
  })

  test('names between the ends of an alias are never asked for', () => {
    const { asked } = outcome(target('secure', alias), [secure(no(end)), secure(no('mx.example'))])
    expect(asked.join(' ')).not.toContain('hop.example')
  })

  test('an insecure address behind a secure alias: only the host’s own name', () => {
    const cname = secure(found('mx.example', 'CNAME', [{ type: 'CNAME', target: 'hop.example' }]))
    expect(outcome(target('insecure', alias), [cname, secure(tlsa('mx.example', [one]))])).toMatchObject({
      found: { kind: 'records', base: 'mx.example', from: 'alias' },
      asked: ['mx.example CNAME', '_25._tcp.mx.example TLSA'],
    })
  })

  test('an insecure address behind an insecure alias: nobody', () => {
    const cname = insecure(found('mx.example', 'CNAME', [{ type: 'CNAME', target: 'hop.example' }]))
    expect(outcome(target('insecure', alias), [cname])).toEqual({
      found: { kind: 'none', because: 'host-insecure', asked: [] },
      asked: ['mx.example CNAME'],
    })
  })

  test('an owner that is an alias itself does not move the base', () => {
    expect(
      outcome(target('secure'), [secure(tlsa('mx.example', [one], ['shared.dane.example']))]).found,
    ).toMatchObject({ base: 'mx.example', owner: '_25._tcp.mx.example', aliases: ['shared.dane.example'] })
  })

  test('the port is the service’s', () => {
    const answer = secure(found('_587._tcp.mx.example', 'TLSA', [one]))
    expect(outcome(target('secure', [], { port: 587 }), [answer]).found).toMatchObject({
      owner: '_587._tcp.mx.example',
    })
  })
})

test('an answer that nobody validated, after addresses that were proven, is no "there are none"', () => {
  const plain = tlsa('mx.example', [one])
  expect(outcome(target('secure'), [plain]).found).toMatchObject({
    kind: 'failed',
    reason: 'dns.validation-unavailable',
  })
  // Of the operator's own hosts file the DNS can prove nothing.
  const own = target('secure', [], { address: { security: 'secure', aliases: [], byHostsFile: true } })
  expect(outcome(own, [plain]).found).toMatchObject({ kind: 'none', because: 'dns-not-validated' })
})

test('a name so long that none can stand before it has no records, and nobody is asked', () => {
  const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.ex`
  expect(outcome(target('secure', [], { host }), [])).toEqual({
    found: { kind: 'none', because: 'absent', asked: [] },
    asked: [],
  })
})

describe('RFC 7672 §2.1.2: a question that failed leads nowhere', () => {
  const failures = [
    lookupFailed(tlsaOwner('mx.example', 25), 'TLSA'),
    lookupFailed(tlsaOwner('mx.example', 25), 'TLSA', 'timeout'),
    {
      ...judged('bogus', lookupFailed(tlsaOwner('mx.example', 25), 'TLSA')),
      reason: 'dnssec.signature-expired',
      because: 'The signature over it has ended.',
    } as const,
  ]

  test.each(failures)('$why $reason at the only name', answer => {
    expect(outcome(target('secure'), [answer]).found).toEqual({
      kind: 'failed',
      question: '_25._tcp.mx.example TLSA',
      reason: answer.reason,
      detail: answer.because ?? answer.why,
    })
  })

  test('at the end of an alias it does not lead on to the host’s own name', () => {
    const failed = lookupFailed(tlsaOwner(end, 25), 'TLSA')
    expect(outcome(target('secure', alias), [failed])).toMatchObject({
      found: { kind: 'failed' },
      asked: [`_25._tcp.${end} TLSA`],
    })
  })

  test('for the alias itself it is no "insecure"', () => {
    expect(outcome(target('insecure', alias), [lookupFailed('mx.example', 'CNAME')]).found).toMatchObject({
      kind: 'failed',
      question: 'mx.example CNAME',
    })
  })
})

test('what nothing vouches for is told apart from what is proven to be absent', () => {
  expect(outcome(target('secure'), [secure(no('mx.example'))]).found).toEqual({
    kind: 'none',
    because: 'absent',
    asked: ['_25._tcp.mx.example'],
  })
  expect(outcome(target('secure'), [insecure(tlsa('mx.example', [one]))]).found).toMatchObject({
    kind: 'none',
    because: 'records-insecure',
  })
})

test('all hosts are asked for at the same time, each question once', () => {
  const targets = [
    target('secure'),
    target('secure'),
    target('secure', [], { host: 'mx2.example' }),
    target('secure', alias, { host: 'mx3.example' }),
    target('insecure', [], { host: 'mx4.example' }),
  ]
  const { result, asked } = replay(findTlsa(targets), [
    secure(tlsa('mx.example', [one])),
    secure(no('mx2.example')),
    secure(no(end)),
    secure(tlsa('mx3.example', [two])),
  ])
  expect(asked.map(round => round.map(({ name }) => name))).toEqual([
    ['_25._tcp.mx.example', '_25._tcp.mx2.example', `_25._tcp.${end}`],
    ['_25._tcp.mx3.example'],
  ])
  expect(result.found.map(({ kind }) => kind)).toEqual(['records', 'records', 'none', 'records', 'none'])
  expect(result.answers).toHaveLength(4)
})

test('nobody is asked when there is no host', () => {
  expect(replay(findTlsa([]), [])).toEqual({ result: { found: [], answers: [] }, asked: [] })
})
