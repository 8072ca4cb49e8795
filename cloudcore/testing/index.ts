export { FakeEdge, type Upgraded } from './fake-edge.ts';
