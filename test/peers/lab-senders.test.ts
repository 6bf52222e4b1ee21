/**
 * Postfix and Exim send into the lab, from a network namespace of its own, with a real unbound as their resolver: in every scenario the same comes of it as with
 * Hermetic, or a listed reason (lab-disagreements.ts).
 *
 * A disagreement that is not listed fails, and so does a listed one that is none any more. What the senders say is held against what the hosts saw. docs/dane.md has the
 * outcome as a table; HERMETIC_WRITE=1 writes it anew. That Hermetic does what the scenarios expect is tested elsewhere.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Scenario, scenarios } from '../../src/lab/scenarios.ts'
import type { LabReport } from '../../src/lab/standing-lab.ts'
import { createWorld } from '../../src/lab/world.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { labDisagreements, notPlayed } from './lab-disagreements.ts'
import { type LabInNamespace, namespaceObstacle, startLabInNamespace } from './support/lab-namespace.ts'
import { eximSender, type Fate, postfixSender, recipientFor, type Sender } from './support/lab-senders.ts'
import {
  type LabOutcomes,
  renderScenarios,
  replaceScenarios,
  withoutVersions,
} from './support/lab-senders-document.ts'

const why = await namespaceObstacle()
const title = `other senders in the lab${why === null ? '' : ` (left out: ${why})`}`
const document = new URL('../../docs/dane.md', import.meta.url)
const played = scenarios.filter(({ name }) => !notPlayed.some(({ scenario }) => scenario === name))

describe.skipIf(why !== null)(title, () => {
  let directory: ReturnType<typeof temporaryDirectory> | undefined
  const outcomes: { sender: Sender; version: string; fates: ReadonlyMap<string, Fate> }[] = []
  let lab: LabInNamespace | undefined
  let report: LabReport

  beforeAll(async () => {
    const { hops } = await createWorld(Date.now())
    directory = temporaryDirectory('lab-senders')
    const { path } = directory
    const running = await startLabInNamespace(path, `hermetic-senders-${process.pid}`)
    lab = running
    const options = (name: string) => ({ directory: join(path, name), lab: running, hops })
    const senders = [postfixSender(options('postfix')), eximSender(options('exim'))]
    // Both come to an end before anything is taken from under them.
    const settled = await Promise.allSettled(
      senders.map(async sender => ({
        sender,
        version: await sender.version(),
        fates: await sender.send(played),
      })),
    )
    for (const each of settled) {
      if (each.status === 'rejected') throw each.reason
      outcomes.push(each.value)
    }
    report = await running.report()
  })
  afterAll(async () => {
    try {
      await lab?.stop()
    } finally {
      directory?.remove()
    }
  })

  test.for(['Postfix', 'Exim'] as const)('%s does the same as Hermetic, or a reason is listed', name => {
    const { fates } = outcomeOf(name)
    const listed = new Set(labDisagreements.flatMap(each => (each.senders.includes(name) ? each.scenarios : [])))
    const differing = played.filter(scenario => !isSame(expectedFate(scenario), fates.get(scenario.name)))
    expect(
      differing.flatMap(scenario =>
        listed.has(scenario.name)
          ? []
          : [`${scenario.name}: ${words(expectedFate(scenario))}, ${name}: ${words(fates.get(scenario.name))}`],
      ),
      'disagreements without a reason in lab-disagreements.ts',
    ).toEqual([])
    const differ = new Set(differing.map(scenario => scenario.name))
    expect(
      [...listed].filter(each => !differ.has(each)),
      'listed, and no disagreement',
    ).toEqual([])
  })

  test.for(['Postfix', 'Exim'] as const)('what %s says and what the hosts saw is the same story', name => {
    const { fates, sender } = outcomeOf(name)
    const stories = played.map(scenario => {
      const fate = fates.get(scenario.name)
      const said =
        fate?.did === 'delivered' ? `kept once, over ${fate.proof === 'clear' ? 'clear' : 'tls'}` : 'not kept'
      const kept = arrivals(sender, scenario)
      const seen =
        kept.length === 0 ? 'not kept' : `kept ${kept.length === 1 ? 'once' : 'often'}, over ${kept[0]?.over}`
      return { scenario: scenario.name, said, seen }
    })
    expect(stories.filter(({ said, seen }) => said !== seen)).toEqual([])
  })

  test.for(['Postfix', 'Exim'] as const)(
    'where %s proves a host as Hermetic does, it is the same host under the same SNI',
    name => {
      const { fates, sender } = outcomeOf(name)
      const compared = played.flatMap(scenario => {
        const { expect } = scenario
        if (expect.outcome !== 'delivered' || !/proved$/.test(fates.get(scenario.name)?.proof ?? '')) return []
        const [arrival] = arrivals(sender, scenario)
        // Without records the others send none.
        const sni = expect.record === null ? null : expect.sni
        return [
          {
            scenario: scenario.name,
            ours: { at: expect.at, sni },
            theirs: { at: arrival?.host, sni: arrival?.sni },
          },
        ]
      })
      expect(compared.length).toBeGreaterThan(10)
      expect(compared.filter(({ ours, theirs }) => ours.at !== theirs.at || ours.sni !== theirs.sni)).toEqual([])
    },
  )

  test.for(['Postfix', 'Exim'] as const)('to hosts without records %s sends no SNI', name => {
    const { sender } = outcomeOf(name)
    const without = played.filter(scenario => ['opportunistic', 'signed-without-tlsa'].includes(scenario.name))
    expect(without.flatMap(scenario => arrivals(sender, scenario)).map(({ sni }) => sni)).toEqual([null, null])
  })

  test('docs/dane.md says so', () => {
    const compared: LabOutcomes = {
      scenarios: played.map(scenario => ({ scenario, hermetic: expectedFate(scenario) })),
      senders: outcomes.map(({ sender, version, fates }) => ({ name: sender.name, version, fates })),
    }
    const section = renderScenarios(compared, labDisagreements, notPlayed)
    const page = readFileSync(document, 'utf8')
    const wanted = replaceScenarios(page, section)
    if (process.env['HERMETIC_WRITE'] === '1') writeFileSync(document, wanted)
    else expect(withoutVersions(page)).toBe(withoutVersions(wanted))
  })

  function outcomeOf(name: Sender['name']) {
    const found = outcomes.find(({ sender }) => sender.name === name)
    if (found === undefined) throw new Error(`${name} has sent nothing`)
    return found
  }

  /** Where it was kept, as the hosts tell it. */
  function arrivals(sender: Sender, scenario: Scenario) {
    const recipient = recipientFor(scenario)
    return report.hosts.flatMap(({ name: host, newest }) =>
      newest.flatMap(({ mails, tls }) =>
        mails.flatMap(({ from, accepted, content, over }) =>
          from === sender.address && accepted.includes(recipient) && content === 'kept'
            ? [{ host, over, sni: tls?.sni ?? null }]
            : [],
        ),
      ),
    )
  }
})

test('no disagreement is listed twice, and every scenario in the list is there', () => {
  const pairs = labDisagreements.flatMap(({ senders, scenarios: names }) =>
    senders.flatMap(sender => names.map(name => `${sender}: ${name}`)),
  )
  expect(pairs.filter((pair, i) => pairs.indexOf(pair) !== i)).toEqual([])
  const names = [...labDisagreements.flatMap(each => each.scenarios), ...notPlayed.map(({ scenario }) => scenario)]
  expect(names.filter(name => !scenarios.some(scenario => scenario.name === name))).toEqual([])
})

/** What comes of it with Hermetic, in the terms in which the others are told of. */
function expectedFate({ expect: expected }: Scenario): Fate {
  switch (expected.outcome) {
    case 'delivered': {
      const { peer, name, at } = expected
      const proof =
        peer === 'clear' || peer === 'encrypted' ? peer : name === 'unauthenticated' ? 'half-proved' : 'proved'
      return { did: 'delivered', at, proof, says: peer }
    }
    case 'deferred':
    case 'returned':
      return { did: expected.outcome, at: null, proof: null, says: expected.reason }
    case 'refused':
      throw new Error('no message is sent where the relay is attacked')
    default:
      return expected satisfies never
  }
}

function isSame(ours: Fate, theirs: Fate | undefined): boolean {
  return ours.did === theirs?.did && ours.proof === theirs.proof
}

function words(fate: Fate | undefined): string {
  return fate === undefined
    ? 'nothing'
    : `${fate.did}${fate.proof === null ? '' : ` ${fate.proof}`} (${fate.says})`
}
