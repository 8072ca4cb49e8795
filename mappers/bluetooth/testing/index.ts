export { BluezPeer } from './bluez-peer.ts';
export type { PeerCharacteristic, PeerDevice, PeerFault, PeerService, PeerState } from './peer-protocol.ts';
export { PrivateBus, type PrivateBusOptions } from './private-bus.ts';
