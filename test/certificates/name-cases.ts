/** Cases of names: which reference identifier fits which certificate (RFC 9525), under PKIX. Those of DANE are in dane-cases.ts. */
import {
  about,
  accepted,
  type CertificateCase,
  intermediate,
  leafWith,
  type PkixDraft,
  type Row,
  refused,
} from './case.ts'
import { implicit, oid, printableString, sequence, set, tlv } from './der.ts'
import { generalName, otherName, type Recipe, rawSubjectAltName } from './maker.ts'

export function nameCases(): readonly CertificateCase[] {
  return [...plainNames(), ...wildcards(), ...publicSuffixes(), ...addresses(), ...commonNames(), ...hostile()]
}

function plainNames(): readonly CertificateCase[] {
  return about('x509.name-mismatch', 'RFC 9525 §6.3').with(
    fits('exact', 'The name is the one asked for.', ['mx.example.com'], 'mx.example.com'),
    differs('another', 'The name is another one.', ['other.example.com'], 'mx.example.com'),
    fits(
      'second',
      'The second of three names is the one asked for.',
      ['a.example.com', 'mx.example.com', 'b.example.com'],
      'mx.example.com',
    ),
    fits('case-of-reference', 'The name is asked for in capitals.', ['mx.example.com'], 'MX.EXAMPLE.COM'),
    fits('case-of-certificate', 'The certificate has the name in capitals.', ['MX.Example.COM'], 'mx.example.com'),
    fits(
      'dot-of-reference',
      'The name is asked for with a dot at its end.',
      ['mx.example.com'],
      'mx.example.com.',
    ),
    differs('parent', 'The certificate has the parent of the name.', ['example.com'], 'mx.example.com'),
    differs(
      'child',
      'The certificate has a name below the one asked for.',
      ['a.mx.example.com'],
      'mx.example.com',
    ),
    differs(
      'suffix',
      'The name ends like the one asked for, within a label.',
      ['amx.example.com'],
      'mx.example.com',
    ),
    differs('prefix', 'The name begins like the one asked for.', ['mx.example.com.example.net'], 'mx.example.com'),
    fits('a-label', 'The name is an A-label.', ['xn--bcher-kva.example.com'], 'xn--bcher-kva.example.com'),
    fits(
      'a-label-case',
      'The name is an A-label in capitals.',
      ['XN--BCHER-KVA.example.com'],
      'xn--bcher-kva.example.com',
    ),
    differs(
      'a-label-another',
      'The A-label is another one.',
      ['xn--bcher-kva.example.com'],
      'xn--bucher-kva.example.com',
    ),
    [
      'name-second-reference',
      'The second of the names asked for is in the certificate.',
      { ...served(['example.com']), names: ['mx.example.com', 'example.com'] },
      accepted(2),
    ],
    [
      'name-no-reference-fits',
      'None of two names asked for is in the certificate.',
      { ...served(['other.example.com']), names: ['mx.example.com', 'example.com'] },
      refused('x509.name-mismatch'),
    ],
  )
}

function wildcards(): readonly CertificateCase[] {
  return about('x509.name-mismatch', 'RFC 9525 §6.3').with(
    fits('wildcard', 'A wildcard stands for the left-most label.', ['*.example.com'], 'mx.example.com'),
    fits('wildcard-case', 'A wildcard in a name in capitals.', ['*.EXAMPLE.com'], 'mx.example.com'),
    fits('wildcard-a-label', 'A wildcard stands for an A-label.', ['*.example.com'], 'xn--bcher-kva.example.com'),
    fits('wildcard-deep', 'A wildcard three levels down.', ['*.mail.example.com'], 'mx.mail.example.com'),
    differs(
      'wildcard-two-labels',
      'A wildcard does not stand for two labels.',
      ['*.example.com'],
      'a.mx.example.com',
    ),
    differs('wildcard-no-label', 'A wildcard does not stand for nothing.', ['*.example.com'], 'example.com'),
    differs('wildcard-another', 'A wildcard under another name.', ['*.example.net'], 'mx.example.com'),
    unlike('wildcard-partial-end', 'A wildcard is a part of a label.', ['m*.example.com'], 'mx.example.com'),
    unlike('wildcard-partial-start', 'A wildcard begins a label.', ['*x.example.com'], 'mx.example.com'),
    unlike('wildcard-partial-middle', 'A wildcard stands inside a label.', ['m*x.example.com'], 'mx.example.com'),
    unlike(
      'wildcard-in-a-label',
      'A wildcard is a part of an A-label.',
      ['xn--*-kva.example.com'],
      'xn--bcher-kva.example.com',
    ),
    unlike('wildcard-second-label', 'A wildcard is the second label.', ['mx.*.com'], 'mx.example.com'),
    unlike('wildcard-twice', 'Two wildcards.', ['*.*.com'], 'mx.example.com'),
    unlike('wildcard-double', 'A label of two asterisks.', ['**.example.com'], 'mx.example.com'),
    unlike('wildcard-alone', 'A wildcard and nothing else.', ['*'], 'mx.example.com'),
    unlike('wildcard-alone-host', 'A wildcard and nothing else, for a name of one label.', ['*'], 'localhost'),
    unlike('wildcard-asked-for', 'The name asked for is the wildcard itself.', ['*.example.com'], '*.example.com'),
  )
}

function publicSuffixes(): readonly CertificateCase[] {
  return about('x509.public-suffix-wildcard', 'RFC 9525 §7.1').with(
    unlike('suffix-top', 'A wildcard right under a top-level domain.', ['*.com'], 'example.com'),
    unlike('suffix-co-uk', 'A wildcard right under a public suffix of two labels.', ['*.co.uk'], 'example.co.uk'),
    fits('suffix-below', 'A wildcard one level below a public suffix.', ['*.example.co.uk'], 'mx.example.co.uk'),
    [
      'name-suffix-beside-the-name',
      'A wildcard on a public suffix stands beside the name that was asked for.',
      served(['mx.example.com', '*.co.uk']),
      accepted(2, ['x509.public-suffix-wildcard']),
      refused('x509.public-suffix-wildcard'),
    ],
  )
}

function addresses(): readonly CertificateCase[] {
  return about('x509.name-mismatch', 'RFC 9525 §6.4').with(
    fits('address', 'The address is the one asked for.', ['192.0.2.1'], '192.0.2.1'),
    differs('address-another', 'The address is another one.', ['192.0.2.2'], '192.0.2.1'),
    fits('address-6', 'An IPv6 address.', ['2001:db8::25'], '2001:db8::25'),
    fits(
      'address-6-text',
      'An IPv6 address, asked for in a longer form.',
      ['2001:db8::25'],
      '2001:0DB8:0:0:0:0:0:0025',
    ),
    differs('address-6-another', 'Another IPv6 address.', ['2001:db8::26'], '2001:db8::25'),
    unlike(
      'address-as-dns',
      'The address stands in a dNSName.',
      { san: [generalName('dns', '192.0.2.1')] },
      '192.0.2.1',
    ),
    unlike(
      'address-wildcard',
      'A wildcard stands for a part of the address.',
      { san: [generalName('dns', '*.0.2.1')] },
      '192.0.2.1',
    ),
    differs(
      'address-as-text',
      'An iPAddress has the four octets of the text "mx.e".',
      { san: [implicit(7, Buffer.from('mx.e'))] },
      'mx.e',
    ),
    unlike(
      'address-as-long-text',
      'An iPAddress holds the address as text.',
      { san: [implicit(7, Buffer.from('192.0.2.1'))] },
      '192.0.2.1',
    ),
    differs(
      'address-mapped',
      'The certificate has the IPv4-mapped form of the address.',
      ['::ffff:c000:0201'],
      '192.0.2.1',
    ),
  )
}

function commonNames(): readonly CertificateCase[] {
  const noSan: Recipe['extensions'] = { subjectAltName: null }
  return [
    ...about('x509.no-san', 'RFC 9525 §2').with(
      [
        'name-cn-only',
        'The name is the common name, and there is no subjectAltName.',
        served({ extensions: noSan }),
        refused(),
      ],
      [
        'name-cn-address',
        'The address is the common name, and there is no subjectAltName.',
        { ...served({ subject: 'CN=192.0.2.1', extensions: noSan }), names: ['192.0.2.1'] },
        refused(),
      ],
      [
        'name-san-and-no-cn',
        'The name stands in subjectAltName, and there is no common name.',
        served({ subject: 'O=Test Server' }),
        accepted(2),
      ],
    ),
    ...about('x509.name-mismatch', 'RFC 9525 §2').with(
      [
        'name-cn-beside-other-names',
        'The name is the common name, and subjectAltName has another one.',
        served({ names: ['other.example.com'], subject: 'CN=mx.example.com' }),
        refused(),
      ],
      [
        'name-cn-beside-mail-address',
        'The name is the common name, and subjectAltName has an e-mail address only.',
        served({
          extensions: { subjectAltName: rawSubjectAltName([generalName('email', 'postmaster@example.com')]) },
        }),
        refused(),
      ],
    ),
  ]
}

/** What a careless comparison takes for the name. */
function hostile(): readonly CertificateCase[] {
  const beside = (id: string, says: string, ...san: readonly Uint8Array[]): Row => [
    `name-beside-${id}`,
    says,
    served({ extensions: { subjectAltName: rawSubjectAltName([generalName('dns', 'mx.example.com'), ...san]) } }),
    accepted(2, ['x509.malformed-name']),
    refused('x509.malformed-name'),
  ]
  return [
    ...about('x509.malformed-name', 'RFC 5280 §4.2.1.6').with(
      unlike(
        'nul',
        'The name ends, for a C program, at the octet NUL.',
        { san: [generalName('dns', 'mx.example.com\0.example.net')] },
        'mx.example.com',
      ),
      unlike(
        'nul-at-the-end',
        'A NUL follows the name.',
        { san: [generalName('dns', 'mx.example.com\0')] },
        'mx.example.com',
      ),
      unlike(
        'blank',
        'A blank follows the name.',
        { san: [generalName('dns', 'mx.example.com ')] },
        'mx.example.com',
      ),
      unlike(
        'newline',
        'A line break follows the name.',
        { san: [generalName('dns', 'mx.example.com\r\n')] },
        'mx.example.com',
      ),
      unlike(
        'two-names',
        'Two names stand in one dNSName.',
        { san: [generalName('dns', 'mx.example.com,example.net')] },
        'mx.example.com',
      ),
      unlike(
        'leading-dot',
        'The name begins with a dot.',
        { san: [generalName('dns', '.example.com')] },
        'mx.example.com',
      ),
      unlike(
        'utf-8',
        'The name is in UTF-8, and not in A-labels.',
        { san: [implicit(2, Buffer.from('bücher.example.com'))] },
        'xn--bcher-kva.example.com',
      ),
      unlike(
        'kelvin',
        'The name has the sign KELVIN for a k.',
        { san: [implicit(2, Buffer.from('mail.\u212aiel.example'))] },
        'mail.kiel.example',
      ),
      unlike(
        'full-width-dot',
        'The name has full-width dots.',
        { san: [implicit(2, Buffer.from('mx。example。com'))] },
        'mx.example.com',
      ),
      unlike('empty', 'The name is empty.', { san: [generalName('dns', '')] }, 'mx.example.com'),
      unlike(
        'dots',
        'The name has an empty label.',
        { san: [generalName('dns', 'mx..example.com')] },
        'mx.example.com',
      ),
      unlike(
        'url',
        'The name stands in a URI only.',
        { san: [generalName('uri', 'smtp://mx.example.com')] },
        'mx.example.com',
      ),
      unlike(
        'mail-address',
        'The name stands in an e-mail address only.',
        { san: [generalName('email', 'postmaster@mx.example.com')] },
        'mx.example.com',
      ),
      unlike(
        'other-name',
        'The name stands in an otherName only.',
        { san: [otherName('mx.example.com')] },
        'mx.example.com',
      ),
      beside(
        'leading-dot',
        'A name with a leading dot stands beside the right one.',
        generalName('dns', '.example.com'),
      ),
      beside('address', 'An address in a dNSName stands beside the right name.', generalName('dns', '192.0.2.1')),
      beside('nul', 'A name with a NUL stands beside the right one.', generalName('dns', 'a\0b.example.com')),
      beside(
        'five-octets',
        'An iPAddress of five octets stands beside the right name.',
        implicit(7, Buffer.of(192, 0, 2, 1, 0)),
      ),
      beside(
        'mail-address',
        'A broken e-mail address stands beside the right name.',
        generalName('email', 'in@valid@example.com'),
      ),
    ),
    ...about('x509.name-mismatch', 'RFC 5280 §4.1.2.4').with([
      'name-in-organization',
      'The name stands in the subject as the organization.',
      served({
        names: ['other.example.com'],
        subject: sequence(set(sequence(oid('2.5.4.10'), printableString('mx.example.com')))),
      }),
      refused(),
    ]),
    ...about('x509.malformed', 'RFC 5280 §4.2.1.6').with([
      'name-constructed',
      'The dNSName is made of pieces, as BER allows and DER does not.',
      served({
        extensions: { subjectAltName: rawSubjectAltName([tlv(0xa2, tlv(0x16, Buffer.from('mx.example.com')))]) },
      }),
      refused(),
    ]),
  ]
}

type Presented = readonly string[] | { readonly san: readonly Uint8Array[] }

/** The name fits, for both profiles. */
function fits(id: string, says: string, presented: Presented, reference: string): Row {
  return [`name-${id}`, says, asked(presented, reference), accepted(2)]
}

/** It does not, and that is all that is wrong. */
function differs(id: string, says: string, presented: Presented, reference: string): Row {
  return [`name-${id}`, says, asked(presented, reference), refused('x509.name-mismatch')]
}

/** It does not; `strict` may have more to say against the name. */
function unlike(id: string, says: string, presented: Presented, reference: string): Row {
  return [`name-${id}`, says, asked(presented, reference), refused('x509.name-mismatch'), refused()]
}

function asked(presented: Presented, reference: string): Partial<PkixDraft> {
  const recipe =
    'san' in presented
      ? { extensions: { subjectAltName: rawSubjectAltName(presented.san) } }
      : { extensions: { subjectAltName: rawSubjectAltName(presented.map(rawName)) } }
  return { ...served({ subject: 'O=Test Server', ...recipe }), names: [reference] }
}

function rawName(name: string): Uint8Array {
  return /^[\d.]+$|:/.test(name) ? generalName('ip', name) : generalName('dns', name)
}

/** A chain whose leaf has these names. */
function served(what: readonly string[] | Parameters<typeof leafWith>[0]): Partial<PkixDraft> {
  const made = leafWith(isNames(what) ? { names: what } : what)
  return { chain: [made, intermediate()] }
}

function isNames(what: readonly string[] | Parameters<typeof leafWith>[0]): what is readonly string[] {
  return Array.isArray(what)
}
