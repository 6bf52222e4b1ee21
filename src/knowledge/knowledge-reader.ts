/**
 * What the relay knows of its name servers, for commands beside it, whether it runs or not: read once, and nothing is written.
 *
 * A store that is not there, or that this user may not read, knows nothing: a command then says what it finds itself.
 */
import { openForReading, StoreRefused } from '../system/sqlite.ts'
import { createValidationMemory, type ValidationMemory } from '../system/validation-standing.ts'
import { knowledgePath, knowledgeSchema } from './store.ts'

/** A memory of the caller's own that begins with what the relay has. */
export function readValidationMemory(directory: string): ValidationMemory {
  const memory = createValidationMemory()
  try {
    const database = openForReading(knowledgePath(directory), knowledgeSchema)
    if (database === null) return memory
    try {
      for (const { servers, worked_at } of database.prepare('SELECT servers, worked_at FROM validation').iterate())
        memory.worked(String(servers), Number(worked_at))
    } finally {
      database.close()
    }
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error
  }
  return memory
}
