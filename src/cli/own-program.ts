/**
 * How a shell calls this program, for commands that people copy: by its name where PATH finds this very program, else by its path. A clone that nothing was
 * installed from has only that.
 */
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { shellWord } from './shell-word.ts'

export interface Surroundings {
  /** The script that starts the program. */
  readonly script: string
  /** `PATH` */
  readonly path: string
  readonly directory: string
}

export function ownProgram(
  { script, path, directory }: Surroundings = {
    script: join(import.meta.dirname, '..', '..', name),
    path: process.env['PATH'] ?? '',
    directory: process.cwd(),
  },
): string {
  // Packed in another way than a clone is.
  if (!existsSync(script)) return name
  const found = path
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(candidate => candidate !== name && existsSync(candidate))
  if (found !== undefined && realpathSync(found) === realpathSync(script)) return name
  return realpathSync(directory) === realpathSync(dirname(script)) ? `./${name}` : shellWord(script)
}

const name = 'hermetic'
