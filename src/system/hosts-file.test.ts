import { expect, test } from 'vitest'
import { parseHostsFile } from './hosts-file.ts'

test('every name of a line has its address, over all lines, in any case', () => {
  const entries = parseHostsFile(
    '127.0.0.1\tlocalhost\n::1 localhost ip6-localhost # loopback\n#192.0.2.9 gone\n\n192.0.2.1  Mail.Example.Local. mail\n192.0.2.1 mail\n192.0.2.2 mail\r\n',
  )
  expect(Object.fromEntries(entries)).toEqual({
    localhost: { ipv4: ['127.0.0.1'], ipv6: ['::1'] },
    'ip6-localhost': { ipv4: [], ipv6: ['::1'] },
    'mail.example.local': { ipv4: ['192.0.2.1'], ipv6: [] },
    mail: { ipv4: ['192.0.2.1', '192.0.2.2'], ipv6: [] },
  })
})

test('lines that are no address and a name are passed over', () => {
  expect(parseHostsFile('192.0.2.1\nnot-an-address mail\n010.0.0.1 mail\n__proto__ x\n').size).toBe(0)
})
