/** What `hermetic config example` prints: a configuration to start from. A test loads it. */
export const exampleConfiguration = `# Configuration of Hermetic. Every option and its default: docs/configuration.md
# Check it with: hermetic config check FILE

# The name in greetings and Received: fields; other servers look it up.
hostname: mail.example.org

# Where everything is kept.
state: /var/lib/hermetic

listen:
  - { address: 0.0.0.0, port: 25 } # STARTTLS is offered
  - { address: '::', port: 25 }
  # - { address: 0.0.0.0, port: 465, tls: implicit }

# Without certificates one is made on first start.
# tls:
#   certificates:
#     - { chain: /etc/hermetic/mail.example.org.pem, key: /etc/hermetic/mail.example.org.key }

relay:
  from: [127.0.0.0/8, '::1', 192.0.2.0/24] # clients that may send anywhere
  to: [example.org] # domains that mail is taken for from anybody

postmaster: admin@example.org

# Lists for the conditions below, here or in files: { file: smallkey.txt }
lists:
  smallkey: [oldserver.example.com, mx2.example.net]

# The first route that fits wins.
routes:
  - name: our own mail store
    when: { recipient: example.org }
    to: { host: store.example.org }
    tls: encrypt

  - name: a partner and nobody in between
    when: { recipient: .partner.example }
    to: { host: [mx1.partner.example, 'mx2.partner.example:2525'] }
    tls: verify

  - name: old servers
    when: { mx: '@smallkey' }
    to: mx

  - name: closed
    when: { recipient: [info@example.net, '*.closed.example'] }
    to: { reject: This address is closed, code: 550 }

  - name: everything else
    to: mx # TLS by DANE where the domain has it, else when it is offered

dns:
  # servers: [127.0.0.1] # default: /etc/resolv.conf
  trust: validate # check the signatures of DNSSEC here, and believe no server
  timeout: 10s

limits:
  message: 50MB

retry:
  schedule: [5m, 10m, 20m, 40m, 1h, 2h, 4h]
  expire: 5d

log:
  format: human
`
