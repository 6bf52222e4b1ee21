/**
 * docs/verify.md, played: every `console` block whose first line calls `hermetic` is run, and its output put in the place of what stands there.
 *
 * Chains are made anew each time, so keys differ; the page shows digests of its own in their place. Dates are fixed, by the certificates and by `--at`.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { integer, oid, sequence } from '../../../test/certificates/der.ts'
import { keyOf } from '../../../test/certificates/keys.ts'
import { extension, generalName, makeAuthority, makeLeaf } from '../../../test/certificates/maker.ts'
import { entry, makeList, pointAt, reason } from '../../../test/certificates/revocation.ts'
import { createAuthority } from '../../system/certificate-maker.ts'
import { hermetic } from './process.ts'

/** What the page shows as digests of the intermediate's key, the leaf's key, the leaf, and the certificate that tells of revocation. */
const shown = [
  '276fe8a8c4ec7611565bf9fce6dcace9be320c1b5bea27596b2204071ed04f10',
  'b1a4a9f1c8d07d9a2f6e34b5709cc2e85d13f04a6b97e2811c3d5f60a9d4e7b2',
  '5c0e3a917d42f68b94a1e07cd3b85f2699e4d1c07f3a582be61d940fa7c3b815',
  'd81f60a2c94b7e35108dfe6b52a7c0934e1b8a6fd5273c90e84f1b6a0d2c7e59',
] as const

/** @param directory Where the chains of the page are put. @returns the page as it should be. */
export async function playPage(page: string, directory: string): Promise<string> {
  const digests = await makeChains(directory)
  const pairs = digests.map((real, index) => ({ real, page: shown[index] ?? real }))
  const hide = (text: string) =>
    pairs.reduce((rest, { real, page: to }) => rest.replaceAll(real, to).replaceAll(short(real), short(to)), text)
  const real = (text: string) => pairs.reduce((rest, pair) => rest.replaceAll(pair.page, pair.real), text)
  const parts = page.split(/(^```console\n[\s\S]*?^```$)/m)
  const played = parts.map(async part => {
    if (!part.startsWith('```console\n$ hermetic ')) return part
    const [, command = ''] = /^```console\n(\$ (?:.*\\\n)*.*\n)/.exec(part) ?? []
    const args = wordsOf(command.slice('$ hermetic '.length).replaceAll('\\\n', ' '))
    const { code, out, err } = await hermetic(args.map(real), '', directory)
    return `\`\`\`console\n${command}${hide(out)}${err}$ echo $?\n${code}\n\`\`\``
  })
  return (await Promise.all(played)).join('')
}

async function makeChains(directory: string): Promise<readonly string[]> {
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`)
  const long = { notBeforeMs: day('2016-09-04'), notAfterMs: day('2030-09-15') }
  const root = await createAuthority({ commonName: 'Example Root', ...long })
  const issuer = await root.intermediate({ commonName: 'R3', ...long, key: 'rsa' })
  const nine = await issuer.leaf({
    commonName: 'et.example',
    names: ['et.example', 'www.et.example', 'mx05.et.example', 'mx06.et.example'],
    key: 'rsa',
    keyUsage: ['keyEncipherment'],
    notBeforeMs: day('2024-05-06'),
    notAfterMs: day('2024-08-04'),
  })
  const alias = await issuer.leaf({
    names: ['*.dev.example'],
    notBeforeMs: day('2020-05-06'),
    notAfterMs: day('2020-12-04'),
  })
  writeFileSync(join(directory, 'et.pem'), nine.chain)
  writeFileSync(join(directory, 'et-leaf.pem'), nine.certificate)
  writeFileSync(join(directory, 'r3.pem'), issuer.certificate)
  writeFileSync(join(directory, 'dev.pem'), alias.chain)
  writeFileSync(join(directory, 'root.pem'), root.root)
  return [
    keyDigest(issuer.certificate),
    keyDigest(nine.certificate),
    digest(new X509Certificate(nine.certificate).raw),
    makeRevoked(directory),
  ]
}

/** A certificate that tells of revocation, and the list that has it. @returns its digest. */
function makeRevoked(directory: string): string {
  const issuer = makeAuthority({ subject: 'CN=Example CA', key: keyOf('issuer') })
  const uri = (text: string) => generalName('uri', text)
  const leaf = makeLeaf({
    issuer,
    names: ['mx.example.org'],
    more: [
      extension('1.3.6.1.5.5.7.1.24', sequence(integer(5))),
      extension('1.3.6.1.5.5.7.1.1', sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), uri('http://ocsp.example')))),
      extension('2.5.29.31', sequence(sequence(pointAt('http://crl.example/ca.crl')))),
    ],
  })
  writeFileSync(join(directory, 'mx.pem'), leaf.pem)
  writeFileSync(join(directory, 'example-ca.pem'), issuer.pem)
  writeFileSync(join(directory, 'ca.crl'), makeList({ issuer, entries: [entry(leaf.serial, reason(1))] }))
  return digest(leaf.der)
}

function keyDigest(pem: string): string {
  return digest(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }))
}

function digest(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('hex')
}

function short(digest: string): string {
  return `${digest.slice(0, 8)}…${digest.slice(-8)}`
}

/** As a shell splits them, as far as the page needs it: blanks, and double quotes. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}
