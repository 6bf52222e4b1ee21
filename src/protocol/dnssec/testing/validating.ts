/** Drives the validator from a function that answers, and counts what it did. For tests. */
import { type Name, nameKey, parseName } from '../../dns/name.ts'
import { typeFromName, typeName } from '../../dns/numbers.ts'
import { createDnssecBudget } from '../budget.ts'
import type {
  DnssecBudget,
  DnssecWork,
  TrustAnchor,
  ValidatedAnswer,
  ValidationContext,
  WireAnswer,
  WireQuestion,
  ZoneCache,
} from '../types.ts'
import { validate } from '../validate.ts'
import { createZoneCache } from '../zone-cache.ts'

export interface Validated {
  readonly answer: ValidatedAnswer
  readonly budget: DnssecBudget
  /** Round by round, as `mx.example A`. */
  readonly asked: readonly (readonly string[])[]
}

export interface ValidatingOptions {
  readonly anchors: readonly TrustAnchor[]
  readonly nowMs: number
  readonly insecure?: readonly string[]
  readonly limits?: Partial<Record<DnssecWork, number>>
  readonly zones?: ZoneCache
  readonly sha1?: 'insecure' | 'validates'
}

/** @param question as `mx.example A` */
export function runValidation(
  question: string,
  answer: (question: WireQuestion) => WireAnswer,
  options: ValidatingOptions,
): Validated {
  const { anchors, nowMs, insecure = [], limits = {}, zones = createZoneCache(), sha1 = 'insecure' } = options
  const budget = createDnssecBudget(limits)
  const context: ValidationContext = { anchors, insecure: insecure.map(name), nowMs, budget, zones, sha1 }
  const walk = validate(questionFrom(question), context)
  const asked: string[][] = []
  for (let step = walk.next(); ; ) {
    if (step.done === true) return { answer: step.value, budget, asked }
    asked.push(step.value.map(each => `${nameKey(each.name) || '.'} ${typeName(each.type)}`))
    step = walk.next(step.value.map(answer))
  }
}

export function questionFrom(text: string): WireQuestion {
  const [owner = '', type = ''] = text.split(' ')
  return { name: name(owner), type: typeFromName(type) ?? 0 }
}

/** @throws Error when the text is no name: it is ours */
export function name(text: string): Name {
  const parsed = parseName(text)
  if (parsed === null) throw new Error(`not a name: ${text}`)
  return parsed
}
