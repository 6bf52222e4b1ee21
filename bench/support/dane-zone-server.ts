/**
 * A name server for benchmarks of the relay: a signed internet with one mail host, mx.bench.example at 127.0.0.1, and a TLSA record for its certificate at one port.
 * Run as a process of its own: node dane-zone-server.ts PORT CHAIN. Prints its own port, the root's keys as master-file lines, and an empty line.
 */
import { readFileSync } from 'node:fs'
import { startDns } from '../../src/lab/dns-server.ts'
import { createSignedWorld, worldZone } from '../../src/lab/signing/signed-world.ts'
import { tlsaOf } from '../../src/lab/tlsa-of.ts'

const [port, chain = ''] = process.argv.slice(2)
const signing = { algorithms: [13], denial: { kind: 'nsec' } } as const
const host = 'mx.bench.example'
const world = createSignedWorld({
  zones: [
    worldZone('', [], signing),
    worldZone('example', [], signing),
    worldZone(
      'bench.example',
      [
        `${host} 3600 A 127.0.0.1`,
        `_${port}._tcp.${host} 3600 TLSA ${tlsaOf('3 1 1', readFileSync(chain, 'latin1'))}`,
      ],
      signing,
    ),
  ],
  nowMs: Date.now(),
})
const dns = await startDns(world.respond)
process.stdout.write(`${[dns.port, ...world.anchorLines.dnskey].join('\n')}\n\n`)
