/** What is trusted, once for each set of roots, for OpenSSL and for us: making it parses every certificate in it. Roots that cannot be read vouch for nobody. */
import type { Certificate } from '../protocol/x509/model.ts'
import { readChain } from '../protocol/x509/pem.ts'
import { createClientContext, defaultRoots } from '../system/outgoing.ts'
import type { Trust } from './reach.ts'

export function rememberTrust(): (roots: string | null) => Trust {
  const known = new Map<string | null, Trust>()
  return roots => {
    const met = known.get(roots)
    if (met !== undefined) return met
    if (known.size >= maxTrust) known.clear()
    const trust = {
      context: createClientContext(roots),
      roots: certificatesOf(roots ?? defaultRoots()),
    }
    known.set(roots, trust)
    return trust
  }
}

function certificatesOf(pem: string): readonly Certificate[] {
  return readChain(pem, maxRoots).flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
}

/** Mozilla has some 150. */
const maxRoots = 5_000

/** Routes with roots of their own are few. */
const maxTrust = 100
