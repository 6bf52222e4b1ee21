/**
 * Real programs as judges of a certificate case: the same chain, roots or TLSA records, names and time as ours, and what they make of it.
 *
 * Programs that take no time run under libfaketime. Those that need a server get an `openssl s_server` that sends the chain as it stands;
 * those that need DNS get a signed one (dns.ts). A case that a program cannot be asked has a reason, never an answer.
 */
import { X509Certificate } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateCase, Expectation } from '../../certificates/cases.ts'
import { type Background, must, run, start, until } from '../../support/process.ts'
import { type SecureDns, startSecureDns } from './dns.ts'

export interface Oracle {
  readonly name: string
  /** What it is compared with. */
  readonly profile: 'mail' | 'strict'
  readonly kind: 'pkix' | 'dane'
  /** What it was asked to do, for readers of the table. */
  readonly asked: string
  version(): Promise<string>
  ask(question: Question): Promise<Answer>
}

export type Answer =
  | {
      readonly kind: 'answered'
      readonly verdict: Expectation['verdict']
      /** Null where the program does not tell. */
      readonly by: 'dane-ee' | 'dane-ta' | null
      readonly depth: number | null
      readonly says: string
    }
  | { readonly kind: 'not-asked'; readonly because: string }

/** A case in files, and what programs need to be asked about it. */
export interface Question {
  readonly certificates: CertificateCase
  readonly files: Readonly<Record<'chain' | 'leaf' | 'others' | 'roots' | 'key', string>>
  /** Null: no server can send this chain. */
  readonly server: { readonly port: number } | null
  /** Of the TLSA owner; the server's where there is one. */
  readonly port: number
  readonly dns: SecureDns
  /** Does it while `host` is the only MX host of `nextHop`; nobody else does such a thing meanwhile. */
  whileMailHost<T>(nextHop: string, host: string, what: () => Promise<T>): Promise<T>
}

export interface Oracles {
  /** What all of them say, in their order. */
  ask(certificates: CertificateCase, oracles: readonly Oracle[]): Promise<readonly Answer[]>
  stop(): Promise<void>
}

export async function startOracles(directory: string): Promise<Oracles> {
  const casesByPort = new Map<number, CertificateCase>()
  let mailHost: { readonly nextHop: string; readonly host: string } | null = null
  let turn: Promise<unknown> = Promise.resolve()
  const whileMailHost = <T>(nextHop: string, host: string, what: () => Promise<T>): Promise<T> => {
    const mine = turn.then(async () => {
      mailHost = { nextHop, host }
      return what()
    })
    turn = mine.catch(() => undefined)
    return mine
  }
  const dns = await startSecureDns(directory, (name, type) => {
    const port = /^_(\d+)\._tcp\./.exec(name)?.[1]
    // A set has no record twice (RFC 2181 §5), and libunbound would not believe one that has.
    if (type === 'TLSA' && port !== undefined)
      return [...new Set(casesByPort.get(Number(port))?.tlsa)].map(text => ({
        type,
        name,
        ttl: 60,
        data: tlsaOf(text),
      }))
    if (type === 'MX' && mailHost?.nextHop === name)
      return [{ type, name, ttl: 60, data: { preference: 10, exchange: mailHost.host } }]
    return type === 'A' ? [{ type, name, ttl: 60, data: '127.0.0.1' }] : []
  })
  // Owners of records that no server stands behind; below the ports that the system gives out.
  let nextPort = 20_000
  return {
    async ask(certificates, oracles) {
      const here = join(directory, certificates.id)
      mkdirSync(here, { recursive: true })
      const put = (name: string, text: string) => {
        const path = join(here, name)
        writeFileSync(path, text)
        return path
      }
      const [leaf = '', ...others] = certificates.chain
      const files = {
        chain: put('chain.pem', certificates.chain.join('')),
        leaf: put('leaf.pem', leaf),
        others: put('others.pem', others.join('')),
        roots: put('roots.pem', certificates.roots.join('')),
        key: put('key.pem', certificates.key),
      }
      const server = canBeSent(certificates) ? await startServer(files, others.length) : null
      const port = server?.port ?? nextPort++
      casesByPort.set(port, certificates)
      try {
        const answers: Answer[] = []
        for (const oracle of oracles)
          answers.push(await oracle.ask({ certificates, files, server, port, dns, whileMailHost }))
        return answers
      } finally {
        casesByPort.delete(port)
        await server?.stop()
      }
    },
    stop: () => dns.stop(),
  }
}

export const opensslVerify: Oracle = opensslVerifyWith('mail')
export const opensslVerifyStrict: Oracle = opensslVerifyWith('strict')

function opensslVerifyWith(profile: 'mail' | 'strict'): Oracle {
  return {
    name: profile === 'mail' ? 'openssl verify' : 'openssl verify -x509_strict',
    profile,
    kind: 'pkix',
    asked:
      '`-partial_chain -auth_level 1`: trusted intermediates are anchors for us, too, and SHA-1 is not verified',
    version: opensslVersion,
    ask: ({ certificates, files }) =>
      anyName(certificates, async name => {
        if (certificates.chain.length === 0) return notAsked('there is no certificate')
        const { code, stdout, stderr } = await run('openssl', [
          ...['verify', '-no-CApath', '-no-CAstore', '-partial_chain', '-auth_level', '1'],
          ...(certificates.roots.length === 0 ? ['-no-CAfile'] : ['-CAfile', files.roots]),
          ...(certificates.chain.length < 2 ? [] : ['-untrusted', files.others]),
          ...(profile === 'strict' ? ['-x509_strict'] : []),
          ...(certificates.maxIntermediates === undefined
            ? []
            : ['-verify_depth', String(certificates.maxIntermediates)]),
          ...['-attime', seconds(certificates), '-purpose', `ssl${certificates.purpose}`],
          ...(name === null ? [] : [isIp(name) ? '-verify_ip' : '-verify_hostname', name]),
          files.leaf,
        ])
        const text = stdout + stderr
        if (code === 0) return answered('authenticated', text)
        return /error \d+ at \d+ depth lookup/.test(text)
          ? answered('not-authenticated', lineWith(text, /error \d+ at/))
          : unreadable
      }),
  }
}

export const gnutlsCli: Oracle = {
  name: 'gnutls-cli',
  profile: 'mail',
  kind: 'pkix',
  asked: '`NORMAL:%COMPAT`: key usage against key exchange is not the question here',
  version: gnutlsVersion,
  ask: question =>
    anyName(question.certificates, async name => {
      const { certificates, files, server } = question
      if (server === null) return unserved
      if (certificates.purpose === 'client') return notAsked('it judges servers only')
      if (name === null) return notAsked('it always checks a name')
      if (certificates.roots.length === 0) return notAsked('it takes no empty list of roots')
      const { stdout, stderr } = await atItsTime(certificates, 'gnutls-cli', [
        ...['--priority=NORMAL:%COMPAT', '--x509cafile', files.roots, `--verify-hostname=${name}`],
        ...['-p', String(server.port), '127.0.0.1'],
      ])
      return fromGnutls(
        stdout + stderr,
        /- Status: The certificate is trusted/,
        /- Status: The certificate is NOT/,
      )
    }),
}

export const gnutlsCliDane: Oracle = {
  name: 'gnutls-cli --dane',
  profile: 'mail',
  kind: 'dane',
  asked: '`--insecure`: what it thinks of the roots does not count',
  version: gnutlsVersion,
  ask: async ({ certificates, server, dns }) => {
    if (server === null) return unserved
    const [name] = certificates.names
    if (name === undefined) return notAsked('it always needs a name')
    if (isIp(name)) return notAsked('an MX host has no such name')
    const [command, args] = dns.seeing('gnutls-cli', [
      ...['--priority=NORMAL:%COMPAT', '--dane', '--local-dns', '--insecure'],
      ...['-p', String(server.port), name],
    ])
    const { stdout, stderr } = await atItsTime(certificates, command, args)
    return fromGnutls(stdout + stderr, /- DANE: Certificate matches/, /- DANE: Verification failed|\*\*\* DANE/)
  },
}

export const danetool: Oracle = {
  name: 'danetool',
  profile: 'mail',
  kind: 'dane',
  asked: '`--check` with the chain from a file',
  version: gnutlsVersion,
  ask: async ({ certificates, files, port, dns }) => {
    const [name] = certificates.names
    if (name === undefined) return notAsked('it always needs a name')
    const [command, args] = dns.seeing('danetool', [
      ...['--check', name, '--port', String(port), '--local-dns', '--load-certificate', files.chain],
    ])
    const { stdout, stderr } = await atItsTime(certificates, command, args)
    const text = stdout + stderr
    if (/gnutls_x509_crt_list_import2:/.test(text)) return unreadable
    // Printed below each record, and always of all of them together.
    const matches = text.match(/Verification: Certificate matches/g)?.length ?? 0
    if (matches > 0) return answered('authenticated', `Certificate matches, ${matches} times`)
    return fromGnutls(
      text,
      /Verification: Certificate matches/,
      /Verification: Verification failed|dane_verify_crt: /,
    )
  },
}

export const opensslDane: Oracle = {
  name: 'openssl s_client -dane_tlsa_rrdata',
  profile: 'mail',
  kind: 'dane',
  asked: '`-dane_ee_no_namechecks`, as RFC 7672 §3.1.1 wants it',
  version: opensslVersion,
  ask: ({ certificates, server }) =>
    anyName(certificates, async name => {
      if (server === null) return unserved
      if (name === null) return notAsked('it always needs a name')
      const { stdout, stderr } = await run('openssl', [
        ...['s_client', '-connect', `127.0.0.1:${server.port}`, '-cipher', 'DEFAULT@SECLEVEL=1'],
        ...['-no-CAfile', '-no-CApath', '-no-CAstore', '-attime', seconds(certificates)],
        ...['-dane_ee_no_namechecks', '-dane_tlsa_domain', name],
        ...(certificates.tlsa ?? []).flatMap(record => ['-dane_tlsa_rrdata', record]),
      ])
      const text = stdout + stderr
      if (/Failed to import any TLSA records/.test(text))
        return answered('encrypt-only', 'Failed to import any TLSA records')
      if (!/Verif(y return code|ication)/.test(text)) throw new Error(`no handshake in: ${text}`)
      const matched =
        /DANE TLSA \d \d \d \S+ (?:matched (EE|TA) certificate|signed the certificate) at depth (\d+)/.exec(text)
      if (!/Verification: OK/.test(text) || matched === null)
        return answered('not-authenticated', lineWith(text, /Verification error|Verify return code/))
      return answered('authenticated', matched[0], matched[1] === 'EE' ? 'dane-ee' : 'dane-ta', Number(matched[2]))
    }),
}

export const postfixPkix: Oracle = {
  name: 'posttls-finger -l secure',
  profile: 'mail',
  kind: 'pkix',
  asked: '`-F` with the roots, the names as those to match',
  version: postfixVersion,
  ask: async ({ certificates, files, server }) => {
    if (server === null) return unserved
    if (certificates.purpose === 'client') return notAsked('it judges servers only')
    if (certificates.names.length === 0) return notAsked('it always checks a name')
    if (certificates.roots.length === 0) return notAsked('it takes no empty list of roots')
    return finger(certificates, 'posttls-finger', [
      ...['-w', '-c', '-l', 'secure', '-F', files.roots, '-o', mediumCiphers],
      ...[`[127.0.0.1]:${server.port}`, ...certificates.names],
    ])
  },
}

export const postfixDane: Oracle = {
  name: 'posttls-finger -l dane',
  profile: 'mail',
  kind: 'dane',
  asked: 'records from DNS, the first name as the MX host, the second as the next hop',
  version: postfixVersion,
  ask: async ({ certificates, server, dns, whileMailHost }) => {
    if (server === null) return unserved
    const [host, nextHop, ...more] = certificates.names
    if (host === undefined) return notAsked('it always needs a name')
    if (more.length > 0 || isIp(host)) return notAsked('an MX host has no such name')
    const judge = (destination: string) => {
      const [command, args] = dns.seeing('posttls-finger', [
        ...['-w', '-c', '-l', 'dane', '-L', 'summary,certmatch,untrusted', '-o', mediumCiphers],
        `${destination}:${server.port}`,
      ])
      return finger(certificates, command, args)
    }
    return nextHop === undefined ? judge(`[${host}]`) : whileMailHost(nextHop, host, () => judge(nextHop))
  },
}

/** posttls-finger says what it thinks of the peer right after the handshake, then waits for a greeting that this server never sends. */
async function finger(certificates: CertificateCase, command: string, args: readonly string[]): Promise<Answer> {
  const [faked, fakedArgs] = await fakingTime(certificates, command, args)
  const program = start(faked, fakedArgs)
  const verdict = /(\w+) TLS connection established to/
  try {
    await until(
      () => verdict.test(program.output()) || program.child.exitCode !== null,
      'posttls-finger has judged',
      ...([20_000, 10] as const),
    )
  } finally {
    await program.stop()
  }
  const text = program.output()
  const word = verdict.exec(text)?.[1]
  if (word === undefined && /alert handshake failure/.test(text)) return noCommonAlgorithm
  if (word === undefined) throw new Error(`no handshake in: ${text}`)
  const unusable =
    text.match(/unsupported TLSA certificate usage|reserved private-use matching type|unusable TLSA RR/g)
      ?.length ?? 0
  if (certificates.tlsa !== null && unusable === certificates.tlsa.length)
    return answered('encrypt-only', lineWith(text, /all TLSA records unusable|warning:/))
  if (word !== 'Verified')
    return answered('not-authenticated', lineWith(text, /verification failed|num=|TLS connection/))
  const matched = /Matched DANE (EE|TA) .*at depth (\d+)/.exec(text)
  return matched === null
    ? answered('authenticated', word)
    : answered('authenticated', matched[0], matched[1] === 'TA' ? 'dane-ta' : 'dane-ee', Number(matched[2]))
}

function fromGnutls(text: string, good: RegExp, bad: RegExp): Answer {
  if (good.test(text)) return answered('authenticated', lineWith(text, good))
  if (bad.test(text)) return answered('not-authenticated', lineWith(text, bad))
  if (/Received alert/.test(text)) return noCommonAlgorithm
  // It could not read a certificate, or gave up on the chain.
  const fatal = /\*\*\* Fatal error: .*(certificate|DER|ASN1|constraint|extension|time).*/i.exec(text)
  if (fatal !== null) return answered('not-authenticated', fatal[0])
  throw new Error(`no verdict in: ${text}`)
}

/** Programs that take one name are asked for each until one pleases them. */
async function anyName(
  { names }: CertificateCase,
  ask: (name: string | null) => Promise<Answer>,
): Promise<Answer> {
  let last = await ask(names[0] ?? null)
  for (const name of names.slice(1)) {
    if (last.kind === 'answered' && last.verdict === 'authenticated') return last
    last = await ask(name)
  }
  return last
}

/** Servers encode the outside of a certificate anew, so that what is wrong there is repaired on the way. */
function canBeSent({ chain }: CertificateCase): boolean {
  return (
    chain.length > 0 &&
    chain.every(pem => {
      const written = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
      try {
        return new X509Certificate(pem).raw.equals(written)
      } catch {
        return false
      }
    })
  )
}

/** An `openssl s_server` that sends this chain, whatever it thinks of it; null when it cannot be loaded. */
async function startServer(
  files: Question['files'],
  others: number,
): Promise<{ readonly port: number; stop(): Promise<void> } | null> {
  const server: Background = start(
    'openssl',
    [
      ...[
        's_server',
        '-accept',
        '127.0.0.1:0',
        '-cipher',
        'ALL:@SECLEVEL=0',
        '-cert',
        files.leaf,
        '-key',
        files.key,
      ],
      ...(others === 0 ? [] : ['-cert_chain', files.others]),
      ...['-no-CAfile', '-no-CApath', '-no-CAstore'],
    ],
    { input: 'silent' },
  )
  const accepts = /ACCEPT 127\.0\.0\.1:(\d+)/
  await until(
    () => accepts.test(server.output()) || server.child.exitCode !== null,
    'openssl s_server listens',
    ...([20_000, 5] as const),
  )
  const port = accepts.exec(server.output())?.[1]
  return port === undefined ? null : { port: Number(port), stop: () => server.stop() }
}

async function atItsTime(certificates: CertificateCase, command: string, args: readonly string[]) {
  const [faked, fakedArgs] = await fakingTime(certificates, command, args)
  return run(faked, fakedArgs, { timeoutMs: 30_000 })
}

/** By the library itself: the command `faketime` stays as its parent and cannot be ended together with it. */
async function fakingTime(
  { at }: CertificateCase,
  command: string,
  args: readonly string[],
): Promise<readonly [string, readonly string[]]> {
  library ??= must('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD']).then(({ stdout }) => stdout.trim())
  const time = at.toISOString().replace('T', ' ').slice(0, 19)
  return [
    'env',
    [
      'TZ=UTC',
      `LD_PRELOAD=${await library}`,
      `FAKETIME=@${time}`,
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
      command,
      ...args,
    ],
  ]
}

function answered(
  verdict: Expectation['verdict'],
  says: string,
  by: 'dane-ee' | 'dane-ta' | null = null,
  depth: number | null = null,
): Answer {
  return { kind: 'answered', verdict, by, depth, says: says.trim() }
}

function notAsked(because: string): Answer {
  return { kind: 'not-asked', because }
}

function lineWith(text: string, pattern: RegExp): string {
  return text.split('\n').find(line => pattern.test(line)) ?? ''
}

function tlsaOf(text: string) {
  const [usage, selector, matchingType, ...hex] = text.trim().split(/\s+/)
  return {
    ...{ usage: Number(usage), selector: Number(selector), matchingType: Number(matchingType) },
    certificate: Buffer.from(hex.join(''), 'hex'),
  }
}

function seconds({ at }: CertificateCase): string {
  return String(Math.floor(at.getTime() / 1_000))
}

function isIp(name: string): boolean {
  return /^[\d.]+$|:/.test(name)
}

async function opensslVersion(): Promise<string> {
  return (await must('openssl', ['version'])).stdout.split(' ').slice(0, 2).join(' ')
}

async function gnutlsVersion(): Promise<string> {
  return `GnuTLS ${(await must('gnutls-cli', ['--version'])).stdout.split('\n')[0]?.replace('gnutls-cli ', '')}`
}

async function postfixVersion(): Promise<string> {
  return `Postfix ${(await must('postconf', ['-dh', 'mail_version'])).stdout.trim()}`
}

/** As by default, with keys of 1,024 bits. */
const mediumCiphers = 'tls_medium_cipherlist=aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:@SECLEVEL=1'
const noCommonAlgorithm: Answer = notAsked('it shakes no hands with a key like this')
const unreadable: Answer = notAsked('it cannot read one of the certificates')
const unserved: Answer = notAsked('no server can send this chain as it stands')
let library: Promise<string> | null = null
