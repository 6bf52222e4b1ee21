/**
 * Values kept for a time, the least recently used going first when room is short.
 *
 * Room is counted in bytes, as the caller estimates them: a stranger's answer of thousands of records must not push the process out of
 * memory. The clock comes in; nothing is swept by a timer.
 */

export interface ExpiringCache<T> {
  /** Null when there is none, or its time is over. */
  get(id: string): { readonly value: T; readonly leftMs: number } | null
  /** Not kept when its time is over already, or when it takes more than a sixteenth of the room. */
  put(id: string, value: T, keep: { readonly ms: number; readonly bytes: number }): void
  /** Keeps it no longer than this from now. */
  shorten(id: string, ms: number): void
  readonly bytes: number
}

export function createExpiringCache<T>(now: () => number, maxBytes: number): ExpiringCache<T> {
  const entries = new Map<string, { readonly value: T; readonly untilMs: number; readonly bytes: number }>()
  let bytes = 0
  const remove = (id: string) => {
    bytes -= entries.get(id)?.bytes ?? 0
    entries.delete(id)
  }
  return {
    get(id) {
      const entry = entries.get(id)
      if (entry === undefined) return null
      const leftMs = entry.untilMs - now()
      if (leftMs <= 0) {
        remove(id)
        return null
      }
      // A Map keeps the order of insertion: what is used is inserted anew.
      entries.delete(id)
      entries.set(id, entry)
      return { value: entry.value, leftMs }
    },
    put(id, value, keep) {
      if (keep.ms <= 0 || keep.bytes > maxBytes / 16) return
      remove(id)
      entries.set(id, { value, untilMs: now() + keep.ms, bytes: keep.bytes })
      bytes += keep.bytes
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break
        remove(oldest)
      }
    },
    shorten(id, ms) {
      const entry = entries.get(id)
      if (entry !== undefined) entries.set(id, { ...entry, untilMs: Math.min(entry.untilMs, now() + ms) })
    },
    get bytes() {
      return bytes
    },
  }
}
