/** docs/oracles.md: what the real programs made of our certificate cases. */
import type { VerifyVerdict } from '../../../src/judgement/verify-document.ts'
import type { CertificateCase } from '../../certificates/cases.ts'
import type { Disagreement } from '../disagreements.ts'
import type { Answer, Oracle } from './oracles.ts'

/** Our verdict. */
export interface Ours {
  readonly verdict: VerifyVerdict
  readonly by: string | null
  readonly depth: number | null
  readonly reason: string | null
}

export interface Comparison {
  readonly certificates: CertificateCase
  readonly ours: Ours
  readonly answer: Answer
  readonly same: 'yes' | 'no' | 'not-asked'
}

export function renderOracles(
  compared: ReadonlyMap<Oracle, readonly Comparison[]>,
  versions: ReadonlyMap<Oracle, string>,
  disagreements: readonly Disagreement[],
): string {
  const counted = [...compared].map(([oracle, comparisons]) => {
    const count = (same: Comparison['same']) => comparisons.filter(each => each.same === same).length
    return `| ${[
      `\`${oracle.name}\``,
      versions.get(oracle) ?? '',
      oracle.asked,
      comparisons.length,
      ...[count('yes'), count('no'), count('not-asked')],
    ].join(' | ')} |`
  })
  const unasked = [...compared].flatMap(([oracle, comparisons]) => {
    const reasons = new Map<string, number>()
    for (const { answer } of comparisons)
      if (answer.kind === 'not-asked') reasons.set(answer.because, (reasons.get(answer.because) ?? 0) + 1)
    const words = [...reasons].sort(([a], [b]) => (a < b ? -1 : 1)).map(([because, n]) => `${because} (${n})`)
    return words.length === 0 ? [] : [`- \`${oracle.name}\`: ${words.join('; ')}.`]
  })
  const byId = new Map<string, readonly Comparison[]>()
  for (const comparison of [...compared.values()].flat()) {
    const { id } = comparison.certificates
    byId.set(id, [...(byId.get(id) ?? []), comparison])
  }
  const reasons = disagreements.flatMap(({ why, found }) => [
    why,
    '',
    ...found.flatMap(({ oracles, cases }) => [
      `- ${oracles.map(name => `\`${name}\``).join(', ')}`,
      ...cases.map(id => {
        const strict = oracles.every(name => name.includes('strict'))
        const about = byId.get(id)?.at(strict ? 1 : 0)
        return `  - \`${id}\`: ${about?.certificates.says ?? ''} *Ours: ${about === undefined ? '' : verdictWords(about.ours)}.*`
      }),
    ]),
    '',
  ])
  return [
    '# Real programs as oracles',
    '',
    'The certificate cases of `test/certificates` are given to other people’s programs, too: same chain, same roots or TLSA records, same',
    'names, same time. `npm run test:peers` compares their verdicts with ours, fails for any difference that is not explained below, and holds',
    'this page against the outcome (`HERMETIC_WRITE=1` writes it).',
    '',
    'Programs without an option for the time run under libfaketime. `openssl s_server` sends the chain where one must be sent; TLSA records',
    'come from a signed zone of the test’s own, validated by libunbound (danetool, gnutls-cli) or believed for its AD bit (Postfix). Compared',
    'are the verdict and, where the program tells them, the record’s usage and the depth.',
    '',
    '| Program | Version | How it was asked | Cases | Same | Other | Not asked |',
    '|---|---|---|---|---|---|---|',
    ...counted,
    '',
    '## Not asked',
    '',
    ...unasked,
    '',
    '## Disagreements, and who is right',
    '',
    'danetool also prints its verdict on the whole set below each record: nine times “Certificate matches” where one record does.',
    '',
    ...reasons,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}

/** The page without what a security update of the programs changes. */
export function withoutVersions(text: string): string {
  return text.replace(/\b(OpenSSL|GnuTLS|Postfix) \d[\w.]*/g, '$1')
}

function verdictWords({ verdict, by, depth, reason }: Ours): string {
  if (verdict === 'authenticated') return `authenticated by ${by} at depth ${depth}`
  return reason === null ? verdict : `${verdict}, \`${reason}\``
}
