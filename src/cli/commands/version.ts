/** `hermetic version` */
import { version } from '../../system/version.ts'
import { asHoped, type Context } from '../context.ts'

export function run(context: Context): number {
  const document = {
    schema: 'hermetic.version/1' as const,
    version: version(),
    node: process.versions.node,
    openssl: process.versions.openssl,
  }
  context.answer(document, `hermetic ${document.version} (Node.js ${document.node}, OpenSSL ${document.openssl})`)
  return asHoped
}
