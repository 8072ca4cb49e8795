import { randomBelow, type Random } from '@hawser/seams';
import { frameMessage } from '../../src/index.ts';
import { encodeCredit, encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';
import { golden } from '../codec/golden.ts';
import { hostileAction, lawfulAction } from '../ws/peer-actions.ts';
import { frameOf, PeerModel } from '../ws/peer-model.ts';
import { dataFrame, openFrame, SESSION, type RawPeer } from '../ws/raw-peer.ts';
import { hostileBytes } from './mutate.ts';

/** Attacks a hub over an open connection until it has sent about `frames` frames, or the hub has closed. */
export type WsAttack = (peer: RawPeer, random: Random, frames: number) => Promise<void>;

const KIB = 1024;
const muxSeeds = [...golden('mux-frames').values(), ...golden('future').values()];
const sessionSeeds = [...golden('session-frames').values(), ...golden('future').values()];

/** Lets the hub work now and then: this process is both sides. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function flood(
  peer: RawPeer,
  frames: number,
  perMessage: number,
  make: (n: number) => Buffer,
): Promise<void> {
  for (let n = 0; n < frames && peer.isOpen;) {
    const message: Buffer[] = [];
    for (let i = 0; i < perMessage; i++) message.push(make(n++));
    peer.send(...message);
    await turn();
  }
}

/** Random bytes and mutated frames as messages. */
async function garbage(peer: RawPeer, random: Random, frames: number): Promise<void> {
  for (let n = 0; n < frames && peer.isOpen; n++) {
    peer.send(hostileBytes(random, muxSeeds));
    if (n % 16 === 0) await turn();
  }
}

/** Frames in lawful order, in messages of many, until a hostile one comes. */
async function nearlyLawful(peer: RawPeer, random: Random, frames: number): Promise<void> {
  const model = new PeerModel({ maxStreams: 128, streamWindowBytes: 128 * KIB });
  model.take({ do: 'open', id: SESSION, kind: 'session' }); // it is open already
  await flood(peer, frames, 1 + randomBelow(random, 64), () => {
    const hostile = randomBelow(random, frames * 2) === 0;
    const action = hostile ? hostileAction(random, model) : lawfulAction(random, model);
    // The session stream takes frames only.
    if ('id' in action && action.id === SESSION) return encodeMuxFrame(0x80, 0);
    model.take(action);
    return frameOf(action);
  });
}

/** Frames that the session stream cannot read, after some that it can. */
async function sessionGarbage(peer: RawPeer, random: Random, frames: number): Promise<void> {
  const ack = { deltaAck: { scope: 1, sequence: 1 } };
  for (let n = 0; n < frames && peer.isOpen; n++) {
    if (randomBelow(random, 20) > 0) peer.sendSession(ack);
    else peer.send(dataFrame(SESSION, frameMessage(hostileBytes(random, sessionSeeds).subarray(0, 2000))));
    if (n % 16 === 0) await turn();
  }
}

/** Opens and resets as fast as it can, and never reads. */
async function openAndReset(peer: RawPeer, _random: Random, frames: number): Promise<void> {
  peer.stopReading();
  await flood(peer, frames / 2, 64, (n) => {
    const id = 3 + 2 * n;
    return Buffer.concat([openFrame(id, 'gone'), encodeMuxFrame(FRAME.reset, id)]);
  });
}

/** More streams than there is credit for. */
async function openOnly(peer: RawPeer, _random: Random, frames: number): Promise<void> {
  await flood(peer, frames, 32, (n) => openFrame(3 + 2 * n, 'hold'));
}

/** Fills the windows of all its streams with single bytes in padded messages, reads nothing, and stays. */
async function fillWindows(peer: RawPeer, random: Random, frames: number): Promise<void> {
  for (let id = 3; id < 200; id += 2) peer.send(openFrame(id, 'hold'));
  const padding = encodeMuxFrame(0x80, 0, Buffer.alloc(randomBelow(random, 4 * KIB)));
  await flood(peer, frames, 8, (n) => Buffer.concat([padding, dataFrame(3 + 2 * (n % 98), Buffer.of(n))]));
}

/** Asks for echoes and never reads them. */
async function unreadEchoes(peer: RawPeer, _random: Random, frames: number): Promise<void> {
  peer.stopReading();
  for (let id = 3; id < 60; id += 2)
    peer.send(openFrame(id, 'echo'), encodeMuxFrame(FRAME.window, id, encodeCredit(2 ** 30)));
  await flood(peer, Math.min(frames, 300), 4, (n) => dataFrame(3 + 2 * (n % 28), Buffer.alloc(4 * KIB)));
}

/** Pings, and does not read the answers. */
async function pings(peer: RawPeer, random: Random, frames: number): Promise<void> {
  if (randomBelow(random, 2) === 0) peer.stopReading();
  for (let n = 0; n < frames && peer.isOpen; n++) {
    peer.socket.ping(Buffer.alloc(randomBelow(random, 125)));
    peer.sent += 1;
    if (n % 64 === 0) await turn();
  }
}

/** Garbage below the WebSocket. */
async function rawGarbage(peer: RawPeer, random: Random, frames: number): Promise<void> {
  for (let n = 0; n < frames && peer.isOpen; n++) {
    peer.sendRaw(hostileBytes(random, muxSeeds));
    if (n % 16 === 0) await turn();
  }
}

/** Tiny frames that mean nothing, as many as fit in messages. */
async function nothing(peer: RawPeer, _random: Random, frames: number): Promise<void> {
  peer.send(openFrame(3, 'hold'));
  await flood(peer, frames, 4000, (n) =>
    n % 2 === 0 ? dataFrame(3, Buffer.alloc(0)) : encodeMuxFrame(0xff, 0),
  );
}

/** A head of a frame, and then silence. */
async function halfMessage(peer: RawPeer): Promise<void> {
  peer.sendRaw(Buffer.from('82fe7fff00000000aabbcc', 'hex'));
  await turn();
}

/** All attacks by name, with the share of frames that each sends. */
export const WS_ATTACKS: Readonly<Record<string, { readonly attack: WsAttack; readonly frames: number }>> = {
  garbage: { attack: garbage, frames: 200 },
  nearlyLawful: { attack: nearlyLawful, frames: 1500 },
  sessionGarbage: { attack: sessionGarbage, frames: 300 },
  openAndReset: { attack: openAndReset, frames: 6000 },
  openOnly: { attack: openOnly, frames: 300 },
  fillWindows: { attack: fillWindows, frames: 3000 },
  unreadEchoes: { attack: unreadEchoes, frames: 300 },
  pings: { attack: pings, frames: 2000 },
  rawGarbage: { attack: rawGarbage, frames: 200 },
  nothing: { attack: nothing, frames: 12_000 },
  halfMessage: { attack: halfMessage, frames: 1 },
};
