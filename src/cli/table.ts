/** Tables for people: no frames, at most 100 columns, long cells cut. What goes in is shown through `visible`. */
import Table from 'cli-table3'
import { visible } from '../judgement/visible.ts'

export interface Column {
  readonly title: string
  /** Width of the cell with its gap. */
  readonly width: number
  readonly align?: 'left' | 'right'
}

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  return [tableHead(columns), ...rows.map(row => tableRow(columns, row))].join('\n')
}

/** The titles by themselves, for a table whose rows come one by one. */
export function tableHead(columns: readonly Column[]): string {
  return rendered(
    columns,
    columns.map(({ title }) => title),
    'cut',
  )
}

/** @param long what becomes of a cell that is wider than its column */
export function tableRow(
  columns: readonly Column[],
  cells: readonly string[],
  long: 'cut' | 'wrap' = 'cut',
): string {
  return rendered(
    columns,
    cells.map(cell => visible(cell, long === 'cut' ? 200 : 1_000)),
    long,
  )
}

function rendered(columns: readonly Column[], cells: readonly string[], long: 'cut' | 'wrap'): string {
  const none = ''
  const made = new Table({
    colWidths: columns.map(column => column.width),
    colAligns: columns.map(column => column.align ?? 'left'),
    wordWrap: long === 'wrap',
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  })
  made.push([...cells])
  return made
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}

/** Widths of two columns that share what is left of a page: each gets what it needs, and when that is too much the shorter one first. */
export function shared(
  width: number,
  [left, right]: readonly [readonly string[], readonly string[]],
): [number, number] {
  const need = (cells: readonly string[]) =>
    cells.reduce((most, cell) => Math.max(most, visible(cell, width).length), 4) + 1
  const half = Math.floor(width / 2)
  const [wanted, other] = [need(left), need(right)]
  if (wanted + other <= width) return [wanted, width - wanted]
  if (wanted <= half) return [wanted, width - wanted]
  return other <= half ? [width - other, other] : [half, width - half]
}

/** A sender in a table: without brackets, which cost room; only the null sender has nothing else. */
export function senderText(from: string): string {
  return from === '' ? '<>' : from
}

/** `45s`, `12m`, `3h`, `2d`: as much as a glance needs. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 2 * 3_600) return `${Math.round(seconds / 60)}m`
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)}h`
  return `${Math.round(seconds / 86_400)}d`
}

/** `312B`, `4.1K`, `25M` */
export function bytes(count: number): string {
  for (const [unit, size] of [
    ['G', 1024 ** 3],
    ['M', 1024 ** 2],
    ['K', 1024],
  ] as const)
    if (count >= size) return `${(count / size).toFixed(count < 10 * size ? 1 : 0)}${unit}`
  return `${count}B`
}
