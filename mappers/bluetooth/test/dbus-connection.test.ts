import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { eventually, FakeClock, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { systemClock } from '@hawser/seams';
import { DBusConnection } from '../src/dbus/dbus-connection.ts';
import { DBusGone, DBusTimeout } from '../src/dbus/dbus-errors.ts';

describe('a connection to a bus that is none', () => {
  let dir: TempDir;
  let server: Server;
  let sockets: Socket[];
  let address: string;
  let answer: (socket: Socket, text: string) => void;

  beforeEach(async () => {
    dir = await makeTempDir();
    sockets = [];
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {}); // the other end goes as it likes
      socket.on('data', (data) => answer(socket, data.toString('latin1')));
    });
    const file = path.join(dir.path, 'the bus');
    server.listen(file);
    await once(server, 'listening');
    address = `unix:path=${file.replaceAll(' ', '%20')},guid=00`;
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await dir.remove();
  });

  it('gives up one that does not say anything', async () => {
    answer = () => {};
    const clock = new FakeClock();
    const opening = assert.rejects(
      DBusConnection.open(address, clock, () => {}),
      DBusTimeout,
    );
    await eventually('it is connected', () => sockets.length === 1);
    await clock.advance(5000);
    await within('the end', opening);
  });

  it('gives up one that does not let it in', async () => {
    answer = (socket) => socket.write('REJECTED EXTERNAL\r\n');
    const opening = DBusConnection.open(address, systemClock, () => {});
    await assert.rejects(within('the end', opening), DBusGone);
  });

  it('gives up one that hangs up, in the handshake and behind it', async () => {
    answer = (socket) => socket.end();
    await assert.rejects(
      within(
        'the end',
        DBusConnection.open(address, systemClock, () => {}),
      ),
      DBusGone,
    );
    answer = (socket, text) => (text.includes('BEGIN') ? socket.end() : socket.write('OK 00\r\n'));
    await assert.rejects(
      within(
        'the end',
        DBusConnection.open(address, systemClock, () => {}),
      ),
      DBusGone,
    );
  });

  it('closes its socket, also where the other end does not', async () => {
    answer = (socket, text) => {
      if (!text.includes('BEGIN')) socket.write('OK 00\r\n');
    };
    const clock = new FakeClock();
    const opening = assert.rejects(
      DBusConnection.open(address, clock, () => {}),
      DBusTimeout,
    );
    await eventually('it is connected', () => sockets.length === 1);
    let closed = false;
    sockets[0]?.once('close', () => (closed = true));
    await clock.advance(5000);
    await opening;
    await eventually('it is closed', () => closed);
  });
});
