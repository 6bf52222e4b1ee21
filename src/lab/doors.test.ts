import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type Doors, openDoors } from './doors.ts'

const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close()
})

async function listen(onConnection: (socket: net.Socket) => void): Promise<{ address: string; port: number }> {
  const server = net.createServer({ allowHalfOpen: true }, onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ close: () => void server.close() })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('it listens')
  return { address: '127.0.0.1', port: bound.port }
}

/** A port that is free now. */
async function free(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  server.close()
  await once(server, 'close')
  if (bound === null || typeof bound === 'string') throw new Error('it listened')
  return bound.port
}

async function doorTo(to: { address: string; port: number }): Promise<{ doors: Doors; port: number }> {
  const port = await free()
  const doors = await openDoors([{ address: '127.0.0.1', port, to }])
  open.push(doors)
  return { doors, port }
}

async function read(socket: net.Socket): Promise<string> {
  let text = ''
  for await (const piece of socket) text += String(piece)
  return text
}

describe('a door', () => {
  test('passes octets both ways, and an end as an end', async () => {
    const target = await listen(socket => {
      void read(socket).then(text => socket.end(`heard ${text}`))
    })
    const { port } = await doorTo(target)
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    client.end('hello')
    expect(await read(client)).toBe('heard hello')
  })

  test('to nobody closes the connection', async () => {
    const { port } = await doorTo({ address: '127.0.0.1', port: await free() })
    const client = net.connect({ port, host: '127.0.0.1' })
    await new Promise(resolve => client.on('error', () => undefined).on('close', resolve))
  })

  test('closes what is behind it when the client goes away in the middle', async () => {
    const gone = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const target = await listen(socket => {
      socket.on('error', () => undefined)
      socket.resume()
      socket.on('close', () => gone.resolve())
      arrived.resolve()
      socket.on('end', () => socket.end())
    })
    const { port } = await doorTo(target)
    const client = net.connect({ port, host: '127.0.0.1' })
    client.write('hello')
    await arrived.promise
    client.resetAndDestroy()
    await gone.promise
  })

  test('that is closed listens no more, and hangs up on who is inside', async () => {
    const target = await listen(socket => void socket.resume().on('error', () => undefined))
    const { doors, port } = await doorTo(target)
    const client = net.connect({ port, host: '127.0.0.1' })
    await once(client, 'connect')
    client.write('hello')
    client.on('error', () => undefined)
    const closed = new Promise(resolve => client.on('close', resolve))
    await doors.close()
    await closed
    open.splice(open.indexOf(doors), 1)
    const again = net.connect({ port, host: '127.0.0.1' })
    const [error] = await once(again, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('that cannot listen is told, and none stays open', async () => {
    const target = await listen(() => undefined)
    const port = await free()
    const first = { address: '127.0.0.1', port, to: target }
    await expect(openDoors([first, { ...target, to: target }])).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const again = net.connect({ port, host: '127.0.0.1' })
    const [error] = await once(again, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
