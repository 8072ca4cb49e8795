export { sampleContent } from './content-samples.ts';
export { MemoryDisk, type MemoryDiskOptions, type MemoryScope } from './memory-disk.ts';
export { MemoryOutboxStore } from './memory-outbox-store.ts';
export { MemoryReplicaStore } from './memory-replica-store.ts';
export { MemoryScopeView, type MemoryScopeViewOptions } from './memory-scope-view.ts';
export { describeOutboxStore, type OutboxStoreFixture } from './outbox-store-compliance.ts';
export { describeReplicaStore, type ReplicaStoreFixture } from './replica-store-compliance.ts';
