/** Where real programs judge a certificate case otherwise than we do, and who is right. The tests see to it that the list is whole, and no longer than that. */

export interface Disagreement {
  /** Who is right, and by which RFC. */
  readonly why: string
  /** The programs, by the names that oracles.ts gives them, and the cases, by their ids. */
  readonly found: readonly { readonly oracles: readonly string[]; readonly cases: readonly string[] }[]
}

export const disagreements: readonly Disagreement[] = [
  {
    why: 'They verify with DSA, P-192 and secp256k1, which no TLS certificate may have today (RFC 8422 §5.1.1, RFC 8446 §1.2); we verify with none of them.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['algorithm-by-dsa', 'algorithm-by-p192'],
      },
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['algorithm-by-secp256k1', 'key-dsa'],
      },
      { oracles: ['openssl verify', 'openssl verify -x509_strict'], cases: ['key-p192'] },
    ],
  },
  {
    why: 'OpenSSL rounds 1,016 bits up to its security level 1; our limit of 1,024 bits is exact. No RFC draws the line.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['key-too-weak-by-one-octet'],
      },
    ],
  },
  {
    why: 'GnuTLS compares the two algorithms by their OIDs alone; RFC 5280 §4.1.1.2 wants the whole fields to be the same, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['algorithm-mismatch-in-parameters'] }],
  },
  {
    why: 'They take the first issuer that looks right and never come back for another; any valid path will do (RFC 5280 §6.1, RFC 4158 §2.4), so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: [
          'candidates-constrained-first',
          'candidates-not-ca-first',
          'candidates-unknown-root-first',
          'loop-with-exit',
        ],
      },
      { oracles: ['gnutls-cli'], cases: ['candidates-expired-first'] },
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['cross-constraint-on-one-path'],
      },
    ],
  },
  {
    why: 'They compare the wildcard as if it were a name; RFC 5280 §4.2.1.10 is silent, and we refuse a wildcard that stands for an excluded name, which is the safe side.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['constraints-dns-wildcard-partly-excluded'],
      },
    ],
  },
  {
    why: 'They read an excluded `.example.com` as the names below it; RFC 5280 §4.2.1.10 has no such constraint of DNS names, and whoever wrote it may have meant the name itself, too: ours is the safe side.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['constraints-dns-dot-excluded-itself'],
      },
    ],
  },
  {
    why: 'GnuTLS knows constraints of DNS names, addresses and mailboxes only: it lets others pass, or refuses the good with the bad; RFC 5280 §4.2.1.10 wants directory names checked, and what cannot be checked refused, so we are right.',
    found: [
      {
        oracles: ['gnutls-cli'],
        cases: [
          'constraints-directory-in-san',
          'constraints-directory-not-excluded',
          'constraints-directory-not-permitted',
          'constraints-directory-not-permitted-order',
          'constraints-form-other-none-there',
          'constraints-uri-address',
          'constraints-uri-host-not-below',
          'constraints-uri-no-host',
          'constraints-uri-not-excluded',
          'constraints-uri-not-permitted',
          'cross-constraint-on-the-only-path',
        ],
      },
    ],
  },
  {
    why: 'GnuTLS overlooks `minimum` and `maximum`; RFC 5280 §4.2.1.10 wants them processed or the certificate refused, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['constraints-form-maximum', 'constraints-form-minimum'] }],
  },
  {
    why: 'GnuTLS holds no IPv6 address against a constraint on IPv4 alone; both are iPAddress in RFC 5280 §4.2.1.10, and only what is permitted may stand there, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['constraints-ip-6-permitted-all-of-4'] }],
  },
  {
    why: 'GnuTLS checks the names of the leaf alone; RFC 5280 §6.1.3 (b) and (c) want those of every certificate that is not self-issued, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['constraints-on-intermediate'] }],
  },
  {
    why: 'OpenSSL takes a critical key identifier for an extension that it does not know; it is known, and only marked against RFC 5280 §4.2.1.1 and §4.2.1.2, so the mail profile tells of it.',
    found: [
      {
        oracles: ['openssl verify', 'posttls-finger -l secure'],
        cases: ['issuance-aki-critical', 'issuance-ski-critical'],
      },
    ],
  },
  {
    why: 'They never try an issuer whose key identifier is another; RFC 5280 §4.2.1.1 makes it an aid for building paths, and the signature is right, so the mail profile tells of it.',
    found: [
      {
        oracles: ['openssl verify', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['issuance-leaf-aki-of-another-key'],
      },
    ],
  },
  {
    why: 'Postfix goes on from every trusted certificate to a self-signed one that fits its own key identifier; RFC 5280 §6.1.1 (d) lets any trusted certificate be the anchor, so we are right.',
    found: [
      {
        oracles: ['posttls-finger -l secure'],
        cases: ['issuance-root-aki-of-another-key', 'issuance-root-aki-with-issuer', 'pkix-trusted-intermediate'],
      },
    ],
  },
  {
    why: 'OpenSSL refuses a certificate whose cRLDistributionPoints it cannot read; nobody here asks for revocation lists, and RFC 5280 §4.2 lets what is not critical be ignored, so the mail profile tells of it.',
    found: [
      {
        oracles: ['openssl verify', 'posttls-finger -l secure'],
        cases: ['issuance-revocation-lists-unreadable'],
      },
    ],
  },
  {
    why: 'GnuTLS holds the key usage of a leaf against the key exchange only, and not at all with `%COMPAT`; RFC 5280 §4.2.1.3 says what a key is for, so we (and OpenSSL) are right to refuse one that is for nothing a handshake needs.',
    found: [
      {
        oracles: ['gnutls-cli'],
        cases: ['leaf-usage-authority', 'leaf-usage-signs-certificates', 'leaf-usage-signs-documents'],
      },
    ],
  },
  {
    why: 'OpenSSL asks the same of an authority at the end of a path as of any leaf, and so does our mail profile; RFC 5280 §4.2.1.9 lets an authority stand there, and the strict profile tells of it, as x509-limbo wants.',
    found: [{ oracles: ['openssl verify -x509_strict'], cases: ['leaf-usage-authority'] }],
  },
  {
    why: 'They read the extensions of a certificate that says it is of version 2; RFC 5280 §4.1.2.9 has them in version 3 alone, so we are right.',
    found: [{ oracles: ['openssl verify', 'posttls-finger -l secure'], cases: ['issuance-leaf-version-2'] }],
  },
  {
    why: 'They overlook empty lists of constraints; RFC 5280 §4.2.1.10 has at least one entry in a list, so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['constraints-empty-lists'],
      },
    ],
  },
  {
    why: 'They take a trusted root of version 3 that does not say it is a CA; RFC 5280 §4.2.1.9 wants every CA to say so, and §6.1.1 (d) asks an anchor for nothing but name and key: ours is the safe side.',
    found: [
      {
        oracles: ['openssl verify', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['authority-root-without-basic-constraints'],
      },
    ],
  },
  {
    why: 'GnuTLS knows the extension, and minds no flag; RFC 5280 §4.2.2.1 forbids to make it critical, and §4.2 wants what is critical processed or refused, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['extension-authority-information-critical'] }],
  },
  {
    why: 'OpenSSL processes policies; we (and GnuTLS) do not, so that RFC 5280 §4.2 has us refuse a critical demand for them.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['extension-policy-constraints-critical', 'issuance-policy-constraints-critical'],
      },
    ],
  },
  {
    why: 'OpenSSL’s strict mode wants a key usage in every authority, as RFC 5280 §4.2.1.3 wants it of those who issue; §6.1.4 (n) has validation ask only for one that is present, and so do we in both profiles.',
    found: [{ oracles: ['openssl verify -x509_strict'], cases: ['authority-without-key-usage'] }],
  },
  {
    why: 'GnuTLS takes a key usage without any bit for no key usage; RFC 5280 §4.2.1.3 wants one bit at least, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['malformed-key-usage-empty', 'malformed-key-usage-zero'] }],
  },
  {
    why: 'OpenSSL’s strict mode is no audit of issuance: what it lets pass here is against RFC 5280 §4 or the Baseline Requirements, and our strict profile refuses it.',
    found: [
      {
        oracles: ['openssl verify -x509_strict'],
        cases: [
          'constraints-empty',
          'constraints-in-leaf',
          'constraints-not-critical',
          'constraints-dns-dot-not-excluded',
          'constraints-dns-dot-permitted',
          'constraints-form-minimum-0',
          'encoding-ca-01',
          'encoding-ca-false',
          'encoding-critical-01',
          'encoding-critical-false',
          'encoding-generalized-time',
          'encoding-key-usage-zero-bits',
          'encoding-key-usage-zero-bits-in-root',
          'encoding-key-usage-zero-octet',
          'encoding-relative-name-not-sorted',
          'issuance-authority-information-empty',
          'issuance-authority-information-unreadable',
          'issuance-cn-a-label-not-in-san',
          'issuance-cn-address-not-in-san',
          'issuance-cn-case',
          'issuance-cn-not-in-san',
          'issuance-leaf-is-ca',
          'issuance-policy-constraints-not-critical',
          'issuance-root-aki-of-another-key',
          'issuance-root-aki-with-issuer',
          'issuance-root-aki-without-key',
          'issuance-san-critical',
          'issuance-serial-21-octets',
          'issuance-serial-negative',
          'issuance-serial-zero',
          'issuance-timestamps-unreadable',
          'key-just-not-too-weak',
          'key-short',
          'key-short-by-one-octet',
          'key-short-in-intermediate',
          'key-size-odd',
          'name-beside-address',
          'name-beside-five-octets',
          'name-beside-leading-dot',
          'name-beside-mail-address',
          'name-beside-nul',
          'name-suffix-beside-the-name',
        ],
      },
    ],
  },
  {
    why: 'OpenSSL reads the outside of a certificate in BER, lets octets follow it, and encodes it anew; RFC 5280 §4.1 wants DER, so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict'],
        cases: ['malformed-indefinite-length', 'malformed-long-length', 'malformed-trailing'],
      },
    ],
  },
  {
    why: 'OpenSSL ends at the first block that it cannot read, and needs none of the rest; we tell of every block, and refuse a chain that is broken anywhere.',
    found: [{ oracles: ['openssl verify', 'openssl verify -x509_strict'], cases: ['malformed-stranger'] }],
  },
  {
    why: 'They let the encoding of a field pass that they do not need, or read it leniently; RFC 5280 §4.1 and §4.2 forbid it (DER, each extension once, at least one of them, versions 1 to 3), so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['malformed-basic-constraints', 'malformed-key-usage-unused-set', 'malformed-version-4'],
      },
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['malformed-duplicate-unknown-extension'],
      },
      {
        oracles: ['gnutls-cli'],
        cases: ['malformed-key-usage-unused-bits', 'malformed-key-usage-unused-sign'],
      },
      {
        oracles: ['openssl verify', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['malformed-extensions-empty', 'malformed-san-empty'],
      },
    ],
  },
  {
    why: 'They fall back to the common name where subjectAltName has no DNS name; RFC 9525 §2 has done away with that, so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['name-cn-beside-mail-address', 'name-cn-only'],
      },
    ],
  },
  {
    why: 'OpenSSL reads a string in pieces; DER has none (X.690 §10.2), so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['name-constructed'],
      },
    ],
  },
  {
    why: 'OpenSSL compares the reference name with its final dot; in DNS that is the same name (RFC 1034 §3.1), and we take the dot off, as whoever calls OpenSSL has to.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['name-dot-of-reference'],
      },
    ],
  },
  {
    why: 'They know no public suffixes; RFC 9525 §7.1 leaves such wildcards to the application, and we refuse them, which is the safe side.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['name-suffix-co-uk'],
      },
    ],
  },
  {
    why: 'They compare a reference name that is itself a wildcard as text; no host has such a name (RFC 9525 §6.1), so we match nothing.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['name-wildcard-asked-for'],
      },
    ],
  },
  {
    why: 'They let `*` be a part of a label, as RFC 6125 did; RFC 9525 §6.3 allows the whole left-most label only, so we (and Postfix) are right.',
    found: [
      { oracles: ['openssl s_client -dane_tlsa_rrdata'], cases: ['dane-name-wildcard-partial'] },
      { oracles: ['openssl verify', 'openssl verify -x509_strict'], cases: ['name-wildcard-partial-end'] },
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli'],
        cases: ['name-wildcard-partial-start'],
      },
    ],
  },
  {
    why: 'GnuTLS counts self-issued certificates; RFC 5280 §4.2.1.9 does not, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['path-length-self-issued'] }],
  },
  {
    why: 'OpenSSL counts self-issued certificates in its own limit of depth, and we do not in ours, as RFC 5280 §4.2.1.9 does not for path lengths; no RFC has such a limit.',
    found: [{ oracles: ['openssl verify', 'openssl verify -x509_strict'], cases: ['path-too-long-self-issued'] }],
  },
  {
    why: 'These have no limit that the test could set; no RFC asks for one.',
    found: [{ oracles: ['gnutls-cli', 'posttls-finger -l secure'], cases: ['path-too-long'] }],
  },
  {
    why: 'GnuTLS takes a list of no purposes for all of them; RFC 5280 §4.2.1.12 has at least one in it, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['purpose-empty'] }],
  },
  {
    why: 'They do not know anyExtendedKeyUsage in an authority; RFC 5280 §4.2.1.12 has it stand for every purpose, so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'gnutls-cli', 'posttls-finger -l secure'],
        cases: ['purpose-of-intermediate-any'],
      },
    ],
  },
  {
    why: 'GnuTLS looks at nothing in a root; RFC 5280 §6.1.1 (d) makes an anchor a name and a key, so that is allowed, and ours is the safe side.',
    found: [{ oracles: ['gnutls-cli'], cases: ['purpose-of-root-mail-only'] }],
  },
  {
    why: 'GnuTLS takes 30 February for a date; RFC 5280 §4.1.2.5 means real ones, so we are right.',
    found: [{ oracles: ['gnutls-cli'], cases: ['validity-february-30'] }],
  },
  {
    why: 'For OpenSSL the last second is too late; RFC 5280 §4.1.2.5 includes notAfter, so we are right.',
    found: [
      {
        oracles: ['openssl verify', 'openssl verify -x509_strict', 'posttls-finger -l secure'],
        cases: ['validity-last-second', 'validity-within-the-last-second'],
      },
    ],
  },
  {
    why: 's_client takes the address for a DNS name, and finds it in the common name; RFC 7672 §3.2.3 knows names of hosts only, so we are right.',
    found: [{ oracles: ['openssl s_client -dane_tlsa_rrdata'], cases: ['dane-name-address-as-cn'] }],
  },
  {
    why: 's_client is no mail client: it has a use for usages 0 and 1, which need roots that it was not given; RFC 7672 §3.1.3 makes them unusable, so we (and Postfix) are right.',
    found: [
      {
        oracles: ['openssl s_client -dane_tlsa_rrdata'],
        cases: [
          'dane-unusable-all',
          'dane-unusable-and-chain-bad',
          'dane-unusable-usage-0',
          'dane-unusable-usage-1',
        ],
      },
    ],
  },
  {
    why: 'libgnutls-dane checks usages 0 and 1, too, by the bytes alone; RFC 7672 §3.1.3 makes them unusable for mail, so we are right.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: [
          'dane-unusable-all',
          'dane-unusable-and-chain-bad',
          'dane-unusable-beside-wrong',
          'dane-unusable-usage-0',
          'dane-unusable-usage-1',
        ],
      },
    ],
  },
  {
    why: 'libgnutls-dane has no outcome for records that it cannot use, and says that nothing matches; RFC 7672 §2.2 asks for TLS without authentication, so we are right.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: [
          'dane-unusable-certificate-cut',
          'dane-unusable-certificate-unreadable',
          'dane-unusable-key-unreadable',
          'dane-unusable-matching-type-255',
          'dane-unusable-matching-type-3',
          'dane-unusable-selector-2',
          'dane-unusable-selector-255',
          'dane-unusable-sha-256-long',
          'dane-unusable-sha-256-short',
          'dane-unusable-sha-512-short',
          'dane-unusable-usage-255',
          'dane-unusable-usage-4',
        ],
      },
    ],
  },
  {
    why: 'libgnutls-dane knows no digest agility: any record may match; under RFC 7671 §9 the strongest published digest counts alone, so we are right.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: ['dane-shadow-issuer-weak-right-strong-wrong', 'dane-shadow-weak-right-strong-wrong'],
      },
    ],
  },
  {
    why: 'libgnutls-dane checks no names, and leaves that to its caller; RFC 7672 §3.1.2 wants them checked under usage 2, so we are right.',
    found: [
      { oracles: ['danetool'], cases: ['dane-name-address', 'dane-name-address-as-cn'] },
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: [
          'dane-name-cn-beside-names',
          'dane-name-cn-nul',
          'dane-name-cn-only-wrong',
          'dane-name-none',
          'dane-name-wildcard-partial',
          'dane-name-wrong',
        ],
      },
    ],
  },
  {
    why: 'libgnutls-dane minds the dates of the certificate that usage 2 names; RFC 5280 §6.2 leaves those of an anchor to the verifier, and the record vouches for this one, so we (with OpenSSL and Postfix) tell of them and deliver.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: ['dane-issuer-expired', 'dane-issuer-expired-by-certificate', 'dane-key-of-expired-certificate'],
      },
    ],
  },
  {
    why: 'libgnutls-dane validates no path between the leaf and the certificate that usage 2 names; RFC 7671 §5.2 wants one, so we are right.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: [
          'dane-issuer-client-only',
          'dane-issuer-path-length',
          'dane-issuer-signs-certificates',
          'dane-key-of-code-signer',
        ],
      },
    ],
  },
  {
    why: 'libgnutls-dane is content when the second certificate issued the first and any certificate after the first has the bytes, whether or not it issued anything; RFC 7671 §5.2 wants a path to it, so we are right.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: ['dane-issuer-is-self-signed-leaf-sent-twice', 'dane-issuer-is-stranger'],
      },
    ],
  },
  {
    why: 'libgnutls-dane looks for the issuer among the certificates that were sent, and only there; RFC 7671 §5.2.2 and §5.2.3 let the record itself be the anchor, so we are right.',
    found: [
      {
        oracles: ['danetool', 'gnutls-cli --dane'],
        cases: [
          'dane-issuer-only-in-record',
          'dane-key-of-renamed-certificate',
          'dane-key-self-signed-leaf',
          'dane-key-signed-intermediate',
          'dane-key-signed-leaf',
          'dane-key-signed-leaf-by-root',
          'dane-matrix-ids-0-0-root-not-sent',
          'dane-matrix-ids-1-0-root-not-sent',
          'dane-matrix-no-ids-0-0-root-not-sent',
          'dane-matrix-no-ids-1-0-root-not-sent',
        ],
      },
    ],
  },
  {
    why: 'GnuTLS cannot read a certificate with an extension twice, and ends the handshake; under RFC 7671 §5.1 usage 3 asks for the bytes alone, so we are right.',
    found: [
      {
        oracles: ['gnutls-cli --dane'],
        cases: ['dane-leaf-duplicate-extension-0', 'dane-leaf-duplicate-extension-1'],
      },
    ],
  },
]
