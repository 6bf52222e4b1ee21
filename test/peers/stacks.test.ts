/**
 * Key usage against key exchange, cell by cell: what the real TLS stacks do in the handshake with a leaf that its keyUsage does not fit.
 * Whatever src/judgement/stacks.ts calls proven in the lab is proven here.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stackNames, stackOpinion } from '../../src/judgement/stacks.ts'
import type { KeyExchange, StackName } from '../../src/judgement/verify-document.ts'
import {
  type Authority,
  createAuthority,
  type KeyKind,
  type KeyUsage,
} from '../../src/system/certificate-maker.ts'
import { temporaryDirectory } from '../support/hermetic.ts'
import { type Sink, startSink } from '../support/sink.ts'
import {
  eximClient,
  gnutlsCli,
  hermeticClient,
  type MailClient,
  type Outcome,
  opensslClient,
  posttlsFinger,
} from './support/handshakes.ts'

const directory = temporaryDirectory('stacks')
let authority: Authority
const clients = new Map<ClientName, MailClient>()

type ClientName = StackName | 'gnutls-compat' | 'exim-compat'

beforeAll(async () => {
  authority = await createAuthority({ commonName: 'Test Root' })
  clients.set('gnutls', gnutlsCli('NORMAL'))
  clients.set('gnutls-compat', gnutlsCli('NORMAL:%COMPAT'))
  clients.set('exim-gnutls', await eximClient(join(directory.path, 'exim'), null))
  clients.set('exim-compat', await eximClient(join(directory.path, 'exim-compat'), 'NORMAL:%COMPAT'))
  clients.set('openssl', opensslClient)
  clients.set('postfix', posttlsFinger)
  clients.set('hermetic', hermeticClient)
})
afterAll(() => directory.remove())

const exchanges: Readonly<Record<KeyExchange, Parameters<typeof startSink>[0] & object>> = {
  rsa: { tls: { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' } },
  ecdhe: { tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE+AESGCM' } },
  'tls1.3': { tls: { minVersion: 'TLSv1.3' } },
}

const exchangeNames = ['rsa', 'ecdhe', 'tls1.3'] as const satisfies readonly KeyExchange[]

interface Leaf {
  readonly key: KeyKind
  /** Null: no such extension. */
  readonly usage: readonly KeyUsage[] | null
}

interface Cell extends Leaf {
  readonly exchange: KeyExchange
}

const leaves: readonly Leaf[] = [
  { key: 'rsa', usage: ['keyEncipherment'] },
  { key: 'rsa', usage: ['digitalSignature'] },
  { key: 'rsa', usage: ['digitalSignature', 'keyEncipherment'] },
  // What a self-made authority that serves its own certificate has.
  { key: 'rsa', usage: ['keyCertSign', 'cRLSign'] },
  { key: 'rsa', usage: null },
  { key: 'ec', usage: ['keyAgreement'] },
  { key: 'ec', usage: ['digitalSignature'] },
  { key: 'ec', usage: null },
]

const cells = leaves.flatMap(leaf =>
  exchangeNames
    // An EC key cannot decrypt, so there is no RSA key exchange with one; for the other, see the last test.
    .filter(exchange => leaf.key === 'rsa' || (exchange !== 'rsa' && !isUnservable(leaf, exchange)))
    .map(exchange => ({
      ...leaf,
      exchange,
      title: `${leaf.key} leaf for ${leaf.usage?.join(' and ') ?? 'any use'}`,
    })),
)

describe('what each stack does in the handshake', () => {
  test.for(cells)('$title, key exchange $exchange', async cell => {
    const outcomes = await handshakes(cell)
    const seen = [...outcomes].map(([name, { did }]) => ({ name, did, proof: 'lab' }))
    const told = [...outcomes.keys()].map(name => ({ name, ...toldOf(name, cell) }))
    expect(seen, JSON.stringify([...outcomes], null, 1)).toEqual(told)
  })
})

test('nothing else is called proven in the lab', () => {
  const claimed = stackNames.filter(stack =>
    leaves.some(leaf => exchangeNames.some(exchange => opinionOf(stack, { ...leaf, exchange }).proof === 'lab')),
  )
  expect(claimed.sort()).toEqual(stackNames.filter(stack => clients.has(stack)).sort())
  const unseen = leaves.filter(leaf => isUnservable(leaf, 'ecdhe'))
  for (const leaf of unseen)
    for (const stack of stackNames) expect(opinionOf(stack, { ...leaf, exchange: 'ecdhe' }).proof).not.toBe('lab')
})

test('an EC leaf without digitalSignature is offered for ECDHE in TLS 1.2 by no server: OpenSSL’s finds no cipher for it', async () => {
  const outcomes = await handshakes({ key: 'ec', usage: ['keyAgreement'], exchange: 'ecdhe' })
  for (const [name, outcome] of outcomes) expect(outcome.did, name).toBe('neither')
})

async function handshakes(cell: Cell): Promise<Map<ClientName, Outcome>> {
  const leaf = await authority.leaf({ names: ['mx.test.example'], key: cell.key, keyUsage: cell.usage })
  const sink: Sink = await startSink({
    ...exchanges[cell.exchange],
    certificate: { chain: leaf.chain, key: leaf.key },
    implicitTls: true,
  })
  try {
    const outcomes = new Map<ClientName, Outcome>()
    for (const [name, client] of clients) outcomes.set(name, await client.connect(sink.port))
    return outcomes
  } finally {
    await sink.stop()
  }
}

function isUnservable(leaf: Leaf, exchange: KeyExchange): boolean {
  return leaf.key === 'ec' && exchange === 'ecdhe' && leaf.usage?.includes('digitalSignature') === false
}

/** What is said of a client; that `%COMPAT` lets everything pass is said in the words about GnuTLS. */
function toldOf(name: ClientName, cell: Cell): { readonly did: string; readonly proof: string } {
  if (name === 'gnutls-compat' || name === 'exim-compat') return { did: 'accept', proof: 'lab' }
  const { would, proof } = opinionOf(name, cell)
  return { did: would, proof }
}

function opinionOf(stack: StackName, { key, usage, exchange }: Cell): ReturnType<typeof stackOpinion> {
  return stackOpinion(stack, { kind: key, keyUsage: usage === null ? null : new Set(usage) }, exchange)
}
