/** Hands out a bounded number of turns, first come, first served, so that what strangers cause cannot open sockets without end. */
export interface Turns {
  /** Resolves, when it is one's turn, to the function that gives the turn back. */
  take(): Promise<() => void>
}

export function createTurns(count: number): Turns {
  const waiting: (() => void)[] = []
  let free = count
  const give = () => {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
  return {
    async take() {
      if (free > 0) free--
      else await new Promise<void>(resolve => waiting.push(resolve))
      return give
    },
  }
}
