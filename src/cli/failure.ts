/**
 * Failures that end a command with an exit code of 64 or more: one sentence, and what to do. The register of their codes, with the exit code of each.
 * An answer that is no (exit 1, 2) is not a failure: commands return it.
 */
export const failures = {
  'cli.usage': 64,
  'cli.bad-input': 65,
  'cli.relay-unreachable': 69,
  'cli.store-unreachable': 69,
  'cli.dns-unreachable': 69,
  'cli.peer-unreachable': 69,
  'cli.start': 69,
  'cli.cannot-create': 73,
  'cli.try-later': 75,
  'cli.configuration': 78,
  'cli.internal': 70,
  /** 128 and the number of SIGINT, as shells say it. */
  'cli.interrupted': 130,
} as const satisfies Readonly<Record<string, number>>

export type FailureCode = keyof typeof failures

export class CliFailure extends Error {
  readonly code: FailureCode
  readonly hint: string
  /** More for the JSON document, such as the problems of a configuration; and lines for people under the sentence. */
  readonly more: { readonly fields?: Readonly<Record<string, unknown>>; readonly lines?: readonly string[] }

  constructor(code: FailureCode, says: string, hint: string, more: CliFailure['more'] = {}) {
    super(says)
    this.name = 'CliFailure'
    this.code = code
    this.hint = hint
    this.more = more
  }
}

/** `hermetic.error/1` */
export function errorDocument(failure: CliFailure): Readonly<Record<string, unknown>> {
  return {
    schema: 'hermetic.error/1',
    code: failure.code,
    says: failure.message,
    hint: failure.hint,
    ...failure.more.fields,
  }
}
