/** What every command is given: how it speaks, and which configuration it was told. */
import { styleText } from 'node:util'

export interface Context {
  /** `--json`: one document on standard output and nothing else there. */
  readonly json: boolean
  /** `--config` */
  readonly config: string | null
  readonly paint: Paint
  /** A line, or several, on standard output; nothing under `--json`. */
  say(text: string): void
  /** A line on standard error, for people, also under `--json`. */
  remark(text: string): void
  /** The one document of the command; printed under `--json`, else `text` is. */
  answer(document: Document, text: string): void
}

/** Every document names its schema: `hermetic.queue/1`. */
type Document = Readonly<Record<string, unknown>> & { readonly schema: `hermetic.${string}/${number}` }

export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string

/** Exit codes of commands that were carried out; failures throw `CliFailure`. */
export const asHoped = 0
export const answerIsNo = 1

export function createContext(options: { json: boolean; config: string | null }): Context {
  const { json, config } = options
  const isColoured = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
  const write = (text: string) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  return {
    json,
    config,
    paint: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
    say: text => {
      if (!json) write(text)
    },
    remark: text => void process.stderr.write(`${text}\n`),
    answer: (document, text) => write(json ? safeJson(document) : text),
  }
}

/** JSON of the same value, in which no character is left that a terminal would obey or hide (ARCHITECTURE decision 10). */
function safeJson(document: Document): string {
  return JSON.stringify(document, null, 2).replace(obeyed, character =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}

/** What `visible` escapes, save what JSON.stringify has escaped already and the line ends between its lines. */
const obeyed = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu
