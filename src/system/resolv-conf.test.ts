import { expect, test } from 'vitest'
import { maxServers, parseResolvConf } from './resolv-conf.ts'

test.each<[string, string, ReturnType<typeof parseResolvConf>]>([
  [
    'servers in order',
    'nameserver 192.0.2.53\nnameserver 2001:db8::53\n',
    { servers: ['192.0.2.53', '2001:db8::53'], timeoutMs: null, attempts: null },
  ],
  [
    'a link-local server with its interface',
    'nameserver fe80::1%eth0',
    { servers: ['fe80::1%eth0'], timeoutMs: null, attempts: null },
  ],
  [
    'options about waiting',
    'nameserver 192.0.2.53\noptions timeout:2 rotate attempts:4',
    { servers: ['192.0.2.53'], timeoutMs: 2000, attempts: 4 },
  ],
  [
    'options within their bounds',
    'options timeout:3600 attempts:99',
    { servers: ['127.0.0.1'], timeoutMs: 30_000, attempts: 5 },
  ],
  ['options above zero', 'options timeout:0 attempts:0', { servers: ['127.0.0.1'], timeoutMs: 1000, attempts: 1 }],
  [
    'neither comments, search suffixes nor what is no address',
    '# nameserver 192.0.2.1\n; nameserver 192.0.2.2\nsearch example.org\ndomain example.org\nnameserver localhost\nnameserver\r\nnameserver\t192.0.2.53 # ours\r\nnameserver 192.0.2.53',
    { servers: ['192.0.2.53'], timeoutMs: null, attempts: null },
  ],
  ['a server on this machine when there is none', '', { servers: ['127.0.0.1'], timeoutMs: null, attempts: null }],
])('%s are read', (_, text, expected) => expect(parseResolvConf(text)).toEqual(expected))

test('no more servers are read than the limit', () => {
  const text = [...Array(50).keys()].map(n => `nameserver 192.0.2.${n}`).join('\n')
  expect(parseResolvConf(text).servers.length).toBe(maxServers)
})
