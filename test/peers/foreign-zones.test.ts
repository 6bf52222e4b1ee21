/**
 * Zones that foreign signers made (ldns-signzone, BIND's dnssec-signzone) and NSD serves, judged by our resolver and by three real validators (delv, unbound, drill),
 * all through one recursive server that validates nothing: the same status for every question, or a reason in the table why not, and the RFC that decides.
 *
 * Every reason that the validator can give is given to one of these questions at least. What no foreign server can be made to send, as it looks after its zones
 * or lacks the malice, comes from the lab's zones, and the foreign validators judge it as well.
 *
 * drill says only whether a chain holds: to it everything else is `broken`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDns } from '../../src/lab/dns-server.ts'
import { privateInternet } from '../../src/lab/signing/private-internet.ts'
import { createSignedWorld, forged, type SignedWorld, worldZone } from '../../src/lab/signing/signed-world.ts'
import { nameKey } from '../../src/protocol/dns/name.ts'
import { typeNumbers } from '../../src/protocol/dns/numbers.ts'
import { makeRecord } from '../../src/protocol/dns/records.ts'
import { readAnchors } from '../../src/protocol/dnssec/anchors.ts'
import { name as nameOf, questionFrom } from '../../src/protocol/dnssec/testing/validating.ts'
import { createDnsWire } from '../../src/system/dns-wire.ts'
import { createValidatingResolver } from '../../src/system/validating-resolver.ts'
import { root, temporaryDirectory } from '../support/hermetic.ts'
import { run } from '../support/process.ts'
import { foreignInternet } from './support/foreign-internet.ts'
import { type Asked, givenTo, questions, type Scene } from './support/foreign-questions.ts'
import { makeForeignZones } from './support/foreign-signers.ts'
import { startNsd, startRecursor } from './support/name-servers.ts'
import { foreignValidators, type Place, type Status, type Validators } from './support/validators.ts'

const asked = questions()
const directory = temporaryDirectory('foreign-zones')
const scenes = new Map<
  Scene,
  Validators & { hermetic(question: string): Promise<{ status: Status; reason: string | null }> }
>()
const closers: (() => Promise<unknown>)[] = []
let recursorAddress = ''

beforeAll(async () => {
  const folder = (name: string) => {
    const path = join(directory.path, name)
    mkdirSync(path)
    return path
  }
  const zones = await makeForeignZones(folder('zones'), foreignInternet())
  const nsd = await startNsd(folder('nsd'), zones.files)
  closers.push(() => nsd.stop())
  const recursor = await startRecursor(folder('recursor'), zones.files.keys(), nsd)
  closers.push(() => recursor.stop())
  recursorAddress = `${recursor.address}:${recursor.port}`
  const world = strangeLab()
  const lab = await startDns(world.respond)
  closers.push(() => lab.close())

  const set = (scene: Scene, resolver: Place, anchors: readonly string[], insecure: readonly string[] = []) => {
    const foreign = foreignValidators({ directory: folder(`scene-${scene}`), resolver, anchors, insecure })
    scenes.set(scene, { ...foreign, hermetic: ours(resolver, anchors, insecure) })
  }
  set('recursor', recursor, zones.anchors(''))
  set('nsd', nsd, zones.anchors(''))
  set('lenient', recursor, zones.anchors(''), ['expired.example', 'gap.example'])
  set('island', recursor, zones.anchors('nsec.example'))
  set('lab', lab, world.anchorLines.dnskey)
})
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  directory.remove()
})

test.concurrent.for(asked.map(each => [each.scene, each.question, each] as const))(
  '%s: %s',
  async ([scene, question, each]) => {
    const by = scenes.get(scene)
    if (by === undefined) throw new Error('no such scene')
    const [delv, unbound, drill, { status, reason }] = await Promise.all([
      by.delv(question),
      by.unbound(question),
      by.drill(question),
      by.hermetic(question),
    ])
    const different = Object.fromEntries(each.but.map(({ by: who, says }) => [who, says]))
    expect({ delv, unbound, drill, hermetic: status, reason }).toEqual({ ...expectedOf(each), ...different })
  },
)

test('every reason is the answer to a question above', () => {
  for (const [reason, [scene, question]] of Object.entries(givenTo)) {
    const found = asked.find(each => each.scene === scene && each.question === question)
    expect([question, found?.reason]).toEqual([question, reason])
  }
})

test('no question is asked twice, and no difference is listed that is none', () => {
  const all = asked.map(({ scene, question }) => `${scene} ${question}`)
  expect(all).toEqual([...new Set(all)])
  for (const each of asked)
    for (const { by, says } of each.but)
      expect([each.question, by, says]).not.toEqual([each.question, by, expectedOf(each)[by]])
})

// What the resolver makes of an answer is what the command prints.
test.each([
  ['_25._tcp.mx.nsec3.example TLSA', 'secure', null, 0],
  ['host.unsigned.test A', 'insecure', 'dnssec.opt-out', 0],
  ['host.iterations2000.example AAAA', 'insecure', 'dnssec.too-many-iterations', 1],
  ['host.expired.example A', 'bogus', 'dnssec.signature-expired', 2],
  ['host.lost.example A', 'indeterminate', 'dns.lookup-failed', 2],
] as const)('./hermetic dns %s --json: %s, %s, exit %i', async (question, security, reason, exit) => {
  const anchor = scenes.get('recursor')?.anchorFile ?? ''
  const { code, stdout } = await run(join(root, 'hermetic'), [
    ...['dns', ...question.split(' ')],
    ...['--server', recursorAddress, '--anchor', anchor, '--json'],
  ])
  expect([code, JSON.parse(stdout)]).toEqual([exit, expect.objectContaining({ security, reason })])
})

/** As they all should see it. */
function expectedOf({ status, reason }: Asked) {
  const drill = status === 'secure' ? 'holds' : 'broken'
  return { delv: status, unbound: status, drill, hermetic: status, reason }
}

/** Our resolver on a socket of its own, with everything that it does before it calls an answer bogus. */
function ours(resolver: Place, lines: readonly string[], insecure: readonly string[]) {
  const wire = createDnsWire({ servers: [`${resolver.address}:${resolver.port}`], timeoutMs: 10_000 })
  closers.push(() => wire.close())
  const read = readAnchors(`${lines.join('\n')}\n`)
  if (read.kind !== 'anchors') throw new Error(read.says)
  const validating = createValidatingResolver({
    wire,
    anchors: read.anchors,
    insecure: insecure.map(nameOf),
    now: () => Date.now(),
  })
  return async (question: string): Promise<{ status: Status; reason: string | null }> => {
    const { name, type } = questionFrom(question)
    const { security, outcome, reason } = await validating.resolve(name, type)
    if (security !== 'indeterminate') return { status: security, reason }
    // Not judged, for want of an anchor, is not failed: the answer is there.
    return { status: outcome === 'failed' ? 'failed' : 'insecure', reason }
  }
}

/** With a name that has two CNAMEs, and a server in between that lets the tree of a DNAME lead elsewhere. */
function strangeLab(): SignedWorld {
  const double = ['www.double.example CNAME host.nsec.example', 'www.double.example CNAME host.nsec3.example']
  const world = createSignedWorld({
    zones: [...privateInternet(), worldZone('double.example', double, {})],
    nowMs: Date.now(),
  })
  return forged(world, ({ name }, honest) => {
    const owner = 'host.tree.aliases.example'
    if (nameKey(name) !== owner) return honest
    const elsewhere = makeRecord(owner, 300, { type: 'CNAME', target: 'host.nsec3.example' })
    const answers = honest.answers
      .filter(record => !nameKey(record.name).endsWith('nsec.example'))
      .map(record => (record.type === typeNumbers.CNAME ? elsewhere : record))
    return { ...honest, answers }
  })
}
