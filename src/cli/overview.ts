/** What `./hermetic` alone prints: the commands in groups, one example each. */
import type { Paint } from './context.ts'

interface Entry {
  readonly command: string
  readonly does: string
  readonly example: string
}

const groups: readonly { readonly name: string; readonly entries: readonly Entry[] }[] = [
  {
    name: 'Run',
    entries: [
      { command: 'serve', does: 'start the relay', example: 'hermetic serve --config hermetic.yaml' },
      { command: 'queue', does: 'list, show, retry, remove mail that waits', example: 'hermetic queue list' },
      { command: 'log', does: 'what became of a message', example: 'hermetic log 01k9v3p0c2ma7' },
      { command: 'route', does: 'where mail would go, and why', example: 'hermetic route pat@example.org' },
      { command: 'sendmail', does: 'hand in mail from this machine', example: 'hermetic sendmail -t < message' },
    ],
  },
  {
    name: 'Understand',
    entries: [
      {
        command: 'verify',
        does: 'judge a chain by TLSA records or roots, offline',
        example: 'hermetic verify --chain chain.pem',
      },
      {
        command: 'tlsa',
        does: 'check a domain for DANE; make TLSA records',
        example: 'hermetic tlsa check example.org',
      },
      {
        command: 'dns',
        does: 'ask the DNS, and prove the answer with DNSSEC',
        example: 'hermetic dns example.org MX',
      },
      { command: 'cert', does: 'a chain in words: order, gaps, faults', example: 'hermetic cert show chain.pem' },
    ],
  },
  {
    name: 'Try',
    entries: [
      { command: 'tour', does: 'see it at work, without root or network', example: 'hermetic tour --once' },
      {
        command: 'lab',
        does: 'a signed internet: list, run, up, status, down',
        example: 'hermetic lab run --all',
      },
      {
        command: 'config',
        does: 'check, example, schema, reload',
        example: 'hermetic config check hermetic.yaml',
      },
      { command: 'version', does: 'versions of Hermetic and its parts', example: 'hermetic version --json' },
    ],
  },
]

export function overview(paint: Paint): string {
  const lines = groups.flatMap(group => [
    paint('bold', group.name),
    ...group.entries.map(
      ({ command, does, example }) =>
        `  ${paint('cyan', command.padEnd(9))} ${does.padEnd(48)} ${paint('dim', example)}`,
    ),
    '',
  ])
  return [
    'Hermetic: a mail relay that gets SMTP over TLS right, and explains it when somebody else does not.',
    '',
    ...lines,
    'Every command takes --json and --help.',
  ].join('\n')
}

export function overviewDocument() {
  return {
    schema: 'hermetic.commands/1' as const,
    groups: groups.map(({ name, entries }) => ({ name, commands: entries })),
  }
}
