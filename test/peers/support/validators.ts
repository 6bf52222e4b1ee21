/**
 * Real validators, asked one question each time: BIND's delv, unbound (as libunbound under unbound-host) and ldns's drill. What they print becomes a status.
 *
 * They ask a recursive server whose word counts for nothing, and start from the anchors that they are given. drill says only whether a chain holds.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../support/process.ts'

/** `failed`: no answer came at all. */
export type Status = 'secure' | 'insecure' | 'bogus' | 'failed'

export interface Place {
  readonly address: string
  readonly port: number
}

export interface ValidatorOptions {
  /** For their configuration. */
  readonly directory: string
  readonly resolver: Place
  /** `. IN DNSKEY 257 3 13 …`, all of one zone. */
  readonly anchors: readonly string[]
  /** Negative trust anchors; delv and drill have none. */
  readonly insecure?: readonly string[]
}

export interface Validators {
  /** @param question `host.nsec.example A` */
  delv(question: string): Promise<Status>
  unbound(question: string): Promise<Status>
  /** `drill -S`: up from the answer. */
  drill(question: string): Promise<'holds' | 'broken'>
  /** What makes a plain `delv` ask the same server from the same anchors. */
  readonly delvArguments: readonly string[]
  /** The anchors as lines of a zone file. */
  readonly anchorFile: string
}

export function foreignValidators(options: ValidatorOptions): Validators {
  const { directory, resolver, anchors, insecure = [] } = options
  const file = (name: string) => join(directory, name)
  const zone = anchors[0]?.split(' ')[0] ?? '.'
  const at = ['-p', `${resolver.port}`, `@${resolver.address}`]
  const delvArguments = [...at, '-a', file('anchors.delv'), `+root=${zone}`]
  const anchorFile = file('anchors.key')
  const keys = anchors.map(line => {
    const [owner, , , flags, protocol, algorithm, ...key] = line.split(' ')
    return `${owner} static-key ${flags} ${protocol} ${algorithm} "${key.join('')}";`
  })
  writeFileSync(file('anchors.delv'), `trust-anchors { ${keys.join(' ')} };\n`)
  writeFileSync(anchorFile, `${anchors.join('\n')}\n`)
  const unboundLines = [
    'server:',
    ' do-not-query-localhost: no',
    ` trust-anchor-file: "${anchorFile}"`,
    // Otherwise unbound answers these two itself.
    ' local-zone: "test." nodefault',
    ' local-zone: "local." nodefault',
    ...insecure.map(name => ` domain-insecure: "${name}."`),
    'forward-zone:',
    ' name: "."',
    ` forward-addr: ${resolver.address}@${resolver.port}`,
  ]
  writeFileSync(file('unbound-host.conf'), `${unboundLines.join('\n')}\n`)
  return {
    delvArguments,
    anchorFile,
    async delv(question) {
      const text = await said('delv', [...delvArguments, ...question.split(' ')])
      // Every RRset has a line of its own: the worst counts.
      const failed = /resolution failed: (?!ncache)(.*)/.exec(text)
      if (failed !== null) return /^(failure|timed out|quota reached)/.test(failed[1] ?? '') ? 'failed' : 'bogus'
      if (/unsigned answer/.test(text)) return 'insecure'
      return /fully validated/.test(text) ? 'secure' : 'failed'
    },
    async unbound(question) {
      const [name = '', type = ''] = question.split(' ')
      const text = await said('unbound-host', ['-C', file('unbound-host.conf'), '-t', type, '-v', name])
      // One status for the whole answer.
      if (/\(secure\)/.test(text)) return 'secure'
      if (/SERVFAIL/.test(text)) return /validation failure/.test(text) ? 'bogus' : 'failed'
      if (/\(insecure\)/.test(text)) return 'insecure'
      return /BOGUS/.test(text) ? 'bogus' : 'failed'
    },
    async drill(question) {
      const text = await said('drill', ['-S', '-k', anchorFile, ...at, ...question.split(' ')])
      return /Chase successful/.test(text) ? 'holds' : 'broken'
    },
  }
}

/** What it says on both channels, whatever its exit status. */
async function said(command: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(command, args)
  return stdout + stderr
}
