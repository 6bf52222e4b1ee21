/**
 * The content of a message as DATA carries it, or as it lies in a file without stuffed dots (`plain`), one byte at a time: the end of DATA, dot-unstuffing, and what makes content unacceptable
 * (RFC 5321 §4.1.1.4, §4.5.2, §2.3.8). This is the clear version, the reference: content.ts does the same on whole chunks and asks this
 * machine wherever a line is out of the ordinary.
 *
 * Only CRLF ends a line and only CRLF.CRLF ends the content. A bare CR or LF never does: it marks the content as refused and reading goes on to the true end,
 * so that client and server keep the same idea of where the commands resume.
 */
import type { ContentFacts, ContentFault } from './server.ts'

export interface ContentLimits {
  /** A line with its CRLF, not counting a stuffed dot (RFC 5321 §4.5.3.1.6). */
  readonly textLineBytes: number
  readonly messageBytes: number
  readonly receivedFields: number
}

export type Where = 'line-start' | 'text' | 'cr' | 'dot' | 'dot-cr'
type Byte = 'cr' | 'lf' | 'dot' | 'other'
/** `hold`: the byte belongs to the transparency procedure, not to the message. The bare ones are kept in the count but refuse the content. */
export type Effect = 'emit' | 'hold' | 'end' | 'bare-cr' | 'bare-lf'
type Step = readonly [next: Where, effect: Effect]

/** Leave out a cell and it does not compile. */
const table: Readonly<Record<Where, Readonly<Record<Byte, Step>>>> = {
  'line-start': { cr: ['cr', 'emit'], lf: ['text', 'bare-lf'], dot: ['dot', 'hold'], other: ['text', 'emit'] },
  text: { cr: ['cr', 'emit'], lf: ['text', 'bare-lf'], dot: ['text', 'emit'], other: ['text', 'emit'] },
  cr: { cr: ['cr', 'bare-cr'], lf: ['line-start', 'emit'], dot: ['text', 'bare-cr'], other: ['text', 'bare-cr'] },
  dot: { cr: ['dot-cr', 'hold'], lf: ['text', 'bare-lf'], dot: ['text', 'emit'], other: ['text', 'emit'] },
  'dot-cr': {
    cr: ['cr', 'bare-cr'],
    lf: ['line-start', 'end'],
    dot: ['text', 'bare-cr'],
    other: ['text', 'bare-cr'],
  },
}

/** `stuffed`: as DATA carries it, with an end. `plain`: without dot-stuffing; it ends where its bytes end. */
export type Transparency = 'stuffed' | 'plain'

/** Where the machine is, and what it knows. Changed only by `step` and, for whole ordinary lines, by content.ts. */
export interface ContentState {
  readonly transparency: Transparency
  where: Where
  /** Octets of the current line so far. */
  lineBytes: number
  sizeBytes: number
  eightBit: boolean
  inHeader: boolean
  /** How much of `received:` the current header line has matched; -1 when it is another field. */
  matched: number
  receivedFields: number
  fault: ContentFault | null
}

export function beginContent(transparency: Transparency = 'stuffed'): ContentState {
  return {
    transparency,
    where: 'line-start',
    lineBytes: 0,
    sizeBytes: 0,
    eightBit: false,
    inHeader: true,
    matched: 0,
    receivedFields: 0,
    fault: null,
  }
}

/** Takes one byte. Counting goes on after a fault, which stays the first one. */
export function step(state: ContentState, byte: number, limits: ContentLimits): Effect {
  const [next, effect] = table[state.where][byteClass(byte, state.transparency)]
  state.where = next
  if (effect === 'hold' || effect === 'end') return effect
  if (effect === 'bare-cr') state.fault ??= 'smtp.bare-cr'
  if (effect === 'bare-lf') state.fault ??= 'smtp.bare-lf'
  if (byte === 0) state.fault ??= 'smtp.nul'
  if (byte > 127) state.eightBit = true
  state.lineBytes += 1
  state.sizeBytes += 1
  if (state.lineBytes > limits.textLineBytes) state.fault ??= 'smtp.line-too-long'
  if (state.sizeBytes > limits.messageBytes) state.fault ??= 'smtp.message-too-big'
  if (state.inHeader) matchReceived(state, byte, limits)
  if (next === 'line-start') {
    if (state.lineBytes === 2) state.inHeader = false // the empty line behind the header
    state.lineBytes = 0
    state.matched = 0
  }
  return effect
}

export function contentFacts(state: ContentState): ContentFacts {
  const { sizeBytes, eightBit, receivedFields, fault } = state
  return { sizeBytes, eightBit, receivedFields, fault }
}

/** RFC 5321 §6.3: a message with very many `Received:` fields goes in a circle. */
function matchReceived(state: ContentState, byte: number, limits: ContentLimits): void {
  if (state.matched === -1) return
  const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte
  if (lower !== receivedField[state.matched]) state.matched = -1
  else if (++state.matched === receivedField.length) {
    state.matched = -1
    state.receivedFields += 1
    if (state.receivedFields > limits.receivedFields) state.fault ??= 'smtp.too-many-received'
  }
}

function byteClass(byte: number, transparency: Transparency): Byte {
  if (byte === 13) return 'cr'
  if (byte === 10) return 'lf'
  return byte === 46 && transparency === 'stuffed' ? 'dot' : 'other'
}

const receivedField = new TextEncoder().encode('received:')
