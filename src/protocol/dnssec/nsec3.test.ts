import { describe, expect, test } from 'vitest'
import type { Name } from '../dns/name.ts'
import { typeNumbers } from '../dns/numbers.ts'
import { createDnssecBudget } from './budget.ts'
import { toBase32Hex } from './encoding.ts'
import {
  deniesDs,
  deniesName,
  deniesType,
  deniesWildcardExpansion,
  maxNsec3Iterations,
  nsec3Hash,
  nsec3HashBlocks,
} from './nsec3.ts'
import { fromBase32Hex } from './records.ts'
import { hashOf, nameOf, nsec3Chain, typesOf, type ZoneText } from './testing/denial-zone.ts'
import type { Nsec3 } from './types.ts'

/** The zone of RFC 5155 appendix A: hash, types, and whose hash it is. Each leads to the next, the last to the first. */
const example = [
  ['0p9mhaveqvm6t7vbl5lop2u3t2rp3tom', 'MX DNSKEY NS SOA NSEC3PARAM RRSIG', 'example'],
  ['2t7b4g4vsa5smi47k61mv5bv1a22bojr', 'A RRSIG', 'ns1.example'],
  ['2vptu5timamqttgl4luu9kg21e0aor3s', 'MX RRSIG', 'x.y.w.example'],
  ['35mthgpgcu1qg68fab165klnsnk3dpvl', 'NS DS RRSIG', 'a.example'],
  ['b4um86eghhds6nea196smvmlo4ors995', 'MX RRSIG', 'x.w.example'],
  ['gjeqe526plbf1g8mklp59enfd789njgi', 'A HINFO AAAA RRSIG', 'ai.example'],
  ['ji6neoaepv8b5o6k4ev33abha8ht9fgc', '', 'y.w.example'],
  ['k8udemvp1j2f7eg6jebps17vp3n8i58h', '', 'w.example'],
  ['kohar7mbb8dc2ce8a9qvl8hon4k53uhi', 'A RRSIG', '2t7b4g4vsa5smi47k61mv5bv1a22bojr.example'],
  ['q04jkcevqvmu85r014c7dkba38o0ji5r', 'A RRSIG', 'ns2.example'],
  ['r53bq7cc2uvmubfu5ocmm6pers9tk9en', 'MX RRSIG', '*.w.example'],
  ['t644ebqk9bibcna874givr6joj62mlhv', 'A HINFO AAAA RRSIG', 'xx.example'],
] as const
type Owner = (typeof example)[number][2]
const rfcParameters = { salt: Buffer.from('aabbccdd', 'hex'), iterations: 12 }

/** Names of which appendix B gives the hash and says that they do not exist. */
const absent = [
  ['0va5bpr2ou0vk0lbqeeljri88laipsfh', '', 'c.x.w.example'],
  ['92pqneegtaue7pjatc3l3qnk738c6v5m', '', '*.x.w.example'],
  ['4g6p9u5gvfshp30pqecj98b3maqbn1ck', '', 'c.example'],
  ['qlu7gtfaeh0ek0c05ksfhdpbcgglbe03', '', 'z.w.example'],
] as const

describe('the hash', () => {
  test.each([...example, ...absent])('%s %s is that of %s (RFC 5155 appendix A, B)', (hash, _, name) => {
    expect(text(nsec3Hash(nameOf(name), rfcParameters.salt, 12))).toBe(hash)
    expect(text(hashOf(name, rfcParameters))).toBe(hash)
  })

  test('is made without salt and further rounds too', () => {
    expect(text(nsec3Hash(nameOf('com'), new Uint8Array(0), 0))).toBe('ck0pojmg874ljref7efn8430qvit8bsm')
  })

  test('is the same in capitals, and only for letters of ASCII', () => {
    expect(text(nsec3Hash(nameOf('X.W.EXAMPLE'), rfcParameters.salt, 12))).toBe('b4um86eghhds6nea196smvmlo4ors995')
    expect(text(nsec3Hash(nameOf('\\196.example'), rfcParameters.salt, 12))).not.toBe(
      text(nsec3Hash(nameOf('\\228.example'), rfcParameters.salt, 12)),
    )
  })

  test.each([
    [55, 0, 0, 1],
    [56, 0, 0, 2],
    [9, 4, 12, 13],
    [9, 0, 150, 151],
    [255, 255, 0, 9],
    [255, 255, 150, 9 + 150 * 5],
  ])(
    'of a name of %i bytes with %i of salt and %i further rounds costs %i blocks',
    (name, salt, iterations, blocks) => {
      expect(nsec3HashBlocks(name, salt, iterations)).toBe(blocks)
    },
  )
})

describe('the answers of RFC 5155 appendix B, as published with opt-out and once more without', () => {
  test.each([
    ['B.1 name error', 'opt-out', 'proven', noName('a.c.x.w.example', 'x.w.example', 'example', 'a.example')],
    [
      'B.1 without the closest encloser',
      'denial-unproven',
      'denial-unproven',
      noName('a.c.x.w.example', 'example', 'a.example'),
    ],
    [
      'B.1 without the next closer name',
      'denial-unproven',
      'denial-unproven',
      noName('a.c.x.w.example', 'x.w.example', 'a.example'),
    ],
    [
      'B.1 without the wildcard',
      'denial-unproven',
      'denial-unproven',
      noName('a.c.x.w.example', 'x.w.example', 'example'),
    ],
    ['B.2 no data', 'proven', 'proven', noData('ns1.example', 'MX', 'ns1.example')],
    [
      'B.2 for a type that is there',
      'denial-unproven',
      'denial-unproven',
      noData('ns1.example', 'A', 'ns1.example'),
    ],
    ['B.2.1 empty non-terminal', 'proven', 'proven', noData('y.w.example', 'A', 'y.w.example')],
    ['B.3 unsigned delegation', 'opt-out', 'not-delegated', noDs('c.example', 'a.example', 'example')],
    ['B.3 without the closest encloser', 'denial-unproven', 'denial-unproven', noDs('c.example', 'a.example')],
    ['B.4 wildcard expansion', 'opt-out', 'proven', wildcard('a.z.w.example', 2, 'ns2.example')],
    [
      'B.4 without the next closer name',
      'denial-unproven',
      'denial-unproven',
      wildcard('a.z.w.example', 2, '*.w.example'),
    ],
    [
      'B.5 wildcard no data',
      'opt-out',
      'proven',
      noData('a.z.w.example', 'AAAA', 'w.example', 'ns2.example', '*.w.example'),
    ],
    [
      'B.5 for the type that the wildcard has',
      'denial-unproven',
      'denial-unproven',
      noData('a.z.w.example', 'MX', 'w.example', 'ns2.example', '*.w.example'),
    ],
    [
      'B.5 without the closest encloser',
      'denial-unproven',
      'denial-unproven',
      noData('a.z.w.example', 'AAAA', 'ns2.example', '*.w.example'),
    ],
    [
      'B.5 without the next closer name',
      'denial-unproven',
      'denial-unproven',
      noData('a.z.w.example', 'AAAA', 'w.example', '*.w.example'),
    ],
    [
      'B.5 without the wildcard',
      'opt-out',
      'denial-unproven',
      noData('a.z.w.example', 'AAAA', 'w.example', 'ns2.example'),
    ],
    ['B.6 DS asked of the child', 'denial-of-wrong-zone', 'denial-of-wrong-zone', noDs('example', 'example')],
    ['B.6 asked as a type', 'denial-of-wrong-zone', 'denial-of-wrong-zone', noData('example', 'DS', 'example')],
    ['a signed delegation', 'denial-unproven', 'denial-unproven', noDs('a.example', 'a.example')],
    [
      'a name below a signed delegation',
      'denial-of-wrong-zone',
      'denial-of-wrong-zone',
      noDs('k.a.example', 'a.example', 'example'),
    ],
    ['a name outside', 'denial-of-wrong-zone', 'denial-of-wrong-zone', noName('a.other', 'example', 'a.example')],
  ])('%s', (_, withOptOut, without, ask) => {
    expect(ask(1)).toBe(withOptOut)
    expect(ask(0)).toBe(without)
  })
})

describe('opt-out', () => {
  test('counts at the next closer name alone: other records may have it or not', () => {
    const flags = (name: Owner, flag: number) => record(name, { flags: flag })
    const records = (encloser: number, nextCloser: number, denied: number) => [
      flags('x.w.example', encloser),
      flags('example', nextCloser),
      flags('a.example', denied),
    ]
    expect(outcome(deniesName(evidence(records(1, 0, 1)), nameOf('a.c.x.w.example')))).toBe('proven')
    expect(outcome(deniesName(evidence(records(0, 1, 0)), nameOf('a.c.x.w.example')))).toBe('opt-out')
  })

  test('of one of two records around the next closer name is enough to doubt it', () => {
    const records = [
      record('x.w.example', {}),
      record('example', { flags: 1 }),
      record('example', {}),
      record('a.example', {}),
    ]
    expect(outcome(deniesName(evidence(records), nameOf('a.c.x.w.example')))).toBe('opt-out')
  })

  test('says nothing about a name that has a record: it is signed, or an unsigned delegation by its own word', () => {
    expect(noData('xx.example', 'A', 'xx.example', 'example', 'a.example')(1)).toBe('denial-unproven')
    expect(noDs('a.example', 'a.example', 'example', 'ns1.example')(1)).toBe('denial-unproven')
    expect(noDs('xx.example', 'xx.example', 'example')(1)).toBe('not-delegated')
    expect(
      outcome(
        deniesDs(evidence([record('xx.example', { flags: 1, types: typesOf('NS') })]), nameOf('xx.example')),
      ),
    ).toBe('proven')
  })

  test('is nothing without a closest encloser', () => {
    expect(noData('c.example', 'A', 'a.example')(1)).toBe('denial-unproven')
    expect(noName('c.example', 'a.example', 'ns1.example')(1)).toBe('denial-unproven')
  })

  test('does not make a wildcard go away that has the type', () => {
    expect(noData('a.z.w.example', 'MX', 'w.example', 'ns2.example', '*.w.example')(1)).toBe('denial-unproven')
    expect(noName('a.z.w.example', 'w.example', 'ns2.example', '*.w.example')(1)).toBe('denial-unproven')
  })

  test('lets an empty non-terminal above unsigned delegations go without a record, for any type (erratum 3441)', () => {
    const zone: ZoneText = {
      apex: 'z.example',
      nodes: { 'z.example': 'SOA NS', 'u.e.z.example': 'NS', 'm.z.example': 'A' },
    }
    const records = nsec3Chain(zone, { ...rfcParameters, optOut: 'opt-out' })
    const from = { zone: nameOf('z.example'), records, budget: createDnssecBudget() }
    for (const type of [typeNumbers.A, typeNumbers.DS])
      expect(deniesType(from, nameOf('e.z.example'), type).kind).toBe('opt-out')
    expect(deniesDs(from, nameOf('e.z.example')).kind).toBe('opt-out')
    expect(deniesDs(from, nameOf('u.e.z.example')).kind).toBe('opt-out')
    expect(deniesType(from, nameOf('m.z.example'), typeNumbers.TLSA).kind).toBe('proven')
  })
})

describe('a record', () => {
  const noMx = (change: Partial<Nsec3>) =>
    outcome(deniesType(evidence([record('ns1.example', change)]), nameOf('ns1.example'), typeNumbers.MX))

  test.each<[string, Partial<Nsec3>, string]>([
    ['as it is', {}, 'proven'],
    ['with an unknown hash algorithm is ignored', { algorithm: 2 }, 'denial-unproven'],
    ['with an unknown flag is ignored', { flags: 2 }, 'denial-unproven'],
    ['with an unknown flag beside opt-out is ignored', { flags: 3 }, 'denial-unproven'],
    ['with a short hash is ignored', { hash: new Uint8Array(19) }, 'denial-unproven'],
    ['with a long next hash is ignored', { nextHash: new Uint8Array(21) }, 'denial-unproven'],
    ['of another zone is not looked at', { zone: nameOf('other') }, 'denial-of-wrong-zone'],
    ['of a zone below is not looked at', { zone: nameOf('sub.example') }, 'denial-of-wrong-zone'],
    ['made with other salt does not match', { salt: Uint8Array.of(1) }, 'denial-unproven'],
    ['made with other iterations does not match', { iterations: 11 }, 'denial-unproven'],
    ['at an alias does not deny', { types: typesOf('CNAME RRSIG') }, 'denial-unproven'],
    ['at an unsigned delegation does not deny', { types: typesOf('NS') }, 'denial-of-wrong-zone'],
    ['at a signed delegation does not deny', { types: typesOf('NS DS RRSIG') }, 'denial-of-wrong-zone'],
    ['with an SOA is of another zone', { types: typesOf('NS SOA RRSIG') }, 'denial-of-wrong-zone'],
  ])('%s', (_, change, expected) => {
    expect(noMx(change)).toBe(expected)
  })

  test('of unknown algorithm or flags beside others does no harm', () => {
    const others = [
      record('xx.example', { algorithm: 2, iterations: 9999 }),
      record('xx.example', { flags: 4, salt: Uint8Array.of(1) }),
    ]
    expect(
      outcome(deniesType(evidence([...others, record('ns1.example', {})]), nameOf('ns1.example'), typeNumbers.MX)),
    ).toBe('proven')
  })

  test('that is the closest encloser denies nothing below a delegation or a DNAME', () => {
    const below = (types: string) => {
      const records = [
        record('x.w.example', { types: typesOf(types) }),
        record('example', {}),
        record('a.example', {}),
      ]
      return [
        outcome(deniesName(evidence(records), nameOf('a.c.x.w.example'))),
        outcome(deniesType(evidence(records), nameOf('a.c.x.w.example'), typeNumbers.A)),
        outcome(deniesDs(evidence(records), nameOf('a.c.x.w.example'))),
      ]
    }
    const wrong = Array(3).fill('denial-of-wrong-zone')
    for (const types of ['NS', 'NS DS RRSIG', 'DNAME RRSIG', 'A DNAME RRSIG', 'NS SOA RRSIG'])
      expect(below(types)).toEqual(wrong)
    expect(below('A RRSIG')).toEqual(['proven', 'denial-unproven', 'not-delegated'])
  })

  test('at a wildcard that is a delegation or an alias denies no type', () => {
    const standIn = (types: string) => [
      record('w.example', {}),
      record('ns2.example', {}),
      record('*.w.example', { types: typesOf(types) }),
    ]
    const ask = (types: string, type: number) =>
      outcome(deniesType(evidence(standIn(types)), nameOf('a.z.w.example'), type))
    expect(ask('NS', typeNumbers.A)).toBe('denial-of-wrong-zone')
    expect(ask('NS', typeNumbers.DS)).toBe('denial-of-wrong-zone')
    expect(ask('CNAME RRSIG', typeNumbers.A)).toBe('denial-unproven')
    expect(ask('', typeNumbers.A)).toBe('proven')
  })

  test('that matches the name itself keeps it from being denied', () => {
    const chain: ZoneText = { apex: 'z.example', nodes: { 'z.example': 'SOA NS', 'm.z.example': 'A' } }
    const records = nsec3Chain(chain, { ...rfcParameters, optOut: 'all-signed' })
    const before = nsec3Chain(
      { apex: 'z.example', nodes: { 'z.example': 'SOA NS' } },
      { ...rfcParameters, optOut: 'all-signed' },
    )
    // What was signed before m.z.example came, and what was signed since.
    const from = { zone: nameOf('z.example'), records: [...before, ...records], budget: createDnssecBudget() }
    expect(outcome(deniesName(from, nameOf('m.z.example')))).toBe('denial-unproven')
  })

  test('of a type that is only ever asked for says nothing', () => {
    expect(noData('ns1.example', 'ANY', 'ns1.example')(0)).toBe('denial-unproven')
  })
})

describe('the chain', () => {
  test('of one name spans everything else', () => {
    const only: ZoneText = { apex: 'z.example', nodes: { 'z.example': 'SOA NS' } }
    const from = {
      zone: nameOf('z.example'),
      records: nsec3Chain(only, { ...rfcParameters, optOut: 'all-signed' }),
      budget: createDnssecBudget(),
    }
    expect(deniesName(from, nameOf('k.z.example')).kind).toBe('proven')
    expect(deniesName(from, nameOf('k.l.z.example')).kind).toBe('proven')
    expect(deniesName(from, nameOf('z.example')).kind).toBe('unproven')
    expect(deniesDs(from, nameOf('k.z.example')).kind).toBe('not-delegated')
  })

  test('spans by the hash made for one name alone, narrow around it (RFC 7129 appendix B)', () => {
    const around = (name: string, types: string | null) => {
      const hash = Buffer.from(hashOf(name, rfcParameters))
      const step = (by: number) =>
        Buffer.from((BigInt(`0x${hash.toString('hex')}`) + BigInt(by)).toString(16).padStart(40, '0'), 'hex')
      return {
        ...record('example', {}),
        hash: types === null ? step(-1) : hash,
        nextHash: step(1),
        types: typesOf(types ?? ''),
      }
    }
    const records = [around('example', 'SOA NS RRSIG'), around('k.example', null), around('*.example', null)]
    expect(outcome(deniesName(evidence(records), nameOf('k.example')))).toBe('proven')
    expect(outcome(deniesName(evidence(records), nameOf('l.example')))).toBe('denial-unproven')
  })

  test.each<[string, Partial<Nsec3>]>([
    ['salt', { salt: Uint8Array.of(1) }],
    ['iterations', { iterations: 11 }],
    ['iterations, too many of them', { iterations: maxNsec3Iterations + 1 }],
  ])('does not mix %s: RFC 5155 §8.2 lets us refuse it', (_, change) => {
    const records = [record('ns1.example', {}), record('xx.example', change)]
    expect(outcome(deniesType(evidence(records), nameOf('ns1.example'), typeNumbers.MX))).toBe('denial-unproven')
    expect(outcome(deniesType(evidence(records.reverse()), nameOf('ns1.example'), typeNumbers.MX))).toBe(
      'denial-unproven',
    )
  })

  test('may have the flag of opt-out at some records only', () => {
    const records = [record('ns1.example', { flags: 1 }), record('xx.example', {})]
    expect(outcome(deniesType(evidence(records), nameOf('ns1.example'), typeNumbers.MX))).toBe('proven')
  })
})

describe('work', () => {
  const zone = nameOf('z.example')
  const whole = (iterations: number, salt: Uint8Array) =>
    nsec3Chain({ apex: 'z.example', nodes: { 'z.example': 'SOA NS' } }, { iterations, salt, optOut: 'all-signed' })
  const spent = (name: Name, iterations: number, saltBytes: number, copies = 1) => {
    const budget = createDnssecBudget({ 'nsec3-hashes': 10_000_000 })
    const records = Array.from({ length: copies }, () => whole(iterations, new Uint8Array(saltBytes))).flat()
    expect(deniesName({ zone, records, budget }, name).kind).toBe('proven')
    return budget.spent['nsec3-hashes']
  }
  const deep = (labels: number) => [...Array.from({ length: labels }, () => Uint8Array.of(0x61)), ...zone]

  test('more iterations than the limit are never a proof, and cost nothing', () => {
    for (const iterations of [maxNsec3Iterations + 1, 500, 65_535]) {
      const budget = createDnssecBudget({ 'nsec3-hashes': 0 })
      const from = { zone, records: whole(0, new Uint8Array(0)).map(one => ({ ...one, iterations })), budget }
      expect(deniesName(from, nameOf('k.z.example')).kind).toBe('too-many-iterations')
      expect(deniesType(from, nameOf('k.z.example'), typeNumbers.A).kind).toBe('too-many-iterations')
      expect(deniesType(from, nameOf('z.example'), typeNumbers.MX).kind).toBe('too-many-iterations')
      expect(deniesDs(from, nameOf('k.z.example')).kind).toBe('too-many-iterations')
      expect(deniesWildcardExpansion(from, nameOf('k.z.example'), 2).kind).toBe('too-many-iterations')
      expect(budget.spent['nsec3-hashes']).toBe(0)
    }
    expect(
      deniesName(
        { zone, records: whole(maxNsec3Iterations, new Uint8Array(0)), budget: createDnssecBudget() },
        nameOf('k.z.example'),
      ).kind,
    ).toBe('proven')
  })

  test('grows with the labels below the zone, one hash for each, and one for the wildcard', () => {
    for (const labels of [1, 2, 10, 50]) expect(spent(deep(labels), 0, 0)).toBe(hashesFor(labels, 0, 0))
    expect(hashesFor(20, 0, 0) - hashesFor(10, 0, 0)).toBe(10)
  })

  test('grows with the iterations', () => {
    for (const iterations of [0, 1, 10, 150]) expect(spent(deep(3), iterations, 0)).toBe(5 * (1 + iterations))
  })

  test('grows with the salt', () => {
    for (const salt of [0, 30, 100, 255]) expect(spent(deep(3), 10, salt)).toBe(hashesFor(3, 10, salt))
  })

  test('does not grow with the records', () => {
    expect(spent(deep(5), 10, 8, 100)).toBe(spent(deep(5), 10, 8))
  })

  test('of the worst that can be asked for is bounded, whatever the budget: 120 labels, all iterations, all salt', () => {
    const worst = spent(deep(120), maxNsec3Iterations, 255)
    expect(worst).toBeLessThan(122 * nsec3HashBlocks(255, 255, maxNsec3Iterations))
    const budget = createDnssecBudget()
    const denial = deniesName({ zone, records: whole(maxNsec3Iterations, new Uint8Array(255)), budget }, deep(120))
    expect(denial).toMatchObject({ kind: 'unproven', reason: 'dnssec.over-budget' })
    expect(budget.spent['nsec3-hashes']).toBeLessThanOrEqual(40_000)
  })

  test('is paid once for one question, however many proofs are tried, and again for the next question', () => {
    const budget = createDnssecBudget()
    const from = { zone, records: whole(10, Uint8Array.of(1)), budget }
    deniesType(from, deep(3), typeNumbers.A)
    const first = budget.spent['nsec3-hashes']
    deniesName(from, deep(3))
    deniesDs(from, deep(3))
    expect(budget.spent['nsec3-hashes']).toBe(first)
    deniesName({ ...from, records: whole(11, Uint8Array.of(1)) }, deep(3))
    expect(budget.spent['nsec3-hashes']).toBeGreaterThan(first)
    const next = createDnssecBudget()
    deniesName({ ...from, budget: next }, deep(3))
    expect(next.spent['nsec3-hashes']).toBe(first)
    // A budget that has refused anything refuses what is already known, too.
    expect(next.spend('questions', 1_000_000)).toBe(false)
    expect(outcome(deniesName({ ...from, budget: next }, deep(3)))).toBe('over-budget')
  })

  test('that is refused anywhere on the way leaves nothing proven', () => {
    const name = deep(3)
    const records = whole(2, new Uint8Array(4))
    const questions = [
      (budget: ReturnType<typeof createDnssecBudget>) => deniesName({ zone, records, budget }, name),
      (budget: ReturnType<typeof createDnssecBudget>) =>
        deniesType({ zone, records, budget }, name, typeNumbers.A),
      (budget: ReturnType<typeof createDnssecBudget>) => deniesDs({ zone, records, budget }, name),
      (budget: ReturnType<typeof createDnssecBudget>) =>
        deniesWildcardExpansion({ zone, records, budget }, name, 2),
    ]
    for (const question of questions) {
      const full = createDnssecBudget()
      question(full)
      for (let limit = 0; limit < full.spent['nsec3-hashes']; limit++)
        expect(outcome(question(createDnssecBudget({ 'nsec3-hashes': limit })))).toBe('over-budget')
    }
  })

  /** Blocks for denying a name that is so many labels below z.example, when the apex is all that exists. */
  function hashesFor(labels: number, iterations: number, salt: number): number {
    const apexBytes = 11
    const names = Array.from({ length: labels + 1 }, (_, index) => apexBytes + 2 * index)
    return [...names, apexBytes + 2].reduce((sum, bytes) => sum + nsec3HashBlocks(bytes, salt, iterations), 0)
  }
})

type Asked = (flags: number) => string

function noName(name: string, ...records: Owner[]): Asked {
  return flags => outcome(deniesName(evidence(records.map(owner => record(owner, { flags }))), nameOf(name)))
}

function noData(name: string, type: keyof typeof typeNumbers, ...records: Owner[]): Asked {
  return flags =>
    outcome(deniesType(evidence(records.map(owner => record(owner, { flags }))), nameOf(name), typeNumbers[type]))
}

function noDs(name: string, ...records: Owner[]): Asked {
  return flags => outcome(deniesDs(evidence(records.map(owner => record(owner, { flags }))), nameOf(name)))
}

function wildcard(name: string, labels: number, ...records: Owner[]): Asked {
  return flags =>
    outcome(
      deniesWildcardExpansion(evidence(records.map(owner => record(owner, { flags }))), nameOf(name), labels),
    )
}

function evidence(records: readonly Nsec3[]) {
  return { zone: nameOf('example'), records, budget: createDnssecBudget() }
}

function record(owner: Owner, change: Partial<Nsec3>): Nsec3 {
  const index = example.findIndex(([, , name]) => name === owner)
  const [hash, types] = example[index] ?? example[0]
  const [next] = example[(index + 1) % example.length] ?? example[0]
  return {
    zone: nameOf('example'),
    hash: bytes(hash),
    algorithm: 1,
    flags: 0,
    ...rfcParameters,
    nextHash: bytes(next),
    types: typesOf(types),
    ...change,
  }
}

function outcome(denial: { kind: string; reason?: string }): string {
  return denial.reason?.replace('dnssec.', '') ?? denial.kind
}

function bytes(hash: string): Uint8Array {
  return fromBase32Hex(Buffer.from(hash)) ?? new Uint8Array(0)
}

function text(hash: Uint8Array): string {
  return Buffer.from(toBase32Hex(hash)).toString('latin1')
}
