/**
 * A name as people write it, into the one that certificates are compared with (RFC 9525 §6.3, RFC 5890): A-labels in lower case
 * without a last dot, or an address in its canonical text. `bücher.example` and `MX.Example.` are names; `*.example` and `a b` are not.
 */
import { domainToASCII } from 'node:url'
import { visible } from '../judgement/visible.ts'
import { canonicalIp } from '../protocol/ip.ts'
import { CliFailure } from './failure.ts'

/** @throws CliFailure 64 that says why the text is no name. */
export function referenceName(text: string, option: string): string {
  const refuse = (why: string, hint = `For example ${option} mx.example.org`) =>
    new CliFailure('cli.usage', `${option}: '${visible(text, 80)}' ${why}`, hint)
  if (text === '')
    throw new CliFailure('cli.usage', `${option}: the name is empty`, `For example ${option} mx.example.org`)
  const address = canonicalIp(text.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1'))
  if (address !== null) return address
  // Before IDNA, which would decode `%2e` and turn a full-width `．` into the same dot.
  if (text.length > maxInputChars || /[\s%\x00-\x1f]/.test(text)) throw refuse('is not a host name')
  if (text.includes('*'))
    throw refuse('is a wildcard, which only certificates carry', 'Give the name of the host itself.')
  const ascii = /^[\x21-\x7e]*$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
  const mapped = canonicalIp(name)
  if (mapped !== null) return mapped
  const labels = name.split('.')
  const areSound = labels.every(label => /^[a-z0-9_-]{1,63}$/.test(label))
  // A last label of digits is an address that somebody mistyped: no certificate can carry it.
  if (!areSound || name.length > maxNameChars || /^\d+$/.test(labels.at(-1) ?? ''))
    throw refuse('is not a host name')
  return name
}

/** RFC 1035 §2.3.4, in text without the last dot. */
const maxNameChars = 253
/** A U-label may be longer than its A-label, but not by so much. */
const maxInputChars = 1_000
