export { eventually, within } from './eventually.ts';
export { FakeClock, type FakeClockOptions } from './fake-clock.ts';
export { freePort } from './free-port.ts';
export { GivenMosquitto, hasMosquitto, runMosquitto } from './given-mosquitto.ts';
export { buildRecorder, readRecord, ReplayDisk, type IoOperation } from './io-record.ts';
export { measureLoopStall, type LoopStall } from './loop-stall.ts';
export { scaled, soaking } from './soak.ts';
export { makeTempDir, type TempDir } from './temp-dir.ts';
export { wholeLines } from './whole-lines.ts';
