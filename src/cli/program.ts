/**
 * The command line: which commands there are, what each may be given, and how each ends. Commands themselves are in `commands/`, loaded when called.
 *
 * Wrong usage is 64 with one sentence; whatever a command throws that is no `CliFailure` is our bug and says so (70).
 */
import { Command, CommanderError, Option } from 'commander'
import { visible } from '../judgement/visible.ts'
import type { CertShowOptions } from './commands/cert.ts'
import type { DnsOptions } from './commands/dns.ts'
import type { UpOptions } from './commands/lab-up.ts'
import type { LogOptions } from './commands/log.ts'
import type { TlsaCreateOptions } from './commands/tlsa.ts'
import type { TlsaCheckOptions } from './commands/tlsa-check.ts'
import type { VerifyOptions } from './commands/verify.ts'
import { type Context, createContext } from './context.ts'
import { CliFailure, errorDocument, failures } from './failure.ts'
import { overview, overviewDocument } from './overview.ts'
import { readUsage, several, type UsageProblem } from './usage.ts'

/** @returns the exit code. Never rejects. */
export async function run(argv: readonly string[]): Promise<number> {
  const context = contextOf(argv)
  try {
    return await dispatch(argv, context)
  } catch (error) {
    const failure = asFailure(error)
    if (context.json) context.answer(errorDocument(failure) as Parameters<Context['answer']>[0], '')
    else {
      const { wrapped } = await import('../judgement/columns.ts')
      // The others come from services, whose logs want a sentence in one line.
      const isTyped = typed.has(failure.code)
      const lines = (text: string) => (isTyped ? wrapped(text, '', '') : [text])
      // A page has its lines already.
      const more = (failure.more.lines ?? []).flatMap(text => (text.includes('\n') ? [text] : lines(text)))
      context.remark(
        [...lines(`hermetic: ${failure.message}`), ...more, ...lines(failure.hint)]
          .filter(line => line !== '')
          .join('\n'),
      )
    }
    return failures[failure.code]
  }
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  // Options of `sendmail` are older than any parser of ours: `-oi`, `-fuser`, `-bs`.
  const place = placeOfCommand(argv)
  if (argv[place] === 'sendmail') {
    const { run: sendmail } = await import('./commands/sendmail.ts')
    return await sendmail(argv.toSpliced(place, 1))
  }
  const words = helpAndVersion(argv)
  if (words[0] === 'sendmail') return dispatch(words, context)
  let exitCode = 0
  // What is said after the options comes by itself, and is of the same document.
  const help: string[] = []
  const program = commands(
    context,
    async work => {
      exitCode = await work()
    },
    text => void help.push(text),
  )
  const { command, problem } = readUsage(program, words)
  if (problem !== null) throw usageFailure(problem, command)
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) {
      const text = help.join('').trimEnd()
      context.answer({ schema: 'hermetic.help/1', text }, text)
      return 0
    }
    const [says = '', meant = ''] = error.message.replace(/^error: /, '').split('\n')
    throw usageFailure({ says: visible(says), meant: visible(meant).replace(/^\((.*)\)$/, '$1') }, command)
  }
  return exitCode
}

/** The first word behind the options that every command takes. */
function placeOfCommand(argv: readonly string[]): number {
  for (let place = 0; place < argv.length; place++) {
    const word = argv[place] ?? ''
    if (word === '--config') place++
    else if (word !== '--json' && !word.startsWith('--config=')) return place
  }
  return argv.length
}

/** The words that other programs have for these two: `--version`, `-V`, and `help COMMAND`. */
function helpAndVersion(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex(word => word !== '--json')
  const before = argv.slice(0, Math.max(0, at))
  const after = argv.slice(at + 1)
  if (argv[at] === '--version' || argv[at] === '-V') return ['version', ...before, ...after]
  if (argv[at] !== 'help') return argv
  return after.every(word => word === '--json') ? [...before, ...after] : [...after, ...before, '--help']
}

function commands(
  context: Context,
  perform: (work: () => Promise<number>) => Promise<void>,
  writeHelp: (text: string) => void,
): Command {
  const program = new Command('hermetic')
    .description('A mail relay that gets SMTP over TLS right, and explains it when somebody else does not.')
    .addOption(new Option('--json', 'print one JSON document'))
    .addOption(new Option('--config <file>', 'configuration file'))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: writeHelp,
      writeErr: () => {},
      outputError: () => {},
    })
    .exitOverride()
    .helpCommand(false)
    .action(() => context.answer(overviewDocument(), overview(context.paint)))

  /** A command of its own settings, because commander hands them down only to commands it makes itself. */
  const add = (parent: Command, usage: string, description: string) =>
    parent.command(usage).description(description)

  add(program, 'serve', 'start the relay')
    .addHelpText('after', serveHelp)
    .action(() => perform(async () => (await import('./commands/serve.ts')).run(context)))

  const queue = group(program, 'queue', 'mail that waits in the spool')
  add(queue, 'list', 'what waits, oldest first')
    .option('--limit <n>', 'at most so many', wholeNumber, 100)
    .addHelpText('after', queueListHelp)
    .action((options: { limit: number }) =>
      perform(async () => (await import('./commands/queue.ts')).list(options, context)),
    )
  add(queue, 'show <id>', 'one message')
    .addHelpText('after', queueShowHelp)
    .action((id: string) => perform(async () => (await import('./commands/queue.ts')).show(id, context)))
  add(queue, 'retry [id]', 'try again now')
    .option('--all', 'everything that waits')
    .addHelpText('after', queueRetryHelp)
    .action((id: string | undefined, options: { all?: boolean }) =>
      perform(async () => (await import('./commands/queue.ts')).retry(id ?? null, options.all === true, context)),
    )
  add(queue, 'remove <id>', 'delete a message without telling anybody')
    .addHelpText('after', queueRemoveHelp)
    .action((id: string) => perform(async () => (await import('./commands/queue.ts')).remove(id, context)))

  add(program, 'log [id]', 'what became of a message; without an id the newest ones')
    .option('--matching <text>', 'only messages whose sender, recipient or id contains this')
    .option(
      '--attempt [delivery]',
      'one attempt to deliver, as a page; without a value the last one of the message',
    )
    .option('--incidents', 'what clients did to us: bytes before TLS, refused relaying …')
    .option('--limit <n>', 'at most so many', wholeNumber, 30)
    .addHelpText('after', logHelp)
    .action((id: string | undefined, options: LogOptions) =>
      perform(async () => (await import('./commands/log.ts')).run(id ?? null, options, context)),
    )

  add(program, 'route <address>', 'where mail for an address would go, and why; sends nothing')
    .option('--sender <address>', 'as mail from this sender')
    .option('--source <ip>', 'as mail from this client')
    .addHelpText('after', routeHelp)
    .action((address: string, options: { sender?: string; source?: string }) =>
      perform(async () => (await import('./commands/route.ts')).run(address, options, context)),
    )

  const config = group(program, 'config', 'the configuration file')
  add(config, 'check [file]', 'say what is wrong with it')
    .addHelpText('after', configCheckHelp)
    .action((file: string | undefined) =>
      perform(async () => (await import('./commands/config.ts')).check(file ?? null, context)),
    )
  add(config, 'example', 'print one to start from').action(() =>
    perform(async () => (await import('./commands/config.ts')).example(context)),
  )
  add(config, 'schema', 'print its JSON Schema').action(() =>
    perform(async () => (await import('./commands/config.ts')).schema(context)),
  )
  add(config, 'reload', 'let the running relay read it again')
    .addHelpText('after', configReloadHelp)
    .action(() => perform(async () => (await import('./commands/config.ts')).reload(context)))

  // Only for the help: `dispatch` takes it before.
  add(program, 'sendmail', 'hand in a message, with the options of sendmail(8)')

  add(program, 'verify', 'judge the certificates of a server: one chain, one verdict; no network without --from')
    .option('--chain <file>', 'PEM: the certificates as the server sends them, its own first; - is standard input')
    .option('--from <host:port>', 'the chain that this server shows after STARTTLS; at port 465, at once')
    .option('--name <name>', 'a name that the server is to prove; again for others that will do', several)
    .option('--tlsa <record>', 'a TLSA record, as "2 1 1 HEX"; again for each one published', several)
    .option('--roots <file>', "PEM: the roots to trust without TLSA records; Mozilla's, unless given")
    .option('--at <time>', 'judge as of then, as 2026-03-01T12:00:00Z; now, unless given')
    .option('--known <file>', 'PEM: certificates that are known and were not sent, for explanations only')
    .addOption(
      new Option('--key-exchange <sort>', 'how the session key is agreed upon').choices([
        'rsa',
        'ecdhe',
        'tls1.3',
      ]),
    )
    .addOption(
      new Option(
        '--profile <rules>',
        'mail: refuse what could admit a wrong peer; strict: also faults of issuance',
      )
        .choices(['mail', 'strict'])
        .default('mail'),
    )
    .addOption(
      new Option('--purpose <role>', 'what the certificate is shown as')
        .choices(['server', 'client'])
        .default('server'),
    )
    .option('--max-depth <n>', 'authorities between the certificate and its anchor, 0 to 100', maxDepth)
    .option('--cn-fallback', 'without TLSA: take the common name of a certificate that has no DNS name')
    .option('--any-name', 'the name does not matter')
    .addHelpText('after', verifyHelp)
    .action((options: VerifyOptions) =>
      perform(async () => (await import('./commands/verify.ts')).run(options, context)),
    )
  const tlsa = group(program, 'tlsa', 'TLSA records')
  add(tlsa, 'create <cert.pem>', 'the records that name a certificate, as lines for a zone file')
    .addOption(new Option('--usage <n>', "2: an issuer, 3: the server's own certificate").choices(['2', '3']))
    .addOption(new Option('--selector <n>', '0: the certificate, 1: its public key').choices(['0', '1']))
    .addOption(new Option('--mtype <n>', '0: all of it, 1: SHA-256, 2: SHA-512').choices(['0', '1', '2']))
    .option('--port <n>', 'of the service', portNumber, 25)
    .option('--host <name>', 'whose records they are; the only DNS name of the certificate, unless given')
    .addHelpText('after', tlsaCreateHelp)
    .action((file: string, options: TlsaCreateOptions) =>
      perform(async () => (await import('./commands/tlsa.ts')).create(file, options, context)),
    )
  add(tlsa, 'check <domain>', 'visit the mail hosts of a domain, and hold its TLSA records against what they show')
    .option('--next <cert.pem>', 'PEM: the next certificate, or its chain; say what breaks when it comes')
    .option('--as-host', 'the name is that of a host, and not of a domain with MX records')
    .option('--port <n>', 'of the host; 465 is TLS from the first byte', portNumber, 25)
    .option(
      '--server <address>',
      'ask this one, as ADDRESS, ADDRESS:PORT or tls://ADDRESS#NAME; again for others; those of the configuration, unless given',
      several,
    )
    .option('--anchor <file>', "DS or DNSKEY records to trust, as in a zone file; the public root's, unless given")
    .option('--at <time>', 'judge as of then, as 2026-03-01T12:00:00Z; now, unless given')
    .addHelpText('after', tlsaCheckHelp)
    .action((domain: string, options: TlsaCheckOptions) =>
      perform(async () => (await import('./commands/tlsa-check.ts')).check(domain, options, context)),
    )
  const cert = group(program, 'cert', 'certificates')
  add(cert, 'show <file>', 'a chain in words: who signed whom, order, gaps, faults')
    .option('--roots <file>', "PEM: roots to know besides Mozilla's")
    .option('--at <time>', 'judge as of then, as 2026-03-01T12:00:00Z; now, unless given')
    .option('--crl <file>', 'PEM or DER: a revocation list to report on; again for others', several)
    .option('--ocsp <file>', 'DER: an OCSP response to report on; again for others', several)
    .addHelpText('after', certShowHelp)
    .action((file: string, options: CertShowOptions) =>
      perform(async () => (await import('./commands/cert.ts')).show(file, options, context)),
    )

  add(
    program,
    'dns <name> [type]',
    'ask the DNS, and prove the answer with DNSSEC; A records, unless a type is given',
  )
    .option('--trace', 'with the chain of reasons, and every question that was asked')
    .option('--zone-audit', 'the zone of a domain instead: chain, keys, ends of signatures, proofs, MX and TLSA')
    .option(
      '--server <address>',
      'ask this one, as ADDRESS, ADDRESS:PORT or tls://ADDRESS#NAME; again for others; those of the configuration, unless given',
      several,
    )
    .option('--anchor <file>', "DS or DNSKEY records to trust, as in a zone file; the public root's, unless given")
    .option('--at <time>', 'judge signatures as of then, as 2026-03-01T12:00:00Z; now, unless given')
    .addHelpText('after', dnsHelp)
    .action((name: string, type: string | undefined, options: DnsOptions & { zoneAudit?: true }) =>
      perform(async () =>
        options.zoneAudit === true
          ? (await import('./commands/zone-audit.ts')).audit(name, type, options, context)
          : (await import('./commands/dns.ts')).run(name, type, options, context),
      ),
    )

  add(program, 'tour', 'see it at work, without root or network')
    .option('--once', 'end after the tour, also on a terminal')
    .addHelpText('after', tourHelp)
    .action((options: { once?: boolean }) =>
      perform(async () => (await import('./commands/tour.ts')).run({ once: options.once === true }, context)),
    )
  const lab = group(program, 'lab', 'a signed internet of its own: the relay put through its paces, others let in')
  add(lab, 'list', 'the scenarios: what is the matter, and where the rule is from')
    .addHelpText('after', labListHelp)
    .action(() => perform(async () => (await import('./commands/lab.ts')).list(context)))
  add(lab, 'run [scenario...]', 'play scenarios through the relay, and say whether all came out as expected')
    .option('--all', 'all of them')
    .addHelpText('after', labRunHelp)
    .action((names: string[], options: { all?: boolean }) =>
      perform(async () => (await import('./commands/lab.ts')).run(names, options.all === true, context)),
    )
  add(lab, 'up', 'start a lab that stays up, for your own tools and mail servers')
    .option('--real-ports', 'in a network namespace, with real addresses and port 25 (Linux, root)')
    .option('--namespace <name>', 'how that namespace is called; hermetic-lab, unless given')
    .option('--foreground', 'stay in this terminal')
    .addHelpText('after', labUpHelp)
    .action((options: UpOptions) =>
      perform(async () => (await import('./commands/lab-up.ts')).up(options, context)),
    )
  add(lab, 'status', 'whether one is up, and who came to it and did what')
    .addHelpText('after', labStatusHelp)
    .action(() => perform(async () => (await import('./commands/lab-up.ts')).status(context)))
  add(lab, 'down', 'end it, and remove what one left that did not end in order')
    .addHelpText('after', labDownHelp)
    .action(() => perform(async () => (await import('./commands/lab-up.ts')).down(context)))
  add(program, 'version', 'versions of Hermetic and its parts').action(() =>
    perform(async () => (await import('./commands/version.ts')).run(context)),
  )
  return program
}

function group(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description)
  return command.action(() => {
    const known = command.commands.map(one => one.name()).join(', ')
    throw new CommanderError(1, 'hermetic.unknownCommand', `'${name}' needs one of ${known}`)
  })
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new CommanderError(1, 'hermetic.number', `'${visible(text, 60)}' is not a whole number above 0`)
  return Number(text)
}

function maxDepth(text: string): number {
  if (!/^(?:\d{1,2}|100)$/.test(text))
    throw new CommanderError(
      1,
      'hermetic.number',
      `--max-depth: '${visible(text, 60)}' is not a number from 0 to 100`,
    )
  return Number(text)
}

function portNumber(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 65_535)
    throw new CommanderError(1, 'hermetic.number', `--port: '${visible(text, 60)}' is not a port, 1 to 65535`)
  return Number(text)
}

/** Wanted before the line is parsed, so that wrong usage is told in the right form too. */
function contextOf(argv: readonly string[]): Context {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  const at = own.findIndex(word => word === '--config' || word.startsWith('--config='))
  const word = own[at]
  const config =
    word === undefined ? null : word === '--config' ? (own[at + 1] ?? null) : word.slice('--config='.length)
  return createContext({ json: own.includes('--json'), config })
}

/** @param command The one whose help is to be read: `hermetic cert show`. */
function usageFailure({ says, meant }: UsageProblem, command: string): CliFailure {
  const help =
    command === 'hermetic' ? "'hermetic' lists the commands." : `'${command} --help' lists what it takes.`
  return new CliFailure('cli.usage', says, [meant, help].filter(part => part !== '').join(' '))
}

function asFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error
  const says = error instanceof Error ? error.message : String(error)
  const trace = error instanceof Error ? (error.stack ?? '') : ''
  return new CliFailure(
    'cli.internal',
    `a fault of Hermetic itself: ${says}`,
    'Please report it, with the lines above.',
    {
      lines: [trace],
    },
  )
}

/** Failures of commands that somebody has typed. */
const typed: ReadonlySet<string> = new Set([
  'cli.usage',
  'cli.bad-input',
  'cli.dns-unreachable',
  'cli.peer-unreachable',
])

const serveHelp = `
It runs until SIGTERM or SIGINT, and reads its configuration again at SIGHUP.

Exit codes: 0 ended as it was told to, 69 it cannot start, 78 the configuration is bad.

Examples:
  hermetic serve
  hermetic serve --config hermetic.yaml`

const queueListHelp = `
Exit codes: 0, also when nothing waits; 69 the relay or its spool is out of reach.

Examples:
  hermetic queue list
  hermetic queue list --limit 10 --json`

const queueShowHelp = `
Exit codes: 0 here it is, 1 no such message waits, 69 the relay or its spool is out of reach.

Example:
  hermetic queue show 01k9v3p0c2ma7`

const queueRetryHelp = `
Exit codes: 0 it is due now, 1 no such message waits, 69 the relay or its spool is out of reach.

Examples:
  hermetic queue retry 01k9v3p0c2ma7
  hermetic queue retry --all`

const queueRemoveHelp = `
Exit codes: 0 it is gone, 1 no such message waits, or it is being delivered, 69 the relay or its
spool is out of reach.

Example:
  hermetic queue remove 01k9v3p0c2ma7`

const logHelp = `
Exit codes: 0 here it is, 1 nothing is known of that id, or no message fits, 69 the journal cannot
be read.

Examples:
  hermetic log
  hermetic log 01k9v3p0c2ma7
  hermetic log 01k9v3p0c2ma7 --attempt
  hermetic log --matching partner.example`

const routeHelp = `
Exit codes: 0 there is a host to try, 1 a rule refuses the mail, or it has no way now.

Examples:
  hermetic route pat@example.org
  hermetic route pat@example.org --sender sam@home.example --source 192.0.2.7`

const configCheckHelp = `
Exit codes: 0 a relay can work with it, 1 it is good, and mail would wait all the same, 78 it is
bad.

Examples:
  hermetic config check
  hermetic config check hermetic.yaml`

const configReloadHelp = `
Exit codes: 0 taken, 69 no relay runs, or this user may not, 78 it is bad, and the old one is kept.

Example:
  hermetic config reload`

const tourHelp = `
Exit codes: 0 all came out as expected, 1 something did not, 130 interrupted.

Example:
  hermetic tour --once`

const labListHelp = `
Exit code: 0.

Examples:
  hermetic lab list
  hermetic lab list --json`

const labDownHelp = `
Exit codes: 0 none is up any more, 69 it belongs to somebody else, 75 it does not end.

Examples:
  hermetic lab down
  sudo hermetic lab down`

const verifyHelp = `
Exit codes: 0 authenticated, 1 not authenticated, 2 encrypted only, or nobody said which name to
check.

With --from the name is that of the host, unless --name or --any-name says otherwise; exit code 69:
it cannot be reached, or shows no certificate.

Examples:
  hermetic verify --from mx.example.org:25
  openssl s_client -starttls smtp -connect mx.example.org:25 -showcerts </dev/null >chain.pem
  hermetic verify --chain chain.pem --name mx.example.org
  hermetic verify --chain chain.pem --name mx.example.org --tlsa "2 1 1 8D02..."`

const tlsaCreateHelp = `
Exit codes: 0 here they are, 65 the file holds no certificate that a record can name.

Examples:
  hermetic tlsa create fullchain.pem --host mx.example.org
  hermetic tlsa create fullchain.pem --host mx.example.org --usage 3 --selector 1 --mtype 1`

const tlsaCheckHelp = `
Every MX host and address is visited, with each chain that it shows (RSA and ECDSA): greeting, EHLO,
STARTTLS, QUIT. No mail command is sent. Private and loopback addresses are left out, unless
dns.allow_addresses of the configuration has them.

Exit codes: 0 every host, address and chain proves itself by a secure TLSA record, 1 nothing does,
or mail has no way, 2 partly, 69 the DNS or all of the hosts cannot be reached.

With --next they speak of what comes, as a renewal hook wants it: 0 nothing breaks, 2 mail waits
unless records are published first, 1 no record helps, or nobody can tell; 65 the file is no good.

Examples:
  hermetic tlsa check example.org
  hermetic tlsa check example.org --next fullchain-new.pem
  hermetic tlsa check mx.example.org --as-host --port 465 --json`

const certShowHelp = `
Exit codes: 0 the chain is whole and in date, 1 it is not; --crl and --ocsp change neither.

Examples:
  hermetic cert show fullchain.pem
  hermetic cert show fullchain.pem --crl issuer.crl`

const dnsHelp = `
Exit codes: 0 there are records, and nothing is wrong with them (secure or insecure), 1 there is
no such name or record, 2 the answer cannot be trusted (bogus or indeterminate), 69 no server
answers.

With --zone-audit: 0 nothing is wrong with the zone, 1 something is broken, 2 warnings only, 69.

An address is asked for by its reverse name, for PTR records unless a type is given.

Examples:
  hermetic dns example.org MX
  hermetic dns _25._tcp.mx.example.org TLSA --trace
  hermetic dns example.org TYPE52 --server 192.0.2.53 --anchor /usr/share/dns/root.key
  hermetic dns --zone-audit example.org`

const labRunHelp = `
Exit codes: 0 all as expected, 1 something was not, 64 there is no such scenario. The lab that they
are played in is one of its own, whether or not one is up.

Examples:
  hermetic lab run nine-records
  hermetic lab run --all --json`

const labUpHelp = `
Exit codes: 0 it is up, or was already; 64 wrong usage; 69 it cannot be; 75 another is starting or
ending.

Examples:
  hermetic lab up
  hermetic lab status --json
  sudo hermetic lab up --real-ports
  sudo ip netns exec hermetic-lab posttls-finger -c -l dane -L summary,verbose et.example
  sudo hermetic lab down`

const labStatusHelp = `
Exit codes: 0 one is up, 1 none is.

Example:
  hermetic lab status --json`
