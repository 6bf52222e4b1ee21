import { expect, test } from 'vitest'
import { parseSendmail } from './sendmail.ts'

const plain = {
  mode: 'message',
  recipientsFromHeader: false,
  dotEnds: true,
  sender: null,
  fullName: null,
  recipients: [],
  json: false,
  config: null,
}

const known: [string, object][] = [
  ['', {}],
  ['a@b c@d', { recipients: ['a@b', 'c@d'] }],
  ['-t', { recipientsFromHeader: true }],
  ['-i', { dotEnds: false }],
  ['-oi -t', { dotEnds: false, recipientsFromHeader: true }],
  ['-ti', { dotEnds: false, recipientsFromHeader: true }],
  ['-f a@b c@d', { sender: 'a@b', recipients: ['c@d'] }],
  ['-fa@b c@d', { sender: 'a@b', recipients: ['c@d'] }],
  ['-r a@b', { sender: 'a@b' }],
  ['-f <>', { sender: '<>' }],
  ['-F Pat', { fullName: 'Pat' }],
  ['-FPat', { fullName: 'Pat' }],
  ['-bs', { mode: 'smtp' }],
  ['-bm a', { recipients: ['a'] }],
  ['-oem -odb -odq -om a', { recipients: ['a'] }],
  ['-N never -R hdrs -V id -B 8BITMIME -h 5 -O x=y -L tag -X /log -p smtp a', { recipients: ['a'] }],
  ['-Nnever -B8BITMIME a', { recipients: ['a'] }],
  ['-G -U -m -n -v a', { recipients: ['a'] }],
  ['-t -- -a', { recipientsFromHeader: true, recipients: ['-a'] }],
  ['a -i b', { recipients: ['a', 'b'], dotEnds: false }],
  ['--json --config x a', { json: true, config: 'x', recipients: ['a'] }],
  ['--config=x', { config: 'x' }],
]

test.each(known)('sendmail %s', (words, options) => {
  expect(parseSendmail(words.split(' ').filter(word => word !== ''))).toEqual({ ...plain, ...options })
})

test.each(['-bd', '-bp', '-q', '-Z', '--bogus', '-f', '-F', '-N', '--config'])(
  'sendmail %s is wrong usage',
  word => {
    expect(() => parseSendmail([word])).toThrow(expect.objectContaining({ code: 'cli.usage' }))
  },
)
