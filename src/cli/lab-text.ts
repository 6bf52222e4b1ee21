/** What `lab up`, `lab status` and `lab down` say to people, and the facts it is made of. */
import { wrapped } from '../judgement/columns.ts'
import { visible } from '../judgement/visible.ts'
import type { HostReport, LabReport } from '../lab/standing-lab.ts'
import type { Came, MailReport, VisitReport } from '../lab/visit-report.ts'
import type { Context } from './context.ts'
import { shellWord } from './shell-word.ts'
import { span } from './table.ts'

interface LabFacts {
  readonly pid: number
  /** RFC 3339, UTC. */
  readonly since: string
  /** The network namespace it is in; null on loopback. */
  readonly namespace: string | null
  readonly files: {
    readonly directory: string
    readonly anchors: string
    readonly root: string
    readonly configuration: string
    readonly log: string
  }
}

/** `hermetic.lab-status/1` of a lab that is up. */
export type LabStatus = LabFacts & LabReport

interface Where {
  readonly address: string
  readonly port: number
}

/** `hermetic.lab-up/1` */
export interface UpDocument extends LabFacts {
  readonly schema: 'hermetic.lab-up/1'
  /** Whether it was up before. */
  readonly already: boolean
  readonly dns: Where
  /** With the file that tells programs in the namespace of it; not ours when it was there before. */
  readonly resolver: (Where & { readonly file?: string; readonly isOurs?: boolean }) | null
  /** How many there are. */
  readonly hosts: number
}

/** @param program how a shell calls this program, for the commands to copy */
export function upText(
  document: UpDocument,
  how: 'background' | 'foreground',
  context: Context,
  program: string,
): string {
  const { already, pid, hosts, dns, resolver, files, namespace } = document
  const place = namespace === null ? 'on loopback' : `in the network namespace ${namespace}`
  const dnsAt = `${dns.address}:${dns.port}`
  const server = resolver === null ? dnsAt : resolver.address
  const enter = namespace === null ? '' : `ip netns exec ${namespace} `
  const rows: readonly (readonly [string, string])[] = [
    ...(resolver === null
      ? [['DNS', `${dnsAt}, signed from a private root, UDP and TCP`] as const]
      : [
          ['Resolver', `${resolver.address}:${resolver.port}, validates from the lab's own root`] as const,
          ['DNS behind it', dnsAt] as const,
        ]),
    ['Trust anchors', files.anchors],
    ['CA of its hosts', files.root],
    ['Configuration', files.configuration],
  ]
  return [
    context.paint(
      'bold',
      `${already ? 'The lab is up already' : 'The lab is up'} ${place}: process ${pid}, ${hosts} mail hosts.`,
    ),
    '',
    ...rows.map(([what, where]) => `  ${what.padEnd(15)}  ${visible(where, 300)}`),
    '',
    ...(namespace === null
      ? loopbackHints(files, server, program)
      : namespaceHints(files, enter, program, resolver?.isOurs === true)),
    '',
    how === 'foreground'
      ? "'hermetic lab status' tells what came to it; Ctrl-C or 'hermetic lab down' ends it."
      : "'hermetic lab status' tells what came to it, 'hermetic lab down' ends it.",
  ].join('\n')
}

function loopbackHints(files: LabFacts['files'], server: string, program: string): readonly string[] {
  return [
    'Ask its DNS, validated from its own root, and see where a relay would deliver and why:',
    `  ${program} dns ${exampleHost} TLSA --server ${server} --anchor ${shellWord(files.anchors)}`,
    `  ${program} route bob@${exampleDomain} --config ${shellWord(files.configuration)}`,
    ...wrapped(
      "Its hosts listen on loopback ports ('hermetic lab status' lists them), and the addresses that its DNS gives lead nowhere: 'hermetic lab run --all' " +
        "plays all of it through a relay in a lab of its own, 'hermetic lab up --real-ports' (root) makes the addresses real for other mail servers.",
      '',
      '',
    ),
  ]
}

function namespaceHints(
  files: LabFacts['files'],
  enter: string,
  program: string,
  isResolverOurs: boolean,
): readonly string[] {
  return [
    "In there the lab's addresses are real, port 25 too, and programs find the resolver by themselves:",
    `  ${enter}sh`,
    `  ${enter}posttls-finger -c -l dane -L summary,verbose ${exampleDomain}`,
    `  ${enter}${program} serve --config ${shellWord(files.configuration)}`,
    `  ${enter}postfix -c DIRECTORY start`,
    ...wrapped(
      "A Postfix of your own needs smtp_tls_security_level = dane, smtp_dns_support_level = dnssec, 'n' in the chroot column of master.cf, and a " +
        'queue_directory of its own. docs/lab.md has a whole one.',
      '',
      '',
    ),
    ...(isResolverOurs
      ? []
      : [
          'The file resolv.conf for this namespace was there before and is left as it is: it must name 127.0.0.1.',
        ]),
  ]
}

export function statusText(status: LabStatus, nowMs: number, context: Context): string {
  const { pid, since, namespace, hosts, dns, resolver, files } = status
  const place = namespace === null ? 'on loopback' : `in the network namespace ${namespace}`
  const seen = hosts.filter(({ visits }) => visits > 0)
  const questions = resolver ?? dns
  return [
    context.paint(
      'bold',
      `The lab is up ${place}: process ${pid}, since ${since} (${span(nowMs - Date.parse(since))}).`,
    ),
    '',
    `  DNS            ${dns.address}:${dns.port}, ${plural(dns.questions, 'question')}`,
    ...(resolver === null
      ? []
      : [`  Resolver       ${resolver.address}:${resolver.port}, ${plural(resolver.questions, 'question')}`]),
    `  Trust anchors  ${visible(files.anchors, 300)}`,
    `  Configuration  ${visible(files.configuration, 300)}`,
    '',
    ...(questions.newest.length === 0
      ? []
      : ['Last asked', ...wrapped(visible(questions.newest.slice(-8).join(', '), 2_000), '  ', '  '), '']),
    `Hosts: ${hosts.length}, of which ${seen.length === 0 ? 'none was' : `${seen.length} ${seen.length === 1 ? 'was' : 'were'}`} visited`,
    ...(namespace === null ? ['', ...hosts.map(listening)] : []),
    ...seen.flatMap(host => hostLines(host, context)),
  ].join('\n')
}

/** Where a host can be found, for who would like to go: its address, and the port of loopback behind it. */
function listening({ name, addresses, port, listens }: HostReport): string {
  return `  ${name.padEnd(34)} ${(addresses[0] ?? '').padEnd(16)} ${String(port).padStart(4)}  ${listens ?? 'down on purpose'}`
}

function hostLines(host: HostReport, context: Context): readonly string[] {
  const { name, addresses, port, visits, messages, newest } = host
  const older = visits - newest.length
  const portText = port === 25 ? '' : ` port ${port}`
  return [
    '',
    `${context.paint('bold', name)}  ${addresses.join(', ')}${portText}: ${plural(visits, 'visit')}, ${plural(messages, 'message')} kept`,
    ...(older > 0 ? [`  (${older} older)`] : []),
    ...newest.flatMap(visit => visitLines(visit, context)),
  ]
}

function visitLines(visit: VisitReport, context: Context): readonly string[] {
  const { at, helo, tls, tlsError, came, mails } = visit
  const who = helo === null ? 'somebody' : visible(helo, 80)
  const encryption =
    tls === null ? 'no TLS' : `${tls.version}, SNI ${tls.sni === null ? 'none' : visible(tls.sni, 80)}`
  const colour = came === 'delivered' ? 'green' : 'yellow'
  return [
    ...wrapped(`${at.slice(0, 19)}Z ${who}, ${encryption}: ${cameText[came]}`, '  ', '      ').map(
      (line, place) => (place === 0 ? context.paint(colour, line) : line),
    ),
    ...(tlsError === null ? [] : wrapped(`TLS failed: ${tlsErrorText(tlsError)}`, '      ', '      ')),
    ...mails.flatMap(mailLines),
  ]
}

/** OpenSSL's reason, and what it means where that is hard to guess: `tlsa check` asks for each kind of key. */
function tlsErrorText(reason: string): string {
  const words = visible(reason, 200)
  return reason === 'no suitable signature algorithm'
    ? `${words} (the client asked for a certificate with another kind of key)`
    : words
}

function mailLines({ from, over, accepted, refused, content }: MailReport): readonly string[] {
  const address = (text: string) => `<${visible(text, 120)}>`
  const list = (addresses: readonly string[]) => addresses.map(address).join(' ')
  const parts = [
    ...(accepted.length === 0 ? [] : [`to ${list(accepted)}`]),
    ...(refused.length === 0 ? [] : [`refused ${list(refused)}`]),
    content === null ? 'no content' : content === 'kept' ? 'kept' : 'content refused',
  ]
  const where = over === 'clear' ? ', in clear text' : ''
  return wrapped(`MAIL from ${address(from)}${where}: ${parts.join(', ')}`, '      ', '        ')
}

export function downText({
  ended,
  removed,
  inside,
}: {
  readonly ended: { readonly pid: number | null; readonly namespace: string | null } | null
  readonly removed: readonly {
    readonly namespace: string
    readonly says: readonly string[]
  }[]
  readonly inside: readonly number[]
}): string {
  const lines: string[] = []
  if (ended !== null) {
    const { pid, namespace } = ended
    const which = pid === null ? '' : ` (process ${pid})`
    lines.push(
      namespace === null
        ? `The lab has ended${which}.`
        : `The lab has ended${which}, and so has its network namespace ${namespace}.`,
    )
  }
  for (const { namespace, says } of removed)
    lines.push(
      `What a lab had left that did not end in order is removed: network namespace ${namespace}.`,
      ...says,
    )
  if (inside.length > 0)
    lines.push(
      `Still running that were started in it, without a way out: ${plural(inside.length, 'process')} (${inside.slice(0, 20).join(', ')}).`,
    )
  return lines.length === 0 ? 'No lab of this user was up.' : lines.join('\n')
}

function plural(count: number, what: string): string {
  if (count === 1) return `1 ${what}`
  return `${count} ${what}${what.endsWith('s') ? 'es' : 's'}`
}

const cameText: Readonly<Record<Came, string>> = {
  delivered: 'delivered',
  'mail-commands': 'gave mail commands, and delivered nothing',
  'left-after-tls': 'left after the handshake, before any mail command',
  'left-during-tls': 'said STARTTLS and did not finish the handshake',
  left: 'left before TLS and before any mail command',
}

/** Case 2: nine records, the eighth matches. */
const exampleDomain = 'et.example'
const exampleHost = '_25._tcp.mx06.et.example'
