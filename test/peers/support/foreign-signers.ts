/**
 * Zones made by foreign hands: keys, DS records and signatures by ldns (`ldns-keygen`, `ldns-key2ds`, `ldns-signzone`) or BIND (`dnssec-signzone` and its kin),
 * each zone's DS in its parent, down from a root of their own. What is to be broken is broken afterwards, in the text of the signed zone.
 *
 * Nothing of ours is in what they sign but the text. One folder for each zone, since dnssec-signzone takes whatever it finds.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../support/process.ts'

export interface ForeignZone {
  /** Without the last dot; empty for the root. */
  readonly apex: string
  /** Lines of a zone file, relative to the apex; SOA, NS and the delegations to the other zones come by themselves. */
  readonly content: readonly string[]
  readonly signing: Signing | 'unsigned'
  /** RDATA of the DS records in the parent. Default: SHA-256 of each key that signs keys. */
  readonly ds?: (keys: readonly KeyDigests[]) => readonly string[]
  /** What is done to the signed zone before it is served. Without any line left there is no zone that a server could load. */
  readonly edit?: (
    lines: readonly ZoneLine[],
    workshop: Workshop,
  ) => readonly ZoneLine[] | Promise<readonly ZoneLine[]>
}

export interface Signing {
  /** Default: ldns. */
  readonly by?: 'ldns' | 'bind'
  /** As `ldns-keygen` names them. Default: ECDSAP256SHA256. */
  readonly algorithms?: readonly string[]
  /** `split`: a key for the keys and another for the rest. Default: one for both. */
  readonly keys?: 'split' | 'combined'
  readonly denial?: Nsec3 | 'nsec'
  /** Days from now. Default: since yesterday, for four weeks. */
  readonly fromDays?: number
  readonly untilDays?: number
  /** The key that signs keys carries the REVOKE bit. */
  readonly revoked?: true
}

export interface Nsec3 {
  readonly iterations: number
  /** Hexadecimal; empty for none. */
  readonly salt: string
  /** ldns sets the flag, and lists unsigned delegations all the same; BIND leaves them out. */
  readonly optOut?: true
}

export interface KeyDigests {
  readonly tag: number
  readonly algorithm: number
  readonly sha1: string
  readonly sha256: string
  readonly sha384: string
}

export interface ZoneLine {
  /** In lower case, with the last dot. */
  readonly owner: string
  readonly type: string
  /** Of an RRSIG: the type that it covers. Of others: the same as `type`. */
  readonly about: string
  readonly rdata: string
}

/** What an edit may need besides its own zone. */
export interface Workshop {
  /** The same zone, with the same keys, signed another way. `strange-zsk`: with another key for what is not keys. */
  again(changes: Partial<Signing>, keys?: 'same' | 'strange-zsk'): Promise<readonly ZoneLine[]>
  /** Another zone as it was signed, before any edit. */
  other(apex: string): readonly ZoneLine[]
}

export interface ForeignZones {
  /** Apex to zone file. */
  readonly files: ReadonlyMap<string, string>
  /** A zone's keys that sign keys, as lines of a zone file: `. IN DNSKEY 257 3 8 …`. */
  anchors(apex: string): readonly string[]
}

/** @param directory is filled, and removed by the caller */
export async function makeForeignZones(directory: string, zones: readonly ForeignZone[]): Promise<ForeignZones> {
  const keysOf = new Map<string, ZoneKeys>()
  await inTurns(zones, async zone => {
    mkdirSync(folder(directory, zone.apex), { recursive: true })
    if (zone.signing !== 'unsigned')
      keysOf.set(zone.apex, await makeKeys(folder(directory, zone.apex), zone.apex, zone.signing))
  })

  const signed = new Map<string, readonly ZoneLine[]>()
  await inTurns(zones, async zone => {
    const text = zoneText(zone, zones, keysOf)
    const keys = keysOf.get(zone.apex)
    const where = folder(directory, zone.apex)
    const lines =
      zone.signing === 'unsigned' || keys === undefined
        ? null
        : await signZone(where, zone.apex, text, zone.signing, keys)
    if (lines === null) writeFileSync(join(where, 'zone'), text)
    else signed.set(zone.apex, lines)
  })

  const files = new Map<string, string>()
  await inTurns(zones, async zone => {
    const { apex, signing, edit } = zone
    const where = folder(directory, apex)
    const lines = signed.get(apex)
    const keys = keysOf.get(apex)
    files.set(apex, join(where, lines === undefined ? 'zone' : 'served'))
    if (lines === undefined || signing === 'unsigned' || keys === undefined) return
    const workshop: Workshop = {
      async again(changes, which = 'same') {
        const used =
          which === 'same' ? keys : { ...keys, others: await keyPair(where, apex, algorithmsOf(signing), 'zsk') }
        return await signZone(where, apex, zoneText(zone, zones, keysOf), { ...signing, ...changes }, used)
      },
      other: name => signed.get(name) ?? [],
    }
    const served = edit === undefined ? lines : await edit(lines, workshop)
    writeFileSync(join(where, 'served'), served.map(lineText).join(''))
  })

  return {
    files,
    anchors: apex =>
      (signed.get(apex) ?? [])
        .filter(({ type, rdata }) => type === 'DNSKEY' && rdata.startsWith('257 '))
        .map(({ rdata }) => `${apex}. IN DNSKEY ${rdata}`),
  }
}

interface ZoneKeys {
  /** Base names of key files. */
  readonly forKeys: readonly string[]
  /** Empty when the others sign everything. */
  readonly others: readonly string[]
  readonly digests: readonly KeyDigests[]
}

async function makeKeys(cwd: string, apex: string, signing: Signing): Promise<ZoneKeys> {
  const made = await keyPair(cwd, apex, algorithmsOf(signing), 'ksk')
  const forKeys = signing.revoked === true ? await Promise.all(made.map(key => revoked(cwd, key))) : made
  const others = signing.keys === 'split' ? await keyPair(cwd, apex, algorithmsOf(signing), 'zsk') : []
  return { forKeys, others, digests: await Promise.all(forKeys.map(key => digestsOf(cwd, key))) }
}

function keyPair(
  cwd: string,
  apex: string,
  algorithms: readonly string[],
  role: 'ksk' | 'zsk',
): Promise<readonly string[]> {
  return Promise.all(
    algorithms.map(async algorithm => {
      const bits = algorithm.includes('RSA') ? ['-b', '1024'] : []
      const { stdout } = await must(
        'ldns-keygen',
        ['-a', algorithm, ...bits, ...(role === 'ksk' ? ['-k'] : []), `${apex}.`],
        { cwd },
      )
      return stdout.trim()
    }),
  )
}

/** BIND's, which renames the files; the tag of a key changes with its flags. */
async function revoked(cwd: string, key: string): Promise<string> {
  const { stdout } = await must('dnssec-revoke', ['-f', key], { cwd })
  return stdout.trim().split('/').at(-1) ?? ''
}

async function digestsOf(cwd: string, key: string): Promise<KeyDigests> {
  const [sha1, sha256, sha384] = await Promise.all(
    ['-1', '-2', '-4'].map(async digest => {
      const { stdout } = await must('ldns-key2ds', ['-n', '-f', digest, `${key}.key`], { cwd })
      return /\sDS\s+(\d+) (\d+) \d+ (\S+)/.exec(stdout) ?? []
    }),
  )
  const [, tag = '', algorithm = '', first = ''] = sha1 ?? []
  return {
    tag: Number(tag),
    algorithm: Number(algorithm),
    sha1: first,
    sha256: sha256?.[3] ?? '',
    sha384: sha384?.[3] ?? '',
  }
}

/** What is signed: the content, with a delegation for each zone that lies below and in no other one between. */
function zoneText(
  zone: ForeignZone,
  zones: readonly ForeignZone[],
  keysOf: ReadonlyMap<string, ZoneKeys>,
): string {
  const below = zones.filter(({ apex }) => apex !== zone.apex && parentOf(apex, zones) === zone.apex)
  const delegations = below.flatMap(child => {
    const keys = keysOf.get(child.apex)
    const ds = keys === undefined ? [] : (child.ds ?? sha256)(keys.digests)
    return [
      `${child.apex}. NS ns.${child.apex}.`,
      `ns.${child.apex}. A 127.0.0.1`,
      ...ds.map(rdata => `${child.apex}. DS ${rdata}`),
    ]
  })
  const apex = `${zone.apex}.`
  return [
    `$ORIGIN ${apex}`,
    '$TTL 300',
    `${apex} SOA ns host 1 7200 3600 604800 300`,
    `${apex} NS ns`,
    'ns A 127.0.0.1',
    ...zone.content,
    ...delegations,
    '',
  ].join('\n')
}

async function signZone(
  cwd: string,
  apex: string,
  text: string,
  signing: Signing,
  keys: ZoneKeys,
): Promise<readonly ZoneLine[]> {
  // More than one signing of a zone may be under way.
  const name = `zone-${serial++}`
  const { by = 'ldns', denial = 'nsec', fromDays = -1, untilDays = 28 } = signing
  const [from, until] = [dateAt(fromDays), dateAt(untilDays)]
  const used = [...keys.forKeys, ...keys.others]
  if (by === 'ldns') {
    writeFileSync(join(cwd, name), text)
    const hashed =
      denial === 'nsec'
        ? []
        : [
            '-n',
            '-t',
            `${denial.iterations}`,
            ...(denial.salt === '' ? [] : ['-s', denial.salt]),
            ...(denial.optOut === true ? ['-p'] : []),
          ]
    const several = algorithmsOf(signing).length > 1 ? ['-U'] : []
    await must(
      'ldns-signzone',
      ['-o', `${apex}.`, '-i', from, '-e', until, ...hashed, ...several, '-f', `${name}.signed`, name, ...used],
      { cwd },
    )
  } else {
    const keyLines = used.map(key => readFileSync(join(cwd, `${key}.key`), 'latin1'))
    writeFileSync(join(cwd, name), text + keyLines.join(''))
    const hashed =
      denial === 'nsec'
        ? []
        : [
            '-3',
            denial.salt === '' ? '-' : denial.salt,
            '-H',
            `${denial.iterations}`,
            ...(denial.optOut === true ? ['-A'] : []),
          ]
    const combined = keys.others.length === 0 ? ['-z'] : []
    await must(
      'dnssec-signzone',
      [
        '-P',
        '-q',
        '-o',
        `${apex}.`,
        '-O',
        'full',
        '-s',
        from,
        '-e',
        until,
        ...hashed,
        ...combined,
        '-f',
        `${name}.signed`,
        name,
        ...used,
      ],
      { cwd },
    )
  }
  return readFileSync(join(cwd, `${name}.signed`), 'latin1')
    .split('\n')
    .flatMap(zoneLine)
}

/** Signers write a record to a line. */
function zoneLine(text: string): readonly ZoneLine[] {
  const [, owner = '', type = '', rdata = ''] = /^(\S+)\s+\d+\s+IN\s+(\S+)\s+([^;]*)/.exec(text) ?? []
  if (owner === '') return []
  const about = type === 'RRSIG' ? (rdata.split(' ')[0] ?? '') : type
  return [{ owner: owner.toLowerCase(), type, about, rdata: rdata.trim() }]
}

function lineText({ owner, type, rdata }: ZoneLine): string {
  return `${owner} 300 IN ${type} ${rdata}\n`
}

/** The longest apex of another zone that the name lies below; null for the root. */
function parentOf(apex: string, zones: readonly ForeignZone[]): string | null {
  if (apex === '') return null
  const above = zones.map(zone => zone.apex).filter(other => other === '' || apex.endsWith(`.${other}`))
  return above.reduce((longest, other) => (other.length > longest.length ? other : longest), '')
}

/** A few at a time. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
  }
  await Promise.all([worker(), worker(), worker()])
}

const folder = (directory: string, apex: string) => join(directory, apex === '' ? 'root' : apex)
const algorithmsOf = (signing: Signing) => signing.algorithms ?? ['ECDSAP256SHA256']
const sha256 = (keys: readonly KeyDigests[]) =>
  keys.map(({ tag, algorithm, sha256: digest }) => `${tag} ${algorithm} 2 ${digest}`)
/** `20260115120000`, UTC, as both signers read it. */
const dateAt = (days: number) =>
  new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\..*/g, '')
let serial = 0
