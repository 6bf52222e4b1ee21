/**
 * Public suffixes: names under which strangers register theirs (`com`, `co.uk`). A wildcard never covers one (RFC 9525 §7.1).
 *
 * The list is the one of publicsuffix.org that comes with the package; its private part (`github.io`) is not counted.
 */
import { getPublicSuffix } from 'tldts'

/** @param name In lower case, without a last dot. Names of one label always are one. */
export function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, { allowPrivateDomains: false }) === name
}
