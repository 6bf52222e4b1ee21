import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { converse, injectBehindStartTls, stuff, submit } from './client.ts'
import { createContentCollector } from './content-collector.ts'
import { type LabHost, ordinaryHost, startHost } from './host.ts'
import { type Lab, startLab } from './lab.ts'

let lab: Lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.close())

function host(name: string): LabHost {
  const found = lab.hosts.find(candidate => candidate.name === name)
  if (found === undefined) throw new Error(`no host ${name}`)
  return found
}

describe('a host of the lab', () => {
  test('takes a message over STARTTLS from another client, and tells the SNI and what was verified against its CA', async () => {
    const { address, port } = host('smarthost.example')
    const transport = createTransport({
      host: address,
      port,
      requireTLS: true,
      tls: { ca: lab.root, servername: 'smarthost.example' },
    })
    const raw = 'Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\n\r\nGrüße\r\n'
    await transport.sendMail({ envelope: { from: 'alice@sender.example', to: ['bob@office.example'] }, raw })
    const [message] = host('smarthost.example').messages
    expect(message?.content.toString()).toBe(raw)
    expect(message?.recipients).toEqual(['bob@office.example'])
    expect(message?.tls).toMatchObject({ version: 'TLSv1.3', sni: 'smarthost.example' })
    const [visit] = host('smarthost.example').visits
    expect(visit?.clear.map(line => line.split(' ')[0])).toEqual(['EHLO', 'STARTTLS'])
    expect(visit?.secured.map(line => line.split(' ')[0])).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA'])
  })

  test('is refused by a client that checks the name, when its certificate is for another', async () => {
    const { address, port } = host('relay.wrong.example')
    const transport = createTransport({
      host: address,
      port,
      requireTLS: true,
      tls: { ca: lab.root, servername: 'relay.wrong.example' },
    })
    await expect(transport.verify()).rejects.toThrow('altnames')
    expect(host('relay.wrong.example').messages).toEqual([])
  })

  test('takes what our own client submits, byte for byte, dots, 8-bit octets and an empty message too', async () => {
    const to = host('mx2.down.example')
    for (const text of ['.\r\n..\r\n.a\r\n\xff\xfe\r\n', '', '\r\n.\r\n', `${'x'.repeat(998)}\r\n`]) {
      const content = Buffer.from(text, 'latin1')
      const submitted = await submit(to, { from: '', to: ['bob@down.example'], content, smtputf8: false })
      expect(submitted.accepted).toBe(true)
      expect(to.messages.at(-1)?.content.equals(content)).toBe(true)
    }
  })

  test('without STARTTLS neither offers nor knows it', async () => {
    const { address, port } = host('mx.clear.example')
    const client = await converse(address, port)
    await client.reply()
    expect((await client.ask('EHLO me.example')).lines).not.toContain('STARTTLS')
    expect((await client.ask('STARTTLS')).code).toBe(502)
    client.close()
  })

  test('that injects sends its forged replies in one piece with the 220, and counts what a client says after that', async () => {
    const { address, port } = host('mx.middle.example')
    const client = await converse(address, port)
    await client.reply()
    await client.ask('EHLO me.example')
    expect((await client.ask('STARTTLS')).code).toBe(220)
    expect((await client.reply()).lines).toEqual(['mx.example', 'AUTH PLAIN'])
    await client.write('MAIL FROM:<>\r\n')
    await expect.poll(() => host('mx.middle.example').visits.at(-1)?.afterInjection).toBe(14)
    client.close()
  })

  test('refuses bytes that a client puts behind STARTTLS', async () => {
    const injection = await injectBehindStartTls(host('mx2.down.example'), ['MAIL FROM:<mallory@sender.example>'])
    expect(injection).toMatchObject({ reply: { code: 554 }, wentIntoTls: false, hungUp: true })
  })

  test('refuses the recipients it is told to, and takes the others', async () => {
    const picky = await startHost(
      { ...ordinaryHost, name: 'mx.picky.example', refusedRecipients: ['eve@picky.example'] },
      null,
    )
    const client = await converse(picky.address, picky.port)
    await client.reply()
    await client.ask('EHLO me.example')
    expect((await client.ask('RCPT TO:<bob@picky.example>')).code).toBe(503)
    await client.ask('MAIL FROM:<>')
    expect((await client.ask('RCPT TO:<eve@picky.example>')).code).toBe(550)
    expect((await client.ask('DATA')).code).toBe(554)
    expect((await client.ask('RCPT TO:<bob@picky.example>')).code).toBe(250)
    client.close()
    await picky.close()
  })

  test('that is down refuses the connection', async () => {
    const target = lab.dialer({ host: 'mx1.down.example', address: '198.51.100.31', port: 25 })
    if (target === 'unreachable') throw new Error('a host that is down must still be dialled')
    const code = await new Promise(resolve => {
      connect(target.port, target.address).on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    })
    expect(code).toBe('ECONNREFUSED')
  })
})

describe('the dialer of the lab', () => {
  test('what is not in it cannot be dialled', () => {
    expect(lab.dialer({ host: 'mx.real.test', address: '192.0.2.200', port: 25 })).toBe('unreachable')
    expect(lab.dialer({ host: 'smarthost.example', address: '192.0.2.25', port: 587 })).toBe('unreachable')
  })
})

test('stuffing is undone by collecting', () => {
  for (const text of ['', '.', 'a', '.\r\n', '..\r\n.\r\n', '\r\n.\r\n..', 'a\r\n.b\r\n'].map(
    each => `${each}\r\n`,
  )) {
    const wire = Buffer.concat([stuff(Buffer.from(text)), Buffer.from('.\r\n')])
    expect(createContentCollector().receive(wire)?.content.toString()).toBe(text)
  }
})
