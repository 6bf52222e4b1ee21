/**
 * A YAML 1.2 document that knows where each of its parts stands.
 *
 * Success is a plain value and a way from an option's path to line and column. It does not know what the options mean.
 * Bounded: a megabyte of text without NUL, and no more than a hundred uses of anchors, so that no alias can blow up.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml'
import { visible } from '../../judgement/visible.ts'

interface Place {
  readonly line: number
  readonly column: number
}

export interface Source {
  readonly value: unknown
  /** Where the value of this path begins; for a path that is not there, where the nearest map around it begins. */
  place(path: readonly PropertyKey[]): Place
  /** Where the key stands that is the last part of this path. */
  keyPlace(path: readonly PropertyKey[]): Place
  /** The source text of the value; null when nothing stands there. */
  text(path: readonly PropertyKey[]): string | null
}

export interface SyntaxFault extends Place {
  readonly says: string
}

const largestFileBytes = 1024 * 1024
/** What is wrong, without the whole of what is wrong: the parser quotes it. */
const longestFaultChars = 100

export function parseSource(text: string): Source | { readonly faults: readonly SyntaxFault[] } {
  if (text.length > largestFileBytes) return { faults: [{ line: 1, column: 1, says: 'more than a megabyte' }] }
  if (text.includes('\0')) return { faults: [{ line: 1, column: 1, says: 'NUL bytes: this is no text file' }] }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' })
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0)
    return {
      faults: faults.map(fault => ({ ...placeAt(fault.pos[0]), says: visible(fault.message, longestFaultChars) })),
    }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    return { faults: [{ line: 1, column: 1, says: error instanceof Error ? error.message : String(error) }] }
  }

  const place = (path: readonly PropertyKey[]) => placeAt(walk(document, path).last.range?.[0] ?? 0)
  return {
    value,
    place,
    keyPlace(path) {
      const parent = walk(document, path.slice(0, -1))
      const key = parent.whole && isMap(parent.last) ? pairOf(parent.last, path.at(-1))?.key : undefined
      return isNode(key) ? placeAt(key.range?.[0] ?? 0) : place(path)
    },
    text(path) {
      const { last, whole } = walk(document, path)
      const range = last.range
      return whole && range ? text.slice(range[0], range[1]) : null
    },
  }
}

/** Goes down the path as far as it exists. */
function walk(document: Document.Parsed, path: readonly PropertyKey[]): { last: Node; whole: boolean } {
  let node: Node = document.contents ?? document.createNode(null)
  for (const step of path) {
    const here = isAlias(node) ? node.resolve(document) : node
    const next: unknown = isMap(here)
      ? pairOf(here, step)?.value
      : isSeq(here)
        ? here.items[Number(step)]
        : undefined
    if (!isNode(next)) return { last: node, whole: false }
    node = next
  }
  return { last: node, whole: true }
}

function pairOf(map: { items: { key: unknown; value: unknown }[] }, key: PropertyKey | undefined) {
  return map.items.find(pair => String(isScalar(pair.key) ? pair.key.value : pair.key) === String(key))
}
