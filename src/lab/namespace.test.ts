/** What can be told without root. That namespaces come and go is for test/peers. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  insideOf,
  isInNamespace,
  NamespaceRefused,
  processesIn,
  removeNamespace,
  requireNamespaces,
} from './namespace.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

describe('a network namespace', () => {
  test('is for Linux', () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
    expect(requireNamespaces).toThrow(NamespaceRefused)
    expect(requireNamespaces).toThrow('darwin does not have')
  })

  test('is for root', () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('linux')
    vi.spyOn(process, 'getuid').mockReturnValue(1000)
    expect(requireNamespaces).toThrow('only root')
  })

  test('that is not there has nobody inside, this process least', async () => {
    expect(isInNamespace('hermetic-none')).toBe(false)
    expect(await processesIn('hermetic-none')).toEqual([])
  })

  test('that is gone already is removed without a word', async () => {
    expect(
      await removeNamespace({ namespace: 'hermetic-none', id: null, etc: ['directory', 'resolv.conf'] }),
    ).toEqual([])
  })

  test('is entered by the file of its name', () => {
    expect(insideOf('x', ['true'])).toEqual(['nsenter', '--net=/run/netns/x', '--', 'true'])
  })
})
