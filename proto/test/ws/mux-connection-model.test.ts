import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import type { CloseReason, Stream } from '../../src/index.ts';
import type { MuxConnection } from '../../src/transport/ws/mux-connection.ts';
import { FUZZ_SEED } from '../fuzz/fuzz.ts';
import { hubEnd, settle } from './fake-socket.ts';
import { frameOf, PeerModel, type PeerAction } from './peer-model.ts';

const LIMITS = { maxStreams: 8, streamWindowBytes: 1024 };
const HISTORIES = scaled(3000, 100_000);
const ACTIONS = 60;

const pick = <Item>(random: Random, items: readonly Item[]): Item | undefined =>
  items[randomBelow(random, items.length)];

/** Something lawful that a peer could do. */
function lawfulAction(random: Random, model: PeerModel): PeerAction {
  const anyId = 1 + 2 * randomBelow(random, (model.lastId + 1) / 2);
  const stream = pick(random, model.writable());
  switch (randomBelow(random, 8)) {
    case 0:
      return { do: 'streams', credit: 1 + randomBelow(random, 10) };
    case 1:
      if (model.lastId > 0) return { do: 'window', id: anyId, credit: 1 + randomBelow(random, 100_000) };
      break;
    case 2:
      if (model.lastId > 0) return { do: 'reset', id: anyId };
      break;
    case 3:
      if (stream !== undefined) return { do: 'end', id: stream.id };
      break;
    case 4:
    case 5:
    case 6:
      if (stream !== undefined)
        return { do: 'data', id: stream.id, bytes: Math.min(stream.bytesLeft, randomBelow(random, 400)) };
      break;
  }
  if (model.mayOpen === 0) return { do: 'unknown', type: 0x80 + randomBelow(random, 128) };
  const id = model.lastId + (model.lastId % 2 === 0 ? 1 : 2) + 2 * randomBelow(random, 2);
  return { do: 'open', id, kind: randomBelow(random, 4) === 0 ? 'gone' : 'hold' };
}

/** Something that breaks a rule, if the state of things is right for it. */
function hostileAction(random: Random, model: PeerModel): PeerAction {
  const id = randomBelow(random, model.lastId + 6);
  switch (randomBelow(random, 9)) {
    case 0:
      return { do: 'open', id, kind: 'hold' };
    case 1:
      return {
        do: 'open',
        id: model.lastId + 2,
        kind: pick(random, ['', 'Upper', 'k'.repeat(65), '-', 'a b']) ?? '',
      };
    case 2:
    case 3:
      return { do: 'data', id, bytes: randomBelow(random, 1100) };
    case 4:
      return { do: 'end', id };
    case 5:
      return { do: 'window', id, credit: pick(random, [2 ** 31 - 1, 2 ** 31 - 1024, 1]) ?? 1 };
    case 6:
      return { do: 'streams', credit: pick(random, [2 ** 20, 2 ** 20 - 8, 2 ** 31 - 1]) ?? 1 };
    case 7:
      return { do: 'unknown', type: pick(random, [0, 8, 0x7f]) ?? 0 };
    default:
      return { do: 'reset', id };
  }
}

/** Keeps streams without reading them; resets those of kind `gone`. */
async function hold(connection: MuxConnection, kept: Stream[]): Promise<void> {
  for (
    let stream = await connection.acceptStream();
    stream !== undefined;
    stream = await connection.acceptStream()
  ) {
    kept.push(stream);
    if (stream.kind === 'gone') stream.reset();
  }
}

async function play(random: Random): Promise<number> {
  const { socket, connection } = hubEnd(LIMITS);
  const model = new PeerModel(LIMITS);
  const kept: Stream[] = [];
  const holding = hold(connection, kept);
  let ended: CloseReason | undefined;
  void connection.closed.then((reason) => (ended = reason));
  const history: PeerAction[] = [];
  for (let step = 0; step < ACTIONS; step++) {
    const action = randomBelow(random, 30) === 0 ? hostileAction(random, model) : lawfulAction(random, model);
    history.push(action);
    const verdict = model.take(action);
    socket.emit('message', frameOf(action), true);
    for (let turn = 0; turn < 8; turn++) await Promise.resolve(); // the application takes what came
    const told = JSON.stringify(history);
    assert.equal(ended?.code, verdict, told);
    if (verdict !== undefined) break;
    assert.equal(connection.stats.openStreams, model.openStreams, told);
  }
  connection.destroy({ code: 'normal', message: 'the test is over' });
  await holding;
  assert.equal(connection.stats.openStreams, 0);
  for (const stream of kept)
    assert.ok((await stream.closed) instanceof Error, 'each stream learns that it is over');
  return history.length;
}

describe('MuxConnection against a model of the protocol', function () {
  this.timeout(scaled(60_000, 3_600_000));

  it(`agrees on what ends a connection and how, over ${HISTORIES} histories`, async () => {
    let frames = 0;
    for (let history = 0; history < HISTORIES; history++) {
      frames += await play(seededRandom(FUZZ_SEED + history));
      if (history % 100 === 0) await settle();
    }
    assert.ok(frames > HISTORIES * 10, `histories are too short to mean something: ${frames} frames`);
  });
});
