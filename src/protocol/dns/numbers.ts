/**
 * Numbers of the DNS and their mnemonics: record types, classes, response codes. What has no mnemonic here has one by
 * RFC 3597 §5 (`TYPE731`), so that every number can be written and read back.
 */

/** Types known by name. Those of DNSSEC and DANE are here although their RDATA is only carried, not read. */
const types = {
  A: 1, NS: 2, MD: 3, MF: 4, CNAME: 5, SOA: 6, MB: 7, MG: 8, MR: 9, NULL: 10, WKS: 11, PTR: 12, HINFO: 13, MINFO: 14,
  MX: 15, TXT: 16, RP: 17, AFSDB: 18, RT: 21, SIG: 24, KEY: 25, PX: 26, AAAA: 28, NXT: 30, SRV: 33, NAPTR: 35,
  CERT: 37, DNAME: 39, OPT: 41, DS: 43, SSHFP: 44, RRSIG: 46, NSEC: 47, DNSKEY: 48, NSEC3: 50, NSEC3PARAM: 51,
  TLSA: 52, SMIMEA: 53, CDS: 59, CDNSKEY: 60, OPENPGPKEY: 61, SVCB: 64, HTTPS: 65, SPF: 99, TSIG: 250, IXFR: 251,
  AXFR: 252, ANY: 255, CAA: 257,
} as const // biome-ignore format: a table

export type TypeMnemonic = keyof typeof types

/** The number of a type by its name, checked by the compiler. */
export const typeNumbers: Readonly<Record<TypeMnemonic, number>> = types

/** The class Internet; no other is used. */
export const classInternet = 1

export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const

/** `MX`, or `TYPE731` for a number without a name. */
export function typeName(type: number): string {
  return typeNames.get(type) ?? `TYPE${type}`
}

/** The number of `mx` or `TYPE731`, in any case; null when it is neither. */
export function typeFromName(text: string): number | null {
  const known = numbersByName.get(text.toUpperCase())
  if (known !== undefined) return known
  const digits = /^TYPE(0|[1-9][0-9]{0,4})$/i.exec(text)?.[1]
  return digits === undefined || Number(digits) > 0xffff ? null : Number(digits)
}

/** `SERVFAIL`, or `RCODE11` for a number without a name. */
export function rcodeName(rcode: number): string {
  return rcodeNames.get(rcode) ?? `RCODE${rcode}`
}

const numbersByName = new Map<string, number>(Object.entries(types))
const typeNames = new Map<number, string>(Object.entries(types).map(([name, number]) => [number, name]))
const rcodeNames = new Map<number, string>(Object.entries(rcodes).map(([name, number]) => [number, name]))
