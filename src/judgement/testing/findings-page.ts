/** docs/findings.md, made from the register. findings.test.ts holds the two to each other. */
import type { ReasonCode } from '../failure.ts'
import type { Seen } from '../findings/entry.ts'
import { entryOf, findings } from '../findings.ts'

const groups: readonly (readonly [prefix: string, title: string])[] = [
  ['dns.', 'The way: DNS'],
  ['dnssec.', 'Answers of the DNS: DNSSEC'],
  ['net.', 'The connection'],
  ['smtp.', 'The conversation: SMTP'],
  ['starttls.', 'From clear text to TLS'],
  ['tls.', 'The TLS handshake'],
  ['x509.', 'The certificate'],
  ['dane.', 'TLSA records: DANE'],
  ['policy.', 'Routes and rules of this relay'],
  ['message.', 'The message'],
  ['us.', 'Faults of our own'],
]

/** Stands where a document has the peer's words. */
const example: Seen = { host: '`HOST`', detail: '', reply: ' “…”' }

export function findingsPage(): string {
  const codes = Object.keys(findings).filter((code): code is ReasonCode => code in findings)
  const sections = groups.map(([prefix, title]) => {
    const entries = codes.filter(code => code.startsWith(prefix)).map(section)
    return `## ${title}\n\n${entries.join('\n')}`
  })
  return `${head}\n${sections.join('\n')}`
}

function section(code: ReasonCode): string {
  const { severity, culprit, condemns, lasting, enhanced, spec, says, remedy } = entryOf(code)
  const facts = [severity, `culprit: ${culprit}`, `condemns the ${condemns}`, lasting.replace('-', ' '), enhanced]
  return `### \`${code}\`\n\n*${[...facts, ...(spec === null ? [] : [spec])].join(' · ')}*\n\n${says(example)}\n\n${remedy(example)}\n`
}

const head = `# Findings

Why a message was not delivered, or not as wished: every code that Hermetic can give, who caused it, what it condemns, and who must
act. This page is made from the register, \`src/judgement/findings.ts\` and the folder beside it; \`vitest -u\` writes it anew.

- **Condemns the session**: only that connection; a new one to the same host may serve. **The host**: the next host is tried.
  **The message**: no other host is asked in this attempt. **The recipient**: only that one.
- **for now**: when no host is left the mail waits and is tried again. **for good**: it is returned to its sender.
- The number is the RFC 3463 status that a DSN carries where the peer gave none of its own.
- Where a reply or a detail was seen, documents and logs carry it as well; the examples here leave it out.
`
