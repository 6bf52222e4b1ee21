/** Every scenario of the lab, played through the real relay by the command that anybody would use. */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { scenarios } from '../../src/lab/scenarios.ts'
import { root } from '../support/hermetic.ts'
import { run } from '../support/process.ts'

const hermetic = (...args: string[]) => run(join(root, 'hermetic'), args)

interface LabDocument {
  readonly schema: string
  readonly ok: boolean
  readonly scenarios: readonly {
    readonly name: string
    readonly ok: boolean
    readonly happened: string
    readonly differences: readonly string[]
  }[]
}

describe('hermetic lab run --all', () => {
  let code: number | null
  let document: LabDocument
  beforeAll(async () => {
    const done = await hermetic('lab', 'run', '--all', '--json')
    code = done.code
    document = JSON.parse(done.stdout)
  })

  test.each(scenarios.map(({ name, expects }) => [name, expects]))('%s: %s', name => {
    const result = document.scenarios.find(scenario => scenario.name === name)
    expect(result?.differences, result?.happened).toEqual([])
    expect(result?.ok).toBe(true)
  })

  test('says so with its exit code and in its document', () => {
    expect(document).toMatchObject({ schema: 'hermetic.lab/1', ok: true })
    expect(code).toBe(0)
  })
})

describe('the command', () => {
  test('lists the scenarios', async () => {
    const { code, stdout } = await hermetic('lab', 'list')
    expect(code).toBe(0)
    for (const { name } of scenarios) expect(stdout).toContain(name)
  })

  test('plays one, and tells what was expected and what happened', async () => {
    const { code, stdout } = await hermetic('lab', 'run', 'null-mx')
    expect(stdout).toMatch(/ok +null-mx/)
    expect(stdout).toContain('happened  returned: dns.null-mx')
    expect(code).toBe(0)
  })

  test.each([
    ['a scenario that is not there', ['lab', 'run', 'no-such-thing']],
    ['none at all', ['lab', 'run']],
  ])('%s is wrong usage', async (_, args) => {
    const { code, stdout } = await hermetic(...args, '--json')
    expect(code).toBe(64)
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'hermetic.error/1', code: 'cli.usage' })
  })
})
