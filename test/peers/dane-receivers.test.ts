/**
 * Hermetic delivers by DANE to other people's servers, Postfix (OpenSSL) and Exim (GnuTLS), with TLSA records in a zone that ldns signed and NSD serves, behind unbound. It goes
 * there where a record proves the server, and nothing but a handshake comes where none does. At level dane-only, so that nothing else can have let it through.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { strangeTlsa, tlsaOf } from '../../src/lab/tlsa-of.ts'
import { type Certified, createAuthority } from '../../src/system/certificate-maker.ts'
import { corpus, withoutTrace } from '../support/corpus.ts'
import { type Started, startHermetic, temporaryDirectory } from '../support/hermetic.ts'
import { freePort, must, until } from '../support/process.ts'
import { type Sink, startSink } from '../support/sink.ts'
import { submit } from '../support/source.ts'
import { type Exim, startExim } from './support/exim.ts'
import { makeForeignZones } from './support/foreign-signers.ts'
import { startNsd, startRecursor } from './support/name-servers.ts'
import { type Postfix, startPostfix } from './support/postfix.ts'

interface Case {
  /** Below dane.example: the host. */
  readonly host: string
  readonly says: string
  readonly record: (leaf: string, issuer: string) => string | null
  /** `V=` of the log, and the numbers of the record in `D=`; or the reason to wait. */
  readonly comes:
    | { readonly proof: string; readonly by: string }
    | { readonly waits: string; readonly visits: 'once' | 'never' }
}

const cases: readonly Case[] = [
  {
    host: 'ee',
    says: 'a record 3 1 1 of its key',
    record: leaf => tlsaOf('3 1 1', leaf),
    comes: { proof: 'dane-ee', by: '3:1:1' },
  },
  {
    host: 'ta',
    says: 'a record 2 1 1 of its issuer',
    record: (_, issuer) => tlsaOf('2 1 1', issuer),
    comes: { proof: 'dane-ta', by: '2:1:1' },
  },
  {
    host: 'ta-full',
    says: 'a record 2 0 0, the whole certificate of its issuer',
    record: (_, issuer) => tlsaOf('2 0 0', issuer),
    comes: { proof: 'dane-ta', by: '2:0:0' },
  },
  // Before those that are tried again, and visit a second time.
  {
    host: 'without',
    says: 'no record, as the zone proves',
    record: () => null,
    comes: { waits: 'dane.required', visits: 'never' },
  },
  {
    host: 'mismatch',
    says: 'a record 3 1 1 of another key',
    record: () => strangeTlsa('3 1 1'),
    comes: { waits: 'dane.no-match', visits: 'once' },
  },
  {
    host: 'wrong-name',
    says: 'a record 2 1 1 of its issuer, and a certificate for other names',
    record: (_, issuer) => tlsaOf('2 1 1', issuer),
    comes: { waits: 'x509.name-mismatch', visits: 'once' },
  },
]

const directory = temporaryDirectory('dane-receivers')
const closers: (() => unknown)[] = [() => directory.remove()]
const plain = corpus[0]?.content ?? Buffer.alloc(0)
let hermetic: Started
let sink: Sink
let postfix: Postfix
let exim: Exim

beforeAll(async () => {
  const folder = (name: string) => {
    const path = join(directory.path, name)
    mkdirSync(path)
    return path
  }
  const root = await createAuthority({ commonName: 'Root of the receivers' })
  const issuer = await root.intermediate({ commonName: 'Issuer of the receivers' })
  const names = cases.filter(({ host }) => host !== 'wrong-name').map(({ host }) => `${host}.dane.example`)
  // Each has a key of its own.
  const certified = { postfix: await issuer.leaf({ names }), exim: await issuer.leaf({ names, key: 'rsa' }) }

  sink = await startSink()
  closers.push(() => sink.stop())
  const ofPostfix = await written(folder('postfix-certificate'), certified.postfix)
  postfix = await startPostfix({
    directory: join(directory.path, 'postfix'),
    port: await freePort(),
    main: {
      relayhost: `[127.0.0.1]:${sink.port}`,
      smtpd_tls_security_level: 'may',
      smtpd_tls_chain_files: `${ofPostfix.key}, ${ofPostfix.chain}`,
      smtpd_tls_loglevel: '1',
    },
  })
  closers.push(() => postfix.stop())
  exim = await startExim({
    directory: join(directory.path, 'exim'),
    certificate: await written(folder('exim-certificate'), certified.exim),
  })
  closers.push(() => exim.stop())

  const at = { postfix: postfix.port, exim: exim.port }
  const content = cases.flatMap(({ host, record }) => [
    `${host} A 127.0.0.1`,
    ...receivers.flatMap(name => {
      const data = record(certified[name].certificate, issuer.certificate)
      return data === null ? [] : [`_${at[name]}._tcp.${host} TLSA ${data}`]
    }),
  ])
  const zones = await makeForeignZones(folder('zones'), [
    { apex: '', content: [], signing: { keys: 'split', algorithms: ['RSASHA256'] } },
    { apex: 'example', content: [], signing: { denial: { iterations: 0, salt: '' } } },
    { apex: 'dane.example', content, signing: { keys: 'split' } },
  ])
  const nsd = await startNsd(folder('nsd'), zones.files)
  closers.push(() => nsd.stop())
  const recursor = await startRecursor(folder('recursor'), zones.files.keys(), nsd)
  closers.push(() => recursor.stop())
  const anchors = join(directory.path, 'anchors')
  writeFileSync(anchors, `${zones.anchors('').join('\n')}\n`)

  hermetic = await startHermetic({
    directory: folder('hermetic'),
    yaml: [
      `dns: { servers: ['${recursor.address}:${recursor.port}'], hosts_file: false, anchors: ${anchors} }`,
      'routes:',
      ...receivers.flatMap(name =>
        cases.flatMap(({ host }) => [
          `  - name: ${host}-at-${name}`,
          `    when: { recipient: ${host}.${name}.example }`,
          `    to: { host: ${host}.dane.example, port: ${at[name]} }`,
          '    tls: dane-only',
        ]),
      ),
    ],
  })
  closers.push(() => hermetic.stop())
})
afterAll(async () => {
  for (const close of closers.toReversed()) await close()
})

const receivers = ['postfix', 'exim'] as const

describe.for(receivers)('%s', name => {
  test.for(cases.map(each => [each.says, each] as const))('with %s', async ([, { host, comes }]) => {
    const recipient = `bob@${host}.${name}.example`
    const before = visits(name)
    await submit(hermetic.port, plain, { to: [recipient] })
    const line = await logged(recipient)
    if ('proof' in comes) {
      expect(line).toContain(` => ${recipient} `)
      expect(line).toContain(` N=configured V=${comes.proof} D=${comes.by}:`)
      expect(line).toContain(' X=TLSv1.3')
      await until(() => arrived(name, recipient), `${name} has passed the message on`)
      return
    }
    expect(line).toContain(` == ${recipient} `)
    expect(line).toContain(` ${comes.waits}: `)
    if (comes.visits === 'never') expect(visits(name)).toBe(before)
    else await until(() => visits(name) > before, `${name} tells of the visit`)
    expect(mentions(name, recipient)).toBe(false)
  })
})

/** What Hermetic says of the first attempt. */
async function logged(recipient: string): Promise<string> {
  const find = () =>
    hermetic
      .log()
      .split('\n')
      .find(line => line.includes(` => ${recipient} `) || line.includes(` == ${recipient} `))
  await until(() => find() !== undefined, `the message for ${recipient} was tried`)
  return find() ?? ''
}

function arrived(name: (typeof receivers)[number], recipient: string): boolean {
  if (name === 'exim') {
    const stored = readFileSync(exim.mailbox, 'latin1').replaceAll('\n', '\r\n')
    return stored.includes(plain.toString('latin1')) && mentions('exim', recipient)
  }
  return sink.received.some(
    ({ to, content }) => to.some(each => each.startsWith(`<${recipient}>`)) && withoutTrace(content).equals(plain),
  )
}

function mentions(name: (typeof receivers)[number], recipient: string): boolean {
  return (name === 'exim' ? exim : postfix).log().includes(recipient)
}

/** Connections, by its own log. */
function visits(name: (typeof receivers)[number]): number {
  return name === 'exim'
    ? exim.log().split('TCP/IP connection count').length
    : postfix.log().split(': connect from').length
}

async function written(folder: string, { chain, key }: Certified) {
  const files = { chain: join(folder, 'chain.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.chain, chain)
  writeFileSync(files.key, key)
  // Exim reads the key as its own user.
  await must('chgrp', ['Debian-exim', files.key])
  chmodSync(files.key, 0o640)
  return files
}
