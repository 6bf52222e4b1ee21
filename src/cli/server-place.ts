/** Where a server is, as an operator writes it: `HOST:PORT`. */
import { visible } from '../judgement/visible.ts'
import { canonicalIp } from '../protocol/ip.ts'
import { CliFailure } from './failure.ts'
import { referenceName } from './reference-name.ts'

export interface ServerPlace {
  /** A name in A-labels, or an address. */
  readonly host: string
  readonly isAddress: boolean
  readonly port: number
}

/** `mx.example.org:25`, `[2001:db8::1]:465`, `mx.example.org`. @throws CliFailure 64 */
export function serverPlace(text: string): ServerPlace {
  const address = canonicalIp(text)
  const [, inner, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? smtpPort : Number(digits)
  const given = address ?? inner ?? name
  if (given === undefined || port < 1 || port > 65_535)
    throw new CliFailure(
      'cli.usage',
      `--from: '${visible(text, 80)}' is not HOST:PORT`,
      'For example --from mx.example.org:25 or --from [2001:db8::1]:465',
    )
  const host = referenceName(given, '--from')
  return { host, isAddress: canonicalIp(host) !== null, port }
}

const smtpPort = 25
