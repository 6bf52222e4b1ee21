import { createPrivateKey, X509Certificate } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { createAuthority, createSelfSigned } from './certificate-maker.ts'

const splitPem = (pem: string) => pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []

describe('a made chain', () => {
  test('is sent leaf first without its root, and each certificate is signed by the next', async () => {
    const root = await createAuthority({ commonName: 'Lab root' })
    const middle = await root.intermediate({ commonName: 'Lab intermediate', pathLength: 0 })
    const leaf = await middle.leaf({ names: ['mx.example.org', '*.example.net', '127.0.0.1', '::1'] })
    const chain = splitPem(leaf.chain).map(pem => new X509Certificate(pem))
    expect(chain.map(one => one.subject)).toEqual(['CN=mx.example.org', 'CN=Lab intermediate'])
    const top = new X509Certificate(root.certificate)
    expect(chain[0]?.verify(chain[1]?.publicKey ?? top.publicKey)).toBe(true)
    expect(chain[1]?.checkIssued(top)).toBe(true)
    expect(chain[1]?.verify(top.publicKey)).toBe(true)
    expect(chain[1]?.ca).toBe(true)
    expect(chain[0]?.ca).toBe(false)
    expect(chain[0]?.subjectAltName).toBe(
      'DNS:mx.example.org, DNS:*.example.net, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    )
    expect(chain[0]?.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true)
    expect(middle.root).toBe(root.certificate)
  })

  test('passes the path validation of OpenSSL when its root is trusted, and names the server', async () => {
    const root = await createAuthority({ commonName: 'Lab root' })
    const middle = await root.intermediate({ commonName: 'Lab intermediate', key: 'rsa' })
    const leaf = await middle.leaf({ names: ['mx.example.org'] })
    const server = createServer({ cert: leaf.chain, key: leaf.key }, socket => socket.end('hello'))
    await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const connecting = connect(
        { host: '127.0.0.1', port: address.port, ca: root.root, servername: 'mx.example.org' },
        () => resolve(connecting),
      )
      connecting.once('error', reject)
    })
    expect(socket.authorized).toBe(true)
    socket.destroy()
    server.close()
  })
})

test('key usage, extended key usage and validity are the ones asked for', async () => {
  const notBeforeMs = Date.UTC(2020, 0, 1)
  const notAfterMs = Date.UTC(2021, 0, 1)
  const made = await createSelfSigned({
    names: ['old.example'],
    key: 'rsa',
    keyUsage: ['keyEncipherment'],
    extendedKeyUsage: ['clientAuth'],
    notBeforeMs,
    notAfterMs,
  })
  const certificate = new X509Certificate(made.certificate)
  expect(certificate.validToDate.getTime()).toBe(notAfterMs)
  expect(certificate.validFromDate.getTime()).toBe(notBeforeMs)
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048)
  // keyUsage, critical, BIT STRING 0x20 with five unused bits: keyEncipherment alone.
  expect(certificate.raw.toString('hex')).toContain('0603551d0f0101ff040403020520')
})

test('a certificate can be made without key usages and without names', async () => {
  const made = await createSelfSigned({
    commonName: 'bare, O=none',
    names: [],
    keyUsage: null,
    extendedKeyUsage: null,
  })
  const certificate = new X509Certificate(made.certificate)
  expect(certificate.subjectAltName).toBeUndefined()
  expect(certificate.keyUsage).toBeUndefined()
  expect(certificate.raw.toString('hex')).not.toContain('0603551d0f')
  expect(certificate.subject).toBe('CN=bare\\, O=none')
  expect(certificate.verify(certificate.publicKey)).toBe(true)
})
