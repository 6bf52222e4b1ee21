/**
 * The relay's two doors to the DNS, as its settings have it: one for what strangers publish, one for names that the operator wrote, which may be in the hosts
 * file. Both stand on the same servers, the same proofs and the same word on whether answers can be told secure from insecure.
 */
import { createNameServerTrust } from '../hop/name-server-trust.ts'
import type { DnsStanding } from '../judgement/evidence.ts'
import { withHostsFile } from '../system/hosts-resolver.ts'
import type { ProofMemory } from '../system/kept-zones.ts'
import type { Resolver, TrustedResolver } from '../system/resolver.ts'
import { createTrustedResolver, type ValidationMemory } from '../system/trusted-resolver.ts'
import type { DnsSettings } from './settings.ts'

export interface Resolvers {
  readonly mail: TrustedResolver
  readonly hosts: Resolver
  close(): Promise<void>
}

export interface ResolverUse {
  /** Which servers passed signatures on before. */
  readonly memory: ValidationMemory
  /** Where keys of zones, once proven, are kept. Left out: nowhere. */
  readonly proofs?: ProofMemory
  /** Called when what the servers are good for has changed. */
  readonly onStanding?: (standing: DnsStanding) => void
}

export function createResolvers(settings: DnsSettings, use: ResolverUse): Resolvers {
  const { servers, timeoutMs, hostsFile, trust, adFromAnywhere, require, insecure, anchors } = settings
  const tls = createNameServerTrust(settings.tlsRoots, Date.now)
  const options = { servers, tls, timeoutMs, trust, adFromAnywhere, require, insecure, anchors, ...use }
  const mail = createTrustedResolver({ ...options, hostsFile: null })
  // The word of the hosts file is worth something only to who asks whether an answer is secure.
  const hosts =
    hostsFile === null
      ? mail
      : trust === 'none'
        ? createTrustedResolver({ ...options, hostsFile })
        : withHostsFile(mail, hostsFile)
  return {
    mail,
    hosts,
    async close() {
      await Promise.all([mail.close(), hosts.close()])
    },
  }
}
