/**
 * DNSSEC's algorithm numbers: which are verified here, and how their keys and signatures look (RFC 3110, RFC 5702, RFC 6605, RFC 8080).
 *
 * SHA-1 is able and does not count: RFC 9905 §2 wants implementations to keep it and operators to treat it as unknown.
 */

/** `unknown`: nothing we verify, and reason to take a delegation that names nothing else for unsigned (RFC 4035 §5.2). */
export type AlgorithmStatus = 'validates' | 'sha1' | 'unknown'

/** Whether signatures with SHA-1 (algorithms 5 and 7) prove something. By default they do not. */
export type Sha1Policy = 'insecure' | 'validates'

export type Algorithm =
  | {
      readonly kind: 'rsa'
      readonly hash: 'sha1' | 'sha256' | 'sha512'
      readonly leastBits: number
      readonly name: string
    }
  | {
      readonly kind: 'ecdsa'
      readonly hash: 'sha256' | 'sha384'
      readonly keyBytes: number
      readonly spkiHead: Uint8Array
      readonly units: number
      readonly name: string
    }
  | {
      readonly kind: 'eddsa'
      readonly keyBytes: number
      readonly signatureBytes: number
      readonly spkiHead: Uint8Array
      readonly units: number
      readonly name: string
    }

export function algorithmStatus(number: number): AlgorithmStatus {
  const algorithm = algorithms.get(number)
  if (algorithm === undefined) return 'unknown'
  return algorithm.kind === 'rsa' && algorithm.hash === 'sha1' ? 'sha1' : 'validates'
}

/** Whether a signature with this algorithm proves something. */
export function algorithmCounts(number: number, sha1: Sha1Policy): boolean {
  const status = algorithmStatus(number)
  return status === 'validates' || (status === 'sha1' && sha1 === 'validates')
}

/** `ECDSAP256SHA256`, or `algorithm 99`. */
export function algorithmName(number: number): string {
  return algorithms.get(number)?.name ?? `algorithm ${number}`
}

export function findAlgorithm(number: number): Algorithm | null {
  return algorithms.get(number) ?? null
}

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

const algorithms: ReadonlyMap<number, Algorithm> = new Map<number, Algorithm>([
  // RFC 3110 §2 and RFC 5702 §2 allow from 512 bits, for SHA-512 from 1,024.
  [5, { kind: 'rsa', hash: 'sha1', leastBits: 512, name: 'RSASHA1' }],
  [7, { kind: 'rsa', hash: 'sha1', leastBits: 512, name: 'RSASHA1-NSEC3-SHA1' }],
  [8, { kind: 'rsa', hash: 'sha256', leastBits: 512, name: 'RSASHA256' }],
  [10, { kind: 'rsa', hash: 'sha512', leastBits: 1024, name: 'RSASHA512' }],
  // SubjectPublicKeyInfo up to the key (RFC 5480 §2, RFC 8410 §4). ECDSA's ends with 04, a point that is not compressed, which RFC 6605 §4 leaves out.
  [
    13,
    {
      kind: 'ecdsa',
      hash: 'sha256',
      keyBytes: 64,
      spkiHead: hex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'),
      units: 3,
      name: 'ECDSAP256SHA256',
    },
  ],
  [
    14,
    {
      kind: 'ecdsa',
      hash: 'sha384',
      keyBytes: 96,
      spkiHead: hex('3076301006072a8648ce3d020106052b8104002203620004'),
      units: 21,
      name: 'ECDSAP384SHA384',
    },
  ],
  [
    15,
    {
      kind: 'eddsa',
      keyBytes: 32,
      signatureBytes: 64,
      spkiHead: hex('302a300506032b6570032100'),
      units: 3,
      name: 'ED25519',
    },
  ],
  [
    16,
    {
      kind: 'eddsa',
      keyBytes: 57,
      signatureBytes: 114,
      spkiHead: hex('3043300506032b6571033a00'),
      units: 7,
      name: 'ED448',
    },
  ],
])
