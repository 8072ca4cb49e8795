export { describeObjectStore, describeStoreReading, type StoreFixture } from './object-store-compliance.ts';
export { startKubeFixture, type KubeFixture, type KubeFixtureOptions } from './kube-fixture.ts';
