/**
 * The outgoing connections of the whole relay, counted: no next hop may open one beyond the limit, and those that found none free are
 * served in turn when one comes free, so that a busy next hop never keeps the others out.
 */
export interface ConnectionUser {
  /** A place may be free now: try again. */
  serve(): void
  /** Closes one idle connection, if there is one. */
  giveUpIdle(): boolean
}

export interface Connections {
  /** Takes a place. When none is free: false, and `user.serve` is called when one is. */
  acquire(user: ConnectionUser): boolean
  release(): void
  /** Somebody waits, or there are too many: whoever holds several should not go on for ever. */
  readonly contended: boolean
  /** The user is gone. */
  forget(user: ConnectionUser): void
  join(user: ConnectionUser): void
}

/** @param limit Asked each time: when it becomes lower, connections beyond it end as soon as they have served their message or turn. */
export function createConnections(limit: () => number): Connections {
  let open = 0
  const users = new Set<ConnectionUser>()
  const waiting = new Set<ConnectionUser>()
  return {
    acquire(user) {
      if (open >= limit()) for (const other of users) if (other !== user && other.giveUpIdle()) break
      if (open >= limit()) {
        waiting.add(user)
        return false
      }
      open++
      waiting.delete(user)
      return true
    },
    release() {
      open--
      // One that has no more need leaves the place to the next.
      for (const next of waiting) {
        if (open >= limit()) return
        waiting.delete(next)
        next.serve()
      }
    },
    get contended() {
      return waiting.size > 0 || open > limit()
    },
    join(user) {
      users.add(user)
    },
    forget(user) {
      users.delete(user)
      waiting.delete(user)
    },
  }
}
