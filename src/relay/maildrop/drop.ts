/**
 * A drop: one file in the maildrop directory, written by `sendmail` as whoever calls it, read by the relay.
 *
 * Success of `commit` means that the file is whole, durable and under the name that the relay looks for. `sendmail` never touches the store
 * (ARCHITECTURE decision 8), so it needs no relay that runs, and a broken caller cannot break the spool.
 *
 * The file: one line of JSON (`DropEnvelope`), then the content as it will travel, with CRLF. Its name is the id that the message will have:
 * a relay that was killed between taking a message in and deleting its drop sees by the id that it has it already.
 * Ids of drops carry partition 31, which no spool uses, so that nobody who may write here can take an id that the spool will need.
 */
import { constants, existsSync, readdirSync } from 'node:fs'
import { access, chmod, type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isMessageId, type MessageId, messageId } from '../../protocol/mail/message-id.ts'
import { makeDirectories } from '../../system/directories.ts'

export interface DropEnvelope {
  readonly schema: 'hermetic.drop/1'
  /** The sender's address; null for the null sender. */
  readonly from: string | null
  readonly recipients: readonly string[]
  readonly smtputf8: boolean
}

export interface Drop {
  readonly id: MessageId
  write(bytes: Uint8Array): Promise<void>
  /** Makes it durable and visible to the relay. */
  commit(): Promise<void>
  /** Leaves nothing behind. Does nothing after `commit`. */
  discard(): Promise<void>
}

export const maildropName = 'maildrop'
export const dropSuffix = '.drop'
export const unfinishedSuffix = '.tmp'
/** The partition digit of ids that `sendmail` gives. */
const dropPartition = 31

/**
 * Makes the directory when it is not there. Root's relay serves every user of the machine: all may add files, nobody may list them
 * or touch another's (sticky), and files get the directory's group, which lets the relay read them. Anybody else's maildrop is his own.
 */
export async function ensureMaildrop(state: string, isRoot: boolean): Promise<string> {
  const directory = join(state, maildropName)
  const made = makeDirectories(directory, isRoot ? 0o711 : 0o700)
  // Said again with chmod, because the caller's umask takes its part of what mkdir is told.
  if (made !== null) await chmod(directory, isRoot ? 0o3733 : 0o700)
  if (isRoot && made === state) await chmod(state, 0o711)
  return directory
}

/** Begins a drop. Rejects with what the system says: no directory, no permission, disk full. */
export async function openDrop(
  directory: string,
  envelope: DropEnvelope,
  nowMs: number,
  random: () => number,
): Promise<Drop> {
  const { id, file } = await createFile(directory, nowMs, random)
  const unfinished = join(directory, id + unfinishedSuffix)
  let isOpen = true

  async function close(): Promise<void> {
    if (isOpen) {
      isOpen = false
      await file.close()
    }
  }

  const drop: Drop = {
    id,
    async write(bytes) {
      await file.writeFile(bytes)
    },
    async commit() {
      await file.sync()
      await rename(unfinished, join(directory, id + dropSuffix))
      await syncName(directory, file)
      await close()
    },
    async discard() {
      if (!isOpen) return
      await close()
      await unlink(unfinished)
    },
  }
  try {
    await file.writeFile(`${JSON.stringify(envelope)}\n`)
  } catch (error) {
    await drop.discard()
    throw error
  }
  return drop
}

export function isDropName(name: string): boolean {
  const id = name.slice(0, -dropSuffix.length)
  return name.endsWith(dropSuffix) && isMessageId(id) && messageId(0, dropPartition, 0).charAt(9) === id.charAt(9)
}

/** How many drops wait for a relay; null when this user may not look (root's maildrop). No directory is no drop. */
export function countDrops(directory: string): number | null {
  try {
    return readdirSync(directory).filter(isDropName).length
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 0 : null
  }
}

/** Whether this message is one of them. */
export function isInMaildrop(directory: string, id: MessageId): boolean {
  return existsSync(join(directory, id + dropSuffix))
}

async function createFile(
  directory: string,
  nowMs: number,
  random: () => number,
): Promise<{ id: MessageId; file: FileHandle }> {
  for (let tries = 0; ; tries++) {
    const id = messageId(nowMs, dropPartition, Math.floor(random() * 32_768))
    try {
      const file = await open(join(directory, id + unfinishedSuffix), 'wx', 0o600)
      // Group-readable, whatever the caller's umask: where all may add files the group is the relay's, elsewhere the directory is closed anyway.
      await file.chmod(0o640)
      // Another caller may have finished under this id in the same millisecond.
      const isTaken = await exists(join(directory, id + dropSuffix))
      if (!isTaken) return { id, file }
      await file.close()
      await unlink(join(directory, id + unfinishedSuffix))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST') || tries > 100) throw error
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Makes the new name durable. Where users may not open the directory (root's relay), syncing the renamed file once more does it: Linux file systems
 * with a journal commit the rename together with the file.
 */
async function syncName(directory: string, file: FileHandle): Promise<void> {
  await file.sync()
  let handle: FileHandle
  try {
    handle = await open(directory, 'r')
  } catch {
    return
  }
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
