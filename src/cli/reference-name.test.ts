import { expect, test } from 'vitest'
import { CliFailure } from './failure.ts'
import { referenceName } from './reference-name.ts'

test.each([
  ['mx.example', 'mx.example'],
  ['MX.Example.', 'mx.example'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER。example', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['_25._tcp.mx.example', '_25._tcp.mx.example'],
  ['localhost', 'localhost'],
  ['192.0.2.1', '192.0.2.1'],
  ['[192.0.2.1]', '192.0.2.1'],
  ['2001:DB8:0::1', '2001:db8::1'],
  ['[IPv6:2001:db8::1]', '2001:db8::1'],
])('%s is looked for as %s', (text, name) => {
  expect(referenceName(text, '--name')).toBe(name)
})

test.each([
  ['', 'the name is empty'],
  ['.', 'is not a host name'],
  ['..', 'is not a host name'],
  ['mx..example', 'is not a host name'],
  ['mx example', 'is not a host name'],
  ['mx.example\n', 'is not a host name'],
  ['mx\0.example', 'is not a host name'],
  ['mx.exam%70le', 'is not a host name'],
  ['mx／.example', 'is not a host name'],
  ['https://mx.example/', 'is not a host name'],
  ['postmaster@mx.example', 'is not a host name'],
  ['*.example', 'is a wildcard'],
  ['192.0.2.256', 'is not a host name'],
  ['1.2.3', 'is not a host name'],
  ['a'.repeat(64), 'is not a host name'],
  [`${'a.'.repeat(127)}a`, 'is not a host name'],
  ['ü'.repeat(5_000), 'is not a host name'],
  ['\u202emx.example', 'is not a host name'],
  ["\x1b[31m';rm", 'is not a host name'],
])('%j is refused, with the reason', (text, says) => {
  const refused = () => referenceName(text, '--name')
  expect(refused).toThrow(CliFailure)
  expect(refused).toThrow(says)
  expect(refused).toThrow(/^[^\x00-\x1f\u202e]*$/)
})
