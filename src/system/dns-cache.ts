/**
 * DNS answers kept for their time to live, the least recently used going first when room is short.
 *
 * Room is counted in bytes, roughly: a stranger's answer of thousands of records must not push the process out of memory.
 * A name that does not exist is remembered once for all types (RFC 2308 §5). The clock comes in; nothing is swept by a timer.
 */
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'

export interface DnsCache {
  /** The answer as it was kept, `cached`, with what is left of its TTL in whole seconds; null when there is none. `key` is the name's. */
  get(key: string, question: DnsQuestion): DnsAnswer | null
  put(key: string, answer: DnsAnswer, keepMs: number): void
  readonly bytes: number
}

/** Roughly what the cache may hold, in bytes. An ordinary answer counts for less than 1 KB. */
export const maxCacheBytes = 16 * 1024 * 1024

export function createDnsCache(now: () => number, maxBytes = maxCacheBytes): DnsCache {
  const entries = new Map<
    string,
    { readonly answer: DnsAnswer; readonly untilMs: number; readonly bytes: number }
  >()
  let bytes = 0
  const remove = (id: string) => {
    bytes -= entries.get(id)?.bytes ?? 0
    entries.delete(id)
  }
  return {
    get(key, question) {
      for (const id of [`${question.type} ${key}`, `* ${key}`]) {
        const entry = entries.get(id)
        if (entry === undefined) continue
        entries.delete(id)
        const leftMs = entry.untilMs - now()
        if (leftMs <= 0) {
          bytes -= entry.bytes
          continue
        }
        entries.set(id, entry)
        const { answer } = entry
        const ttlSeconds = answer.ttlSeconds === null ? null : Math.ceil(leftMs / 1000)
        return { ...answer, question, ttlSeconds, cached: true }
      }
      return null
    },
    put(key, answer, keepMs) {
      const size = sizeOf(answer)
      if (keepMs <= 0 || size > maxBytes / 16) return
      // Behind an alias it is the alias's target that does not exist; the name itself may have other records.
      const isForAllTypes = answer.outcome === 'no-such-name' && answer.aliases.length === 0
      const id = `${isForAllTypes ? '*' : answer.question.type} ${key}`
      remove(id)
      entries.set(id, { answer, untilMs: now() + keepMs, bytes: size })
      bytes += size
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break
        remove(oldest)
      }
    },
    get bytes() {
      return bytes
    },
  }
}

function sizeOf(answer: DnsAnswer): number {
  let size = 500 + answer.aliases.length * 300
  for (const record of answer.records) {
    size += 200
    if (record.type === 'TXT') for (const part of record.text) size += part.length + 100
  }
  return size
}
