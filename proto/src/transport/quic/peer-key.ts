import type { KeyObject } from 'node:crypto';
import { base58 } from '@scure/base';
import { TunnelError } from '../../errors.ts';

/** Head of an Ed25519 SubjectPublicKeyInfo. Source: RFC 8410. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
/** Head of a libp2p peer id that holds its key: identity multihash of 36 bytes, key type Ed25519, 32 bytes of key. */
const PEER_ID_HEAD = Buffer.from('002408011220', 'hex');
/** Head of a libp2p private key: key type Ed25519, 64 bytes of seed and public key. Source: libp2p specs, peer-ids. */
const PRIVATE_KEY_HEAD = Buffer.from('08011240', 'hex');

/** The key that a connection has proven, as SPKI DER, from the multiaddr of its peer. */
export function provenKey(multiaddr: string): Buffer {
  const peerId = multiaddr.split('/p2p/')[1] ?? '';
  const bytes = Buffer.from(base58.decode(peerId));
  if (
    bytes.length !== PEER_ID_HEAD.length + 32 ||
    !bytes.subarray(0, PEER_ID_HEAD.length).equals(PEER_ID_HEAD)
  ) {
    throw new TunnelError('ERR_TUNNEL_CERT_KEY', 'the peer of a quic connection must prove an Ed25519 key');
  }
  return Buffer.concat([SPKI_HEAD, bytes.subarray(PEER_ID_HEAD.length)]);
}

/** `ip:port` from a multiaddr, for logs and limits. */
export function addressOf(multiaddr: string): { ip: string; port: number } {
  const [, , ip = 'unknown', , port = '0'] = multiaddr.split('/');
  return { ip, port: Number(port) };
}

/** The key in the form that the native endpoint takes. @throws TunnelError `ERR_TUNNEL_CERT_KEY` for other kinds */
export function nativePrivateKey(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ed25519') {
    const message = `quic needs an Ed25519 key, this one is ${key.asymmetricKeyType ?? 'unknown'}; use ws, or join with an Ed25519 key`;
    throw new TunnelError('ERR_TUNNEL_CERT_KEY', message);
  }
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([PRIVATE_KEY_HEAD, Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]);
}
