/** A word as a shell takes it, for commands that people are told to run. */
import { visible } from '../judgement/visible.ts'

/** What no shell could be told legibly, such as a name with a line break, becomes a stand-in. */
export function shellWord(text: string): string {
  if (text === '' || visible(text, mostChars) !== text) return 'FILE'
  // A file whose name begins with a hyphen is no option.
  const word = text.startsWith('-') && text !== '-' ? `./${text}` : text
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

const mostChars = 200
