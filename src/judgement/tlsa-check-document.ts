/**
 * `hermetic.tlsa-check/1`: what a domain publishes for DANE, held against what each of its mail hosts shows, as plain JSON values; types only. Composed by
 * tlsa-check.ts and tlsa-next.ts, shown by tlsa-check-text.ts; docs/tlsa-check.schema.json is its JSON Schema.
 *
 * Texts from the DNS and the certificates are as they stand there (bounded), and are shown through `visible`.
 */
import type { Read } from '../protocol/x509/model.ts'
import type {
  CertificateEvidence,
  DnsEvidence,
  FailureEvidence,
  Finding,
  SessionDocument,
  Timestamp,
} from './evidence.ts'
import type { NameProof, NoDane, PeerProof, ReferenceIdentifier } from './plan.ts'
import type { StackOpinion } from './verify-document.ts'

/** One connection to one address, by which chain it was asked for. */
export interface ChainVisit {
  readonly asked: AskedKeys
  readonly session: SessionDocument
  /** As sent, leaf first; empty without a handshake. */
  readonly chain: readonly Read[]
}

/** `any`: as the relay asks, and it is for the server to choose. */
export type AskedKeys = 'any' | 'rsa' | 'ecdsa'

/** `pass`: every host, address and chain proves itself. `partly`: not everything, and the relay has a way. `fail`: nothing proves itself, or the relay has no way. */
export type CheckVerdict = 'pass' | 'partly' | 'fail'

export interface TlsaCheckDocument {
  readonly schema: 'hermetic.tlsa-check/1'
  readonly domain: string
  /** `domain`: its MX hosts were visited. `host`: the name is that of the host itself. */
  readonly as: 'domain' | 'host'
  readonly port: number
  readonly at: Timestamp
  readonly verdict: CheckVerdict
  /** The verdict in one sentence. */
  readonly says: string
  /** How the hosts' names are known; null where the operator named the host. */
  readonly mx: DnsEvidence | null
  readonly hosts: readonly CheckedHost[]
  /** Hosts and addresses that the relay leaves out, with the reason. */
  readonly skipped: readonly {
    readonly host: string
    readonly address: string | null
    readonly finding: Finding
  }[]
  /** Why there is no host to visit; null when there is one. */
  readonly finding: Finding | null
  /** What comes with the next certificate; null when none was given. */
  readonly next: NextDocument | null
  readonly dns: readonly DnsEvidence[]
}

/** What was found of a host's TLSA records. All addresses of a host under one base stand together. */
export interface CheckedHost {
  readonly host: string
  readonly preference: number | null
  /** How the host's name is known. */
  readonly name: NameProof
  readonly references: readonly ReferenceIdentifier[]
  readonly sni: string | null
  readonly tlsa: CheckedTlsa
  /** Every chain that was shown at any of its addresses, each once. */
  readonly chains: readonly CheckedChain[]
  readonly addresses: readonly CheckedAddress[]
}

export type CheckedTlsa =
  | {
      readonly kind: 'records'
      readonly base: string
      readonly from: 'host' | 'expansion' | 'alias'
      readonly owner: string
      readonly aliases: readonly string[]
      readonly asks: 'authenticate' | 'encrypt'
      /** As the resolver has them, so often less than the zone says; null when it is not known. */
      readonly ttlSeconds: number | null
      readonly records: readonly CheckedRecord[]
    }
  | { readonly kind: 'none'; readonly because: NoDane; readonly asked: readonly string[] }

/** One record, and what of each chain it names. */
export interface CheckedRecord {
  readonly index: number
  readonly text: string
  readonly state: 'counts' | 'shadowed' | 'unusable'
  readonly chains: readonly {
    /** Place in `chains` of the host. */
    readonly chain: number
    /** It is the one that proves this chain. */
    readonly decides: boolean
    readonly matches: readonly { readonly position: number | null; readonly depth: number | null }[]
    /** In one sentence. */
    readonly says: string
  }[]
}

export interface CheckedChain {
  /** Its letter on the page: A, B … */
  readonly label: string
  /** `RSA 2048`; null: the server's own certificate cannot be read. */
  readonly key: string | null
  /** As sent, leaf first; only the first of a long chain. */
  readonly certificates: readonly CertificateEvidence[]
  readonly sent: number
  /** What proved it; null when nothing did, or nothing was asked. */
  readonly by: 'dane-ee' | 'dane-ta' | 'pkix' | null
  /** Place of the record that decided; null when none did. */
  readonly record: number | null
  /** Which name of the certificate fitted; null when none had to, or none did. */
  readonly matched: string | null
  /** What a sender that gets this chain does, in one sentence. */
  readonly says: string
  /** Lines of a zone file that would prove it beside the chains that are proved; none where no other chain is, as it could be a stranger's. */
  readonly publish: readonly string[]
  readonly findings: readonly Finding[]
  /** What other TLS libraries do with the server's own certificate, by its key usage alone. */
  readonly stacks: readonly StackOpinion[]
}

/**
 * `proved`: by its records, with every chain. `partly`: not with every chain, or not every chain could be seen. `refused`: records ask for proof and there is none. `encrypted`: no
 * record can be used, so TLS is owed and nothing else. `no-records`: nothing is owed. `unseen`: the address could not be visited.
 */
export type AddressVerdict = 'proved' | 'partly' | 'refused' | 'encrypted' | 'no-records' | 'unseen'

export interface CheckedAddress {
  readonly address: string
  readonly aliases: readonly string[]
  readonly verdict: AddressVerdict
  /** In one sentence: by what it is proved, or why not. */
  readonly says: string
  /** What becomes of mail that the relay has for this address. */
  readonly mail: 'goes' | 'waits' | 'unknown'
  /** The same in one sentence. */
  readonly hermetic: string
  readonly peer: PeerProof | null
  readonly tls: { readonly version: string | null; readonly cipher: string | null } | null
  readonly visits: readonly {
    readonly asked: AskedKeys
    /** `same`: the chain of the first visit again. `none`: the server has no such chain. `unseen`: it could not be found out. */
    readonly outcome: 'shown' | 'same' | 'none' | 'unseen'
    /** Place in `chains` of the host; null where none was shown. */
    readonly chain: number | null
    readonly failure: FailureEvidence | null
  }[]
  readonly finding: Finding | null
}

/**
 * `ready`: nothing breaks. `publish-first`: mail waits, unless records are published before. `refused`: mail waits somewhere, whatever is published. `unknown`: not every host that it is
 * for could be looked up.
 */
export type NextVerdict = 'ready' | 'publish-first' | 'refused' | 'unknown'

export interface NextDocument {
  readonly verdict: NextVerdict
  /** As the file has them. */
  readonly certificates: readonly CertificateEvidence[]
  readonly says: string
  readonly hosts: readonly NextAtHost[]
}

/**
 * `ready`: the records of today prove the next certificate. `breaks`: they do not. `still-broken`: they do not, and they prove none of those whose place it takes. `not-asked`: the host
 * has no records that ask for proof.
 */
export interface NextAtHost {
  readonly host: string
  readonly owner: string | null
  readonly verdict: 'ready' | 'breaks' | 'still-broken' | 'not-asked'
  readonly says: string
  /** Place in `chains` of the host: those that the next one takes the place of. */
  readonly replaces: readonly number[]
  /** What the records of today make of the next certificate. */
  readonly records: readonly {
    readonly index: number
    readonly text: string
    readonly matches: readonly { readonly position: number | null; readonly depth: number | null }[]
    readonly fate: 'stays' | 'goes-after' | 'useless'
    readonly says: string
  }[]
  /** To be published before the server shows the next certificate, as lines of a zone file. */
  readonly publish: readonly string[]
  /** How long before, at least: twice the TTL of the records (RFC 7671 §8.1); null when nothing has to be published. */
  readonly waitSeconds: number | null
  /** Lines of records that may be taken out after the change. */
  readonly remove: readonly string[]
  readonly finding: Finding | null
}
