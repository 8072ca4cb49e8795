import protobuf from 'protobufjs/minimal.js';

// 64-bit fields are plain numbers throughout: sequences, epochs and times all stay below 2^53. This has to run
// before the generated codec is loaded, which looks once.
protobuf.util.Long = null as unknown as typeof protobuf.util.Long; // the documented way to switch Long off
protobuf.configure();
