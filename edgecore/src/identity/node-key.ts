import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { EdgeCoreError } from '../errors.ts';

/** Kinds of keys of a node: Ed25519, which quic needs, or P-256, which TPMs have. */
export type NodeKeyType = 'ed25519' | 'p256';

const generate = promisify(generateKeyPair);

/** Makes a private key. It never leaves the node. */
export async function generateNodeKey(type: NodeKeyType = 'ed25519'): Promise<KeyObject> {
  if (type === 'ed25519') return (await generate('ed25519')).privateKey;
  return (await generate('ec', { namedCurve: 'P-256' })).privateKey;
}

/** The kind of a key, undefined for one that is not accepted. */
export function nodeKeyType(key: KeyObject): NodeKeyType | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'p256' : undefined;
}

/** PKCS#8, PEM. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** @throws EdgeCoreError `ERR_EDGECORE_IDENTITY` for what is no key, or of a kind that is not accepted */
export function readPrivateKey(pem: string, about: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    const message = `the private key in ${about} cannot be read: ${(cause as Error).message}`;
    throw new EdgeCoreError('ERR_EDGECORE_IDENTITY', message, { cause, about });
  }
  if (nodeKeyType(key) !== undefined) return key;
  const message = `the private key in ${about} is of type ${key.asymmetricKeyType ?? 'unknown'}: Ed25519 or P-256 is accepted`;
  throw new EdgeCoreError('ERR_EDGECORE_IDENTITY', message, { about });
}
