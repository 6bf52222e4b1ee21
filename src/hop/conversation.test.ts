import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type ClientEvent,
  createSmtpClient,
  defaultClientTimeouts,
  type SmtpClient,
} from '../protocol/smtp/client.ts'
import { connectTcp } from '../system/outgoing.ts'
import { createConversation } from './conversation.ts'
import { type ScriptedPeer, serve } from './testing/scripted-server.ts'
import { mail } from './testing/workbench.ts'
import { transact } from './transaction.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closing.splice(0).reverse()) await close()
})

async function socketTo(script: (peer: ScriptedPeer) => Promise<void>) {
  const server = await serve(script)
  closing.push(() => server.close())
  const signal = new AbortController().signal
  const connected = await connectTcp({ address: '127.0.0.1', port: server.port }, { timeoutMs: 5_000, signal })
  if (connected.kind === 'failed') throw new Error(connected.message)
  closing.push(() => connected.socket.destroy())
  return connected.socket
}

/** A machine with a fault in it: it throws where `when` says. */
function faulty(when: 'a reply is read' | 'bytes come'): SmtpClient {
  const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
  let hasHeard = false
  return {
    ...client,
    get phase() {
      return client.phase
    },
    get timeoutMs() {
      return client.timeoutMs
    },
    receive(input) {
      hasHeard = true
      if (when === 'bytes come') throw new Error('a fault of ours')
      client.receive(input)
    },
    next(): ReturnType<SmtpClient['next']> {
      if (hasHeard) throw new Error('a fault of ours')
      return client.next()
    },
  }
}

const greet = async (peer: ScriptedPeer) => {
  peer.send('220 mail.example ESMTP\r\n')
  await peer.gone()
}

describe('a fault of our own ends the conversation and nothing else', () => {
  test.each(['a reply is read', 'bytes come'] as const)('when %s', async when => {
    let ended = 0
    const conversation = createConversation(await socketTo(greet), faulty(when), () => ended++)
    await expect(conversation.ask(null)).rejects.toThrow('a fault of ours')
    expect(conversation.over).toMatchObject({ reason: 'us.internal', detail: 'a fault of ours' })
    expect([ended, conversation.isIdle]).toEqual([1, false])
    expect(await conversation.ask(client => client.quit())).toMatchObject({ failure: { reason: 'us.internal' } })
  })

  test('who listens is told even when it is he who has the fault', async () => {
    const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
    const conversation = createConversation(await socketTo(greet), client, () => {})
    const told: string[] = []
    await new Promise<void>(resolve => {
      conversation.listen(event => {
        told.push(event.kind)
        if (event.kind === 'fault') resolve()
        else throw new Error('a fault of the listener')
      })
    })
    expect(told).toEqual(['greeting', 'fault'])
  })

  test('with nobody there to report it, it is a warning of the process', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const conversation = createConversation(await socketTo(greet), faulty('bytes come'), () => {})
    await expect.poll(() => conversation.over?.reason).toBe('us.internal')
    expect(String(warned.mock.calls[0]?.[0])).toMatch(/a fault of ours\n\s+at /)
  })

  test('a message under way is told, with the fault itself, so that it can be reported', async () => {
    const socket = await socketTo(async peer => {
      await peer.answer('MAIL', '250 ok')
      await peer.gone()
    })
    const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: true })
    const real = client.next.bind(client)
    const events: ClientEvent['kind'][] = []
    const conversation = createConversation(
      socket,
      Object.assign(client, {
        next(): ReturnType<SmtpClient['next']> {
          const event = real()
          if (typeof event !== 'string') events.push(event.kind)
          if (events.includes('sender')) throw new Error('a fault of ours')
          return event
        },
      }),
      () => {},
    )
    await expect(transact(conversation, mail('x\r\n'))).rejects.toThrow('a fault of ours')
  })
})

test('a socket that broke before anybody listened is a conversation that is over', async () => {
  const socket = await socketTo(peer => peer.gone())
  socket.destroy(new Error('gone'))
  await new Promise(resolve => socket.once('close', resolve))
  const client = createSmtpClient({ timeouts: defaultClientTimeouts, secured: false })
  const conversation = createConversation(socket, client, () => {})
  expect(await conversation.ask(null)).toMatchObject({ kind: 'failed', failure: { reason: 'smtp.closed' } })
})
