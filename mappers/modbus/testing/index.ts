export {
  ModbusPeer,
  type PeerFault,
  type PeerKind,
  type PeerRequest,
  type RtuPeerOptions,
} from './modbus-peer.ts';
export { makeSerialPair, serialPairMissing, type SerialPair } from './serial-pair.ts';
