import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { HASH_BYTES } from '../content/hash.ts';
import { SyncError } from '../errors.ts';
import { POOL_RESOURCES } from './pool-objects.ts';
import { isVersion, MAX_VERSION_DIGITS } from './state-version.ts';

/** A state of a pool's scope, as the hub vouches for it: docs/pool.md, "Signed states". */
export interface SignedState {
  /** resourceVersion that the hub's feed of the resource had seen: decimal, without leading zeroes. */
  readonly version: string;
  /** Digest of the whole scope, 16 bytes, as `DigestTree` makes it. */
  readonly digest: Uint8Array;
}

/** What a signature is about, beside the state; it is signed, and does not travel. */
export interface StateSubject {
  readonly clusterUid: string;
  readonly incarnation: string;
  /** Made by {@link stateSubject}. */
  readonly subject: string;
}

/** A pair of keys for signed states. */
export interface PoolStateKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** First byte of a stamp of a pool: how the rest is written. */
const FORMAT = 1;
const SIGNATURE_BYTES = 64;
/** Format, digest, signature; the version follows up to the end. */
const HEAD_BYTES = 1 + HASH_BYTES + SIGNATURE_BYTES;
const CONTEXT = 'hawser pool state v1';
const KEY_BYTES = 32;
/** PKCS #8 of an Ed25519 key up to its seed. Source: RFC 8410, section 7. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Of the resource where it is the same in all pools, of `<pool>/<resource>` where each pool has its own. */
export function stateSubject(pool: string, resource: string): string {
  return OF_EACH_POOL.has(resource) ? `${pool}/${resource}` : resource;
}

/** Resources whose state differs from pool to pool. */
const OF_EACH_POOL: ReadonlySet<string> = new Set([POOL_RESOURCES.roster]);

/**
 * The stamp of a state: `format (1 byte), digest (16), Ed25519 signature (64), version (ASCII digits)`.
 * @throws TypeError for a version that is no decimal number, a digest of another length, a subject with a NUL
 */
export function signState(state: SignedState, of: StateSubject, key: KeyObject): Uint8Array {
  if (!isVersion(state.version)) throw new TypeError(`not a version: ${state.version.slice(0, 50)}`);
  if (state.digest.length !== HASH_BYTES) throw new TypeError(`a digest of ${state.digest.length} bytes`);
  const signed = signedBytes(state, of);
  if (signed === undefined) throw new TypeError('a subject with a NUL');
  const stamp = new Uint8Array(HEAD_BYTES + state.version.length);
  stamp[0] = FORMAT;
  stamp.set(state.digest, 1);
  stamp.set(sign(null, signed, key), 1 + HASH_BYTES);
  stamp.set(Buffer.from(state.version, 'ascii'), HEAD_BYTES);
  return stamp;
}

/** What a stamp says, whoever has made it; undefined: it is none of a pool's state, or of a later format. */
export function readSignedState(stamp: Uint8Array): SignedState | undefined {
  if (stamp[0] !== FORMAT || stamp.length > HEAD_BYTES + MAX_VERSION_DIGITS) return undefined;
  const version = Buffer.from(stamp.subarray(HEAD_BYTES)).toString('latin1');
  if (!isVersion(version)) return undefined;
  return { version, digest: new Uint8Array(stamp.subarray(1, 1 + HASH_BYTES)) };
}

/** Whether one of these keys has signed the stamp, for just this subject in just this life of the cluster. */
export function isSignedBy(stamp: Uint8Array, of: StateSubject, keys: readonly KeyObject[]): boolean {
  const state = readSignedState(stamp);
  const signed = state && signedBytes(state, of);
  if (signed === undefined) return false;
  const signature = stamp.subarray(1 + HASH_BYTES, HEAD_BYTES);
  return keys.some((key) => verify(null, signed, key, signature));
}

/** Keys from a secret. @param secret 32 bytes, the seed of RFC 8032 @throws TypeError for another length */
export function poolStateKeys(secret: Uint8Array): PoolStateKeys {
  if (secret.length !== KEY_BYTES) throw new TypeError(`a seed of ${secret.length} bytes, not ${KEY_BYTES}`);
  const der = Buffer.concat([PKCS8_HEAD, secret]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** A public key from its 32 raw bytes, base64. @throws SyncError `ERR_SYNC_BAD_CONTENT` for anything else */
export function publicKeyFromRaw(base64: string): KeyObject {
  const raw = Buffer.from(base64, 'base64');
  if (raw.length !== KEY_BYTES || raw.toString('base64') !== base64)
    throw new SyncError('ERR_SYNC_BAD_CONTENT', `not an Ed25519 public key: ${base64.slice(0, 100)}`);
  const key = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

/** The 32 raw bytes of an Ed25519 key's public half, base64. @throws TypeError for a key of another kind */
export function rawPublicKey(key: KeyObject): string {
  const { crv, x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (crv !== 'Ed25519' || x === undefined) throw new TypeError('not an Ed25519 key');
  return Buffer.from(x, 'base64url').toString('base64');
}

/** Undefined where a part has a NUL: it could pass for two. */
function signedBytes({ version, digest }: SignedState, of: StateSubject): Buffer | undefined {
  const parts = [CONTEXT, of.clusterUid, of.incarnation, of.subject, version];
  if (parts.some((part) => part.includes('\0'))) return undefined;
  return Buffer.concat([Buffer.from(`${parts.join('\0')}\0`), digest]);
}
