/** Findings about TLSA records: the part of the register (findings.ts) for the reasons of protocol/dane. */
import type { DaneReason } from '../../protocol/dane/reasons.ts'
import type { FindingEntry } from './entry.ts'

/** What every refusal for a TLSA record has in common: another host may serve, and a corrected zone heals it. */
const refused = {
  severity: 'error',
  culprit: 'zone',
  condemns: 'host',
  lasting: 'for-now',
  enhanced: '4.7.5',
} as const

const remark = { ...refused, severity: 'warning' } as const

export const daneFindings = {
  'dane.no-match': {
    ...refused,
    spec: 'RFC 7672 §3.2',
    says: s => `None of the TLSA records of ${s.host} names a certificate that vouches for it${s.detail}.`,
    remedy: s =>
      `If the certificate of ${s.host} was renewed on purpose, its postmaster must publish a record for the new key, with the strongest digest in use there, or serve a certificate that the records name; until then mail to it waits. Nobody else should switch the check off: an attacker's certificate looks just like this.`,
  },
  'dane.lookup-failed': {
    ...refused,
    enhanced: '4.7.5',
    spec: 'RFC 7672 §2.1.2',
    says: s => `Whether ${s.host} has TLSA records could not be found out, so it was left aside${s.detail}.`,
    remedy: s =>
      `The owner of the zone of ${s.host} must look at its name servers: they have to answer questions for TLSA, with signatures that hold; \`hermetic dns\` shows what is wrong. Until then mail waits, because whoever can disturb this answer could hide records with it.`,
  },
  'dane.required': {
    ...refused,
    culprit: 'policy',
    spec: 'RFC 7672 §6',
    says: s =>
      `The route goes only to hosts that prove themselves by TLSA records, and ${s.host} cannot${s.detail}.`,
    remedy: s =>
      `If ${s.host} had records before, ask its postmaster; it may be somebody's attempt to have them forgotten. If it never had, \`tls: dane\` in the route takes what there is.`,
  },
  'dane.mx-insecure': {
    ...refused,
    culprit: 'policy',
    spec: 'RFC 7672 §2.2.1',
    says: s =>
      `The route goes only to hosts that a secure answer named, and nothing vouches for the MX records that name ${s.host}${s.detail}.`,
    remedy: () =>
      "The owner of the recipient's domain must sign its zone; until then `tls: dane` in the route takes what the host itself can prove.",
  },
  'dane.no-starttls': {
    ...refused,
    culprit: 'peer',
    enhanced: '4.7.4',
    spec: 'RFC 7672 §2.2',
    says: s =>
      `${s.host} has TLSA records, which promise TLS, and did not do STARTTLS${s.reply}: nothing was sent.`,
    remedy: s =>
      `If others reach ${s.host} with TLS, somebody between takes STARTTLS out; else its postmaster must turn it on, or the owner of the zone take the records out. Do not lower the level for it: this is just what the records are there to prevent.`,
  },
  'dane.all-unusable': {
    ...remark,
    spec: 'RFC 7672 §2.2',
    says: s =>
      `${s.host} has TLSA records, but none that mail can use${s.detail}: TLS is required, and who answers is not proven.`,
    remedy: s =>
      `The owner of the zone must publish a usable record for ${s.host}: \`3 1 1\` with the SHA-256 digest of its public key is the simplest.`,
  },
  'dane.record-unusable': {
    ...remark,
    spec: 'RFC 7672 §3.1',
    says: s => `A TLSA record of ${s.host} is left out of account${s.detail}.`,
    remedy: () =>
      'The owner of the zone should take it out or correct it: mail uses usages 2 and 3, selectors 0 and 1, and matching types 0, 1 and 2 with whole digests.',
  },
  'dane.record-shadowed': {
    ...remark,
    severity: 'info',
    spec: 'RFC 7671 §9',
    says: s =>
      `A TLSA record of ${s.host} plays no part, because one with a stronger digest stands beside it${s.detail}.`,
    remedy: () =>
      'Nothing to do if both name the same certificates. If not, the owner of the zone must publish the stronger digest for each certificate, or for none.',
  },
  'dane.ta-is-leaf': {
    ...remark,
    spec: 'RFC 7671 §5.2',
    says: s =>
      `A TLSA record of ${s.host} with usage 2 names the server's own certificate, and usage 2 is for an issuer${s.detail}.`,
    remedy: () =>
      'The owner of the zone must change the usage of this record from 2 to 3, or let it name the issuer instead.',
  },
  'dane.ee-not-leaf': {
    ...remark,
    spec: 'RFC 7671 §5.1',
    says: s =>
      `A TLSA record of ${s.host} with usage 3 names a certificate of the chain that is not the server's own${s.detail}.`,
    remedy: () =>
      "The owner of the zone must change the usage of this record from 3 to 2 if an issuer is meant, or let it name the server's own key.",
  },
  'dane.issuer-not-sent': {
    ...remark,
    culprit: 'peer',
    spec: 'RFC 7671 §5.2.2',
    says: s => `A TLSA record of ${s.host} names an issuer that the server does not send${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must add this certificate to the chain that the server sends ("fullchain.pem", and the root as well if the record names the root).`,
  },
  'dane.roots-ignored': {
    ...remark,
    severity: 'info',
    culprit: 'operator',
    spec: 'RFC 7672 §3.1.3',
    says: s => `Roots were given, and play no part: where there are TLSA records, they alone decide${s.detail}.`,
    remedy: () => 'Leave the roots out; or leave the TLSA records out, to see what a client without DANE decides.',
  },
} as const satisfies Record<DaneReason, FindingEntry>
