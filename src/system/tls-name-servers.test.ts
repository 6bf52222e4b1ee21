/** Name servers over TLS where they are used: beside others, validated, believed, and told of when they do not prove their name. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createNameServerTrust } from '../hop/name-server-trust.ts'
import { startDns } from '../lab/dns-server.ts'
import { privateInternet } from '../lab/signing/private-internet.ts'
import { createSignedWorld, type SignedWorld } from '../lab/signing/signed-world.ts'
import { encodeMessage, type Message } from '../protocol/dns/message.ts'
import { parseName } from '../protocol/dns/name.ts'
import { rcodes, typeNumbers } from '../protocol/dns/numbers.ts'
import { type Authority, type Certified, createAuthority } from './certificate-maker.ts'
import { createDnsClient } from './dns-client.ts'
import { createDnsWire, type DnsWireOptions } from './dns-wire.ts'
import { afterwards, closeAll } from './testing/scripted-dns.ts'
import { serveTls, type TlsTestServer } from './testing/scripted-tls-dns.ts'
import { createTrustedResolver, createValidationMemory, type TrustedResolverOptions } from './trusted-resolver.ts'

const nowMs = Date.now()
const name = 'dns.example'
let authority: Authority
let credentials: Certified
let impostor: Certified
let honest: SignedWorld
let validates: SignedWorld
beforeAll(async () => {
  authority = await createAuthority({ commonName: 'Lab root' })
  credentials = await authority.leaf({ names: [name] })
  impostor = await authority.leaf({ names: ['other.example'] })
  const zones = privateInternet()
  honest = createSignedWorld({ zones, nowMs })
  validates = createSignedWorld({ zones, nowMs, behaviour: 'validates' })
})
afterEach(closeAll)

type Respond = (query: Message) => Message | 'silence'

function overTls(respond: Respond, shown: Certified = credentials): Promise<TlsTestServer> {
  return serveTls(shown, ({ query, reply }) => {
    const message = respond(query)
    if (message !== 'silence') reply(encodeMessage(message))
  })
}

async function inClear(respond: Respond) {
  const dns = await startDns(respond)
  afterwards(() => dns.close())
  return dns
}

/** As the configuration has it. The address of this machine in a form that is not taken for it. */
const written = ({ port }: { readonly port: number }) => `tls://[::ffff:127.0.0.1]:${port}#${name}`
const tls = () => createNameServerTrust(authority.root, Date.now)

function wireTo(servers: readonly string[], more: Partial<DnsWireOptions> = {}) {
  const wire = createDnsWire({ servers, tls: tls(), timeoutMs: 10_000, ...more })
  afterwards(() => wire.close())
  return wire
}

function nameOf(text: string) {
  const parsed = parseName(text)
  if (parsed === null) throw new Error(text)
  return parsed
}
const question = () => ({ name: nameOf('mx.nsec.example'), type: typeNumbers.A })
const plainly = { checking: 'disabled', avoid: [] } as const

describe('a server over TLS', () => {
  test('answers over TLS, whatever transport a question would have', async () => {
    const server = await overTls(honest.respond)
    const wire = wireTo([written(server)])
    for (const over of ['udp', 'tcp'] as const)
      expect(await wire.ask(question(), { ...plainly, over })).toMatchObject({
        kind: 'message',
        server: written(server),
        over: 'tls',
      })
    expect(wire.servers()).toEqual([written(server)])
    expect(server.connections).toBe(1)
  })

  test('is asked without EDNS when it does not understand that', async () => {
    const server = await overTls(query =>
      query.edns === null
        ? { ...query, isResponse: true, rcode: rcodes.NXDOMAIN }
        : { ...query, isResponse: true, rcode: rcodes.FORMERR, edns: null },
    )
    const client = createDnsClient({ servers: [written(server)], tls: tls(), timeoutMs: 10_000, hostsFile: null })
    afterwards(() => client.close())
    const answer = await client.resolve({ name: 'mx.nsec.example', type: 'A' })
    expect(answer).toMatchObject({ outcome: 'no-such-name', server: written(server) })
  })

  test('makes way for the next one when it does not prove its name, and is asked nothing', async () => {
    const wrong = await overTls(honest.respond, impostor)
    const next = await inClear(honest.respond)
    const wire = wireTo([written(wrong), `127.0.0.1:${next.port}`])
    expect(await wire.ask(question(), plainly)).toMatchObject({ kind: 'message', over: 'udp' })
    expect(wrong.asked).toEqual([])
  })

  test('that does not prove its name is never asked in clear text, whoever listens there', async () => {
    const wrong = await overTls(honest.respond, impostor)
    const wire = wireTo([written(wrong)])
    expect(await wire.ask(question(), plainly)).toMatchObject({
      kind: 'failed',
      reason: 'dns.server-unproven',
      server: null,
      over: null,
      why: 'the certificate of ::ffff:127.0.0.1 does not prove dns.example: x509.name-mismatch, wanted dns.example; it carries other.example',
    })
    const clear = await inClear(honest.respond)
    // It waits for what it takes for a message, five thousand bytes long.
    const mistaken = wireTo([`tls://127.0.0.1:${clear.port}#${name}`], { timeoutMs: 500 })
    expect(await mistaken.ask(question(), plainly)).toMatchObject({ kind: 'failed', reason: 'dns.timeout' })
    expect(clear.asked).toEqual([])
  })

  test('beside one that refuses leaves the word to the one that is who it should be', async () => {
    const wrong = await overTls(honest.respond, impostor)
    const refusing = await overTls(query => ({ ...query, isResponse: true, rcode: rcodes.REFUSED }))
    const wire = wireTo([written(wrong), written(refusing)])
    expect(await wire.ask(question(), plainly)).toMatchObject({
      kind: 'failed',
      reason: 'dns.lookup-failed',
      server: written(refusing),
      why: 'REFUSED',
    })
  })

  test('needs somebody to judge its certificate', () => {
    expect(() => createDnsWire({ servers: ['tls://192.0.2.53#dns.example'], timeoutMs: 1 })).toThrow(RangeError)
  })
})

function resolverFor(servers: readonly string[], more: Partial<TrustedResolverOptions> = {}) {
  const resolver = createTrustedResolver({
    servers,
    tls: tls(),
    timeoutMs: 10_000,
    hostsFile: null,
    trust: 'validate',
    adFromAnywhere: false,
    require: false,
    insecure: [],
    anchors: honest.anchorLines.ds.join('\n'),
    memory: createValidationMemory(),
    ...more,
  })
  afterwards(() => resolver.close())
  return resolver
}
const secureQuestion = { name: 'mx.nsec.example', type: 'A' } as const

describe('the relay', () => {
  test('validates what comes over TLS, over few connections', async () => {
    const server = await overTls(honest.respond)
    const resolver = resolverFor([written(server)])
    const answer = await resolver.resolve(secureQuestion)
    expect(answer).toMatchObject({ outcome: 'records', security: 'secure', server: written(server) })
    expect(resolver.standing).toEqual({ trust: 'validate', validation: 'works', says: [] })
    // One of the probe, and one of questions.
    expect(server.connections).toBe(2)
  })

  test('believes the AD bit of a server elsewhere that proves its name, as nobody else can have set it', async () => {
    const server = await overTls(validates.respond)
    const resolver = resolverFor([written(server)], { trust: 'ad' })
    expect(await resolver.resolve(secureQuestion)).toMatchObject({ outcome: 'records', security: 'secure' })
    expect(resolver.standing).toEqual({ trust: 'ad', validation: 'works', says: [] })
  })

  test('does not believe the same server in clear text', async () => {
    const server = await inClear(validates.respond)
    const resolver = resolverFor([`[::ffff:127.0.0.1]:${server.port}`], { trust: 'ad' })
    expect(await resolver.resolve(secureQuestion)).toMatchObject({ security: 'unvalidated' })
    expect(resolver.standing).toMatchObject({ validation: 'unavailable' })
  })

  test.each(['validate', 'ad'] as const)(
    'waits and says why when the only server does not prove its name, with trust %s',
    async trust => {
      const server = await overTls(validates.respond, impostor)
      const resolver = resolverFor([written(server)], { trust })
      expect(await resolver.resolve(secureQuestion)).toMatchObject({
        outcome: 'failed',
        security: 'indeterminate',
      })
      expect(resolver.standing).toEqual({
        trust,
        validation: 'unknown',
        says: [
          `The resolver ${written(server)} is asked nothing, and mail waits: the certificate of ::ffff:127.0.0.1 does not prove dns.example: x509.name-mismatch, wanted dns.example; it carries other.example. If its certificate is from an authority of your own, name its root in dns.tls_roots; else look for who is in between.`,
        ],
      })
      expect(server.asked).toEqual([])
    },
  )

  test('goes on with another server, and says what is wrong with the first', async () => {
    const wrong = await overTls(honest.respond, impostor)
    const right = await overTls(honest.respond)
    const resolver = resolverFor([written(wrong), written(right)])
    expect(await resolver.probe()).toMatchObject({
      validation: 'works',
      says: [expect.stringMatching(/ is asked nothing: the certificate of /)],
    })
    expect(await resolver.resolve(secureQuestion)).toMatchObject({ security: 'secure', server: written(right) })
  })

  test('is not led to weaker ways by somebody in between who cannot prove the name', async () => {
    const good = await overTls(honest.respond)
    const memory = createValidationMemory()
    await resolverFor([written(good)], { memory }).probe()
    const strips = createSignedWorld({ zones: privateInternet(), nowMs, behaviour: 'strips-signatures' })
    const between = await overTls(strips.respond, impostor)
    const resolver = resolverFor([written(between)], { memory })
    expect(await resolver.resolve(secureQuestion)).toMatchObject({ outcome: 'failed' })
    expect(between.asked).toEqual([])
  })
})
