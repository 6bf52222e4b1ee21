/**
 * docs/verify.md, played: every `console` block whose first line calls `hermetic` is run among the files of docs/examples, and its output put in the
 * place of what stands there. Dates are fixed, by the certificates and by `--at`.
 */
import { hermetic } from './process.ts'

/** @param directory Where the chains of the page are. @returns the page as it should be. */
export async function playPage(page: string, directory: string): Promise<string> {
  const parts = page.split(/(^```console\n[\s\S]*?^```$)/m)
  const played = parts.map(async part => {
    if (!part.startsWith('```console\n$ hermetic ')) return part
    const [, command = ''] = /^```console\n(\$ (?:.*\\\n)*.*\n)/.exec(part) ?? []
    const args = wordsOf(command.slice('$ hermetic '.length).replaceAll('\\\n', ' '))
    const { code, out, err } = await hermetic(args, '', directory)
    return `\`\`\`console\n${command}${out}${err}$ echo $?\n${code}\n\`\`\``
  })
  return (await Promise.all(played)).join('')
}

/** As a shell splits them, as far as the page needs it: blanks, and double quotes. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}
