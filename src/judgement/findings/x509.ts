/** Findings about certificates, paths and names: the part of the register (findings.ts) for the reasons of protocol/x509. */
import type { X509Reason } from '../../protocol/x509/reasons.ts'
import type { SecondOpinionReason } from '../failure.ts'
import type { FindingEntry, Seen } from './entry.ts'

/** What every refusal for a certificate has in common: another host may serve, and a new certificate heals it. */
const refused = {
  severity: 'error',
  culprit: 'peer',
  condemns: 'host',
  lasting: 'for-now',
  enhanced: '4.7.5',
} as const

/** Faults of issuance: our profile for mail lets them pass, a stricter client may not. */
const issuance = { ...refused, severity: 'warning' } as const
const remark = { ...refused, severity: 'info' } as const

const newCertificate = (s: Seen): string =>
  `The postmaster of ${s.host} needs a new certificate from its authority, made by the rules.`

const authoritys = (): string =>
  'The authority that issued it must correct this; for a private authority that is whoever runs it, with the settings of its software.'

const pedantic = (): string =>
  'The rules for mail let it pass, stricter clients do not. Whoever issues the certificate should correct it with the next one.'

export const x509Findings = {
  'x509.no-certificate': {
    ...refused,
    spec: 'RFC 9525 §6.1',
    says: s => `${s.host} showed no certificate, so nothing proves who it is${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must configure a certificate and switch anonymous cipher suites off.`,
  },
  'x509.malformed': {
    ...refused,
    spec: 'RFC 5280 §4.1',
    says: s => `A certificate of ${s.host} cannot be read: it is not encoded as the standard says${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should look whether the file is whole and holds certificates only; if it is, the software that made the certificate is at fault, and another must make it anew.`,
  },
  'x509.name-mismatch': {
    ...refused,
    spec: 'RFC 9525 §6.3',
    says: s => `The certificate of ${s.host} is for other names${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must get a certificate that names it; or, where it was the operator who chose the name (in a route, or for \`hermetic verify\`), he names what the certificate carries.`,
  },
  'x509.untrusted-root': {
    ...refused,
    spec: 'RFC 5280 §6.1',
    says: s => `The certificate of ${s.host} leads to an authority that is not trusted here${s.detail}.`,
    remedy: s =>
      `If ${s.host} has a private authority, trust its root certificate (\`--roots\`; \`roots\` in a relay's route); else it needs a public certificate.`,
  },
  'x509.self-signed': {
    ...refused,
    spec: 'RFC 5280 §6.1',
    says: s => `The certificate of ${s.host} is signed by nobody but itself${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should get a certificate from an authority; or trust this one (\`--roots\`; \`roots\` in a relay's route).`,
  },
  'x509.missing-intermediate': {
    ...refused,
    spec: 'RFC 8446 §4.4.2',
    says: s =>
      `${s.host} sent its certificate without the one that signed it, and no trusted root did${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must serve the full chain ("fullchain.pem"); if a private root signed it, trust that root (\`--roots\`; \`roots\` in a relay's route).`,
  },
  'x509.expired': {
    ...refused,
    spec: 'RFC 5280 §6.1.3',
    says: s => `A certificate of ${s.host} has expired${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must renew it if it is the server's own, and see that the server loads the new one; an authority's is replaced in the chain file by the current one, or left out.`,
  },
  'x509.not-yet-valid': {
    ...refused,
    spec: 'RFC 5280 §6.1.3',
    says: s => `A certificate of ${s.host} is not valid yet${s.detail}.`,
    remedy: () => 'Compare the clocks of both machines; then the dates of the certificate.',
  },
  'x509.bad-signature': {
    ...refused,
    spec: 'RFC 5280 §6.1.3',
    says: s =>
      `A signature in the certificate chain of ${s.host} is wrong: the certificate named as issuer did not sign it${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should install certificate and intermediates anew, both from the same issuance: an old intermediate with the same name but another key looks like this. A certificate that was altered does, too.`,
  },
  'x509.weak-signature': {
    ...refused,
    spec: 'RFC 8446 §4.4.2.4',
    says: s =>
      `A certificate of ${s.host} is signed with a hash that can be forged, such as MD5 or SHA-1${s.detail}.`,
    remedy: s => `The postmaster of ${s.host} needs a certificate that is signed with SHA-256 or better.`,
  },
  'x509.unsupported-algorithm': {
    ...refused,
    spec: 'RFC 5280 §4.1.1.2',
    says: s =>
      `A certificate of ${s.host} has a key or a signature of a kind that is not verified here${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should use a certificate with an RSA key or one on the curve P-256: these are what every mail server understands.`,
  },
  'x509.algorithm-mismatch': {
    ...refused,
    spec: 'RFC 5280 §4.1.1.2',
    says: s =>
      `A certificate of ${s.host} names one signature algorithm in its signed part and another outside${s.detail}.`,
    remedy: newCertificate,
  },
  'x509.key-too-weak': {
    ...refused,
    spec: 'RFC 9325 §4.5',
    says: s => `A key in the certificate chain of ${s.host} is short enough to be broken${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} must make a new key, RSA with 2048 bits or more or P-256, and get a certificate for it.`,
  },
  'x509.issuer-not-ca': {
    ...refused,
    spec: 'RFC 5280 §4.2.1.9',
    says: s =>
      `A certificate in the chain of ${s.host} signed another one and is not an authority's: it lacks basicConstraints with cA${s.detail}.`,
    remedy: () =>
      'Treat a public certificate that does this as an attack. A private authority must issue its own certificate again, with basicConstraints CA:TRUE.',
  },
  'x509.path-length': {
    ...refused,
    spec: 'RFC 5280 §4.2.1.9',
    says: s =>
      `An authority in the chain of ${s.host} may have fewer authorities below it than there are${s.detail}.`,
    remedy: authoritys,
  },
  'x509.path-too-long': {
    ...refused,
    spec: 'RFC 5280 §6.1',
    says: s =>
      `The way from the certificate of ${s.host} to an anchor has more authorities in between than are followed${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should use a shorter chain; real ones have one to three authorities.`,
  },
  'x509.issuer-key-usage': {
    ...refused,
    spec: 'RFC 5280 §4.2.1.3',
    says: s =>
      `An authority in the chain of ${s.host} has a key usage without keyCertSign, so it may not sign certificates${s.detail}.`,
    remedy: authoritys,
  },
  'x509.extended-key-usage': {
    ...refused,
    spec: 'RFC 5280 §4.2.1.12',
    says: s =>
      `A certificate of ${s.host} may not be used for this: its extended key usage is another${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} needs a certificate with the extended key usage serverAuth (clientAuth where it is a client).`,
  },
  'x509.leaf-key-usage': {
    ...refused,
    spec: 'RFC 5280 §4.2.1.3',
    says: s =>
      `The key usage of the certificate of ${s.host} permits nothing that a TLS handshake needs, as that of an authority does${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} needs a certificate of its own for the server, with digitalSignature (and keyEncipherment for RSA) in its key usage; with a private authority that is one more certificate to issue.`,
  },
  'x509.name-constraints': {
    ...refused,
    spec: 'RFC 5280 §4.2.1.10',
    says: s =>
      `A name in the chain of ${s.host} is one for which its authority may not issue certificates${s.detail}.`,
    remedy: () =>
      'The certificate must come from another authority; or the one above must permit these names in its name constraints.',
  },
  'x509.unknown-critical-extension': {
    ...refused,
    spec: 'RFC 5280 §4.2',
    says: s =>
      `A certificate of ${s.host} holds an extension that must be understood to use it, and is not understood here${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} needs a certificate without it, or with the extension not marked critical.`,
  },
  'x509.over-budget': {
    ...refused,
    spec: null,
    says: s =>
      `To judge the certificates of ${s.host} would take more work than any honest chain does, so it was given up${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should send its certificate and the authorities above it, and nothing else.`,
  },

  'x509.openssl-disagrees': {
    ...refused,
    culprit: 'us',
    spec: null,
    says: s => `Hermetic and OpenSSL do not judge the certificate path of ${s.host} alike${s.detail}.`,
    remedy: () =>
      'One of the two is wrong: please report it with the text in brackets and the chain, which `hermetic log` shows. To be safe the path is not accepted unless both do.',
  },

  'x509.encoding': {
    ...issuance,
    spec: 'RFC 5280 §4.1',
    says: s =>
      `A certificate of ${s.host} is written in a way that the standard (DER) does not have, though its meaning is beyond doubt${s.detail}.`,
    remedy: () =>
      'The rules for mail let it pass, as OpenSSL and GnuTLS do; stricter programs may not. Old or home-made software writes such certificates: the next one should be made with another.',
  },
  'x509.extension-unreadable': {
    ...issuance,
    spec: 'RFC 5280 §4.2',
    says: s =>
      `A certificate of ${s.host} holds an extension that cannot be read, and that nothing here depends on${s.detail}.`,
    remedy: () =>
      'The rules for mail let it pass, but other programs may refuse the certificate (OpenSSL does for cRLDistributionPoints). Whoever issues it should correct it with the next one.',
  },
  'x509.key-short': {
    ...issuance,
    spec: 'RFC 9325 §4.5',
    says: s => `A key in the certificate chain of ${s.host} is shorter than is good today${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should make a new key, RSA with 2048 bits or more or P-256, with the next certificate.`,
  },
  'x509.key-size-odd': {
    ...issuance,
    spec: null,
    says: s => `An RSA key in the certificate chain of ${s.host} has an unusual size or exponent${s.detail}.`,
    remedy: pedantic,
  },
  'x509.missing-aki': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.1',
    says: s => `A certificate of ${s.host} does not say which key signed it (authorityKeyIdentifier)${s.detail}.`,
    remedy: pedantic,
  },
  'x509.missing-ski': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.2',
    says: s =>
      `An authority in the chain of ${s.host} has no identifier for its key (subjectKeyIdentifier)${s.detail}.`,
    remedy: pedantic,
  },
  'x509.aki-issuer': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.1',
    says: s =>
      `A certificate of ${s.host} names its issuer by name and serial number in the authorityKeyIdentifier${s.detail}.`,
    remedy: pedantic,
  },
  'x509.aki-mismatch': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.1',
    says: s =>
      `A certificate of ${s.host} says that another key signed it than the one that did (authorityKeyIdentifier)${s.detail}.`,
    remedy: () =>
      'The rules for mail let it pass, but OpenSSL and others may not find the issuer. Whoever issues the certificate must correct it with the next one.',
  },
  'x509.key-id-critical': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.1',
    says: s => `A certificate of ${s.host} marks a key identifier as critical, which it may not be${s.detail}.`,
    remedy: pedantic,
  },
  'x509.serial-number': {
    ...issuance,
    spec: 'RFC 5280 §4.1.2.2',
    says: s => `A certificate of ${s.host} has a serial number that is zero, negative or too long${s.detail}.`,
    remedy: pedantic,
  },
  'x509.old-version': {
    ...issuance,
    spec: 'RFC 5280 §4.1.2.1',
    says: s =>
      `A certificate of ${s.host} is of an old version, or of one that does not fit its content${s.detail}.`,
    remedy: pedantic,
  },
  'x509.basic-constraints-not-critical': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.9',
    says: s => `An authority in the chain of ${s.host} does not mark its basicConstraints as critical${s.detail}.`,
    remedy: pedantic,
  },
  'x509.leaf-is-ca': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.9',
    says: s =>
      `${s.host} uses an authority's certificate as its own: whoever breaks into the server can issue certificates${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should issue a certificate for the server with this authority, and keep the authority's key elsewhere.`,
  },
  'x509.leaf-may-sign': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.3',
    says: s =>
      `The certificate of ${s.host} has the key usage keyCertSign, which is for authorities alone${s.detail}.`,
    remedy: pedantic,
  },
  'x509.san-not-critical': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.6',
    says: s =>
      `The certificate of ${s.host} has no subject, and does not mark its subjectAltName as critical${s.detail}.`,
    remedy: pedantic,
  },
  'x509.san-critical': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.6',
    says: s => `The certificate of ${s.host} has a subject, and marks its subjectAltName as critical${s.detail}.`,
    remedy: pedantic,
  },
  'x509.no-san': {
    ...issuance,
    spec: 'RFC 9525 §6.1',
    says: s =>
      `The certificate of ${s.host} has no subjectAltName; only its common name, if any, says whom it is for${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} needs a certificate that carries its name as a subjectAltName: the common name counts with TLSA records of usage 2 alone, and not for other clients.`,
  },
  'x509.name-constraints-not-critical': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.10',
    says: s => `An authority in the chain of ${s.host} does not mark its name constraints as critical${s.detail}.`,
    remedy: pedantic,
  },
  'x509.name-constraints-in-leaf': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.10',
    says: s => `The certificate of ${s.host} holds name constraints, which are for authorities alone${s.detail}.`,
    remedy: pedantic,
  },
  'x509.name-constraints-empty': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.10',
    says: s =>
      `An authority in the chain of ${s.host} has name constraints that neither permit nor exclude anything${s.detail}.`,
    remedy: pedantic,
  },
  'x509.policy-constraints-not-critical': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.11',
    says: s =>
      `A certificate in the chain of ${s.host} does not mark its policy constraints as critical${s.detail}.`,
    remedy: pedantic,
  },
  'x509.malformed-name': {
    ...issuance,
    spec: 'RFC 5280 §4.2.1.6',
    says: s => `A certificate of ${s.host} holds a name that is not well-formed${s.detail}.`,
    remedy: s =>
      `Such a name matches nothing. If ${s.host} is to be reached by it, its postmaster needs a certificate that writes it rightly: letters, digits, hyphens and dots, other scripts as \`xn--\`. Name constraints for DNS names are written without a dot in front.`,
  },
  'x509.public-suffix-wildcard': {
    ...issuance,
    spec: 'RFC 9525 §7.1',
    says: s =>
      `The certificate of ${s.host} holds a wildcard for names that strangers can register, and it matches nothing here${s.detail}.`,
    remedy: s => `The postmaster of ${s.host} needs a certificate with the names that it really has.`,
  },
  'x509.cn-not-in-san': {
    ...issuance,
    spec: null,
    says: s => `The certificate of ${s.host} has a common name that is not among its subjectAltNames${s.detail}.`,
    remedy: () =>
      'The rules for mail let it pass, as the common name does not count. If that name is to work, the next certificate must carry it as a subjectAltName.',
  },

  'x509.no-extended-key-usage': {
    ...remark,
    spec: 'RFC 5280 §4.2.1.12',
    says: s => `The certificate of ${s.host} has no extended key usage, which permits every one${s.detail}.`,
    remedy: () => 'Nothing to do: it is common with private authorities. The next certificate may say serverAuth.',
  },
  'x509.key-usage-no-signature': {
    ...remark,
    severity: 'warning',
    spec: 'RFC 5280 §4.2.1.3',
    says: s =>
      `The key usage of ${s.host}'s certificate lacks digitalSignature, and TLS 1.3, ECDHE and DHE need a signature: peers with GnuTLS (Exim on Debian) hang up with “Key usage violation”${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should get a certificate whose key usage has digitalSignature, or none at all; until then an Exim with GnuTLS that sends to it needs \`tls_require_ciphers = NORMAL:%COMPAT\` in the transport for this host.`,
  },
  'x509.key-usage-no-encipherment': {
    ...remark,
    spec: 'RFC 5280 §4.2.1.3',
    says: s =>
      `The key usage of ${s.host}'s certificate lacks keyEncipherment, and RSA key exchange (TLS 1.2 and older) needs it: peers with GnuTLS hang up where they come to that${s.detail}.`,
    remedy: s =>
      `Nothing to do as long as ${s.host} offers ECDHE or TLS 1.3, as it should; its postmaster may switch off the cipher suites with RSA key exchange.`,
  },
  'x509.chain-out-of-order': {
    ...remark,
    spec: 'RFC 8446 §4.4.2',
    says: s => `${s.host} does not send its certificates in order, each one followed by its issuer${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should sort the chain file: the server's certificate, then its issuer, then the next one up. Old TLS clients insist on it.`,
  },
  'x509.chain-has-strangers': {
    ...remark,
    spec: 'RFC 8446 §4.4.2',
    says: s => `${s.host} sends certificates that do not lead up from its own${s.detail}.`,
    remedy: s =>
      `The postmaster of ${s.host} should take them out of the chain file, as they cost every client time; or, if one of them is its root, add what is missing in between.`,
  },
  'x509.root-sent': {
    ...remark,
    spec: 'RFC 8446 §4.4.2',
    says: s => `${s.host} sends its root certificate as well${s.detail}.`,
    remedy: s =>
      `Nothing to do if a TLSA record names the root, for then it has to be sent; else the postmaster of ${s.host} may leave it out.`,
  },
} as const satisfies Record<X509Reason | SecondOpinionReason, FindingEntry>
