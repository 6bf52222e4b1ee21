/** docs/lab-scenarios.md: every scenario of the lab, from the table itself. */
import type { Scenario } from '../scenario.ts'
import { groups } from '../world.ts'

export function scenariosPage(): string {
  return [
    '# The scenarios of the lab',
    '',
    'Written by the tests from the scenarios themselves: `src/lab/situations/`. `./hermetic lab run NAME` plays one through the real relay; [lab.md](lab.md) says how. Mail to the addresses below',
    'meets the same hosts when another MTA sends it (`./hermetic lab up`).',
    ...groups.flatMap(({ title, situations }) => [
      '',
      `## ${title}`,
      '',
      '| scenario | mail to | what is there | what must come of it | where written |',
      '|---|---|---|---|---|',
      ...situations.flatMap(({ scenarios }) => scenarios.map(row)),
    ]),
    '',
  ].join('\n')
}

function row({ name, act, says, expects, from }: Scenario): string {
  const to = act.kind === 'mail' ? `\`${act.to}\`` : ''
  return `| \`${name}\` | ${to} | ${says} | ${expects} | ${from} |`
}
