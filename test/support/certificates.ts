/** Certificates for tests, made by openssl: a root, and leaves under it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, run } from './process.ts'

export interface TestCertificate {
  readonly chain: string
  readonly key: string
}

export interface TestAuthority {
  /** PEM file of the root. */
  readonly roots: string
  leaf(name: string, names: readonly string[]): Promise<TestCertificate>
}

export async function testAuthority(directory: string): Promise<TestAuthority> {
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o755)
  const roots = join(directory, 'root.pem')
  const rootKey = join(directory, 'root.key')
  await must('openssl', [
    ...'req -x509 -newkey rsa:2048 -nodes -days 30 -subj'.split(' '),
    '/CN=Test Root',
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-keyout', rootKey, '-out', roots],
  ])
  let serial = 1
  return {
    roots,
    async leaf(name, names) {
      const base = join(directory, name)
      await must('openssl', [
        ...'req -new -newkey rsa:2048 -nodes -subj'.split(' '),
        `/CN=${name}`,
        ...['-keyout', `${base}.key`, '-out', `${base}.csr`],
      ])
      writeFileSync(
        `${base}.ext`,
        [
          'basicConstraints=critical,CA:FALSE',
          'keyUsage=critical,digitalSignature,keyEncipherment',
          'extendedKeyUsage=serverAuth,clientAuth',
          `subjectAltName=${names.map(each => (/^[\d.]+$/.test(each) ? `IP:${each}` : `DNS:${each}`)).join(',')}`,
          '',
        ].join('\n'),
      )
      await must('openssl', [
        ...['x509', '-req', '-in', `${base}.csr`, '-CA', roots, '-CAkey', rootKey],
        ...['-set_serial', String(++serial), '-days', '30', '-extfile', `${base}.ext`, '-out', `${base}.pem`],
      ])
      // Exim reads the key as its own user; OpenSMTPD refuses one that everybody may read.
      await run('chgrp', ['Debian-exim', `${base}.key`])
      chmodSync(`${base}.key`, 0o640)
      return { chain: `${base}.pem`, key: `${base}.key` }
    },
  }
}
