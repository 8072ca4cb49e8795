import { CloudCoreError } from '../errors.ts';
import type { JoinToken } from './join-token.ts';
import { revoked, type NodeRecord } from './node-record.ts';

/** A node that wants to join under a name. */
export interface JoinCandidate {
  readonly node: string;
  /** SHA-256 of its public key, lower-case hex, proven. */
  readonly key: string;
  readonly token: JoinToken;
}

/**
 * Decides whether a node may join under a name that may have been taken before, in this order:
 *
 * 1. Nobody has it: yes.
 * 2. A certificate of this very key lives: it is the same machine, which may join again and again.
 * 3. The name was revoked or taken over after the token was made: no. A machine that was thrown out may still have
 *    the token that it once came in with.
 * 4. A certificate of another key lives: only with a token that may replace.
 * 5. Otherwise yes; what was issued before is revoked, so that there is one machine of the name.
 *
 * @param record what is known of the name
 * @param nowMs wall time, milliseconds since the epoch
 * @returns the record to which the new certificate is to be added
 * @throws CloudCoreError `ERR_CLOUDCORE_NODE_REVOKED`, `ERR_CLOUDCORE_NODE_EXISTS`
 */
export function admitJoin(
  record: NodeRecord | undefined,
  candidate: JoinCandidate,
  nowMs: number,
): NodeRecord {
  const { node, key, token } = candidate;
  const joined = {
    node,
    joinedAt: new Date(nowMs).toISOString(),
    ...(token.pool !== undefined && { pool: token.pool }),
  };
  if (record === undefined) return { ...joined, certificates: [] };
  const living = record.certificates.filter(({ notAfter }) => Date.parse(notAfter) > nowMs);
  if (living.some((certificate) => certificate.key === key)) {
    return { ...record, ...(token.pool !== undefined && { pool: token.pool }) };
  }
  if (record.revokedAt !== undefined && Date.parse(token.createdAt) <= Date.parse(record.revokedAt)) {
    const message = `the node ${node} was revoked at ${record.revokedAt}, and the join token ${token.id} is older than that`;
    throw new CloudCoreError('ERR_CLOUDCORE_NODE_REVOKED', message, { about: node });
  }
  if (living.length > 0 && !token.replace) {
    const message = `a node named ${node} has joined with another key, and its certificate lives`;
    throw new CloudCoreError('ERR_CLOUDCORE_NODE_EXISTS', message, { about: node });
  }
  return record.certificates.length === 0
    ? { ...record, ...joined }
    : { ...revoked(record, nowMs), ...joined };
}
