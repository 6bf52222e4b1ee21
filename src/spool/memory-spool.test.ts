import { createMemorySpool } from './memory-spool.ts'
import { spoolContract } from './testing/contract.ts'

spoolContract('the spool in memory', () => {
  const spool = createMemorySpool()
  return Promise.resolve({ spool, end: () => spool.close() })
})
