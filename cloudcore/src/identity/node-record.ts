import { createHash } from 'node:crypto';
import type { KubeObject } from '@hawser/kube';
import { HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';
import { CloudCoreError } from '../errors.ts';

/** Value of the label {@link LABELS}.kind on records. */
export const NODE_IDENTITY = 'node-identity';
/** Certificates kept in a record; each renewal adds one, and they live a year by default. */
const MAX_CERTIFICATES = 16;
/** Revoked certificates that a record remembers. */
const MAX_FORMER = 32;

/** A certificate that was issued to a node. */
export interface IssuedCertificate {
  /** Upper-case hex. */
  readonly serial: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of the public key's SPKI, lower-case hex. */
  readonly key: string;
  /** RFC 3339. */
  readonly issuedAt: string;
  /** RFC 3339. */
  readonly notAfter: string;
}

/**
 * What is known of a node's identity, in a ConfigMap of its own. While `revokedAt` is set, only the certificates in
 * `certificates` count: those that were issued since. (Without it every certificate counts that the authority signed:
 * records that were restored from a backup must not lock a fleet out.)
 */
export interface NodeRecord {
  readonly node: string;
  readonly pool?: string;
  /** RFC 3339: the first join, or the latest that took the name over. */
  readonly joinedAt?: string;
  /** RFC 3339: when all certificates of then were revoked the last time. */
  readonly revokedAt?: string;
  readonly certificates: readonly IssuedCertificate[];
  /** Certificates that were revoked: for peers, which know no record. Absent: none that is known. */
  readonly former?: readonly FormerCertificate[];
}

/** A certificate that was revoked. */
export type FormerCertificate = Pick<IssuedCertificate, 'fingerprint' | 'notAfter'>;

/** Name of the ConfigMap of a node's record: node names may be longer than what fits behind a prefix. */
export function recordName(node: string): string {
  return `node-${createHash('sha256').update(node).digest('hex').slice(0, 32)}`;
}

/** Whether a certificate counts no more. `record` undefined: nothing is known of the node, and nothing revoked. */
export function isRevokedBy(record: NodeRecord | undefined, fingerprint: string): boolean {
  if (record?.revokedAt === undefined) return false;
  return !record.certificates.some((certificate) => certificate.fingerprint === fingerprint);
}

/** Whether the node was revoked and has not joined since. */
export function isOut(record: NodeRecord): boolean {
  return record.revokedAt !== undefined && record.certificates.length === 0;
}

/** The record with one more certificate; of too many, those that end first are left out. */
export function withCertificate(
  record: NodeRecord,
  certificate: IssuedCertificate,
  keepAfterMs: number,
): NodeRecord {
  const kept = record.certificates
    .filter(({ notAfter }) => Date.parse(notAfter) > keepAfterMs)
    .slice(1 - MAX_CERTIFICATES);
  return { ...record, certificates: [...kept, certificate] };
}

/** The record with all its certificates revoked; those that would go on longest are remembered. */
export function revoked(record: NodeRecord, nowMs: number): NodeRecord {
  const former = [...(record.former ?? []), ...record.certificates]
    .filter(({ notAfter }) => Date.parse(notAfter) > nowMs)
    .map(({ fingerprint, notAfter }) => ({ fingerprint, notAfter }))
    .slice(-MAX_FORMER);
  return { ...record, revokedAt: new Date(nowMs).toISOString(), certificates: [], former };
}

/** The ConfigMap of a record; labels and annotations of `present` are kept. */
export function encodeRecord(record: NodeRecord, present?: KubeObject): KubeObject {
  const { certificates, former = [], ...rest } = record;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...present?.metadata,
      namespace: HAWSER_NAMESPACE,
      name: recordName(record.node),
      labels: { ...present?.metadata.labels, [LABELS.kind]: NODE_IDENTITY },
    },
    data: {
      ...rest,
      certificates: JSON.stringify(certificates),
      ...(former.length > 0 && { former: JSON.stringify(former) }),
    },
  };
}

/** @throws CloudCoreError `ERR_CLOUDCORE_NODE_RECORD` */
export function decodeRecord(object: KubeObject): NodeRecord {
  const data = (object['data'] ?? {}) as Readonly<Record<string, string | undefined>>;
  const { node, pool, joinedAt, revokedAt } = data;
  if (node === undefined || recordName(node) !== object.metadata.name)
    throw unreadable(object, 'it names no node');
  if (revokedAt !== undefined && Number.isNaN(Date.parse(revokedAt)))
    throw unreadable(object, 'revokedAt is no time');
  return {
    node,
    ...(pool !== undefined && { pool }),
    ...(joinedAt !== undefined && { joinedAt }),
    ...(revokedAt !== undefined && { revokedAt }),
    certificates: decodeCertificates(object, data['certificates'] ?? ''),
    ...(data['former'] !== undefined && { former: decodeFormer(object, data['former']) }),
  };
}

function decodeFormer(object: KubeObject, text: string): FormerCertificate[] {
  const list = decodeList(object, text);
  if (list.every(isFormer)) return list;
  throw unreadable(object, 'its list of revoked certificates has an entry that is none');
}

function isFormer(value: unknown): value is FormerCertificate {
  if (typeof value !== 'object' || value === null) return false;
  const { fingerprint, notAfter } = value as Record<string, unknown>;
  return typeof fingerprint === 'string' && !Number.isNaN(Date.parse(String(notAfter)));
}

function decodeCertificates(object: KubeObject, text: string): IssuedCertificate[] {
  const list = decodeList(object, text);
  if (list.every(isCertificate)) return list;
  throw unreadable(object, 'its list of certificates has an entry that is none');
}

function decodeList(object: KubeObject, text: string): unknown[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw unreadable(object, 'its list of certificates is no JSON', cause);
  }
  if (Array.isArray(list)) return list;
  throw unreadable(object, 'its list of certificates is none');
}

function isCertificate(value: unknown): value is IssuedCertificate {
  if (typeof value !== 'object' || value === null) return false;
  const { serial, fingerprint, key, issuedAt, notAfter } = value as Record<string, unknown>;
  const texts = [serial, fingerprint, key, issuedAt, notAfter];
  return texts.every((text) => typeof text === 'string') && !Number.isNaN(Date.parse(String(notAfter)));
}

function unreadable(object: KubeObject, why: string, cause?: unknown): CloudCoreError {
  const name = object.metadata.name ?? '';
  const message = `the record ${HAWSER_NAMESPACE}/${name} cannot be read: ${why}`;
  const options = cause === undefined ? {} : { cause };
  return new CloudCoreError('ERR_CLOUDCORE_NODE_RECORD', message, { about: name, ...options });
}
