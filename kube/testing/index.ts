export { describeObjectStore, type StoreFixture } from './object-store-compliance.ts';
