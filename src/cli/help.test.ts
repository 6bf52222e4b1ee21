/** What `--help` tells of each command, as a process: how it ends, an example, in lines that keep to a page. */
import { expect, test } from 'vitest'
import { pageColumns } from '../judgement/columns.ts'
import { hermetic } from './testing/process.ts'

test.concurrent.each([
  'serve',
  'queue list',
  'queue show',
  'queue retry',
  'queue remove',
  'log',
  'route',
  'sendmail',
  'verify',
  'tlsa create',
  'tlsa check',
  'cert show',
  'dns',
  'config check',
  'config reload',
  'tour',
  'lab list',
  'lab run',
  'lab up',
  'lab status',
  'lab down',
])('%s: exit codes and an example, in lines of a page', async command => {
  const { code, out } = await hermetic([...command.split(' '), '--help'])
  expect(code).toBe(0)
  expect(out).toMatch(/^Exit codes?: 0/m)
  expect(out).toMatch(new RegExp(`^Examples?:\\n(?: {2}.*\\n)* {2}.*hermetic ${command}`, 'm'))
  expect(out.split('\n').filter(line => line.length > pageColumns)).toEqual([])
})

test('in JSON it is one document, with all of that', async () => {
  const { code, out } = await hermetic(['tlsa', 'check', '--help', '--json'])
  expect(code).toBe(0)
  const document: unknown = JSON.parse(out)
  expect(document).toMatchObject({
    schema: 'hermetic.help/1',
    text: expect.stringMatching(/^Usage: .*--next .*Exit codes: 0 /s),
  })
})

test('the overview is a table: what a command does ends before its example', async () => {
  const { out } = await hermetic([])
  const rows = out.split('\n').filter(line => /^ {2}[a-z]/.test(line))
  expect(rows.length).toBeGreaterThan(10)
  expect(rows.filter(line => !/^ {2}[a-z]+ .* {2}hermetic /.test(line))).toEqual([])
})
