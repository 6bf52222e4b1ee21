/**
 * The socket of a lab that stays up: `hermetic lab status` asks there, and `lab down` asks it to end.
 *
 * One word a connection, one JSON document back. The socket has mode 0600: who may connect may do both. It is bound only by who holds the state directory, so that
 * a file left there is of a lab that is gone, and is replaced. Bounded: few connections, few octets, little time.
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { socketPathIn } from '../system/socket-path.ts'
import { labPaths } from './state-directory.ts'

const words = ['status', 'end'] as const
type Word = (typeof words)[number]

export interface LabSocket {
  close(): Promise<void>
}

/** @param answers called for each who asks. @throws what the system says against the socket */
export async function openLabSocket(
  directory: string,
  answers: Readonly<Record<Word, () => object>>,
): Promise<LabSocket> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (sockets.size > mostConnections) socket.destroy()
    else serve(socket, answers)
  })
  const name = labPaths(directory).socket
  rmSync(join(directory, name), { force: true })
  const path = socketPathIn(directory, name)
  try {
    await listen(server, path.path)
  } catch (error) {
    path.release()
    throw error
  }
  return {
    close: () =>
      new Promise(resolve => {
        // Node removes the socket file of a server that it closes.
        server.close(() => {
          path.release()
          resolve()
        })
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** The answer, parsed, of a lab that is the same program; null when nobody answers there. */
export function askLab(directory: string, word: Word): Promise<unknown> {
  return new Promise(resolve => {
    let path: ReturnType<typeof socketPathIn>
    try {
      path = socketPathIn(directory, labPaths(directory).socket)
    } catch {
      resolve(null)
      return
    }
    const socket = connect(path.path)
    const pieces: Buffer[] = []
    let size = 0
    let finished = false
    const finish = (answer: unknown) => {
      if (finished) return
      finished = true
      path.release()
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(patienceMs, () => finish(null))
    socket.on('connect', () => socket.write(`${word}\n`))
    socket.on('error', () => finish(null))
    socket.on('data', bytes => {
      pieces.push(bytes)
      size += bytes.length
      if (size > longestAnswerBytes) finish(null)
    })
    socket.on('close', () => finish(parsed(Buffer.concat(pieces).toString('utf8'))))
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // The file appears while `listen` is called, so that no other moment sees it open to others.
    const before = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        server.on('error', () => undefined)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

function serve(socket: Socket, answers: Readonly<Record<Word, () => object>>): void {
  let pending = ''
  socket.setTimeout(patienceMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', bytes => {
    pending += bytes.toString('latin1')
    const end = pending.indexOf('\n')
    if (end < 0) {
      if (pending.length > longestWord) socket.destroy()
      return
    }
    const word = words.find(each => each === pending.slice(0, end))
    if (word === undefined) socket.destroy()
    else socket.end(JSON.stringify(answers[word]()))
  })
}

const mostConnections = 16
const longestWord = 16
const patienceMs = 5_000
const longestAnswerBytes = 64 * 1024 * 1024
