/**
 * DNS answers kept for their time to live (expiring-cache.ts), room counted in bytes, roughly.
 *
 * A name that does not exist is remembered once for all types (RFC 2308 §5).
 */
import type { DnsAnswer, DnsQuestion } from '../protocol/dns/answer.ts'
import { createExpiringCache } from './expiring-cache.ts'

export interface DnsCache {
  /** The answer as it was kept, `cached`, with what is left of its TTL in whole seconds; null when there is none. `key` is the name's. */
  get(key: string, question: DnsQuestion): DnsAnswer | null
  put(key: string, answer: DnsAnswer, keepMs: number): void
  readonly bytes: number
}

/** Roughly what the cache may hold, in bytes. An ordinary answer counts for less than 1 KB. */
export const maxCacheBytes = 16 * 1024 * 1024

export function createDnsCache(now: () => number, maxBytes = maxCacheBytes): DnsCache {
  const cache = createExpiringCache<DnsAnswer>(now, maxBytes)
  return {
    get(key, question) {
      for (const id of [`${question.type} ${key}`, `* ${key}`]) {
        const entry = cache.get(id)
        if (entry === null) continue
        const { value: answer, leftMs } = entry
        const ttlSeconds = answer.ttlSeconds === null ? null : Math.ceil(leftMs / 1000)
        return { ...answer, question, ttlSeconds, cached: true }
      }
      return null
    },
    put(key, answer, keepMs) {
      // Behind an alias it is the alias's target that does not exist; the name itself may have other records.
      const isForAllTypes = answer.outcome === 'no-such-name' && answer.aliases.length === 0
      const id = `${isForAllTypes ? '*' : answer.question.type} ${key}`
      cache.put(id, answer, { ms: keepMs, bytes: sizeOf(answer) })
    },
    get bytes() {
      return cache.bytes
    },
  }
}

function sizeOf(answer: DnsAnswer): number {
  let size = 500 + answer.aliases.length * 300
  for (const record of answer.records) {
    size += 200
    if (record.type === 'TLSA') size += record.data.length
    if (record.type === 'TXT') for (const part of record.text) size += part.length + 100
  }
  return size
}
