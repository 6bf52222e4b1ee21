/** The table of docs/dane.md: what came of the lab's scenarios with Hermetic and with others. */
import type { Scenario } from '../../../src/lab/scenarios.ts'
import type { LabDisagreement } from '../lab-disagreements.ts'
import type { Fate, SenderName } from './lab-senders.ts'

export interface LabOutcomes {
  readonly scenarios: readonly { readonly scenario: Scenario; readonly hermetic: Fate }[]
  readonly senders: readonly {
    readonly name: SenderName
    readonly version: string
    readonly fates: ReadonlyMap<string, Fate>
  }[]
}

export function renderScenarios(
  { scenarios, senders }: LabOutcomes,
  disagreements: readonly LabDisagreement[],
  notPlayed: readonly { readonly scenario: string; readonly because: string }[],
): string {
  const rows = scenarios.map(({ scenario, hermetic }) => {
    const ours = cell(hermetic)
    const reason = hermetic.did === 'delivered' ? '' : `: \`${hermetic.says}\``
    const others = senders.map(({ fates }) => {
      const fate = fates.get(scenario.name)
      const theirs = fate === undefined ? '' : cell(fate)
      return theirs === ours ? theirs : `**${theirs}**`
    })
    return `| \`${scenario.name}\` | ${[`${ours}${reason}`, ...others].join(' | ')} |`
  })
  const reasons = disagreements.map(
    ({ why, senders: who, scenarios: names }) =>
      `- ${who.join(', ')}, ${names.map(name => `\`${name}\``).join(', ')}: ${why}`,
  )
  return [
    `| scenario | Hermetic | ${senders.map(({ name, version }) => `${name} ${version}`).join(' | ')} |`,
    `|---|---|${senders.map(() => '---|').join('')}`,
    ...rows,
    '',
    ...notPlayed.map(({ scenario, because }) => `Not sent: \`${scenario}\`, for ${because}.`),
    '',
    'Where they differ, and who is right:',
    '',
    ...reasons,
  ].join('\n')
}

/** The page with this between its marks. @throws Error for a page without them */
export function replaceScenarios(page: string, section: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/dane.md has no marks ${begin} and ${end}`)
  return `${page.slice(0, from)}${begin}\n\n${section}\n\n${page.slice(to)}`
}

/** The page without what a security update of the programs changes. */
export function withoutVersions(text: string): string {
  return text.replace(/\b(Postfix|Exim) \d[\w.]*/g, '$1')
}

function cell({ did, proof }: Fate): string {
  if (did === 'delivered') return proof === 'half-proved' ? 'half proved' : (proof ?? '')
  return did === 'deferred' ? 'waits' : 'returned'
}

const begin = '<!-- scenarios: written by test/peers/lab-senders.test.ts -->'
const end = '<!-- /scenarios -->'
