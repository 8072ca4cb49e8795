export type { Content, ContentHash, ContentKey } from './content/content.ts';
export type { OutboxEntry, OutboxStore } from './edge/outbox-store.ts';
export type { ReplicaChange, ReplicaEntry, ReplicaRecord, ReplicaStore } from './edge/replica-store.ts';
export type { ScopeListener, ScopeView } from './hub/scope-view.ts';
export type { UpstreamAnswers, UpstreamBodies, UpstreamKind } from './upstream.ts';
