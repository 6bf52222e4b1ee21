/**
 * `hermetic/x509`: certificates read, paths built and validated, names matched (RFC 5280, RFC 9525); pure, without packages.
 *
 * Begin with `readChain` (PEM) or `parseCertificate` (DER), which never throw; judge with `judgePkix`; docs/x509.md has an example and
 * every rule. Nothing here asks for the time or any network: both come in with the question.
 */
export { createBudget, defaultLimits } from './budget.ts'
export { maxCertificateBytes, parseCertificate } from './certificate.ts'
export { commonNames, nameText, sameName } from './distinguished-name.ts'
export {
  type IdentityMatch,
  type IdentityOptions,
  matchIdentity,
  type PresentedName,
  presentedNames,
} from './identity.ts'
export {
  type Informational,
  type InformationalPart,
  readInformational,
  type SignedCertificateTimestamp,
  type UnreadablePart,
} from './informational.ts'
export type {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  Certificate,
  DistinguishedName,
  Extension,
  Fault,
  GeneralName,
  KeyUsage,
  NameConstraints,
  Oid,
  Profile,
  PublicKey,
  PublicKeyFacts,
  Purpose,
  Read,
} from './model.ts'
export { findPaths } from './path.ts'
export type {
  Anchor,
  Budget,
  NoPath,
  PathAnswer,
  PathFault,
  PathQuestion,
  ValidPath,
  Work,
} from './path-types.ts'
export { maxChainCertificates, readChain } from './pem.ts'
export { judgePkix, type PkixJudgement, type PkixQuestion } from './pkix.ts'
export { keyText, readPublicKey } from './public-key.ts'
export type { X509IssuanceFault, X509Reason, X509Refusal, X509Remark } from './reasons.ts'
export { type Rule, rules, type Treatment } from './rules.ts'
