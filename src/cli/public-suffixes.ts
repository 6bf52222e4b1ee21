/** Whether strangers register names below a name, as `verify` and `cert show` ask for the wildcards of a chain. */
import { commonNames } from '../protocol/x509/distinguished-name.ts'
import type { Read } from '../protocol/x509/model.ts'
import { certificatesOf } from './certificate-file.ts'

/** The list of public suffixes is large, and only wildcards are held against it. */
export async function publicSuffixes(chain: readonly Read[]): Promise<(name: string) => boolean> {
  const hasWildcards = certificatesOf(chain).some(({ alternativeNames, subject }) =>
    [
      ...(alternativeNames ?? []).map(name => (name.type === 'dns' ? name.value : '')),
      ...commonNames(subject),
    ].some(name => name.startsWith('*.')),
  )
  return hasWildcards ? (await import('../judgement/public-suffix.ts')).isPublicSuffix : () => false
}
