export { FakeKubelet, type FakeKubeletOptions } from './fake-kubelet.ts';
