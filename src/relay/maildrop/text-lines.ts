/**
 * The lines of a message that a program of this machine writes, made fit for SMTP: feed pieces cut anywhere, take whole lines without their ends.
 *
 * Who writes here is often cron, which asks nobody again: so what could not travel (RFC 5321 §2.3.8, §4.5.3.1.6; RFC 5322 §2.1.1) is mended and not
 * refused. LF or CRLF ends a line, and so does a CR alone, as progress bars write it; in the header that is a blank, or text that a stranger
 * chose could begin a field of his own. NUL is dropped. A line over the limit is broken a little below it, in no UTF-8 sequence; a header line as
 * a fold, where it has white space or else behind a comma (RFC 5322 §2.2.3). A lone dot ends the text unless `dotEnds` is false.
 *
 * There is no fault. Memory is bounded by the longest line and the piece that was fed.
 */
export interface TextLines {
  /** The whole lines that these bytes complete. `'end'`: the last line need not have an end. After the end: nothing. */
  feed(bytes: Buffer | 'end'): readonly Buffer[]
  /** The lone dot was seen: nothing more is wanted. */
  readonly ended: boolean
}

export interface TextLinesOptions {
  readonly dotEnds: boolean
  /** With its CRLF. */
  readonly longestLineBytes: number
  /** Whether a line, as it was written, still belongs to the header. Its beginning is enough. */
  isHeaderLine(line: Buffer, isFirst: boolean): boolean
}

export function createTextLines({ dotEnds, longestLineBytes, isHeaderLine }: TextLinesOptions): TextLines {
  const longest = longestLineBytes - 2
  const brokenAt = longest - 8
  /** What is told apart by its beginning must have one before it may be broken. */
  const mostHeld = Math.max(longest + 1, 1024)
  let rest: Buffer = Buffer.alloc(0)
  /** Whether `rest` continues a line of which a part was taken already. */
  let isContinued = false
  let place: 'first' | 'header' | 'body' = 'first'
  let ended = false

  /** Takes a line without its LF; `isWhole`: that LF was seen. @returns what cannot be taken yet. */
  function take(written: Buffer, isWhole: boolean, lines: Buffer[]): Buffer {
    const text = withoutReturns(written)
    if (dotEnds && isWhole && !isContinued && text.length === 1 && text[0] === dot) {
      ended = true
      return nothing
    }
    if (!isContinued && place !== 'body') place = isHeaderLine(text, place === 'first') ? 'header' : 'body'
    const last = place === 'header' ? fold(text, lines) : wrap(text, lines)
    if (isWhole) {
      lines.push(last)
      isContinued = false
      return nothing
    }
    isContinued = true
    // Returns at the end belong to the line end, if LF follows; one stands for all.
    return text.length < written.length ? Buffer.concat([last, carriageReturn]) : last
  }

  function wrap(text: Buffer, lines: Buffer[]): Buffer {
    let left = text
    for (let end = left.indexOf(cr); end >= 0; end = left.indexOf(cr)) {
      lines.push(broken(left.subarray(0, end), lines))
      let next = end + 1
      while (left[next] === cr) next++
      left = left.subarray(next)
    }
    return broken(left, lines)
  }

  function broken(text: Buffer, lines: Buffer[]): Buffer {
    let left = text
    while (left.length > longest) {
      const end = characterStart(left, brokenAt)
      lines.push(left.subarray(0, end))
      left = left.subarray(end)
    }
    return left
  }

  function fold(text: Buffer, lines: Buffer[]): Buffer {
    let left = withBlanks(text)
    while (left.length > longest) {
      const end = lastBlank(left, brokenAt)
      if (end > 0) {
        // A line of blanks alone would be taken for the end of the header.
        if (!isBlank(left.subarray(0, end))) lines.push(left.subarray(0, end))
        left = left.subarray(end)
      } else {
        const comma = left.lastIndexOf(0x2c, brokenAt - 1)
        const at = comma > 1 ? comma + 1 : characterStart(left, brokenAt)
        lines.push(left.subarray(0, at))
        left = Buffer.concat([blank, left.subarray(at)])
      }
    }
    return left
  }

  return {
    feed(bytes) {
      const lines: Buffer[] = []
      if (ended) return lines
      if (bytes === 'end') {
        if (rest.length > 0 || isContinued) take(rest, true, lines)
        rest = nothing
        return lines
      }
      const clean = bytes.includes(0) ? Buffer.from(bytes.filter(byte => byte !== 0)) : bytes
      const all = rest.length === 0 ? clean : Buffer.concat([rest, clean])
      let start = 0
      for (let end = all.indexOf(0x0a); end >= 0; end = all.indexOf(0x0a, start)) {
        take(all.subarray(start, end), true, lines)
        if (ended) return lines
        start = end + 1
      }
      rest = all.subarray(start)
      if (rest.length > mostHeld) rest = take(rest, false, lines)
      return lines
    },
    get ended() {
      return ended
    },
  }
}

function withoutReturns(line: Buffer): Buffer {
  let end = line.length
  while (end > 0 && line[end - 1] === cr) end--
  return line.subarray(0, end)
}

function withBlanks(line: Buffer): Buffer {
  if (!line.includes(cr)) return line
  return Buffer.from(line.toString('latin1').replace(/\r+/g, ' '), 'latin1')
}

/** The last place up to here where a UTF-8 sequence begins; here, where the text is none. */
function characterStart(text: Buffer, at: number): number {
  for (let start = at; start > at - 4; start--) if (((text[start] ?? 0) & 0xc0) !== 0x80) return start
  return at
}

/** Where the last white space up to here begins to be; 0 when there is none but at the beginning. */
function lastBlank(text: Buffer, at: number): number {
  return Math.max(0, text.lastIndexOf(0x20, at), text.lastIndexOf(0x09, at))
}

function isBlank(text: Buffer): boolean {
  return text.every(byte => byte === 0x20 || byte === 0x09)
}

const cr = 0x0d
const dot = 0x2e
const nothing = Buffer.alloc(0)
const carriageReturn = Buffer.of(cr)
const blank = Buffer.of(0x20)
