import { describe, expect, test } from 'vitest'
import { typeNumbers } from '../dns/numbers.ts'
import { createDnssecBudget } from './budget.ts'
import { type DenialEvidence, proveNoData, proveNoDs, proveNoName, proveWildcard } from './denial.ts'
import {
  cutAt,
  encloser,
  exists,
  isHidden,
  nameOf,
  nsec,
  nsec3Chain,
  nsecChain,
  truth,
  typesOf,
  type ZoneText,
} from './testing/denial-zone.ts'
import type { DnssecBudget, Nsec, Nsec3 } from './types.ts'

/** Every name of up to three labels from these, below the apex; any of them may be in a zone. */
const labels = ['a', 'b', 'c', '*']
const apex = 'z.example'
const universe = [apex, ...below(3, apex)]
const types = ['A', 'MX', 'DS', 'NS', 'CNAME', 'TLSA'] as const

const chains = {
  NSEC: (zone: ZoneText) => ({ nsec: nsecChain(zone), nsec3: [] }),
  NSEC3: (zone: ZoneText) => ({ nsec: [], nsec3: nsec3Chain(zone, { ...parameters, optOut: 'all-signed' }) }),
  'NSEC3 with opt-out': (zone: ZoneText) => ({
    nsec: [],
    nsec3: nsec3Chain(zone, { ...parameters, optOut: 'opt-out' }),
  }),
  // As ldns-signzone does it: the flag everywhere, and yet a record for each unsigned delegation.
  'NSEC3 with opt-out that nobody makes use of': (zone: ZoneText) => ({
    nsec: [],
    nsec3: nsec3Chain(zone, { ...parameters, optOut: 'all-signed' }).map(record => ({ ...record, flags: 1 })),
  }),
}
const parameters = { salt: Uint8Array.of(0xab), iterations: 1 }

describe.each(['NSEC', 'NSEC3'] as const)('with the whole chain of %s', kind => {
  test('the absence of a name is proven exactly when the name is absent', () => {
    for (const zone of zones(40)) {
      const from = evidence(chains[kind](zone))
      for (const name of universe)
        expectKind(proveNoName(from, nameOf(name)), truth(zone, name, 'TYPE999') === 'no-name', zone, name)
    }
  })

  test('the absence of a type is proven exactly when name or wildcard exist and have neither type nor alias', () => {
    for (const zone of zones(25)) {
      const from = evidence(chains[kind](zone))
      for (const name of universe)
        for (const type of types)
          expectKind(
            proveNoData(from, nameOf(name), typeNumbers[type]),
            truth(zone, name, type) === 'no-data',
            zone,
            name,
            type,
          )
    }
  })

  test('a wildcard is allowed exactly where it stands at the closest encloser of a name that does not exist', () => {
    for (const zone of zones(25)) {
      const from = evidence(chains[kind](zone))
      for (const name of universe)
        for (let count = 0; count <= 6; count++) {
          const encloserText = name.split('.').slice(-count).join('.')
          // Of a wildcard whose signature was verified, the encloser exists; and below a delegation there is none.
          if (count > 0 && (isHidden(zone, name) || !exists(zone, encloserText))) continue
          const isRight = count >= 2 && !exists(zone, name) && encloser(zone, name) === encloserText
          expectKind(proveWildcard(from, nameOf(name), count), isRight, zone, name, String(count))
        }
    }
  })

  test('a delegation is unsigned, or is none, exactly when the zone has it so', () => {
    const expected = {
      unsigned: 'proven',
      none: 'not-delegated',
      signed: 'unproven',
      alias: 'unproven',
      'not-ours': 'unproven',
    } as const
    for (const zone of zones(40)) {
      const from = evidence(chains[kind](zone))
      for (const name of universe)
        expect([describeZone(zone), name, proveNoDs(from, nameOf(name)).kind]).toEqual([
          describeZone(zone),
          name,
          expected[cutAt(zone, name)],
        ])
    }
  })
})

describe.each(['NSEC', 'NSEC3', 'NSEC3 with opt-out', 'NSEC3 with opt-out that nobody makes use of'] as const)(
  'with any part of the chain of %s',
  kind => {
    test('nothing is proven that is not so', () => {
      const random = createRandom(7)
      for (const zone of zones(40)) {
        const whole = chains[kind](zone)
        for (let round = 0; round < 6; round++) {
          const keep = <T>(records: readonly T[]) =>
            records.filter(() => random(10) < 4 + round).sort(() => random(3) - 1)
          const from = evidence({ nsec: keep<Nsec>(whole.nsec), nsec3: keep<Nsec3>(whole.nsec3) })
          for (let question = 0; question < 25; question++) {
            const name = universe[random(universe.length)] ?? apex
            const type = types[random(types.length)] ?? 'A'
            if (proveNoName(from, nameOf(name)).kind === 'proven') expectTruth('no-name', zone, name, 'TYPE999')
            if (proveNoData(from, nameOf(name), typeNumbers[type]).kind === 'proven')
              expectTruth('no-data', zone, name, type)
            const cut = proveNoDs(from, nameOf(name)).kind
            if (cut === 'proven')
              expect([describeZone(zone), name, cutAt(zone, name)]).toEqual([describeZone(zone), name, 'unsigned'])
            if (cut === 'not-delegated')
              expect([describeZone(zone), name, cutAt(zone, name)]).toEqual([describeZone(zone), name, 'none'])
          }
        }
      }
    })
  },
)

describe('with opt-out', () => {
  const signedNames = (zone: ZoneText) =>
    new Set(
      nsecChain(zone)
        .filter(
          ({ types: set }) => set.has(typeNumbers.DS) || !set.has(typeNumbers.NS) || set.has(typeNumbers.SOA),
        )
        .map(({ owner }) => key(owner)),
    )

  test('no name is ever proven to be absent: an unsigned delegation may be there', () => {
    for (const zone of zones(25)) {
      const from = evidence(chains['NSEC3 with opt-out'](zone))
      for (const name of universe) expect(proveNoName(from, nameOf(name)).kind).not.toBe('proven')
    }
  })

  test('nothing that the zone has signed is ever said to be out', () => {
    for (const zone of zones(25)) {
      const from = evidence(chains['NSEC3 with opt-out'](zone))
      const signed = signedNames(zone)
      const isSigned = (name: string) => [...signed].some(owner => owner === name || owner.endsWith(`.${name}`))
      for (const name of universe) {
        if (!isSigned(name)) continue
        expect([describeZone(zone), name, proveNoName(from, nameOf(name)).kind]).toEqual([
          describeZone(zone),
          name,
          'unproven',
        ])
        expect(proveNoDs(from, nameOf(name)).kind).not.toBe('opt-out')
        for (const type of types)
          expect(proveNoData(from, nameOf(name), typeNumbers[type]).kind).not.toBe('opt-out')
      }
    }
  })

  test('each unsigned delegation is said to be out, and each signed one is not', () => {
    for (const zone of zones(40)) {
      const from = evidence(chains['NSEC3 with opt-out'](zone))
      for (const name of universe) {
        const cut = cutAt(zone, name)
        if (cut === 'unsigned') expect(proveNoDs(from, nameOf(name)).kind).toBe('opt-out')
        if (cut === 'signed') expect(proveNoDs(from, nameOf(name)).kind).toBe('unproven')
      }
    }
  })
})

describe('the records of two zones', () => {
  const parent = {
    apex: 'example',
    nodes: { example: 'SOA NS', 'd.example': 'NS DS', 'u.example': 'NS', 'x.example': 'A' },
  }
  const child = { apex: 'd.example', nodes: { 'd.example': 'SOA NS MX', 'a.d.example': 'A', 'm.d.example': 'A' } }
  const both = (zone: string) => evidence({ nsec: [...nsecChain(parent), ...nsecChain(child)], nsec3: [] }, zone)
  const only = (of: ZoneText, zone: string) => evidence({ nsec: nsecChain(of), nsec3: [] }, zone)
  const wrong = { kind: 'unproven', reason: 'dnssec.denial-of-wrong-zone' }

  test.each([
    ['the apex of the child does not deny its own DS', proveNoDs(only(child, 'd.example'), nameOf('d.example'))],
    ['nor its own DS as a type', proveNoData(only(child, 'd.example'), nameOf('d.example'), typeNumbers.DS)],
    [
      'the apex of the child does not deny the DS in the parent',
      proveNoDs(only(child, 'example'), nameOf('d.example')),
    ],
    [
      'nor does it when the parent speaks of another name',
      proveNoDs(
        evidence({ nsec: [...nsecChain(child), nsec('x.example example A RRSIG NSEC')], nsec3: [] }, 'example'),
        nameOf('d.example'),
      ),
    ],
    [
      'the apex of the child does not deny names of the child for the parent',
      proveNoName(only(child, 'example'), nameOf('0.d.example')),
    ],
    ['nor their DS for it', proveNoDs(only(child, 'example'), nameOf('0.d.example'))],
    [
      'the delegation in the parent does not deny types of the child',
      proveNoData(only(parent, 'example'), nameOf('d.example'), typeNumbers.MX),
    ],
    ['nor in the name of the child', proveNoData(only(parent, 'd.example'), nameOf('d.example'), typeNumbers.A)],
    [
      'the delegation in the parent does not deny names of the child',
      proveNoName(only(parent, 'example'), nameOf('a.d.example')),
    ],
    ['nor in the name of the child', proveNoName(only(parent, 'd.example'), nameOf('k.d.example'))],
    ['nor their types', proveNoData(only(parent, 'example'), nameOf('a.d.example'), typeNumbers.TLSA)],
    ['nor their DS', proveNoDs(only(parent, 'example'), nameOf('a.d.example'))],
    [
      'nor does it let a wildcard of the parent in',
      proveWildcard(only(parent, 'example'), nameOf('a.d.example'), 1),
    ],
    [
      'an unsigned delegation hides what is below just so',
      proveNoName(only(parent, 'example'), nameOf('a.u.example')),
    ],
    ['the child says nothing of names outside', proveNoName(only(child, 'd.example'), nameOf('k.example'))],
    [
      'nor does the parent under the name of the child',
      proveNoName(only(parent, 'd.example'), nameOf('k.example')),
    ],
  ])('%s', (_, denial) => {
    expect(denial).toMatchObject(wrong)
  })

  test('each on its own side still proves what it can', () => {
    expect(proveNoDs(both('example'), nameOf('u.example')).kind).toBe('proven')
    expect(proveNoDs(both('example'), nameOf('x.example')).kind).toBe('not-delegated')
    expect(proveNoData(both('d.example'), nameOf('d.example'), typeNumbers.TLSA).kind).toBe('proven')
    expect(proveNoName(both('d.example'), nameOf('k.d.example')).kind).toBe('proven')
  })

  test('the same holds for NSEC3', () => {
    const chain = (of: ZoneText) => nsec3Chain(of, { ...parameters, optOut: 'all-signed' })
    const from = (of: ZoneText, zone: string) => evidence({ nsec: [], nsec3: chain(of) }, zone)
    expect(proveNoDs(from(child, 'd.example'), nameOf('d.example'))).toMatchObject(wrong)
    expect(proveNoData(from(child, 'd.example'), nameOf('d.example'), typeNumbers.DS)).toMatchObject(wrong)
    expect(proveNoDs(from(child, 'example'), nameOf('d.example'))).toMatchObject(wrong)
    expect(proveNoData(from(parent, 'example'), nameOf('d.example'), typeNumbers.MX)).toMatchObject(wrong)
    expect(proveNoName(from(parent, 'example'), nameOf('k.d.example'))).toMatchObject(wrong)
    expect(proveNoDs(from(parent, 'example'), nameOf('k.d.example'))).toMatchObject(wrong)
    expect(proveNoName(from(parent, 'd.example'), nameOf('k.d.example'))).toMatchObject(wrong)
    // An apex of the child that stands in the parent's chain, with or without what the hash of its name is.
    const [first] = chain(parent).filter(({ types: set }) => set.has(typeNumbers.DS))
    const forged = first === undefined ? [] : [{ ...first, types: typesOf('SOA NS MX') }]
    expect(proveNoDs(evidence({ nsec: [], nsec3: forged }, 'example'), nameOf('d.example'))).toMatchObject(wrong)
  })
})

describe('NSEC and NSEC3 together', () => {
  const zone = { apex: 'z.example', nodes: { 'z.example': 'SOA NS', 'a.z.example': 'A' } }
  const nsec3 = nsec3Chain(zone, { ...parameters, optOut: 'all-signed' })

  test('either is enough', () => {
    expect(proveNoName(evidence({ nsec: nsecChain(zone), nsec3: [] }), nameOf('k.z.example')).kind).toBe('proven')
    expect(proveNoName(evidence({ nsec: nsecChain(zone).slice(1), nsec3 }), nameOf('k.z.example')).kind).toBe(
      'proven',
    )
    expect(
      proveNoName(evidence({ nsec: nsecChain(zone), nsec3: nsec3.slice(1) }), nameOf('k.z.example')).kind,
    ).toBe('proven')
  })

  test('what NSEC proves is not asked of NSEC3, nor paid for', () => {
    const budget = createDnssecBudget({ 'nsec3-hashes': 0 })
    const both = { zone: nameOf(apex), nsec: nsecChain(zone), nsec3, budget }
    expect(proveNoName(both, nameOf('k.z.example')).kind).toBe('proven')
    expect(proveNoName({ ...both, nsec: [] }, nameOf('k.z.example'))).toMatchObject({
      reason: 'dnssec.over-budget',
    })
  })

  test('halves of both are not', () => {
    // The last NSEC spans the name, and the wildcard is spanned by the first, which is missing.
    const denial = proveNoName(
      evidence({ nsec: nsecChain(zone).slice(1), nsec3: nsec3.slice(1) }),
      nameOf('k.z.example'),
    )
    expect(denial).toMatchObject({ kind: 'unproven', reason: 'dnssec.denial-unproven' })
  })

  test('none at all proves nothing', () => {
    expect(proveNoName(evidence({ nsec: [], nsec3: [] }), nameOf('k.z.example'))).toEqual({
      kind: 'unproven',
      reason: 'dnssec.denial-unproven',
      detail: 'No NSEC or NSEC3 record of z.example came with the answer.',
    })
  })
})

function evidence(
  records: { nsec: readonly Nsec[]; nsec3: readonly Nsec3[] },
  zone: string = apex,
): DenialEvidence {
  return { zone: nameOf(zone), ...records, budget: boundless }
}

/** Zones with delegations, aliases, wildcards, empty non-terminals, glue and names behind a DNAME, the same ones every time. */
function zones(count: number): readonly ZoneText[] {
  const random = createRandom(42)
  const kinds = ['A', 'A MX', 'MX', 'CNAME', 'NS', 'NS DS', 'DNAME', 'A DNAME', 'TLSA', 'A']
  return Array.from({ length: count }, (_, index) => {
    const nodes: Record<string, string> = { [apex]: index % 9 === 8 ? 'SOA NS DNAME' : 'SOA NS MX' }
    const size = index < 2 ? index : 1 + random(9)
    for (let at = 0; at < size; at++)
      nodes[universe[1 + random(universe.length - 1)] ?? apex] ??= kinds[random(kinds.length)] ?? 'A'
    return { apex, nodes }
  })
}

function below(depth: number, above: string): string[] {
  if (depth === 0) return []
  return labels.flatMap(label => [`${label}.${above}`, ...below(depth - 1, `${label}.${above}`)])
}

function expectKind(denial: { kind: string }, isProven: boolean, zone: ZoneText, ...what: string[]): void {
  const about = `${describeZone(zone)}: ${what.join(' ')}`
  expect(`${about} ${denial.kind}`).toBe(`${about} ${isProven ? 'proven' : 'unproven'}`)
}

function expectTruth(expected: string, zone: ZoneText, name: string, type: string): void {
  expect([describeZone(zone), name, type, truth(zone, name, type)]).toEqual([
    describeZone(zone),
    name,
    type,
    expected,
  ])
}

function describeZone({ nodes }: ZoneText): string {
  return Object.entries(nodes)
    .map(([owner, text]) => `${owner} ${text}`)
    .join('; ')
}

function key(name: readonly Uint8Array[]): string {
  return name.map(label => Buffer.from(label).toString('latin1')).join('.')
}

/** A small linear congruential generator: the same numbers everywhere. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 16) % limit
  }
}

const boundless: DnssecBudget = { spend: () => true, spent: createDnssecBudget().spent }
