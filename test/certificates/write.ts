/**
 * Every certificate case as files, for trying real programs on them by hand:
 *
 *     node test/certificates/write.ts DIR
 *
 * makes for each case a directory DIR/<id> (DIR and what is in it stay as they are otherwise) with
 *
 *     chain.pem    what a server sends, leaf first         openssl s_server -cert chain.pem -key key.pem -cert_chain chain.pem
 *     key.pem      the private key of the leaf
 *     roots.pem    what is trusted; may be empty           openssl verify -CAfile roots.pem -untrusted chain.pem chain.pem
 *     tlsa.txt     TLSA records, one a line; empty where roots decide
 *     case.json    what it is about, the names asked for, the time, and the verdict that is expected of either profile
 *
 * The time of most cases is 2026-06-01, and all dates but those that a case is about hold until 2036. Keys are new at every run,
 * and good for nothing but trials.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateCases } from './cases.ts'

const [directory, ...rest] = process.argv.slice(2)
if (directory === undefined || rest.length > 0) {
  process.stderr.write('Usage: node test/certificates/write.ts DIR\n')
  process.exitCode = 64
} else {
  const cases = await certificateCases()
  for (const { id, chain, key, roots, tlsa, ...about } of cases) {
    const place = join(directory, id)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'chain.pem'), chain.join(''))
    writeFileSync(join(place, 'key.pem'), key, { mode: 0o600 })
    writeFileSync(join(place, 'roots.pem'), roots.join(''))
    writeFileSync(join(place, 'tlsa.txt'), (tlsa ?? []).map(record => `${record}\n`).join(''))
    writeFileSync(join(place, 'case.json'), `${JSON.stringify({ id, ...about }, null, 2)}\n`)
  }
  process.stdout.write(`${cases.length} cases are in ${directory}.\n`)
}
