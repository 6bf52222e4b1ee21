/**
 * Key usage against key exchange, cell by cell: what the real TLS stacks do in the handshake with a leaf that its keyUsage does not fit.
 * Whatever src/judgement/stacks.ts calls proven in the lab is proven here.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
const clients = new Map<StackName | 'gnutls-compat' | 'exim-compat', MailClient>()

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

interface Leaf {
  readonly key: KeyKind
  /** Null: no such extension. */
  readonly usage: readonly KeyUsage[] | null
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
  (['rsa', 'ecdhe', 'tls1.3'] as const)
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
    const seen = Object.fromEntries([...outcomes].map(([name, outcome]) => [name, outcome.did]))
    expect(seen, JSON.stringify([...outcomes], null, 1)).toEqual(expected(cell))
  })
})

test('an EC leaf without digitalSignature is offered for ECDHE in TLS 1.2 by no server: OpenSSL’s finds no cipher for it', async () => {
  const outcomes = await handshakes({ key: 'ec', usage: ['keyAgreement'], exchange: 'ecdhe' })
  for (const [name, outcome] of outcomes) expect(outcome.did, name).toBe('neither')
})

async function handshakes(cell: Leaf & { readonly exchange: KeyExchange }): Promise<Map<string, Outcome>> {
  const leaf = await authority.leaf({ names: ['mx.test.example'], key: cell.key, keyUsage: cell.usage })
  const sink: Sink = await startSink({
    ...exchanges[cell.exchange],
    certificate: { chain: leaf.chain, key: leaf.key },
    implicitTls: true,
  })
  try {
    const outcomes = new Map<string, Outcome>()
    for (const [name, client] of clients) outcomes.set(name, await client.connect(sink.port))
    return outcomes
  } finally {
    await sink.stop()
  }
}

function isUnservable(leaf: Leaf, exchange: KeyExchange): boolean {
  return leaf.key === 'ec' && exchange === 'ecdhe' && leaf.usage?.includes('digitalSignature') === false
}

function expected({ usage, exchange }: Leaf & { readonly exchange: KeyExchange }): Record<string, Outcome['did']> {
  const need = exchange === 'rsa' ? 'keyEncipherment' : 'digitalSignature'
  const strict = usage === null || usage.includes(need) ? 'accept' : 'refuse'
  return {
    gnutls: strict,
    'gnutls-compat': 'accept',
    'exim-gnutls': strict,
    'exim-compat': 'accept',
    openssl: 'accept',
    postfix: 'accept',
    hermetic: 'accept',
  }
}
