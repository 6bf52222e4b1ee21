/**
 * DNS messages from bytes and to bytes (RFC 1035 §4, RFC 6891, RFC 3597).
 *
 * A decoded message holds every record with its raw RDATA, whatever its type. Names inside RDATA that a sender may have
 * compressed are written out (RFC 3597 §4), so the RDATA means the same outside its message and can be brought into
 * canonical form later. OPT is taken out of the additional section: its facts are `edns` and the upper bits of `rcode`.
 *
 * Decoding never throws and its work is bounded by `maxNameSteps`, whatever the bytes: what is not a message is
 * `malformed` with the reason. The decoded names and RDATA are views of the input. What RDATA says is records.ts.
 */
import { maxNameBytes, type Name, wireLength } from './name.ts'
import { classInternet, typeNumbers } from './numbers.ts'

export interface Question {
  readonly name: Name
  readonly type: number
  readonly class: number
}

export interface ResourceRecord {
  readonly name: Name
  readonly type: number
  readonly class: number
  /** Seconds, 0 to 2^31-1: a larger number on the wire means 0 (RFC 2181 §8). */
  readonly ttlSeconds: number
  /** As on the wire, but with compressed names written out. */
  readonly rdata: Uint8Array
}

export interface EdnsOption {
  readonly code: number
  readonly data: Uint8Array
}

/** What the OPT pseudo-record says (RFC 6891 §6.1.2). */
export interface Edns {
  /** The largest UDP message the sender can take, in bytes. */
  readonly udpPayloadBytes: number
  readonly version: number
  /** DO: send DNSSEC records (RFC 3225 §3). */
  readonly dnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

/** The header and the question: enough to tell whose answer it is, even when the rest was cut. */
export interface MessageHead {
  readonly id: number
  /** QR. */
  readonly isResponse: boolean
  readonly opcode: number
  /** AA. */
  readonly authoritative: boolean
  /** TC: the rest may be missing or cut in the middle; ask again over TCP (RFC 2181 §9). */
  readonly truncated: boolean
  /** RD. */
  readonly recursionDesired: boolean
  /** RA. */
  readonly recursionAvailable: boolean
  /** AD (RFC 4035 §3.2.3). */
  readonly authenticData: boolean
  /** CD (RFC 4035 §3.2.2). */
  readonly checkingDisabled: boolean
  /** 0 to 15 in a head; with EDNS 12 bits in a whole message (RFC 6891 §6.1.3). */
  readonly rcode: number
  readonly questions: readonly Question[]
}

export interface Message extends MessageHead {
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  /** Without OPT. */
  readonly additionals: readonly ResourceRecord[]
  /** Null: the sender does not speak EDNS. */
  readonly edns: Edns | null
}

export type MessageFault =
  | 'too-long'
  | 'cut-short'
  | 'label-type-unknown'
  | 'name-too-long'
  /** A compression pointer that does not point backwards: it could loop. */
  | 'pointer-not-backwards'
  | 'too-much-work'
  | 'rdata-length-wrong'
  | 'opt-misplaced'
  | 'opt-malformed'
  | 'trailing-bytes'

export type Decoded<T> =
  | { readonly kind: 'decoded'; readonly value: T }
  | { readonly kind: 'malformed'; readonly because: MessageFault; readonly at: number }

export const headerBytes = 12

/** A message over TCP carries its length in two bytes (RFC 1035 §4.2.2), so none is longer. */
export const maxMessageBytes = 65_535

/** The size a sender must keep to without EDNS (RFC 1035 §4.2.1). */
export const maxPlainUdpBytes = 512

/**
 * Labels read and pointers followed in one message, at most. A message of 64 KB full of names that share one suffix stays
 * well below; one made of pointers to long names, which would cost 127 labels for every 12 bytes, does not.
 */
export const maxNameSteps = 65_536

/** Header and questions only. The rest is not looked at. */
export function decodeHead(bytes: Uint8Array): Decoded<MessageHead> {
  const reader = createReader(bytes)
  const { head } = readHead(reader)
  return reader.outcome(head)
}

/** A whole message: every byte must belong to it. */
export function decodeMessage(bytes: Uint8Array): Decoded<Message> {
  const reader = createReader(bytes)
  if (bytes.length > maxMessageBytes) reader.fail('too-long')
  const { head, counts } = readHead(reader)
  const answers = readSection(reader, counts.answers)
  const authorities = readSection(reader, counts.authorities)
  const rest = readSection(reader, counts.additionals)
  if (reader.at !== bytes.length) reader.fail('trailing-bytes')

  const isOpt = (record: ResourceRecord) => record.type === typeNumbers.OPT
  const opts = rest.filter(isOpt)
  // RFC 6891 §6.1.1: at most one, and only there.
  if (opts.length > 1 || answers.some(isOpt) || authorities.some(isOpt)) reader.fail('opt-misplaced')
  const edns = opts[0] === undefined ? null : readOpt(opts[0], reader)
  return reader.outcome({
    ...head,
    rcode: edns === null ? head.rcode : (edns.upperRcode << 4) | head.rcode,
    answers,
    authorities,
    additionals: opts.length === 0 ? rest : rest.filter(record => !isOpt(record)),
    edns: edns?.edns ?? null,
  })
}

/**
 * The bytes of a message, owner names compressed, RDATA as it is given (RFC 3597 §4 lets nobody be forced to compress it).
 *
 * @param maxBytes what fits through the transport. A message that is longer goes out with its questions and OPT alone and
 *   the TC bit set: an RRset in part is worth nothing (RFC 2181 §9).
 * @throws RangeError when a name, RDATA or the message itself breaks the DNS's limits: our own mistake, names from `parseName` are within them.
 */
export function encodeMessage(message: Message, maxBytes: number = maxMessageBytes): Uint8Array {
  const whole = write(message)
  if (whole.length <= maxBytes) return whole
  return write({ ...message, truncated: true, answers: [], authorities: [], additionals: [] })
}

/** A recursive question with everything else off. */
export function makeQuery(query: {
  readonly id: number
  readonly name: Name
  readonly type: number
  readonly edns: Edns | null
}): Message {
  return {
    id: query.id,
    isResponse: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    questions: [{ name: query.name, type: query.type, class: classInternet }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: query.edns,
  }
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
  /** Set once. From then on reads give zeros, and loops stop. */
  fault: { because: MessageFault; at: number } | null
  fail(because: MessageFault): void
  u8(): number
  u16(): number
  u32(): number
  take(count: number): Uint8Array
  /** A name at `at`, moved past. */
  name(): Name
  outcome<T>(value: T): Decoded<T>
}

/** A pointer on the way through a name: where it led, and how much of the name was read by then. */
interface Passed {
  readonly target: number
  readonly labels: number
  readonly wireBytes: number
  readonly steps: number
}

/** What a pointer leads to: `labels` without the first `from` of them. `steps`: what reading them cost. */
interface Suffix {
  readonly labels: Name
  readonly from: number
  readonly wireBytes: number
  readonly steps: number
}

/** One pass over the bytes with one sticky fault, so that no step needs to be checked and nothing is thrown. */
function createReader(bytes: Uint8Array): Reader {
  let steps = 0
  /**
   * By the offset that a pointer led to: the labels from there on, which thousands of owners may share. Without it each of them has its own views of the same
   * bytes, a hundred times their size.
   */
  const suffixes = new Map<number, Suffix>()
  const remember = (labels: Name, passed: readonly Passed[], wireBytes: number): Name => {
    for (const { target, ...before } of passed)
      suffixes.set(target, {
        labels,
        from: before.labels,
        wireBytes: wireBytes - before.wireBytes + 1,
        steps: steps - before.steps,
      })
    return labels
  }
  const reader: Reader = {
    bytes,
    at: 0,
    fault: null,
    fail(because) {
      reader.fault ??= { because, at: reader.at }
    },
    u8() {
      const byte = bytes[reader.at]
      if (byte === undefined || reader.fault !== null) {
        reader.fail('cut-short')
        return 0
      }
      reader.at++
      return byte
    },
    u16: () => (reader.u8() << 8) | reader.u8(),
    u32: () => reader.u16() * 0x1_0000 + reader.u16(),
    take(count) {
      if (reader.at + count > bytes.length) reader.fail('cut-short')
      if (reader.fault !== null) return nothing
      reader.at += count
      return bytes.subarray(reader.at - count, reader.at)
    },
    name() {
      const own: Uint8Array[] = []
      const passed: Passed[] = []
      let at = reader.at
      // A pointer must lead to before where this stretch of labels began. That is what "prior occurrence" means
      // (RFC 1035 §4.1.4), and it ends every chain.
      let stretch = at
      let resumeAt: number | null = null
      let wireBytes = 1
      while (reader.fault === null) {
        if (++steps > maxNameSteps) reader.fail('too-much-work')
        const length = bytes[at]
        if (length === undefined) reader.fail('cut-short')
        else if (length === 0) {
          reader.at = resumeAt ?? at + 1
          return remember(own, passed, wireBytes)
        } else if (length < 0x40) {
          wireBytes += length + 1
          if (wireBytes > maxNameBytes) reader.fail('name-too-long')
          if (at + 1 + length > bytes.length) reader.fail('cut-short')
          own.push(bytes.subarray(at + 1, at + 1 + length))
          at += 1 + length
        } else if (length >= 0xc0) {
          const low = bytes[at + 1]
          if (low === undefined) reader.fail('cut-short')
          const target = ((length & 0x3f) << 8) | (low ?? 0)
          // No name lies in the header.
          if (target >= stretch || target < headerBytes) reader.fail('pointer-not-backwards')
          resumeAt ??= at + 2
          const known = suffixes.get(target)
          if (known !== undefined && reader.fault === null) {
            const tail = known.from === 0 ? known.labels : known.labels.slice(known.from)
            // As if it were read again: what a message may ask for does not depend on what is remembered of it.
            steps += known.steps
            if (steps > maxNameSteps) reader.fail('too-much-work')
            if (wireBytes + known.wireBytes - 1 > maxNameBytes) reader.fail('name-too-long')
            reader.at = resumeAt
            const whole = own.length === 0 ? tail : [...own, ...tail]
            return remember(whole, passed, wireBytes + known.wireBytes - 1)
          }
          passed.push({ target, labels: own.length, wireBytes, steps })
          at = target
          stretch = target
        } else reader.fail('label-type-unknown')
      }
      return own
    },
    outcome(value) {
      return reader.fault === null ? { kind: 'decoded', value } : { kind: 'malformed', ...reader.fault }
    },
  }
  return reader
}

function readHead(reader: Reader): {
  head: MessageHead
  counts: { answers: number; authorities: number; additionals: number }
} {
  const id = reader.u16()
  const flags = reader.u16()
  const questionCount = reader.u16()
  const counts = { answers: reader.u16(), authorities: reader.u16(), additionals: reader.u16() }
  const questions: Question[] = []
  for (let left = questionCount; left > 0 && reader.fault === null; left--)
    questions.push({ name: reader.name(), type: reader.u16(), class: reader.u16() })
  const has = (bit: number) => (flags & bit) !== 0
  const head = {
    id,
    isResponse: has(flagBits.isResponse),
    opcode: (flags >> 11) & 15,
    authoritative: has(flagBits.authoritative),
    truncated: has(flagBits.truncated),
    recursionDesired: has(flagBits.recursionDesired),
    recursionAvailable: has(flagBits.recursionAvailable),
    authenticData: has(flagBits.authenticData),
    checkingDisabled: has(flagBits.checkingDisabled),
    rcode: flags & 15,
    questions,
  }
  return { head, counts }
}

/** The count is the sender's word; each record takes 11 bytes at least, so the bytes bound the loop. */
function readSection(reader: Reader, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = []
  for (let left = count; left > 0 && reader.fault === null; left--) {
    const name = reader.name()
    const type = reader.u16()
    const recordClass = reader.u16()
    const ttl = reader.u32()
    const length = reader.u16()
    const rdata = readRdata(reader, type, length)
    // OPT keeps flags in this field, not a time (RFC 6891 §6.1.3).
    const ttlSeconds = type === typeNumbers.OPT || ttl < 0x8000_0000 ? ttl : 0
    records.push({ name, type, class: recordClass, ttlSeconds, rdata })
  }
  return records
}

/** RDATA with its names written out where senders compress them; all other types untouched (RFC 3597 §3). */
function readRdata(reader: Reader, type: number, length: number): Uint8Array {
  const start = reader.at
  const end = start + length
  const layout = compressible.get(type)
  if (layout === undefined || reader.fault !== null || end > reader.bytes.length) return reader.take(length)
  const parts: Uint8Array[] = []
  let expanded = false
  for (const part of layout) {
    if (part === 'name') {
      const before = reader.at
      const name = reader.name()
      const wire = nameBytes(name)
      expanded ||= wire.length !== reader.at - before
      parts.push(wire)
    } else if (part === 'string') parts.push(reader.take(1 + (reader.bytes[reader.at] ?? 0)))
    else if (part === 'rest') parts.push(reader.take(Math.max(0, end - reader.at)))
    else parts.push(reader.take(part))
  }
  if (reader.at !== end) reader.fail('rdata-length-wrong')
  if (reader.fault !== null) return nothing
  return expanded ? concat(parts) : reader.bytes.subarray(start, end)
}

function readOpt(record: ResourceRecord, reader: Reader): { edns: Edns; upperRcode: number } {
  if (record.name.length !== 0) reader.fail('opt-malformed')
  const options: EdnsOption[] = []
  const inner = createReader(record.rdata)
  while (inner.at < record.rdata.length && inner.fault === null) {
    const code = inner.u16()
    options.push({ code, data: inner.take(inner.u16()) })
  }
  if (inner.fault !== null) reader.fail('opt-malformed')
  const ttl = record.ttlSeconds
  return {
    edns: {
      udpPayloadBytes: record.class,
      version: (ttl >>> 16) & 0xff,
      dnssecOk: (ttl & 0x8000) !== 0,
      options,
    },
    upperRcode: ttl >>> 24,
  }
}

function write(message: Message): Uint8Array {
  const records = [...message.answers, ...message.authorities, ...message.additionals]
  const opt = message.edns === null ? null : optRecord(message.edns, message.rcode)
  if (opt !== null) records.push(opt)
  if (opt === null && message.rcode > 15) throw new RangeError('an rcode above 15 needs EDNS')

  let room = headerBytes
  for (const { name } of message.questions) room += wireLength(name) + 4
  for (const { name, rdata } of records) room += wireLength(name) + 10 + rdata.length
  const out = new Uint8Array(room)
  const view = new DataView(out.buffer)
  let at = 0
  const u16 = (value: number) => {
    view.setUint16(at, value)
    at += 2
  }

  u16(message.id)
  u16(flagsOf(message))
  u16(message.questions.length)
  u16(message.answers.length)
  u16(message.authorities.length)
  u16(message.additionals.length + (opt === null ? 0 : 1))

  const written = new Map<string, number>()
  for (const question of message.questions) {
    at = writeName(out, at, question.name, written)
    u16(question.type)
    u16(question.class)
  }
  for (const record of records) {
    if (record.rdata.length > 0xffff) throw new RangeError('RDATA is longer than 65535 bytes')
    at = writeName(out, at, record.name, written)
    u16(record.type)
    u16(record.class)
    view.setUint32(at, record.ttlSeconds)
    at += 4
    u16(record.rdata.length)
    out.set(record.rdata, at)
    at += record.rdata.length
  }
  return out.subarray(0, at)
}

function flagsOf(head: MessageHead): number {
  const bit = (isSet: boolean, value: number) => (isSet ? value : 0)
  return (
    (head.opcode << 11) |
    (head.rcode & 15) |
    bit(head.isResponse, flagBits.isResponse) |
    bit(head.authoritative, flagBits.authoritative) |
    bit(head.truncated, flagBits.truncated) |
    bit(head.recursionDesired, flagBits.recursionDesired) |
    bit(head.recursionAvailable, flagBits.recursionAvailable) |
    bit(head.authenticData, flagBits.authenticData) |
    bit(head.checkingDisabled, flagBits.checkingDisabled)
  )
}

/** Writes a name, pointing to the longest suffix that is already there in the same case, and returns where it ends. */
function writeName(out: Uint8Array, start: number, name: Name, written: Map<string, number>): number {
  checkName(name)
  let at = start
  for (const [index, label] of name.entries()) {
    const suffix = latin1(nameBytes(name.slice(index)))
    const known = written.get(suffix)
    if (known !== undefined) {
      out[at] = 0xc0 | (known >> 8)
      out[at + 1] = known & 0xff
      return at + 2
    }
    if (at <= furthestPointer) written.set(suffix, at)
    out[at] = label.length
    out.set(label, at + 1)
    at += 1 + label.length
  }
  out[at] = 0
  return at + 1
}

/** The wire form of a name, uncompressed. */
export function nameBytes(name: Name): Uint8Array {
  const out = new Uint8Array(wireLength(name))
  let at = 0
  for (const label of name) {
    out[at] = label.length
    out.set(label, at + 1)
    at += 1 + label.length
  }
  return out
}

function optRecord(edns: Edns, rcode: number): ResourceRecord {
  const parts: Uint8Array[] = []
  for (const { code, data } of edns.options)
    parts.push(Uint8Array.of(code >> 8, code & 0xff, data.length >> 8, data.length & 0xff), data)
  const ttl = (rcode >> 4) * 0x100_0000 + edns.version * 0x1_0000 + (edns.dnssecOk ? 0x8000 : 0)
  return { name: [], type: typeNumbers.OPT, class: edns.udpPayloadBytes, ttlSeconds: ttl, rdata: concat(parts) }
}

function checkName(name: Name): void {
  if (wireLength(name) > maxNameBytes || name.some(label => label.length === 0 || label.length > 63))
    throw new RangeError('a name breaks the limits of RFC 1035 §2.3.4')
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes)
const nothing = new Uint8Array(0)
const furthestPointer = 0x3fff

const flagBits = {
  isResponse: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const

type RdataPart = number | 'name' | 'string' | 'rest'

/**
 * Where the names lie in the RDATA of types whose senders compress them: the well-known ones, and those that RFC 3597 §4
 * asks receivers to expand all the same. For every other type compression is forbidden and the bytes stay as they came.
 */
const compressible = new Map<number, readonly RdataPart[]>([
  [typeNumbers.NS, ['name']],
  [typeNumbers.MD, ['name']],
  [typeNumbers.MF, ['name']],
  [typeNumbers.CNAME, ['name']],
  [typeNumbers.SOA, ['name', 'name', 20]],
  [typeNumbers.MB, ['name']],
  [typeNumbers.MG, ['name']],
  [typeNumbers.MR, ['name']],
  [typeNumbers.PTR, ['name']],
  [typeNumbers.MINFO, ['name', 'name']],
  [typeNumbers.MX, [2, 'name']],
  [typeNumbers.RP, ['name', 'name']],
  [typeNumbers.AFSDB, [2, 'name']],
  [typeNumbers.RT, [2, 'name']],
  [typeNumbers.SIG, [18, 'name', 'rest']],
  [typeNumbers.PX, [2, 'name', 'name']],
  [typeNumbers.NXT, ['name', 'rest']],
  [typeNumbers.SRV, [6, 'name']],
  [typeNumbers.NAPTR, [4, 'string', 'string', 'string', 'name']],
])
