import { afterEach, describe, expect, test } from 'vitest'
import { defaultClientTimeouts } from '../protocol/smtp/client.ts'
import { type ScriptedPeer, type ScriptedServer, serve } from './testing/scripted-server.ts'
import { channelOf, mail, path, reachFirst, route, workbench } from './testing/workbench.ts'
import type { Channel, Mail } from './types.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A channel in clear text to a server that goes on by `script` after EHLO. */
async function channelTo(
  script: (peer: ScriptedPeer) => Promise<void>,
  options: { readonly offers?: readonly string[]; readonly timeouts?: Partial<typeof defaultClientTimeouts> } = {},
): Promise<{ channel: Channel; server: ScriptedServer }> {
  const { offers = [], timeouts = {} } = options
  const server = await serve(async peer => {
    peer.send('220 mail.example ESMTP\r\n')
    const keywords = ['mail.example', ...offers]
    await peer.answer(
      'EHLO relay.example',
      keywords.map((word, i) => `250${i === keywords.length - 1 ? ' ' : '-'}${word}`).join('\r\n'),
    )
    await script(peer)
  })
  const { hop } = workbench(server.port, { timeouts: { ...defaultClientTimeouts, ...timeouts } })
  closing.push(
    () => hop.close(),
    () => server.close(),
  )
  return { channel: channelOf(await reachFirst(hop, route('none'))), server }
}

/** Takes one message in the ordinary way. */
async function take(peer: ScriptedPeer, rcpt: readonly string[] = ['250 2.1.5 ok']): Promise<string> {
  await peer.answer('MAIL FROM:', '250 2.1.0 ok')
  for (const reply of rcpt) await peer.answer('RCPT TO:', reply)
  await peer.answer('DATA', '354 go on')
  const content = await peer.content()
  peer.send('250 2.0.0 taken\r\n')
  return content
}

const reasons = async (channel: Channel, message: Mail) =>
  (await channel.send(message)).recipients.map(result =>
    result.kind === 'failed' ? result.failure.reason : 'delivered',
  )

describe('a message that is taken', () => {
  test.each([[[]], [['PIPELINING', 'SIZE 1000000', '8BITMIME']]])('with offers %j', async offers => {
    const contents: string[] = []
    const { channel, server } = await channelTo(
      async peer => {
        contents.push(await take(peer))
        contents.push(await take(peer))
      },
      { offers },
    )
    const first = await channel.send(mail('Subject: one\r\n\r\n.dot\r\nend\r\n'))
    expect(first).toEqual({
      recipients: [{ kind: 'delivered', reply: { code: 250, enhanced: '2.0.0', lines: ['taken'] } }],
      reusable: true,
    })
    expect((await channel.send(mail('Subject: two\r\n\r\n'))).reusable).toBe(true)
    expect(contents).toEqual(['Subject: one\r\n\r\n.dot\r\nend\r\n', 'Subject: two\r\n\r\n'])
    expect(server.peers).toHaveLength(1)
  })

  test('a large one streams from pieces', async () => {
    const piece = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(100), 'latin1')
    const { channel } = await channelTo(async peer => {
      await peer.answer('MAIL', '250 ok')
      await peer.answer('RCPT', '250 ok')
      await peer.answer('DATA', '354 go on')
      const content = await peer.content()
      peer.send(`250 ${content.length}\r\n`)
    })
    async function* pieces() {
      for (let i = 0; i < 100; i++) {
        await Promise.resolve()
        yield piece
      }
    }
    const result = await channel.send(mail('', { sizeBytes: piece.length * 100, content: pieces }))
    expect(result.recipients[0]).toMatchObject({
      kind: 'delivered',
      reply: { lines: [String(piece.length * 100)] },
    })
  })

  test('a large one in memory arrives whole', async () => {
    const content = `${'.'.repeat(50)}${'y'.repeat(900)}\r\n`.repeat(3_000)
    let got = ''
    const { channel } = await channelTo(async peer => {
      got = await take(peer)
    })
    expect(await reasons(channel, mail(content))).toEqual(['delivered'])
    expect(got === content).toBe(true)
  })
})

describe('recipient by recipient', () => {
  const three = [path('one@example.net'), path('two@example.net'), path('three@example.net')]

  test.each([[[]], [['PIPELINING']]])(
    'each refusal is its own (offers %j), and the channel goes on',
    async offers => {
      const { channel } = await channelTo(
        async peer => {
          await take(peer, ['250 ok', '550 5.1.1 no such user', '451 4.7.1 later'])
          await take(peer)
        },
        { offers },
      )
      expect(await reasons(channel, mail('x\r\n', { recipients: three }))).toEqual([
        'delivered',
        'smtp.recipient-refused-for-good',
        'smtp.recipient-refused-for-now',
      ])
      expect(await reasons(channel, mail('x\r\n'))).toEqual(['delivered'])
    },
  )

  test.each([[[]], [['PIPELINING']]])(
    'all refused: nothing is sent, and the channel goes on after RSET (offers %j)',
    async offers => {
      const { channel } = await channelTo(
        async peer => {
          await peer.answer('MAIL', '250 ok')
          await peer.answer('RCPT', '550 no')
          if (offers.length > 0) await peer.answer('DATA', '503 no recipients')
          await peer.answer('RSET', '250 ok')
          await take(peer)
        },
        { offers },
      )
      const first = await channel.send(mail('x\r\n'))
      expect(first.recipients[0]).toMatchObject({
        failure: { reason: 'smtp.recipient-refused-for-good', reply: { code: 550 } },
      })
      expect(first.reusable).toBe(true)
      expect(await reasons(channel, mail('x\r\n'))).toEqual(['delivered'])
    },
  )
})

describe('refusals of the whole', () => {
  test.each([
    ['MAIL', '550 5.7.1 not you', 'smtp.sender-refused-for-good'],
    ['MAIL', '452 4.3.1 full', 'smtp.sender-refused-for-now'],
    ['DATA', '554 no', 'smtp.data-refused-for-good'],
    ['DATA', '451 later', 'smtp.data-refused-for-now'],
    ['dot', '552 5.3.4 too big', 'smtp.message-refused-for-good'],
    ['dot', '450 4.2.0 later', 'smtp.message-refused-for-now'],
  ])('%s answered %s: %s for everybody, and the channel goes on', async (where, reply, reason) => {
    const { channel } = await channelTo(async peer => {
      await peer.answer('MAIL', where === 'MAIL' ? reply : '250 ok')
      if (where !== 'MAIL') await peer.answer('RCPT', '250 ok')
      if (where !== 'MAIL') await peer.answer('DATA', where === 'DATA' ? reply : '354 go on')
      if (where === 'dot') {
        await peer.content()
        peer.send(`${reply}\r\n`)
      }
      if (where === 'DATA') await peer.answer('RSET', '250 ok')
      await take(peer)
    })
    expect(await reasons(channel, mail('x\r\n'))).toEqual([reason])
    expect(channel.usable).toBe(true)
    expect(await reasons(channel, mail('x\r\n'))).toEqual(['delivered'])
  })
})

describe('what the peer lacks is found before anything is sent', () => {
  test.each([
    [{ demands: { eightBit: true, smtputf8: false } }, [], 'smtp.no-8bitmime'],
    [{ demands: { eightBit: true, smtputf8: true } }, ['8BITMIME'], 'smtp.no-smtputf8'],
    [{ sizeBytes: 1_001 }, ['SIZE 1000'], 'smtp.message-exceeds-size'],
  ])('%j to a server that offers %j', async (options, offers, reason) => {
    const { channel, server } = await channelTo(
      async peer => {
        await take(peer)
      },
      { offers },
    )
    const result = await channel.send(mail('x\r\n', options))
    expect(result.recipients[0]).toMatchObject({ failure: { reason } })
    expect(result.reusable).toBe(true)
    expect(await reasons(channel, mail('x\r\n'))).toEqual(['delivered'])
    expect(server.peers[0]?.lines).toEqual([
      'EHLO relay.example',
      expect.stringContaining('MAIL'),
      expect.anything(),
      'DATA',
    ])
  })

  test('where it is offered it is asked for', async () => {
    const { channel, server } = await channelTo(
      async peer => {
        await take(peer)
      },
      { offers: ['8BITMIME', 'SMTPUTF8', 'SIZE'] },
    )
    await channel.send(mail('x\r\n', { demands: { eightBit: true, smtputf8: true } }))
    expect(server.peers[0]?.lines[1]).toBe('MAIL FROM:<sender@example.org> SIZE=3 BODY=8BITMIME SMTPUTF8')
  })
})

/** Runs a transaction up to a phase and then does something to the client. */
function upTo(phase: string, act: (peer: ScriptedPeer) => void) {
  return async (peer: ScriptedPeer) => {
    for (const [at, reply] of [
      ['MAIL', '250 ok'],
      ['RCPT', '250 ok'],
      ['DATA', '354 go on'],
    ] as const) {
      const line = await peer.line()
      expect(line.startsWith(at)).toBe(true)
      if (phase === at) return act(peer)
      peer.send(`${reply}\r\n`)
    }
    await peer.content()
    act(peer)
    await peer.gone()
  }
}

describe.each(['MAIL', 'RCPT', 'DATA', 'final dot'])('when it goes wrong in phase %s', phase => {
  const isAfterDot = phase === 'final dot'
  const expected = (before: string) => (isAfterDot ? 'smtp.closed-after-dot' : before)

  test('a reset is a failure of the session, and after the dot one that may duplicate', async () => {
    const { channel } = await channelTo(upTo(phase, peer => peer.reset()))
    const result = await channel.send(mail('x\r\n'))
    expect(result).toMatchObject({
      recipients: [{ failure: { reason: expected('smtp.closed') } }],
      reusable: false,
    })
    expect(channel.usable).toBe(false)
    expect(await reasons(channel, mail('x\r\n'))).toEqual([expected('smtp.closed')])
  })

  test('so is a close', async () => {
    const { channel } = await channelTo(upTo(phase, peer => peer.end()))
    expect(await reasons(channel, mail('x\r\n'))).toEqual([expected('smtp.closed')])
  })

  test('silence runs into the time limit of the phase', async () => {
    const timeouts = { mailMs: 30, rcptMs: 30, dataMs: 30, finalDotMs: 30 }
    const { channel } = await channelTo(
      upTo(phase, () => {}),
      { timeouts },
    )
    const result = await channel.send(mail('x\r\n'))
    expect(result.recipients[0]).toMatchObject({ failure: { reason: expected('smtp.timeout') } })
    expect(JSON.stringify(result)).toContain(phase)
    expect(channel.usable).toBe(false)
  })

  test('421 says that the peer shuts down', async () => {
    const { channel } = await channelTo(
      upTo(phase, peer => {
        peer.send('421 4.3.2 closing\r\n')
        peer.end()
      }),
    )
    expect(await reasons(channel, mail('x\r\n'))).toEqual(['smtp.shutting-down'])
    expect(channel.usable).toBe(false)
  })

  test.each([
    ['no reply at all', 'Hello there\r\n', 'smtp.reply-malformed'],
    ['a line without end', `250-${'x'.repeat(200_000)}`, 'smtp.reply-too-long'],
    ['lines without end', '250-x\r\n'.repeat(20_000), 'smtp.reply-too-long'],
    ['codes that change', '250-one\r\n251 two\r\n', 'smtp.reply-malformed'],
    [
      'more replies than commands',
      '250 ok\r\n354 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n',
      'smtp.reply-unexpected',
    ],
  ])('hostile: %s', async (_, text, reason) => {
    const { channel } = await channelTo(upTo(phase, peer => peer.send(text)))
    const got = await reasons(channel, mail('x\r\n'))
    // Answered well in time by the first of too many replies, the message counts; the channel does not live on.
    if (isAfterDot && reason === 'smtp.reply-unexpected') expect(got).toEqual(['delivered'])
    else expect(got).toEqual([expected(reason)])
    await expect.poll(() => channel.usable).toBe(false)
  })
})

describe('content', () => {
  test('a peer that takes nothing runs into the limit for content', async () => {
    const { channel } = await channelTo(
      async peer => {
        await peer.answer('MAIL', '250 ok')
        await peer.answer('RCPT', '250 ok')
        await peer.answer('DATA', '354 go on')
        peer.stall()
      },
      { timeouts: { contentMs: 100 } },
    )
    let read = 0
    async function* endless() {
      for (;;) {
        await Promise.resolve()
        read++
        yield Buffer.alloc(1024 * 1024, 'x')
      }
    }
    expect(await reasons(channel, mail('', { content: endless }))).toEqual(['smtp.timeout'])
    // What the kernel's buffers on both sides hold, and one piece more: not all there is.
    expect(read).toBeLessThan(50)
  })

  test('a peer that refuses in the middle is heard', async () => {
    const { channel } = await channelTo(async peer => {
      await peer.answer('MAIL', '250 ok')
      await peer.answer('RCPT', '250 ok')
      await peer.answer('DATA', '354 go on')
      peer.send('552 5.3.4 enough\r\n')
      await peer.gone()
    })
    async function* pieces() {
      for (;;) {
        await new Promise(resolve => setTimeout(resolve, 1))
        yield Buffer.alloc(100, 'x')
      }
    }
    expect(await reasons(channel, mail('', { content: pieces }))).toEqual(['smtp.message-refused-for-good'])
    expect(channel.usable).toBe(false)
  })

  test('content that cannot be read never ends in a dot', async () => {
    let received = ''
    const { channel } = await channelTo(async peer => {
      await peer.answer('MAIL', '250 ok')
      await peer.answer('RCPT', '250 ok')
      await peer.answer('DATA', '354 go on')
      received = await peer.content().catch(() => 'no dot came')
    })
    async function* pieces() {
      await Promise.resolve()
      yield Buffer.from('half\r\n')
      throw new Error('disk gone')
    }
    const result = await channel.send(mail('', { content: pieces }))
    expect(result).toMatchObject({
      recipients: [{ failure: { reason: 'us.content-unreadable', detail: 'disk gone' } }],
      reusable: false,
    })
    await expect.poll(() => received).toBe('no dot came')
  })
})

describe('an idle channel', () => {
  test.each([
    ['closes', (peer: ScriptedPeer) => peer.end()],
    ['says 421', (peer: ScriptedPeer) => peer.send('421 4.4.2 idle\r\n')],
    ['talks unasked', (peer: ScriptedPeer) => peer.send('250 hello?\r\n')],
    ['resets', (peer: ScriptedPeer) => peer.reset()],
  ])('is not usable any more when the peer %s', async (_, act) => {
    let peer: ScriptedPeer | null = null
    const { channel } = await channelTo(async each => {
      peer = each
      await take(each)
      await each.gone()
    })
    await channel.send(mail('x\r\n'))
    expect(channel.usable).toBe(true)
    if (peer !== null) act(peer)
    await expect.poll(() => channel.usable).toBe(false)
    expect((await channel.send(mail('x\r\n'))).reusable).toBe(false)
  })

  test('says QUIT when it is closed, and waits no longer than it must', async () => {
    const { channel, server } = await channelTo(
      async peer => {
        await peer.line()
        await peer.gone()
      },
      { timeouts: { quitMs: 20 } },
    )
    await channel.close()
    expect(server.peers[0]?.lines).toEqual(['EHLO relay.example', 'QUIT'])
    expect(channel.usable).toBe(false)
  })

  test('aborted in the middle of a message: the message is told', async () => {
    const { channel } = await channelTo(async peer => {
      await peer.line()
      channelAbort()
      await peer.gone()
    })
    const channelAbort = () => channel.abort()
    expect(await reasons(channel, mail('x\r\n'))).toEqual(['smtp.closed'])
  })
})
