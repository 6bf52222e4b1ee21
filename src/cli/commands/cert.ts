/**
 * `hermetic cert show FILE`: a chain in words, `hermetic.cert/1`. Offline; no name and no TLSA record is asked, which `verify` does.
 *
 * Exit 0: whole and in date, up to a certificate that signed itself or below a known root. Exit 1: something in it would be refused.
 */
import { certDocument } from '../../judgement/cert-document.ts'
import { outlineChain } from '../../judgement/chain-outline.ts'
import { chainOutlineText } from '../../judgement/chain-outline-text.ts'
import { createBudget } from '../../protocol/x509/budget.ts'
import { readCertificates, readRoots } from '../certificate-file.ts'
import { answerIsNo, asHoped, type Context } from '../context.ts'
import { publicRootsFor } from '../public-roots.ts'
import { timeOption } from '../time-option.ts'

export interface CertShowOptions {
  readonly roots?: string
  readonly at?: string
}

export function show(file: string, options: CertShowOptions, context: Context): number {
  const atMs = options.at === undefined ? Date.now() : timeOption(options.at, '--at')
  const chain = readCertificates(file, 'cert show')
  const own = options.roots === undefined ? [] : readRoots(options.roots, '--roots')
  const outline = outlineChain({
    chain,
    roots: [...own, ...publicRootsFor(chain)],
    atMs,
    budget: createBudget(),
  })
  const document = certDocument(outline, chain)
  context.answer({ ...document }, chainOutlineText(document, context.paint))
  return outline.sound ? asHoped : answerIsNo
}
