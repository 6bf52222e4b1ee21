/** docs/x509.md, made from the table of rules and the cases that test them. rules-page.test.ts holds them to each other. */
import type { X509Reason } from '../../src/protocol/x509/reasons.ts'
import { type Rule, rules } from '../../src/protocol/x509/rules.ts'
import { breaks, type CertificateCase, keeps } from './case.ts'

export function rulesPage(cases: readonly CertificateCase[]): string {
  const all = Object.keys(rules).filter((reason): reason is X509Reason => reason in rules)
  const section = (title: string, text: string, wanted: (rule: Rule) => boolean) => {
    const rows = all.filter(reason => wanted(rules[reason])).map(reason => row(reason, rules[reason], cases))
    return `## ${title}\n\n${text}\n\n| code | rule | held against | source | cases |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
  }
  return [
    head,
    section(
      'Refused by both profiles',
      'What could admit a wrong peer.',
      ({ mail, strict }) => mail === 'refuse' && strict === 'refuse',
    ),
    section(
      'Refused by `strict`, reported by `mail`',
      'Faults of issuance: the authority broke a rule, and the peer is who it says all the same.',
      ({ mail, strict }) => mail === 'report' && strict === 'refuse',
    ),
    section(
      'Reported by both',
      'What other programs may trip over, or what the administrator of the server would want to know.',
      ({ strict }) => strict === 'report',
    ),
    library,
  ].join('\n')
}

function row(reason: X509Reason, { what, spec, about, unless }: Rule, cases: readonly CertificateCase[]): string {
  const broken = cases.filter(each => breaks(each, reason))
  const kept = cases.filter(each => keeps(each, reason))
  const shown = broken[0] === undefined ? '' : `\`${broken[0].id}\``
  const count = `${broken.length} broken, ${kept.length} kept`
  const text = unless === undefined ? what : `${what} \`strict\` reports only when ${unless}.`
  return `| \`${reason}\` | ${text} | ${about} | ${spec ?? 'our own'} | ${shown} (${count}) |`
}

const head = `# How certificates are judged

The rules of path validation, in two profiles. \`mail\` is the relay's, and what \`hermetic verify\` uses unless told otherwise: it refuses what could admit a wrong
peer, and reports faults of issuance, because mail that waits for somebody else's authority to do better helps nobody. \`strict\` refuses these too, as x509-limbo wants it.

Each row names the finding ([findings.md](findings.md) has its words), the certificate it is held against, where the rule is written (\`RFC\`, or \`CA/B BR\`: the Baseline
Requirements of the CA/Browser Forum, which bind only the authorities of the public web), and a case that breaks it. A case keeps a
rule when it is about it, and neither profile has a word against it. The cases are made by \`test/certificates/\`, and \`test/certificates/cases.test.ts\` holds both
profiles to them; \`node test/certificates/write.ts DIRECTORY\` writes them to files, for a trial by hand. What real programs make of the same chains stands in
[oracles.md](oracles.md).

This page is made from \`src/protocol/x509/rules.ts\` and the cases; \`vitest -u\` writes it anew.

## What is done, and what is not

- **Encoding**: DER (X.690 §10, §11). What OpenSSL and GnuTLS read alike, though DER has another form for it, is read and told as \`x509.encoding\`: private authorities, old software and some
  roots of the public web have it. Lengths that are not minimal, strings in pieces, padded integers, unused bits that are set and anything behind a value stay \`x509.malformed\`.
- **Building**: every path that verified signatures allow is tried, shortest first, over whatever was sent in whatever order, cross-signed or with strangers in it. Key identifiers
  order the trials and forbid nothing. No missing issuer is fetched from anywhere.
- **Cost**: signatures, steps and comparisons of names are counted against a budget (\`src/protocol/x509/budget.ts\`), and when it is spent the answer is
  \`x509.over-budget\`, never yes. An honest chain uses a few percent of it.
- **Signatures** are verified by OpenSSL through \`node:crypto\`; everything else is ours.
- **Trust anchors** are certificates, or bare keys (TLSA \`2 1 0\`, where no certificate with the key was sent as an issuer). Their own signatures are not checked; their dates, constraints and purposes are.
- **Revocation is not judged**: neither CRLs nor OCSP answers are asked for or believed.
- **Policies**: none is ever demanded, so policy extensions refuse nothing, but for critical \`policyConstraints\`, which is not understood.
- **Names** are for RFC 9525: only alternative names count, a wildcard is the whole left-most label and covers no public suffix. See [verify.md](verify.md).
`

const library = `## As a library

\`\`\`js
import { createBudget, judgePkix, readChain } from 'hermetic/x509'

const certificates = pem => readChain(pem, 1000).flatMap(read => (read.kind === 'certificate' ? [read.certificate] : []))
const { verdict } = judgePkix({
  chain: readChain(chainPem),            // as sent, leaf first
  roots: certificates(rootsPem),
  names: ['mx.example.org'],             // null: names are not to be checked
  cn: 'never',
  atMs: Date.now(),
  profile: 'mail',
  purpose: 'server',
  maxIntermediates: 10,
  isPublicSuffix: name => suffixes.has(name),
  budget: createBudget(),
})
// { kind: 'authenticated', by: 'pkix', depth: 2, matched, path } or { kind: 'not-authenticated', reason: 'x509.expired', … }
\`\`\`

\`hermetic/dane\` has \`judgeDane\` for TLSA records, with the same question and \`records\` in the place of \`roots\`. Both are pure: no clock, no network, no packages. \`npm run build\`
makes what they are imported from.
`
