/** Why a relay cannot start, for the person who started it: one sentence, and what to do. Not our bug: those stay plain errors. */
export class StartFailure extends Error {
  /** Stable, dotted: `start.port-taken`. */
  readonly code: StartFailureCode
  /** What to do. */
  readonly hint: string

  constructor(code: StartFailureCode, says: string, hint: string) {
    super(says)
    this.name = 'StartFailure'
    this.code = code
    this.hint = hint
  }
}

export type StartFailureCode =
  | 'start.port-taken'
  | 'start.port-forbidden'
  | 'start.address-unknown'
  | 'start.already-runs'
  /** A key or certificate cannot be read, is none, or the two do not fit. */
  | 'start.certificate'
  | 'start.store-newer'
  | 'start.store-damaged'
  | 'start.state-unwritable'
  | 'start.disk-full'
