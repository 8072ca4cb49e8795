import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KubeObject } from '@hawser/kube';
import { HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';
import { CloudCoreError } from '../errors.ts';

/** Value of the label {@link LABELS}.kind on tokens' Secrets. */
export const JOIN_TOKEN = 'join-token';
/** 192 bits. */
const SECRET_BYTES = 24;
const TOKEN = /^([0-9a-f]{64})\.([A-Za-z0-9_-]{22,128})$/;
const ID_CHARACTERS = 16;

/** One node that has used a token. */
export interface TokenUse {
  readonly node: string;
  /** SHA-256 of the node's public key, lower-case hex: the same node may ask again when the answer was lost. */
  readonly key: string;
  /** RFC 3339. */
  readonly at: string;
}

/** A join token as it is kept: all but its secret. */
export interface JoinToken {
  /** Names it to people and in logs; tells nothing of the secret. */
  readonly id: string;
  /** SHA-256 of the secret, lower-case hex. */
  readonly hash: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** How many nodes may join with it. */
  readonly maxUses: number;
  readonly uses: readonly TokenUse[];
  /** The only node that may join with it. */
  readonly node?: string;
  /** The pool of the nodes that join with it. */
  readonly pool?: string;
  /** Whether it may take over the name of a node whose certificate lives. */
  readonly replace: boolean;
  readonly description?: string;
}

/** A fresh secret, base64url. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** SHA-256, lower-case hex. The secret is random and long: salt and stretching would add nothing. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A token's id: the beginning of its secret's hash, by which it is found without being searched for. */
export function tokenId(hash: string): string {
  return hash.slice(0, ID_CHARACTERS);
}

/** Name of the Secret that keeps a token. */
export function tokenName(id: string): string {
  return `join-token-${id}`;
}

/** The text that is handed to people: `<sha256 of the authority>.<secret>`. */
export function formatToken(pin: string, secret: string): string {
  return `${pin}.${secret}`;
}

/** The parts of a token, undefined if it is none. */
export function parseToken(text: string): { readonly pin: string; readonly secret: string } | undefined {
  const [, pin, secret] = TOKEN.exec(text) ?? [];
  return pin === undefined || secret === undefined ? undefined : { pin, secret };
}

/** Compares two texts of ASCII in a time that tells nothing of where they differ. */
export function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** The Secret of a token; metadata of `present` is kept. */
export function encodeToken(token: JoinToken, present?: KubeObject): KubeObject {
  const { id, uses, maxUses, replace, ...texts } = token;
  const data: Record<string, string> = {
    ...texts,
    uses: JSON.stringify(uses),
    maxUses: String(maxUses),
    replace: String(replace),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...present?.metadata,
      namespace: HAWSER_NAMESPACE,
      name: tokenName(id),
      labels: { ...present?.metadata.labels, [LABELS.kind]: JOIN_TOKEN },
    },
    type: 'hawser.dev/join-token',
    data: Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  };
}

/** @throws CloudCoreError `ERR_CLOUDCORE_TOKEN` where somebody has damaged the Secret: then it is no token */
export function decodeToken(object: KubeObject): JoinToken {
  const encoded = (object['data'] ?? {}) as Readonly<Record<string, string>>;
  const data = new Map(
    Object.entries(encoded).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]),
  );
  const hash = data.get('hash') ?? '';
  const maxUses = Number(data.get('maxUses'));
  const createdAt = data.get('createdAt') ?? '';
  const expiresAt = data.get('expiresAt') ?? '';
  const uses = parseUses(data.get('uses') ?? '');
  const isWhole =
    object.metadata.name === tokenName(tokenId(hash)) &&
    Number.isInteger(maxUses) &&
    !Number.isNaN(Date.parse(createdAt)) &&
    !Number.isNaN(Date.parse(expiresAt));
  if (!isWhole || uses === undefined) {
    const message = `the Secret ${HAWSER_NAMESPACE}/${object.metadata.name ?? ''} is no join token`;
    throw new CloudCoreError('ERR_CLOUDCORE_TOKEN', message);
  }
  const [node, pool, description] = ['node', 'pool', 'description'].map((name) => data.get(name));
  return {
    id: tokenId(hash),
    hash,
    createdAt,
    expiresAt,
    maxUses,
    uses,
    replace: data.get('replace') === 'true',
    ...(node !== undefined && { node }),
    ...(pool !== undefined && { pool }),
    ...(description !== undefined && { description }),
  };
}

function parseUses(text: string): TokenUse[] | undefined {
  let uses: unknown;
  try {
    uses = JSON.parse(text);
  } catch {
    return undefined; // the caller says that the Secret is no token
  }
  return Array.isArray(uses) && uses.every(isUse) ? uses : undefined;
}

function isUse(value: unknown): value is TokenUse {
  if (typeof value !== 'object' || value === null) return false;
  const { node, key, at } = value as Record<string, unknown>;
  return typeof node === 'string' && typeof key === 'string' && typeof at === 'string';
}
