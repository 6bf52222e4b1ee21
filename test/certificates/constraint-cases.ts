/** Cases of name constraints (RFC 5280 §4.2.1.10): which names an authority lets those below it have. */
import {
  about,
  accepted,
  type CertificateCase,
  intermediateWith,
  leafWith,
  type PkixDraft,
  type Row,
  refused,
  root,
  rootWith,
} from './case.ts'
import { explicit, implicit, integer, nullValue, oid, sequence, set, tlv } from './der.ts'
import { keyOf } from './keys.ts'
import {
  basicConstraints,
  extension,
  generalName,
  keyUsage,
  type Made,
  makeLeaf,
  nameBytes,
  nameConstraints,
  otherName,
  type Recipe,
  rawSubjectAltName,
} from './maker.ts'

export function constraintCases(): readonly CertificateCase[] {
  return [
    ...hostNames(),
    ...dottedNames(),
    ...addresses(),
    ...mailAddresses(),
    ...uris(),
    ...directoryNames(),
    ...forms(),
    ...paths(),
    ...issuance(),
  ]
}

function hostNames(): readonly CertificateCase[] {
  return constrained(
    kept('dns-permitted', 'The name is below the permitted one.', { permitted: [dns('example.com')] }),
    kept('dns-permitted-itself', 'The name is the permitted one.', { permitted: [dns('mx.example.com')] }),
    kept('dns-permitted-case', 'The permitted name is in capitals.', { permitted: [dns('EXAMPLE.Com')] }),
    kept('dns-permitted-second', 'The name is below the second of those permitted.', {
      permitted: [dns('example.net'), dns('example.com')],
    }),
    kept('dns-permitted-all', 'The empty name permits all.', { permitted: [dns('')] }),
    broken('dns-not-permitted', 'The name is not below the permitted one.', { permitted: [dns('example.net')] }),
    broken('dns-not-permitted-label', 'The permitted name ends within a label of the name.', {
      permitted: [dns('ple.com')],
    }),
    broken('dns-not-permitted-below', 'The permitted name is below the name.', {
      permitted: [dns('a.mx.example.com')],
    }),
    broken(
      'dns-not-permitted-second-name',
      'One of two names is not permitted.',
      { permitted: [dns('example.com')] },
      [dns('mx.example.com'), dns('mx.example.net')],
    ),
    broken('dns-excluded', 'The name is below the excluded one.', { excluded: [dns('example.com')] }),
    broken('dns-excluded-itself', 'The name is the excluded one.', { excluded: [dns('mx.example.com')] }),
    broken('dns-excluded-case', 'The excluded name is in capitals.', { excluded: [dns('MX.EXAMPLE.COM')] }),
    broken('dns-excluded-all', 'The empty name excludes all.', { excluded: [dns('')] }),
    kept('dns-not-excluded', 'Another name is excluded.', { excluded: [dns('example.net')] }),
    kept('dns-not-excluded-label', 'The excluded name ends within a label of the name.', {
      excluded: [dns('ample.com')],
    }),
    broken('dns-permitted-and-excluded', 'The name is permitted and excluded.', {
      permitted: [dns('example.com')],
      excluded: [dns('mx.example.com')],
    }),
    kept(
      'dns-wildcard-permitted',
      'All that a wildcard stands for is permitted.',
      { permitted: [dns('example.com')] },
      [dns('*.example.com')],
    ),
    broken(
      'dns-wildcard-partly-permitted',
      'One of the names that a wildcard stands for is permitted.',
      { permitted: [dns('mx.example.com')] },
      [dns('*.example.com')],
    ),
    broken(
      'dns-wildcard-partly-excluded',
      'One of the names that a wildcard stands for is excluded.',
      { excluded: [dns('bar.example.com')] },
      [dns('*.example.com')],
    ),
    kept(
      'dns-wildcard-not-excluded',
      'A name too deep for the wildcard is excluded.',
      { excluded: [dns('a.bar.example.com')] },
      [dns('*.example.com')],
    ),
  )
}

/** `.example.com`, which RFC 5280 §4.2.1.10 has for mail and URIs only, and private authorities write for DNS names, too. */
function dottedNames(): readonly CertificateCase[] {
  const [told, unspoken] = [accepted(2, ['x509.malformed-name']), refused('x509.malformed-name')]
  const forbidden = refused('x509.name-constraints')
  return about('x509.malformed-name', 'RFC 5280 §4.2.1.10').with(
    [
      'constraints-dns-dot-permitted',
      'The name is below the permitted one, which begins with a dot.',
      underGiven({ permitted: [dns('.example.com')] }),
      told,
      unspoken,
    ],
    [
      'constraints-dns-dot-not-permitted-itself',
      'The name is the permitted one but for the dot in front, which permits those below it only.',
      underGiven({ permitted: [dns('.mx.example.com')] }),
      forbidden,
      refused(),
    ],
    [
      'constraints-dns-dot-excluded',
      'The name is below the excluded one, which begins with a dot.',
      underGiven({ excluded: [dns('.example.com')] }),
      forbidden,
      refused(),
    ],
    [
      'constraints-dns-dot-excluded-itself',
      'The name is the excluded one but for the dot in front: it may have been meant, too.',
      underGiven({ excluded: [dns('.mx.example.com')] }),
      forbidden,
      refused(),
    ],
    [
      'constraints-dns-dot-not-excluded',
      'Another name is excluded, which begins with a dot.',
      underGiven({ excluded: [dns('.example.net')] }),
      told,
      unspoken,
    ],
    [
      'constraints-dns-dot-alone',
      'The permitted name is a dot: nobody knows what that permits.',
      underGiven({ permitted: [dns('.')] }),
      forbidden,
      refused(),
    ],
  )
}

function addresses(): readonly CertificateCase[] {
  const both = [dns('mx.example.com'), ip('192.0.2.1')]
  const both6 = [dns('mx.example.com'), ip('2001:db8::25')]
  return constrained(
    kept('ip-permitted', 'The address is in the permitted network.', { permitted: [ip('192.0.2.0/24')] }, both),
    broken(
      'ip-not-permitted',
      'The address is outside of the permitted network.',
      { permitted: [ip('198.51.100.0/24')] },
      both,
    ),
    broken(
      'ip-not-permitted-by-a-bit',
      'The address is one past the permitted network.',
      { permitted: [ip('192.0.2.0/32')] },
      both,
    ),
    kept(
      'ip-permitted-31',
      'The address is the last of a network of two.',
      { permitted: [ip('192.0.2.0/31')] },
      both,
    ),
    broken('ip-excluded', 'The address is in the excluded network.', { excluded: [ip('192.0.2.0/24')] }, both),
    broken('ip-excluded-all', 'All IPv4 addresses are excluded.', { excluded: [ip('0.0.0.0/0')] }, both),
    kept('ip-excluded-none-there', 'All IPv4 addresses are excluded, and there is none.', {
      excluded: [ip('0.0.0.0/0')],
    }),
    kept(
      'ip-6-permitted',
      'The IPv6 address is in the permitted network.',
      { permitted: [ip('2001:db8::/32')] },
      both6,
    ),
    broken(
      'ip-6-not-permitted',
      'The IPv6 address is outside of the permitted network.',
      { permitted: [ip('2001:db9::/32')] },
      both6,
    ),
    broken(
      'ip-6-excluded',
      'The IPv6 address is the excluded one.',
      { excluded: [ip('2001:db8::25/128')] },
      both6,
    ),
    kept(
      'ip-6-excluded-all-of-4',
      'All IPv4 addresses are excluded, and the address is an IPv6 one.',
      { excluded: [ip('0.0.0.0/0')] },
      both6,
    ),
    broken(
      'ip-6-permitted-all-of-4',
      'Only IPv4 addresses are permitted: iPAddress is one form, and the IPv6 one fits none.',
      { permitted: [ip('0.0.0.0/0')] },
      both6,
    ),
    broken(
      'ip-malformed',
      'The permitted network has five octets.',
      { permitted: [implicit(7, Buffer.of(192, 0, 2, 0, 255))] },
      both,
      'any',
    ),
  )
}

function mailAddresses(): readonly CertificateCase[] {
  const both = [dns('mx.example.com'), generalName('email', 'postmaster@example.com')]
  const mail = (text: string): Uint8Array => generalName('email', text)
  return constrained(
    kept(
      'email-mailbox-permitted',
      'The mailbox is the permitted one.',
      { permitted: [mail('postmaster@example.com')] },
      both,
    ),
    kept(
      'email-mailbox-host-case',
      "The permitted mailbox's host is in capitals.",
      { permitted: [mail('postmaster@EXAMPLE.COM')] },
      both,
    ),
    broken(
      'email-mailbox-local-case',
      "The permitted mailbox's local part is in capitals, which is another one.",
      { permitted: [mail('POSTMASTER@example.com')] },
      both,
    ),
    broken(
      'email-mailbox-not-permitted',
      'Another mailbox is permitted.',
      { permitted: [mail('root@example.com')] },
      both,
    ),
    kept(
      'email-host-permitted',
      'All mailboxes of the host are permitted.',
      { permitted: [mail('example.com')] },
      both,
    ),
    broken(
      'email-host-not-below',
      'The mailbox is at a host below the permitted one, which is no domain.',
      { permitted: [mail('com')] },
      both,
    ),
    kept(
      'email-domain-permitted',
      'All mailboxes below a domain are permitted.',
      { permitted: [mail('.com')] },
      both,
    ),
    broken(
      'email-domain-not-itself',
      "A domain's own mailboxes are not below it.",
      { permitted: [mail('.example.com')] },
      both,
    ),
    broken(
      'email-host-excluded',
      'All mailboxes of the host are excluded.',
      { excluded: [mail('example.com')] },
      both,
    ),
    broken(
      'email-in-subject',
      'The address stands in the subject, and no other place; another host is permitted.',
      {
        permitted: [mail('example.net')],
        subject: sequence(
          set(sequence(oid('1.2.840.113549.1.9.1'), tlv(0x16, Buffer.from('postmaster@example.com')))),
        ),
      },
    ),
  )
}

function uris(): readonly CertificateCase[] {
  const both = [dns('mx.example.com'), generalName('uri', 'https://www.example.com:8443/path?query')]
  const withAddress = [dns('mx.example.com'), generalName('uri', 'https://192.0.2.1/')]
  const uri = (text: string): Uint8Array => generalName('uri', text)
  return constrained(
    kept(
      'uri-host-permitted',
      "The URI's host is the permitted one.",
      { permitted: [uri('www.example.com')] },
      both,
    ),
    broken(
      'uri-host-not-below',
      "The URI's host is below the permitted one, which is no domain.",
      { permitted: [uri('example.com')] },
      both,
    ),
    kept(
      'uri-domain-permitted',
      "The URI's host is below the permitted domain.",
      { permitted: [uri('.example.com')] },
      both,
    ),
    broken(
      'uri-not-permitted',
      "The URI's host is not the permitted one.",
      { permitted: [uri('www.example.net')] },
      both,
    ),
    broken(
      'uri-excluded',
      "The URI's host is below the excluded domain.",
      { excluded: [uri('.example.com')] },
      both,
    ),
    kept(
      'uri-not-excluded',
      "The URI's host is not below the excluded domain.",
      { excluded: [uri('.example.net')] },
      both,
    ),
    broken(
      'uri-address',
      "The URI's host is an address, where hosts are constrained.",
      { permitted: [uri('.example.com')] },
      withAddress,
      'any',
    ),
    broken(
      'uri-no-host',
      'The URI has no host, where hosts are constrained.',
      { permitted: [uri('.example.com')] },
      [dns('mx.example.com'), uri('urn:example')],
      'any',
    ),
  )
}

function directoryNames(): readonly CertificateCase[] {
  const directory = (text: string): Uint8Array => generalName('directory', text)
  const subject = 'O=Example, CN=mx.example.com'
  return constrained(
    kept('directory-permitted', 'The subject is below the permitted name.', {
      permitted: [directory('O=Example')],
      subject,
    }),
    kept('directory-permitted-case', 'The permitted name is in capitals, with blanks.', {
      permitted: [directory('O=EXAMPLE ')],
      subject,
    }),
    kept('directory-permitted-itself', 'The subject is the permitted name.', {
      permitted: [directory(subject)],
      subject,
    }),
    kept('directory-permitted-all', 'The empty name permits all.', { permitted: [directory('')], subject }),
    broken('directory-not-permitted', 'The subject is not below the permitted name.', {
      permitted: [directory('O=Another')],
      subject,
    }),
    broken(
      'directory-not-permitted-order',
      'The permitted name is the end of the subject, and not its beginning.',
      { permitted: [directory('CN=mx.example.com')], subject },
    ),
    broken('directory-excluded', 'The subject is below the excluded name.', {
      excluded: [directory('O=Example')],
      subject,
    }),
    broken('directory-excluded-as-bmp', 'The subject is below the excluded name, and written as BMPString.', {
      excluded: [directory('O=Example')],
      subject: sequence(set(sequence(oid('2.5.4.10'), tlv(0x1e, Buffer.from('Example', 'utf16le').swap16())))),
    }),
    broken(
      'directory-excluded-as-teletex',
      'The subject is below the excluded name, and written as TeletexString.',
      {
        excluded: [directory('O=Example')],
        subject: sequence(set(sequence(oid('2.5.4.10'), tlv(0x14, Buffer.from('EXAMPLE'))))),
      },
    ),
    kept('directory-not-excluded', 'The subject is not below the excluded name.', {
      excluded: [directory('O=Another')],
      subject,
    }),
    broken(
      'directory-in-san',
      'The subject is permitted; a directory name of subjectAltName is not.',
      { permitted: [directory('O=Example')], subject },
      [dns('mx.example.com'), directory('O=Another')],
    ),
    kept(
      'directory-no-subject',
      'There is no subject that the permitted name could apply to.',
      { permitted: [directory('O=Example')], subject: sequence() },
      [dns('mx.example.com')],
      'critical',
    ),
  )
}

function forms(): readonly CertificateCase[] {
  const both = [dns('mx.example.com'), otherName('somebody')]
  return constrained(
    kept('form-none-there', 'Addresses are constrained, and the leaf has host names only.', {
      permitted: [ip('192.0.2.0/24')],
    }),
    kept('form-other-none-there', 'A form that nobody knows is excluded, and the leaf has none of it.', {
      excluded: [otherName('somebody')],
    }),
    broken(
      'form-other',
      'A form that nobody knows is excluded, and the leaf has one of it.',
      { excluded: [otherName('somebody')] },
      both,
    ),
    [
      'constraints-form-minimum',
      'The constraint has a minimum, which nobody may give.',
      under(rawConstraints(explicit(0, sequence(dns('example.com'), implicit(0, Buffer.of(1)))))),
      refused(),
    ],
    [
      'constraints-form-minimum-0',
      'The constraint writes out the minimum of 0, which is the default, and is kept.',
      under(rawConstraints(explicit(0, sequence(dns('example.com'), implicit(0, Buffer.of(0)))))),
      accepted(2, ['x509.encoding']),
      refused('x509.encoding'),
    ],
    [
      'constraints-form-minimum-0-broken',
      'The constraint writes out the minimum of 0, which is the default, and is broken.',
      under(rawConstraints(explicit(0, sequence(dns('example.net'), implicit(0, Buffer.of(0)))))),
      refused('x509.name-constraints'),
    ],
    [
      'constraints-form-maximum',
      'The constraint has a maximum, which nobody may give.',
      under(rawConstraints(explicit(0, sequence(dns('example.com'), implicit(1, Buffer.of(1)))))),
      refused(),
    ],
    [
      'constraints-form-no-der',
      'The constraints are no list of subtrees.',
      under(rawConstraints(explicit(0, integer(1)))),
      refused(),
    ],
  )
}

/** Which certificates of a path are held against constraints. */
function paths(): readonly CertificateCase[] {
  const only = nameConstraints([dns('example.com')])
  const notAll = nameConstraints([dns('example.net')])
  const top = rootWith({ extensions: { nameConstraints: only } })
  const topNot = rootWith({ extensions: { nameConstraints: notAll } })
  const between = (...steps: readonly Recipe[]): Made[] => {
    const made: Made[] = []
    for (const [index, recipe] of steps.entries()) {
      const name = `Step ${index}`
      made.unshift(
        intermediateWith({ subject: `CN=${name}`, key: keyOf(name), issuer: made[0] ?? root(), ...recipe }),
      )
    }
    return [leafWith({ issuer: made[0] ?? root() }), ...made]
  }
  const named = (name: string): readonly Uint8Array[] => [rawSubjectAltName([dns(name)])]
  const rolled = (issuer: Made): Made =>
    intermediateWith({ subject: 'CN=Test Root', key: keyOf('rolled'), issuer, more: named('ca.example.net') })
  const selfIssuedLeaf = makeLeaf({ issuer: top, subject: 'CN=Test Root', names: ['mx.example.net'] })
  return about('x509.name-constraints', 'RFC 5280 §6.1.3').with(
    [
      'constraints-of-root-kept',
      'The trusted root has constraints, and the leaf keeps them.',
      { chain: [leafWith({ issuer: top })], roots: [top] },
      accepted(1),
    ],
    [
      'constraints-of-root-broken',
      'The trusted root has constraints, and the leaf breaks them.',
      { chain: [leafWith({ issuer: topNot })], roots: [topNot] },
      refused('x509.name-constraints'),
    ],
    [
      'constraints-two-levels-up',
      'An authority two levels up has constraints, and the leaf breaks them.',
      between({ extensions: { nameConstraints: notAll } }, {}),
      refused('x509.name-constraints'),
    ],
    [
      'constraints-narrowed',
      'The lower authority permits less than the upper one, and enough.',
      between(
        { extensions: { nameConstraints: only } },
        { extensions: { nameConstraints: nameConstraints([dns('mx.example.com')]) } },
      ),
      accepted(3),
    ],
    [
      'constraints-widened',
      'The lower authority permits what the upper one does not: that adds nothing.',
      between(
        { extensions: { nameConstraints: notAll } },
        { extensions: { nameConstraints: nameConstraints([dns('')]) } },
      ),
      refused('x509.name-constraints'),
    ],
    [
      'constraints-disjoint',
      'Two authorities permit different names: nothing is left.',
      between({ extensions: { nameConstraints: only } }, { extensions: { nameConstraints: notAll } }),
      refused('x509.name-constraints'),
    ],
    [
      'constraints-on-intermediate',
      "The intermediate's own name is not permitted by the authority above it.",
      between({ extensions: { nameConstraints: only } }, { more: named('ca.example.net') }),
      refused('x509.name-constraints'),
    ],
    [
      'constraints-own',
      'An authority need not keep its own constraints.',
      between({ extensions: { nameConstraints: only }, more: named('ca.example.net') }),
      accepted(2),
    ],
    [
      'constraints-self-issued-intermediate',
      'A self-issued intermediate need not keep the constraints above it.',
      (() => {
        const step = rolled(top)
        return { chain: [leafWith({ issuer: step }), step], roots: [top] }
      })(),
      accepted(2),
    ],
    [
      'constraints-self-issued-leaf',
      'A self-issued leaf has to keep the constraints above it.',
      { chain: [selfIssuedLeaf], roots: [top], names: ['mx.example.net'] },
      refused('x509.name-constraints'),
    ],
  )
}

function issuance(): readonly CertificateCase[] {
  const loose = nameConstraints([dns('example.com')], null, 'not-critical')
  return [
    ...about('x509.name-constraints-not-critical', 'RFC 5280 §4.2.1.10').with(
      [
        'constraints-not-critical',
        'The constraints are not critical, and kept.',
        under(loose),
        accepted(2, ['x509.name-constraints-not-critical']),
        refused('x509.name-constraints-not-critical'),
      ],
      [
        'constraints-not-critical-broken',
        'The constraints are not critical, and broken: they hold all the same.',
        under(nameConstraints([dns('example.net')], null, 'not-critical')),
        refused('x509.name-constraints'),
        refused(),
      ],
      [
        'constraints-critical',
        'The constraints are critical, and kept.',
        under(nameConstraints([dns('example.com')], null, 'critical')),
        accepted(2),
      ],
    ),
    ...about('x509.name-constraints-empty', 'RFC 5280 §4.2.1.10').with(
      [
        'constraints-empty',
        'The constraints are an empty list.',
        under(nameConstraints(null)),
        accepted(2, ['x509.name-constraints-empty']),
        refused('x509.name-constraints-empty'),
      ],
      [
        'constraints-empty-lists',
        'Both lists of the constraints are there, and empty.',
        under(nameConstraints([], [])),
        refused(),
        refused(),
      ],
      [
        'constraints-null',
        'Both lists of the constraints are NULL.',
        under(rawConstraints(explicit(0, nullValue), explicit(1, nullValue))),
        refused(),
        refused(),
      ],
      [
        'constraints-not-empty',
        'The constraints have one list, with one name that is excluded.',
        under(nameConstraints(null, [dns('example.net')])),
        accepted(2),
      ],
    ),
    ...about('x509.name-constraints-in-leaf', 'RFC 5280 §4.2.1.10').with(
      [
        'constraints-in-leaf',
        'The leaf, which is no CA, has constraints.',
        withLeaf({ nameConstraints: nameConstraints([dns('example.com')]) }),
        accepted(2, ['x509.name-constraints-in-leaf']),
        refused('x509.name-constraints-in-leaf'),
      ],
      [
        'constraints-in-leaf-that-is-ca',
        'The leaf has constraints, and is a CA that may sign certificates.',
        withLeaf({
          basicConstraints: basicConstraints('ca'),
          keyUsage: keyUsage(['digitalSignature', 'keyCertSign']),
          nameConstraints: nameConstraints([dns('example.com')]),
        }),
        accepted(2, ['x509.leaf-is-ca']),
      ],
    ),
  ]
}

function withLeaf(extensions: NonNullable<Recipe['extensions']>): readonly Made[] {
  const issuer = intermediateWith({})
  return [leafWith({ issuer, extensions }), issuer]
}

interface Given {
  readonly permitted?: readonly Uint8Array[]
  readonly excluded?: readonly Uint8Array[]
  readonly subject?: string | Uint8Array
}

function constrained(...rows: readonly Row[]): readonly CertificateCase[] {
  return about('x509.name-constraints', 'RFC 5280 §4.2.1.10').with(...rows)
}

function kept(id: string, says: string, given: Given, names?: readonly Uint8Array[], san?: 'critical'): Row {
  return [`constraints-${id}`, says, underGiven(given, names, san), accepted(2)]
}

function broken(id: string, says: string, given: Given, names?: readonly Uint8Array[], reason?: 'any'): Row {
  const verdict = reason === undefined ? refused('x509.name-constraints') : refused()
  return [`constraints-${id}`, says, underGiven(given, names), verdict]
}

function underGiven(given: Given, names?: readonly Uint8Array[], san?: 'critical'): Partial<PkixDraft> {
  const extra = names === undefined ? {} : { extensions: { subjectAltName: rawSubjectAltName(names, san) } }
  // A wildcard stands for mx too; the subject has no name that a constraint on host names could meet.
  const subject = typeof given.subject === 'string' ? nameBytes(given.subject) : given.subject
  return under(nameConstraints(given.permitted ?? null, given.excluded ?? null), {
    subject: subject ?? 'O=Test Server',
    ...extra,
  })
}

/** A leaf under an intermediate with this extension. */
function under(constraints: Uint8Array, recipe: Parameters<typeof leafWith>[0] = {}): Partial<PkixDraft> {
  const issuer = intermediateWith({ extensions: { nameConstraints: constraints } })
  return { chain: [leafWith({ issuer, ...recipe }), issuer] }
}

function rawConstraints(...content: readonly Uint8Array[]): Uint8Array {
  return extension('2.5.29.30', sequence(...content), 'critical')
}

function dns(text: string): Uint8Array {
  return generalName('dns', text)
}

function ip(text: string): Uint8Array {
  return generalName('ip', text)
}
