/** Questions to verify.ts from certificates of test/certificates, for the tests beside it. */
import { host, intermediate, leaf, root } from '../../../test/certificates/case.ts'
import { at, type Made } from '../../../test/certificates/maker.ts'
import { parseTlsa } from '../../protocol/dane/tlsa.ts'
import { parseCertificate } from '../../protocol/x509/certificate.ts'
import type { Certificate, Read } from '../../protocol/x509/model.ts'
import type { VerifyQuestion } from '../verify.ts'

export function read(made: Made): Read {
  return parseCertificate(made.der)
}

/** @throws when it is none */
export function certificate(made: Made): Certificate {
  const one = read(made)
  if (one.kind !== 'certificate') throw new Error(one.detail)
  return one.certificate
}

/** A right chain for `host` under a root that is trusted, unless the changes say otherwise. `records`: as zone files write them. */
export function question(
  changes: Partial<VerifyQuestion> & {
    readonly made?: readonly Made[]
    readonly records?: readonly string[]
  } = {},
): VerifyQuestion {
  const { made = [leaf(), intermediate()], records, ...rest } = changes
  return {
    chain: made.map(read),
    names: [host],
    anyName: 'checked',
    tlsa: records === undefined ? null : records.map(record),
    roots: [certificate(root())],
    rootsGiven: false,
    known: [],
    atMs: at.getTime(),
    keyExchange: null,
    profile: 'mail',
    purpose: 'server',
    maxIntermediates: 10,
    cnFallback: 'never',
    isPublicSuffix: () => false,
    ...rest,
  }
}

function record(text: string) {
  const parsed = parseTlsa(text)
  if (parsed.kind === 'fault') throw new Error(parsed.says)
  return parsed.record
}
