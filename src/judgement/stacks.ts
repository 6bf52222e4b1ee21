/**
 * What other programs' TLS does in the handshake with a leaf, by its key usage alone: a table of stack × key × key exchange × fit.
 *
 * `lab` marks what a test sees the real program do (test/peers/stacks.test.ts). `source` marks what was read in the program's source:
 * GnuTLS lib/tls-sig.c and lib/tls13-sig.c, OpenSSL ssl/ssl_lib.c (ssl_check_srvr_ecc_cert_and_alg) and crypto/x509/v3_purp.c, Go crypto/x509/verify.go and
 * crypto/tls/defaults.go, rustls-webpki src/cert.rs, JDK sun/security/validator/EndEntityChecker.java and
 * sun/security/ssl/CertificateMessage.java. It does not say whether a path, a name or a TLSA record would please them.
 */
import type { KeyUsage } from '../protocol/x509/model.ts'
import { type KeyUsageFit, keyUsageFit, type LeafKey, neededUsage } from './key-usage.ts'
import type { KeyExchange, StackName, StackOpinion } from './verify-document.ts'

type Opinion = Omit<StackOpinion, 'stack'>

/** One row for each kind of fit that leads to different answers. */
type Row = Readonly<Record<Exclude<KeyUsageFit, 'impossible'>, Opinion>>

interface Stack {
  readonly rsa: Readonly<Record<KeyExchange, Row>>
  /** Keys that only sign. */
  readonly signing: Readonly<Record<Exclude<KeyExchange, 'rsa'>, Row>>
}

/** The order in which documents show them. */
export const stackNames = [
  'gnutls',
  'openssl',
  'exim-gnutls',
  'postfix',
  'go',
  'rustls',
  'schannel',
  'jsse',
  'hermetic',
] as const satisfies readonly StackName[]

/** What all stacks do with this leaf. @param exchange Null: TLS 1.3 is told, and where another key exchange ends otherwise. */
export function stackOpinions(leaf: LeafKey, exchange: KeyExchange | null): readonly StackOpinion[] {
  return stackNames.map(stack => ({
    stack,
    ...(exchange === null ? withOthers(stack, leaf) : stackOpinion(stack, leaf, exchange)),
  }))
}

/** One cell of the table. */
export function stackOpinion(stack: StackName, leaf: LeafKey, exchange: KeyExchange): Opinion {
  const fit = keyUsageFit(leaf, exchange)
  if (fit === 'impossible' || (leaf.kind !== 'rsa' && exchange === 'rsa')) return impossible
  const { rsa, signing } = table[stack]
  const opinion = leaf.kind === 'rsa' || exchange === 'rsa' ? rsa[exchange][fit] : signing[exchange][fit]
  const told = judgesByOpenssl.has(stack) && isUnfitForOpenssl(leaf) ? withPathClause(opinion) : opinion
  // The lab has keys of RSA and P-256 only.
  return leaf.kind === 'other' && told.proof === 'lab' ? { ...told, proof: 'unproven' } : told
}

/** OpenSSL's purpose `sslserver` wants one of these three bits, and is asked only where a path is judged. */
function isUnfitForOpenssl({ keyUsage }: LeafKey): boolean {
  return keyUsage !== null && !opensslWants.some(usage => keyUsage.has(usage))
}

function withPathClause(opinion: Opinion): Opinion {
  const clause = `where it judges the path it refuses a leaf with none of ${opensslWants.join(', ')}`
  return { ...opinion, because: `${opinion.because}; ${clause}` }
}

/** TLS 1.3, and a clause about those exchanges where the key usage turns the answer round. */
function withOthers(stack: StackName, leaf: LeafKey): Opinion {
  const told = stackOpinion(stack, leaf, 'tls1.3')
  const unlimited: LeafKey = { ...leaf, keyUsage: null }
  const differing = (['ecdhe', 'rsa'] as const).flatMap(exchange => {
    const other = stackOpinion(stack, leaf, exchange)
    const byKeyUsage =
      other.would !== stackOpinion(stack, unlimited, exchange).would ||
      told.would !== stackOpinion(stack, unlimited, 'tls1.3').would
    const isAnswer = other.would !== 'unknown' && told.would !== 'unknown'
    return isAnswer && byKeyUsage && other.would !== told.would
      ? [`with ${exchangeWords[exchange]} it would ${other.would}`]
      : []
  })
  return { ...told, because: [told.because, ...differing].join('; ') }
}

const opensslWants = ['digitalSignature', 'keyEncipherment', 'keyAgreement'] as const satisfies readonly KeyUsage[]
const judgesByOpenssl: ReadonlySet<StackName> = new Set(['openssl', 'postfix', 'hermetic'])

const exchangeWords: Readonly<Record<KeyExchange, string>> = {
  rsa: 'RSA key exchange',
  ecdhe: 'ECDHE in TLS 1.2',
  'tls1.3': 'TLS 1.3',
}

const impossible: Opinion = {
  would: 'unknown',
  because: 'RSA key exchange cannot come about: this key only signs',
  proof: 'unproven',
}

/** Refuses what does not fit. @param hangsUp How it shows, and how its user gets past it. */
function strict(exchange: KeyExchange, proof: StackOpinion['proof'], hangsUp: string): Row {
  return {
    absent: { would: 'accept', because: 'without a key usage extension everything is permitted', proof },
    fits: { would: 'accept', because: `the key usage has ${neededUsage(exchange)}`, proof },
    lacking: {
      would: 'refuse',
      because: `the key usage lacks ${neededUsage(exchange)}, which ${exchangeWords[exchange]} needs: ${hangsUp}`,
      proof,
    },
  }
}

/** Takes no notice of the key usage. */
function lenient(because: string, proof: StackOpinion['proof']): Row {
  const opinion: Opinion = { would: 'accept', because, proof }
  return { absent: opinion, fits: opinion, lacking: opinion }
}

function all(opinion: Opinion): Row {
  return { absent: opinion, fits: opinion, lacking: opinion }
}

function lackingFrom(row: Row, lacking: Opinion): Row {
  return { ...row, lacking }
}

const gnutlsHangsUp = 'it hangs up with “Key usage violation”; the priority string `NORMAL:%COMPAT` lets it pass'
const eximHangsUp =
  'it defers with “Key usage violation”; `tls_require_ciphers = NORMAL:%COMPAT` in the transport for this host lets it pass'

function gnutls(hangsUp: string): Stack {
  const ecdhe = strict('ecdhe', 'lab', hangsUp)
  return {
    rsa: { rsa: strict('rsa', 'lab', hangsUp), ecdhe, 'tls1.3': strict('tls1.3', 'lab', hangsUp) },
    signing: {
      // No server at hand offers such a leaf for ECDHE, so this cell is read, not seen.
      ecdhe: lackingFrom(ecdhe, { ...ecdhe.lacking, proof: 'source' }),
      'tls1.3': strict('tls1.3', 'lab', hangsUp),
    },
  }
}

function openssl(who: string): Stack {
  const lax = lenient(`${who} does not hold the key usage against the key exchange`, 'lab')
  return {
    rsa: { rsa: lax, ecdhe: lax, 'tls1.3': lax },
    signing: {
      ecdhe: lackingFrom(lax, {
        would: 'refuse',
        because: `${who} asks for digitalSignature in this one place: “ecc cert not for signing”`,
        proof: 'source',
      }),
      'tls1.3': lax,
    },
  }
}

const goIgnores = lenient('Go takes no notice of key usages', 'source')
const goDefault = all({
  would: 'refuse',
  because:
    'Go offers no RSA key exchange since 1.22, whatever the key usage; `GODEBUG=tlsrsakex=1` brings it back',
  proof: 'source',
})
const rustlsIgnores = lenient(
  'webpki, which judges for rustls, takes no notice of the key usage of a leaf',
  'source',
)
const rustlsNever = all({
  would: 'refuse',
  because: 'rustls has no RSA key exchange, whatever the key usage',
  proof: 'unproven',
})
const schannelUnknown = all({
  would: 'unknown',
  because: 'nobody has tried it here, and its source is not public',
  proof: 'unproven',
})

function jsse(exchange: KeyExchange): Row {
  return strict(
    exchange,
    'source',
    'Java’s own trust manager ends the handshake (“KeyUsage does not allow …”), one of the application’s may not',
  )
}

const table: Readonly<Record<StackName, Stack>> = {
  gnutls: gnutls(gnutlsHangsUp),
  openssl: openssl('OpenSSL'),
  'exim-gnutls': gnutls(eximHangsUp),
  postfix: openssl('Postfix uses OpenSSL, which'),
  go: {
    rsa: { rsa: goDefault, ecdhe: goIgnores, 'tls1.3': goIgnores },
    signing: { ecdhe: goIgnores, 'tls1.3': goIgnores },
  },
  rustls: {
    rsa: { rsa: rustlsNever, ecdhe: rustlsIgnores, 'tls1.3': rustlsIgnores },
    signing: { ecdhe: rustlsIgnores, 'tls1.3': rustlsIgnores },
  },
  schannel: {
    rsa: { rsa: schannelUnknown, ecdhe: schannelUnknown, 'tls1.3': schannelUnknown },
    signing: { ecdhe: schannelUnknown, 'tls1.3': schannelUnknown },
  },
  jsse: {
    rsa: { rsa: jsse('rsa'), ecdhe: jsse('ecdhe'), 'tls1.3': jsse('tls1.3') },
    signing: { ecdhe: jsse('ecdhe'), 'tls1.3': jsse('tls1.3') },
  },
  hermetic: openssl('Hermetic shakes hands with OpenSSL, which'),
}
