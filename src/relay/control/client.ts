/**
 * The other end of the control socket: asks a running relay one thing.
 *
 * That no relay runs is an answer, not an error. The answer is trusted to have its type: both ends are the same program, and the socket
 * belongs to the user who runs the relay.
 */
import { connect } from 'node:net'
import { type AnswerTo, type ControlReply, type ControlRequest, longestAnswerBytes } from './protocol.ts'
import { socketPath } from './socket-path.ts'

export type Asked<A> =
  | { readonly kind: 'answer'; readonly answer: A }
  /** Nobody listens: no relay runs on this state directory. */
  | { readonly kind: 'no-relay' }
  /** A relay is there, but this user may not ask it, it refused, or it did not answer. */
  | { readonly kind: 'failed'; readonly says: string; readonly hint: string }

/** @param waitMs How long to wait for the answer. */
export function askRelay<R extends ControlRequest>(
  state: string,
  request: R,
  waitMs = 30_000,
): Promise<Asked<AnswerTo<R>>> {
  return new Promise(resolve => {
    let path: ReturnType<typeof socketPath>
    try {
      path = socketPath(state)
    } catch (error) {
      resolve(refusal(error))
      return
    }
    const socket = connect(path.path)
    const pieces: Buffer[] = []
    let size = 0
    let finished = false
    const finish = (asked: Asked<AnswerTo<R>>) => {
      if (finished) return
      finished = true
      path.release()
      socket.destroy()
      resolve(asked)
    }
    socket.setTimeout(waitMs, () => finish(failed('the relay did not answer in time')))
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('error', error => finish(refusal(error)))
    socket.on('close', () => finish(failed('the relay hung up')))
    socket.on('data', bytes => {
      pieces.push(bytes)
      size += bytes.length
      if (size > longestAnswerBytes) finish(failed('the answer is too long'))
      else if (bytes.at(-1) === 0x0a) finish(read(Buffer.concat(pieces).toString('utf8')))
    })
  })
}

function read<A>(line: string): Asked<A> {
  const reply = JSON.parse(line) as ControlReply
  return reply.ok ? { kind: 'answer', answer: reply.answer as A } : failed(reply.says)
}

function failed(says: string): { kind: 'failed'; says: string; hint: string } {
  return { kind: 'failed', says, hint: 'Its log may say more.' }
}

function refusal(error: unknown): { kind: 'no-relay' } | ReturnType<typeof failed> {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return { kind: 'no-relay' }
  if (code === 'EPIPE' || code === 'ECONNRESET') return failed('the relay hung up')
  if (code === 'EACCES' || code === 'EPERM')
    return {
      kind: 'failed',
      says: 'this user may not speak to the relay: only the one who runs it, and root',
      hint: 'Run this command as one of them, for example with sudo.',
    }
  return failed(error instanceof Error ? error.message : String(error))
}
