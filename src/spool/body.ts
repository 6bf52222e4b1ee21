/**
 * A body in the course of being received: in memory while it is small, from `fileBodyBytes` on in a file.
 *
 * Files are written through the thread pool, not by the thread that owns the database: the sync of a 100 MB file would hold up everybody's commit there.
 * What waits in memory is bounded (`maxUnwrittenBytes`); beyond it `write` returns a promise. `seal` resolves to null when file and
 * directory entry are synced. Nothing here knows of messages.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, statfs, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { passedThrough } from '../system/large-traffic.ts'
import { storageFault } from '../system/sqlite.ts'
import { type BodyWriter, fileBodyBytes, type StoreFault } from './spool.ts'

export interface BodyFiles {
  /** Where a file of this name goes. */
  path(name: string): string
  /** Free space, in bytes, below which nothing is taken in. */
  readonly minFreeBytes: number
}

/** The spool's side of a `BodyWriter`. */
export interface ReceivedBody extends BodyWriter {
  /** From now on `discard` does nothing. Must come before the two below. */
  claim(): void
  /** The pieces in memory, or null when the body is a file. */
  pieces(): readonly Uint8Array[] | null
  /** Writes what is left, syncs and closes the file. Resolves to its name, or to why not; then the file is gone. */
  seal(): Promise<{ readonly file: string } | StoreFault>
}

export function createBody(files: BodyFiles): ReceivedBody {
  let chunks: Uint8Array[] = []
  let size = 0
  let fault: StoreFault | null = null
  let owner: 'writer' | 'spool' | 'nobody' = 'writer'
  let file: BodyFile | null = null
  let unwritten = 0
  /** The writing that is going on, if any. Never rejects. */
  let writing: Promise<StoreFault | undefined> | null = null

  async function drain(): Promise<StoreFault | undefined> {
    try {
      file ??= await createFile(files)
      while (chunks.length > 0 && owner !== 'nobody') {
        const batch = chunks
        chunks = []
        await file.write(batch)
        const written = lengthOf(batch)
        unwritten -= written
        passedThrough(written)
      }
    } catch (error) {
      fault = storageFault(error)
      chunks = []
      unwritten = 0
    }
    writing = null
    if (owner === 'nobody' || fault !== null) await dropFile()
    return fault ?? undefined
  }

  async function dropFile(): Promise<void> {
    const dropped = file
    file = null
    await dropped?.drop()
  }

  return {
    get size() {
      return size
    },
    write(bytes) {
      if (fault !== null) return Promise.resolve(fault)
      if (owner !== 'writer' || bytes.length === 0) return undefined
      chunks.push(bytes)
      size += bytes.length
      if (size < fileBodyBytes) return undefined
      unwritten += file === null && writing === null ? size : bytes.length
      if (writing === null && unwritten >= writeAtOnceBytes) writing = drain()
      return unwritten > maxUnwrittenBytes && writing !== null ? writing : undefined
    },
    content() {
      if (size >= fileBodyBytes || fault !== null) return null
      if (chunks.length !== 1) chunks = [joined(chunks)]
      return chunks[0] ?? null
    },
    discard() {
      if (owner !== 'writer') return
      owner = 'nobody'
      chunks = []
      if (writing === null) void dropFile()
    },
    claim() {
      if (owner !== 'writer') throw new Error('this body was accepted or discarded before')
      owner = 'spool'
    },
    pieces() {
      return size < fileBodyBytes ? chunks : null
    },
    async seal() {
      if (writing !== null) await writing
      if (fault === null && (file === null || chunks.length > 0)) await drain()
      const sealed = file
      if (fault !== null || sealed === null) return fault ?? { kind: 'failed', says: 'The body has no file.' }
      try {
        await sealed.sync()
        return { file: sealed.name }
      } catch (error) {
        await dropFile()
        return storageFault(error)
      }
    },
  }
}

interface BodyFile {
  readonly name: string
  write(pieces: readonly Uint8Array[]): Promise<void>
  /** Syncs and closes it. */
  sync(): Promise<void>
  /** Closes and removes it. */
  drop(): Promise<void>
}

async function createFile(files: BodyFiles): Promise<BodyFile> {
  const name = randomBytes(16).toString('hex')
  const path = files.path(name)
  let spaceAskedAt = 0
  await requireSpace()
  const handle = await open(path, 'wx', 0o600)

  async function requireSpace(): Promise<void> {
    const nowMs = performance.now()
    if (spaceAskedAt !== 0 && nowMs - spaceAskedAt < 1000) return
    spaceAskedAt = nowMs
    const { bavail, bsize } = await statfs(dirname(path))
    if (bavail * bsize < files.minFreeBytes)
      throw Object.assign(new Error(`less than ${files.minFreeBytes} bytes are left on the disk of ${path}`), {
        code: 'ENOSPC',
      })
  }

  return {
    name,
    async write(pieces) {
      await requireSpace()
      let written = (await handle.writev(pieces)).bytesWritten
      // A write may be cut short when the disk is nearly full: the next one then says so.
      for (const piece of pieces) {
        if (written >= piece.length) written -= piece.length
        else {
          await writeWhole(handle, piece.subarray(written))
          written = 0
        }
      }
    },
    async sync() {
      await handle.datasync()
      await handle.close()
      const directory = await open(dirname(path), 'r')
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    },
    async drop() {
      await handle.close().catch(() => {})
      await unlink(path).catch(() => {})
    },
  }
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; )
    from += (await handle.write(bytes, from, bytes.length - from)).bytesWritten
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(pieces)
}

/** A file is written in pieces of at least this size. */
const writeAtOnceBytes = 256 * 1024

/** What may wait in memory for one body; beyond it the writer has to wait. */
const maxUnwrittenBytes = 1024 * 1024
