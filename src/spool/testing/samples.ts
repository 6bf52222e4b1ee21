/** Messages and contents for tests of spools and of what uses them. */
import type { BodyWriter, NewMessage, Spool, StoreFault } from '../spool.ts'

export const t0 = 1_800_000_000_000

/** @param recipients How many. */
export function sampleMessage(spool: Spool, recipients = 1, atMs = t0): NewMessage {
  const path = (local: string) => ({ local, domain: 'example.org', text: `${local}@example.org` })
  return {
    id: spool.newId(atMs),
    envelope: {
      from: path('sender'),
      recipients: Array.from({ length: recipients }, (_, index) => path(`r${index}`)),
      demands: { eightBit: true, smtputf8: false },
      envid: 'QQ+314159',
    },
    receivedAtMs: atMs,
    expiresAtMs: atMs + 5 * 86_400_000,
    origin: { via: 'smtp', address: '192.0.2.1', helo: 'client.example', tls: null },
  }
}

/** Bytes that tell where they are from. */
export function sampleBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff
  return bytes
}

/** Writes as a well-behaved caller does: waits when told to. */
export async function writeAll(
  body: BodyWriter,
  bytes: Uint8Array,
  pieceBytes = 50_000,
): Promise<StoreFault | null> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const wait = body.write(bytes.slice(at, at + pieceBytes))
    const fault = wait === undefined ? undefined : await wait
    if (fault !== undefined) return fault
  }
  return null
}
