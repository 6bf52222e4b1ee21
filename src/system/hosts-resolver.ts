/**
 * A resolver that looks into the hosts file before it asks anybody for an address.
 *
 * What stands there is the operator's own word, so it is secure. For names that an operator configured; those that a stranger's DNS names must not be found there.
 */
import type { DnsQuestion } from '../protocol/dns/answer.ts'
import { nameKey, parseName } from '../protocol/dns/name.ts'
import { fromHostsFile } from './dns-client.ts'
import { parseHostsFile } from './hosts-file.ts'
import type { Resolver } from './resolver.ts'
import { createWatchedFile } from './watched-file.ts'

/** @param now milliseconds of a clock that never goes back. The resolver is closed with what is returned. */
export function withHostsFile(
  resolver: Resolver,
  file: string,
  now: () => number = () => performance.now(),
): Resolver {
  const entries = createWatchedFile(file, parseHostsFile, now)
  const before = (behind: Pick<Resolver, 'resolve'>): Pick<Resolver, 'resolve'> => ({
    async resolve(question: DnsQuestion) {
      const name = question.type === 'A' || question.type === 'AAAA' ? parseName(question.name) : null
      const entry = name === null ? undefined : entries().get(nameKey(name))
      return entry === undefined
        ? behind.resolve(question)
        : { ...fromHostsFile(question, entry), security: 'secure' }
    },
  })
  return {
    ...before(resolver),
    ...(resolver.lenient === undefined ? {} : { lenient: before(resolver.lenient) }),
    close: () => resolver.close(),
  }
}
