/** Why an SMTP conversation of ours, as the client, did not do what was wanted. One finding each: judgement/findings.ts. */
export type SmtpReason =
  /** 4xx or 5xx instead of the greeting, or to EHLO and HELO. */
  | 'smtp.greeting-refused-for-now'
  | 'smtp.greeting-refused-for-good'
  | 'smtp.hello-refused-for-now'
  | 'smtp.hello-refused-for-good'
  /** A 5xx instead of the greeting, or to EHLO and HELO, in clear text where TLS is owed: it may be anybody's word. */
  | 'smtp.refused-before-tls'
  | 'smtp.sender-refused-for-now'
  | 'smtp.sender-refused-for-good'
  | 'smtp.recipient-refused-for-now'
  | 'smtp.recipient-refused-for-good'
  | 'smtp.data-refused-for-now'
  | 'smtp.data-refused-for-good'
  /** The reply to the final dot. */
  | 'smtp.message-refused-for-now'
  | 'smtp.message-refused-for-good'
  /** Not a reply by RFC 5321 §4.2, a code that cannot answer this command, or more than the limits allow. */
  | 'smtp.reply-malformed'
  | 'smtp.reply-too-long'
  | 'smtp.reply-unexpected'
  /** A phase of RFC 5321 §4.5.3.2 ran out of time. */
  | 'smtp.timeout'
  /** The peer went away in the middle. */
  | 'smtp.closed'
  /** The peer went away after the final dot, before its reply: it may own the message. */
  | 'smtp.closed-after-dot'
  /** 421 in the middle of a conversation. */
  | 'smtp.shutting-down'
  /** The hop lacks what the message needs. */
  | 'smtp.no-8bitmime'
  | 'smtp.no-smtputf8'
  | 'smtp.message-exceeds-size'

/** Why STARTTLS did not lead to TLS, seen from SMTP. */
export type StartTlsReason =
  | 'starttls.not-offered'
  | 'starttls.refused'
  /** Not a failure: STARTTLS was offered and not used, because handshakes for this message had failed. */
  | 'starttls.left-out'
  /** Bytes followed the `220` in clear text: the peer, or somebody between, talks before TLS (CVE-2011-0411's client side). */
  | 'starttls.bytes-after-220'
