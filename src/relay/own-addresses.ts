/** Where this relay can be reached: an MX host with one of these addresses is ourselves (RFC 5321 §5.1). */
import { networkInterfaces } from 'node:os'
import type { Listener } from './settings.ts'

/** The addresses it listens on, without loopback; a listener on every address of a kind stands for all of it that the machine has. */
export function ownAddresses(listen: readonly Pick<Listener, 'address'>[]): string[] {
  const addresses = listen.map(({ address }) => address)
  const everywhere = { IPv4: addresses.includes('0.0.0.0'), IPv6: addresses.includes('::') }
  const ofMachine = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(({ internal, family }) => !internal && everywhere[family])
    .map(({ address }) => address)
  const named = addresses.filter(address => address !== '::' && address !== '0.0.0.0')
  return [...new Set([...named, ...ofMachine])].filter(address => !address.startsWith('127.') && address !== '::1')
}
