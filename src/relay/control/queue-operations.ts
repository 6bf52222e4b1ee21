/**
 * What one removal from a spool came to: for the relay's control socket, and for commands when no relay runs.
 */
import type { Spool } from '../../spool/spool.ts'
import type { ControlAnswers } from './protocol.ts'

export async function removeMessage(
  spool: Pick<Spool, 'remove' | 'show'>,
  id: string,
): Promise<ControlAnswers['queue.remove']> {
  if (await spool.remove(id)) return { outcome: 'removed' }
  return { outcome: (await spool.show(id)) === null ? 'unknown' : 'in-work' }
}
