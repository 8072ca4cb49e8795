import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import type { CloseReason, Stream } from '../../src/index.ts';
import type { MuxConnection } from '../../src/transport/mux/mux-connection.ts';
import { FUZZ_SEED } from '../fuzz/fuzz.ts';
import { hubEnd, settle } from './fake-socket.ts';
import { hostileAction, lawfulAction } from './peer-actions.ts';
import { frameOf, PeerModel, type PeerAction } from './peer-model.ts';

const LIMITS = { maxStreams: 8, streamWindowBytes: 1024 };
const HISTORIES = scaled(3000, 100_000);
const ACTIONS = 60;

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
