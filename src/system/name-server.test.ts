import { expect, test } from 'vitest'
import { nameServerText, parseNameServer } from './name-server.ts'

const clear = { authenticationName: null }
const named = { authenticationName: 'dns.example' }

test.each([
  ['192.0.2.53', { address: '192.0.2.53', port: 53, ...clear }],
  ['192.0.2.53:5353', { address: '192.0.2.53', port: 5353, ...clear }],
  ['2001:db8::53', { address: '2001:db8::53', port: 53, ...clear }],
  ['[2001:db8::53]:5353', { address: '2001:db8::53', port: 5353, ...clear }],
  ['[::1]', { address: '::1', port: 53, ...clear }],
  ['fe80::1%eth0', { address: 'fe80::1%eth0', port: 53, ...clear }],
  ['tls://192.0.2.53#dns.example', { address: '192.0.2.53', port: 853, ...named }],
  ['tls://192.0.2.53:8853#dns.example', { address: '192.0.2.53', port: 8853, ...named }],
  ['tls://[2001:db8::53]#dns.example', { address: '2001:db8::53', port: 853, ...named }],
  ['tls://[2001:db8::53]:8853#dns.example', { address: '2001:db8::53', port: 8853, ...named }],
  ['tls://2001:db8::53#dns.example', { address: '2001:db8::53', port: 853, ...named }],
  ['TLS://192.0.2.53#DNS.Example.', { address: '192.0.2.53', port: 853, ...named }],
])('the name server %j is %j, and reads the same when it is written out', (text, server) => {
  expect(parseNameServer(text)).toEqual(server)
  expect(parseNameServer(nameServerText(server))).toEqual(server)
})

test.each([
  'localhost',
  '192.0.2.53:0',
  '192.0.2.53:65536',
  '192.0.2.053',
  '[192.0.2.53]:53',
  '',
  '192.0.2.53#dns.example',
  '192.0.2.53@853#dns.example',
  'tls://192.0.2.53',
  'tls://192.0.2.53#',
  'tls://#dns.example',
  'tls://dns.example',
  'tls://dns.example#dns.example',
  'tls://192.0.2.53#192.0.2.53',
  'tls://192.0.2.53#2001:db8::53',
  'tls://192.0.2.53#dns',
  'tls://192.0.2.53#dns..example',
  'tls://192.0.2.53#*.example',
  'tls://192.0.2.53#dns.example#dns.example',
  'tls://192.0.2.53#dns.example/path',
  'tls://192.0.2.53#dns.exa\u212Aple',
  'tls://192.0.2.53#bücher.example',
  'tls://192.0.2.53:0#dns.example',
  'https://192.0.2.53#dns.example',
  'tls:192.0.2.53#dns.example',
  ' tls://192.0.2.53#dns.example',
])('%j names no name server', text => expect(parseNameServer(text)).toBeNull())
