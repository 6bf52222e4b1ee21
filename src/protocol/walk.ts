/**
 * A walk: pure code that needs facts from outside. It yields the questions it has (all that may be asked at once),
 * is resumed with the answers in the same order, and returns its result. Who drives it decides where answers come
 * from (the network, a recording, a test) and counts the budget, at that one door.
 */
export type Walk<Q, A, T> = Generator<readonly Q[], T, readonly A[]>

/** Asks one question and returns its answer. Throws only when the driver breaks the contract by answering nothing. */
export function* ask<Q, A>(question: Q): Walk<Q, A, A> {
  const answers = yield [question]
  const answer = answers[0]
  if (answer === undefined) throw new Error('the driver of a walk gave no answer to its question')
  return answer
}

/** Asks two questions at the same time. @public */
export function* both<Q, A>(first: Q, second: Q): Walk<Q, A, readonly [A, A]> {
  const [one, two] = yield [first, second]
  if (one === undefined || two === undefined) throw new Error('the driver of a walk gave too few answers')
  return [one, two]
}
