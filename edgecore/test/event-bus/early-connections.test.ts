import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { eventually, freePort, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { encodeRecord, type LogRecord } from '../../src/event-bus/embedded/journal/log-record.ts';
import type { RunningBus } from '../../src/event-bus/running-bus.ts';
import { connected, mqttClient, openBus } from './given-bus.ts';

describe('connections that come while the embedded bus reads its sessions', () => {
  let dir: TempDir;
  let bus: RunningBus;
  let starting: Promise<void>;
  let log: string;
  let url: string;
  let isReading: boolean;
  /** Our ends and theirs. */
  const sockets: Socket[] = [];
  const accepted: Socket[] = [];
  const onAccepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    accepted.push(socket);
  };

  beforeEach(async () => {
    dir = await makeTempDir();
    // Whoever reads it waits until somebody has written it.
    log = path.join(dir.path, 'sessions.log');
    assert.equal(spawnSync('mkfifo', [log]).status, 0);
    isReading = true;
    const port = await freePort();
    url = `mqtt://127.0.0.1:${port}`;
    bus = await openBus(dir.path, { listen: `127.0.0.1:${port}` });
    subscribe('net.server.socket', onAccepted);
    starting = bus.start();
    starting.catch(() => undefined); // whoever waits for it is told
  });
  afterEach(async () => {
    unsubscribe('net.server.socket', onAccepted);
    const stopped = bus.stop();
    await finishReading();
    await stopped;
    for (const socket of [...sockets.splice(0), ...accepted.splice(0)]) socket.destroy();
    await dir.remove();
  });

  async function finishReading(contents: Buffer = Buffer.alloc(0)): Promise<void> {
    if (!isReading) return;
    await eventually('it is read', () => {
      try {
        // Refused (ENXIO) as long as nobody reads.
        const pipe = openSync(log, constants.O_WRONLY | constants.O_NONBLOCK);
        writeSync(pipe, contents);
        closeSync(pipe);
        return true;
      } catch {
        return false;
      }
    });
    isReading = false;
  }

  /** A connection that the bus has accepted, and its end of it. */
  async function early(): Promise<{ readonly socket: Socket; readonly theirs: Socket }> {
    const before = accepted.length;
    await eventually('it listens', async () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      const [event] = await Promise.race([
        once(socket, 'connect').then(() => ['connect']),
        once(socket, 'close').then(() => ['close']),
      ]);
      return event === 'connect';
    });
    await eventually('it is accepted', () => accepted.length > before);
    const socket = sockets.at(-1);
    const theirs = accepted.at(-1);
    assert.ok(socket !== undefined && theirs !== undefined);
    return { socket, theirs };
  }

  async function assertClosed(): Promise<void> {
    const refused = connect(Number(new URL(url).port), '127.0.0.1');
    sockets.push(refused);
    await assert.rejects(once(refused, 'connect'), { code: 'ECONNREFUSED' });
  }

  it('may be reset, and the others wait for their answer', async () => {
    const { socket, theirs } = await early();
    const patient = mqttClient(url, 'app');
    const answered = connected(patient);
    await eventually('both are there', () => accepted.length === 2);
    const gone = new Promise((resolve) => theirs.once('close', resolve));
    socket.resetAndDestroy();
    // Without anybody who listens, the error would end the process.
    await within('the reset', gone);
    await finishReading();
    await starting;
    await answered;
    assert.equal(bus.status().clients, 1);
    await patient.endAsync(true);
  });

  it('are ended when it is stopped before it has begun', async () => {
    const { socket } = await early();
    const closed = once(socket, 'close');
    const stopped = bus.stop();
    await within('its end', closed);
    const { socket: later } = await early();
    if (!later.destroyed) await within('the end of one more', once(later, 'close'));
    await finishReading();
    await starting;
    await stopped;
    await assertClosed();
  });

  it('are ended when it cannot begin', async () => {
    const { socket } = await early();
    const closed = once(socket, 'close');
    // Its checksum is right, and it says nothing.
    await finishReading(encodeRecord({ t: 'done' } as LogRecord));
    await assert.rejects(starting, TypeError);
    await within('its end', closed);
    await assertClosed();
  });
});
