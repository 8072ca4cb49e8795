import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { BodyCodec } from '../../src/store/body-codec.ts';
import { DataDir } from '../../src/store/data-dir.ts';
import { openReadOnly, openStore, type OpenedStore, type OpenSettings } from '../../src/store/open-store.ts';
import type { Job } from '../../src/store/store-protocol.ts';
import { message, put, SCOPE, StoreFolder } from './store-folder.ts';

const OBJECTS = 40;
const MESSAGES = 30;
const VALUES = 10;

function keyOf(i: number): string {
  return `${i % 4 === 0 ? 'secrets' : 'pods'}/default/o${i}`;
}

function text(key: string, n: number): string {
  return `${key} ${n} ${Buffer.alloc(700, `${key}${n}`).toString('base64')}`;
}

/** Fills a store; two versions of everything, so that stale content would be seen. */
function fill({ file }: OpenedStore): void {
  for (const n of [1, 2]) {
    const changes = Array.from({ length: OBJECTS }, (_, i) => put(keyOf(i), text(keyOf(i), n), String(n)));
    const record = { normalForm: 1, stamp: randomBytes(60) };
    file.commit([{ type: 'apply', scope: SCOPE, changes, record }]);
    for (let i = 0; i < MESSAGES; i += 10) {
      const entries = Array.from({ length: 10 }, (_, k) =>
        message(`pod/m${i + k}`, n * 100 + i + k, text('m', n)),
      );
      file.commit([{ type: 'outbox', put: entries, remove: [] }]);
    }
    const values = Array.from({ length: VALUES }, (_, i): Job => {
      const value = { key: `v${i}`, bytes: Buffer.from(`value ${n}`), secret: i % 2 === 0 };
      return { type: 'state', change: { put: value } };
    });
    file.commit(values);
  }
}

/** Whatever is served is something that was once written; answers whether it is all of the newest. */
function judge({ file, items }: OpenedStore): boolean {
  let newest = 0;
  for (const item of items) {
    if (item.type === 'object') {
      const content = file.read(item.scope, item.key);
      assert.ok(content !== undefined, `${item.key} is listed and cannot be read`);
      assert.equal(content.hash, item.hash);
      const found = Buffer.from(content.bytes).toString();
      assert.ok(
        found === text(item.key, 1) || found === text(item.key, 2),
        `${item.key} was never written so`,
      );
      newest += found === text(item.key, 2) ? 1 : 0;
    } else if (item.type === 'state') {
      assert.match(Buffer.from(item.bytes).toString(), /^value [12]$/);
      newest += Buffer.from(item.bytes).toString() === 'value 2' ? 1 : 0;
    }
  }
  for (const { key, order, body } of file.outbox()) {
    const n = order >= 200 ? 2 : 1;
    assert.equal(Buffer.from(body).toString(), text('m', n), key);
    newest += n === 2 ? 1 : 0;
  }
  return newest === OBJECTS + VALUES + MESSAGES;
}

type Damage = (file: Buffer, random: Random) => Buffer;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a flipped bit': (file, random) => flip(file, random, 1, file.length),
  'ten flipped bits': (file, random) => flip(file, random, 10, file.length),
  'a flipped bit at the beginning': (file, random) => flip(file, random, 1, 1024),
  'random bytes': (file, random) => {
    const at = randomBelow(random, file.length);
    return Buffer.concat([file.subarray(0, at), randomBytes(300), file.subarray(at + 300)]);
  },
  'a zeroed page': (file, random) => {
    const at = randomBelow(random, Math.ceil(file.length / 1024)) * 1024;
    return file.fill(0, at, Math.min(file.length, at + 1024));
  },
  // Never right behind a frame of the log (32 + n * 1048): whether more transactions came there cannot be seen.
  truncation: (file, random) => file.subarray(0, 33 + randomBelow(random, file.length / 8 - 5) * 8),
};

function flip(file: Buffer, random: Random, count: number, within: number): Buffer {
  for (let n = 0; n < count; n += 1) {
    const at = randomBelow(random, within);
    file.writeUInt8(file.readUInt8(at) ^ (1 << randomBelow(random, 8)), at);
  }
  return file;
}

describe('the database of an EdgeStore: damage', () => {
  let folder: StoreFolder;
  let settings: OpenSettings;
  beforeEach(async () => {
    folder = await StoreFolder.make();
    mkdirSync(folder.path);
    settings = {
      dir: new DataDir(folder.path),
      codec: new BodyCodec(randomBytes(32)),
      limitBytes: 2 ** 24,
      used: false,
      now: Date.now,
    };
  });
  afterEach(() => folder.remove());

  /** What a crash leaves: nearly all is in the log. After a clean end there is none. */
  function files(crashed: boolean): Map<string, Buffer> {
    const store = openStore(settings);
    fill(store);
    if (!crashed) store.file.close();
    const found = new Map([['edge.db', readFileSync(folder.file('edge.db'))]]);
    if (crashed) {
      found.set('edge.db-wal', readFileSync(folder.file('edge.db-wal')));
      found.set('edge.db-unmerged', Buffer.alloc(0));
      store.file.close();
    }
    return found;
  }

  function place(found: ReadonlyMap<string, Buffer>): void {
    rmSync(folder.path, { recursive: true });
    mkdirSync(folder.path);
    for (const [name, bytes] of found) writeFileSync(path.join(folder.path, name), bytes);
  }

  const rounds = scaled(25, 2000);
  for (const [name, damage] of Object.entries(DAMAGES)) {
    for (const target of ['edge.db', 'edge.db-wal']) {
      it(`${name} in ${target}: never serves what was not written, ${rounds} times`, function () {
        this.timeout(rounds * 2000);
        const random = seededRandom(name.length * 31 + target.length);
        const found = files(target === 'edge.db-wal');
        const original = found.get(target) ?? Buffer.alloc(0);
        let noticed = 0;
        for (let round = 0; round < rounds; round += 1) {
          place(new Map([...found, [target, damage(Buffer.from(original), random)]]));
          const readOnly = openReadOnly(settings);
          assert.ok(
            judge(readOnly) || readOnly.findings.length > 0,
            `round ${round}: a loss went unnoticed on a read-only file system`,
          );
          readOnly.file.close();
          const opened = openStore(settings);
          try {
            const whole = judge(opened);
            assert.ok(whole || opened.findings.length > 0, `round ${round}: a loss went unnoticed`);
            noticed += opened.findings.length > 0 ? 1 : 0;
            const change = put('pods/default/new', 'new');
            opened.file.commit([{ type: 'apply', scope: SCOPE, changes: [change], record: undefined }]);
            assert.ok(opened.file.read(SCOPE, 'pods/default/new') !== undefined);
          } finally {
            opened.file.close();
          }
        }
        assert.ok(noticed > 0, 'nothing was ever noticed');
      });
    }
  }
});
