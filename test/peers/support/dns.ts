/**
 * A DNS that is secure to the last record: one zone, the root, signed here with a key of its own. Programs run through `seeing` get our
 * /etc/resolv.conf and our root key, in a mount namespace of their own: libunbound (danetool, gnutls-cli) validates, Postfix believes the AD bit.
 * On port 53 of a loopback address of its own, because resolv.conf knows no ports. Both need root.
 *
 * Answers are positive or empty; nothing proves what is not there. RFC 4034 §3.1.8.1 (what is signed), RFC 6605 (ECDSA).
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import dnsPacket, { type Answer, type Packet } from 'dns-packet'

export interface SecureDns {
  /** The command line that runs this one with our DNS. */
  seeing(command: string, args: readonly string[]): readonly [string, readonly string[]]
  stop(): Promise<void>
}

type Lookup = (name: string, type: string) => readonly Answer[]

/** @param directory for the files that the programs see. @param lookup the records of that type at a name, which is in lower case. */
export async function startSecureDns(directory: string, lookup: Lookup): Promise<SecureDns> {
  const { dnsKey, respond } = signer(lookup)
  const udp = createSocket('udp4')
  udp.on('message', (query, { port, address: from }) => {
    const response = respond(dnsPacket.decode(query))
    const bytes = dnsPacket.encode(response)
    const isSmall = bytes.length <= safeUdpBytes
    udp.send(
      isSmall
        ? bytes
        : dnsPacket.encode({ ...response, flags: secure | dnsPacket.TRUNCATED_RESPONSE, answers: [] }),
      ...([port, from] as const),
    )
  })
  const tcp = createServer(socket => {
    let bytes = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const length = bytes.readUInt16BE(0)
        socket.write(dnsPacket.streamEncode(respond(dnsPacket.decode(bytes.subarray(2, 2 + length)))))
        bytes = bytes.subarray(2 + length)
      }
    })
  })
  udp.bind(53, address)
  await once(udp, 'listening')
  tcp.listen(53, address)
  await once(tcp, 'listening')

  const resolvConf = join(directory, 'resolv.conf')
  writeFileSync(resolvConf, `nameserver ${address}\noptions trust-ad timeout:5 attempts:2\n`)
  const rootKey = join(directory, 'root.key')
  writeFileSync(rootKey, `. IN DNSKEY 257 3 ${ecdsaP256} ${dnsKey.toString('base64')}\n`)
  if (!existsSync(installedRootKey)) throw new Error(`${installedRootKey} is not there: test/peers/install`)
  const mounts = `mount --bind "$0" /etc/resolv.conf && mount --bind "$1" ${installedRootKey} && shift && exec "$@"`
  return {
    seeing: (command, args) => ['unshare', ['--mount', 'sh', '-c', mounts, resolvConf, rootKey, command, ...args]],
    async stop() {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

function signer(lookup: Lookup): { readonly dnsKey: Buffer; readonly respond: (query: Packet) => Packet } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // RFC 6605 §4: the point without the octet that says it is uncompressed, the last 64 of the encoding.
  const dnsKey = publicKey.export({ type: 'spki', format: 'der' }).subarray(-64)
  const key: Answer = { type: 'DNSKEY', name: '.', ttl, data: { flags: 257, algorithm: ecdsaP256, key: dnsKey } }

  /** @param records one RRset; not empty. */
  const signed = (records: readonly Answer[]): readonly Answer[] => {
    const [first] = records
    if (first === undefined) return []
    const { name, type } = first
    const rrsig = (signature: Buffer): Answer => ({
      ...{ type: 'RRSIG', name, ttl },
      data: {
        ...{ typeCovered: type, algorithm: ecdsaP256, originalTTL: ttl, expiration, inception },
        ...{
          labels: name === '.' ? 0 : name.split('.').length,
          keyTag: keyTag(recordData(key)),
          signersName: '.',
        },
        signature,
      },
    })
    // RFC 4034 §6.3: in the order of their data.
    const ordered = [...records].sort((a, b) => Buffer.compare(recordData(a), recordData(b)))
    const bytes = Buffer.concat([recordData(rrsig(Buffer.alloc(0))), ...ordered.map(encoded)])
    return [...records, rrsig(sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }))]
  }

  const respond = (query: Packet): Packet => {
    const [question] = query.questions ?? []
    const isRoot = question?.name === '.' || question?.name === ''
    const records =
      question === undefined
        ? []
        : isRoot && question.type === 'DNSKEY'
          ? [key]
          : lookup(question.name.toLowerCase(), question.type)
    return {
      ...{ type: 'response', questions: query.questions ?? [], flags: secure, answers: [...signed(records)] },
      ...(query.id === undefined ? {} : { id: query.id }),
      additionals: [
        {
          ...{ type: 'OPT', name: '.', udpPayloadSize: safeUdpBytes, extendedRcode: 0, ednsVersion: 0 },
          ...{ flags: dnsPacket.DNSSEC_OK, flag_do: true, options: [] },
        },
      ],
    }
  }
  return { dnsKey, respond }
}

/** The data of a record as on the wire, without its length. */
function recordData(record: Answer): Buffer {
  const nameBytes = record.name === '.' ? 1 : record.name.length + 2
  return encoded(record).subarray(nameBytes + 10)
}

/** The record as on the wire, which is its canonical form: the names are in lower case, and the library does not compress. */
function encoded(record: Answer): Buffer {
  return dnsPacket.encode({ answers: [record] }).subarray(headBytes)
}

/** RFC 4034 appendix B. */
function keyTag(data: Buffer): number {
  let sum = 0
  for (const [i, octet] of data.entries()) sum += i % 2 === 0 ? octet << 8 : octet
  return (sum + (sum >>> 16)) & 0xffff
}

const address = '127.83.25.53'
const installedRootKey = '/usr/share/dns/root.key'
const ecdsaP256 = 13
const ttl = 60
const headBytes = 12
/** Seconds since 1970, 2010 to 2060: programs are run at other times too. */
const inception = 1_262_304_000
const expiration = 2_840_140_800
const secure = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | dnsPacket.AUTHENTIC_DATA
/** What every resolver takes in one datagram (RFC 9715). */
const safeUdpBytes = 1_232
