/** Servers that our mail is delivered to, which misbehave as a script says until they are cured, and behave from then on. */
import { type ScriptedPeer, serve } from '../../../src/hop/testing/scripted-server.ts'

export type Misdeed = (peer: ScriptedPeer) => Promise<void> | void

export interface Taken {
  readonly content: string
  readonly isEncrypted: boolean
}

export interface BesettingServer {
  readonly port: number
  /** What it took since it was cured. */
  readonly taken: readonly Taken[]
  /** Every line that it was told while it misbehaved. */
  linesBefore(): readonly string[]
  connections(): number
  cure(): void
  close(): Promise<void>
}

/** PEM text. */
export interface Certificate {
  readonly chain: string
  readonly key: string
}

export async function besettingServer(misdeed: Misdeed, certificate: Certificate): Promise<BesettingServer> {
  const taken: Taken[] = []
  let isCured = false
  let before = 0
  const server = await serve(async peer => {
    if (isCured) return await behave(peer, certificate, taken)
    before += 1
    await misdeed(peer)
    await peer.gone()
  })
  return {
    port: server.port,
    taken,
    linesBefore: () => server.peers.slice(0, before).flatMap(({ lines }) => lines),
    connections: () => server.peers.length,
    cure() {
      isCured = true
    },
    close: () => server.close(),
  }
}

async function behave(peer: ScriptedPeer, certificate: Certificate, taken: Taken[]): Promise<void> {
  let isEncrypted = false
  peer.send('220 cured.example ESMTP\r\n')
  for (;;) {
    const verb = (await peer.line()).slice(0, 4)
    if (verb === 'EHLO')
      peer.send(`250-cured.example\r\n250-8BITMIME\r\n${isEncrypted ? '' : '250-STARTTLS\r\n'}250 PIPELINING\r\n`)
    else if (verb === 'STAR') {
      peer.send('220 go ahead\r\n')
      await peer.startTls(certificate)
      isEncrypted = true
    } else if (verb === 'DATA') {
      peer.send('354 go ahead\r\n')
      taken.push({ content: await peer.content(), isEncrypted })
      peer.send('250 taken\r\n')
    } else if (verb === 'QUIT') {
      peer.send('221 bye\r\n')
      return peer.end()
    } else peer.send('250 ok\r\n')
  }
}

export type Step = 'EHLO' | 'STARTTLS' | 'MAIL' | 'RCPT' | 'DATA' | 'content' | 'final dot'

/** Behaves until the client has said this, and leaves it unanswered. */
export async function upTo(peer: ScriptedPeer, step: Step): Promise<void> {
  const offer = step === 'STARTTLS' ? '250-besetting.example\r\n250 STARTTLS' : '250 besetting.example'
  peer.send('220 besetting.example ESMTP\r\n')
  for (const [verb, reply] of [
    ['EHLO', offer],
    ['STARTTLS', ''],
    ['MAIL', '250 ok'],
    ['RCPT', '250 ok'],
    ['DATA', '354 go ahead'],
  ] as const) {
    if (verb === 'STARTTLS' && step !== 'STARTTLS') continue
    const line = await peer.line()
    if (!line.startsWith(verb)) throw new Error(`expected ${verb}, got ${line}`)
    if (verb === step) return
    peer.send(`${reply}\r\n`)
  }
  if (step === 'content') await peer.bytes()
  else await peer.content()
}

/** Says `text` again and again, every 200 ms, until the client has gone. */
export async function dripTo(peer: ScriptedPeer, text: string): Promise<void> {
  const timer = setInterval(() => peer.send(text), 200)
  try {
    await peer.gone()
  } finally {
    clearInterval(timer)
  }
}

/** Says `text` as fast as the client takes it, at most 100 MB. */
export async function floodTo(peer: ScriptedPeer, text: string): Promise<void> {
  const chunk = text.repeat(Math.ceil(65_536 / text.length))
  let sent = 0
  const timer = setInterval(() => {
    if (sent < 100 * 1024 * 1024) peer.send(chunk)
    sent += chunk.length
  }, 0)
  try {
    await peer.gone()
  } finally {
    clearInterval(timer)
  }
}
