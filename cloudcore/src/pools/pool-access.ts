import type { MemberSession } from './member-states.ts';
import type { PoolScope } from './pool-scope.ts';
import type { CloudCoreErrorCode } from '../errors.ts';

/** What a node asks for: `Subscribe{kind: "pool"}`. */
export interface PoolRequest {
  /** `<pool>/<resource>`. */
  readonly name: string;
  /** In which the node leads; 0: it does not. */
  readonly epoch: number;
  /** By a grant, without the leader. */
  readonly direct: boolean;
}

/** A scope of a pool that a node may have now. */
export interface PoolOffer {
  readonly view: PoolScope;
  /** See `ScopePublisherOptions.confirmAfterMs`. */
  readonly confirmAfterMs: number;
  /** The stream opens. `end` closes it and tells why. Answers what to call when it is closed. */
  opened(end: (message: string) => void): () => void;
  /** Bytes were said on it. */
  sent(bytes: number): void;
}

/** Why a node may not have a scope. */
export interface PoolRefusal {
  readonly code: CloudCoreErrorCode;
  readonly message: string;
}

/** What sessions need of pools. */
export interface PoolAccess {
  /** A session of the node has begun. Answers what to call when it has ended. */
  opened(node: string, session: MemberSession): () => void;
  /** Decides whether the node may have a scope. What is offered is to be opened at once. Never rejects. */
  offer(node: string, request: PoolRequest): Promise<PoolOffer | PoolRefusal>;
}
