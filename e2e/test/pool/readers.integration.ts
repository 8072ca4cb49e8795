import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { delay } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import type { PoolSite } from '../../src/index.ts';
import { findExecutable } from '../../src/processes/executable.ts';
import { startProgram, type Program } from '../proxy-consumer/program.ts';
import { givenPool } from './given-pool.ts';
import { poolTime, within } from './pool-fixture.ts';
import { PoolReader, SliceWriter } from './pool-reader.ts';

const WATCH_PY = fileURLToPath(new URL('../../../src/proxy-consumer/watch.py', import.meta.url));
const KUBECTL_WATCH = fileURLToPath(new URL('../../src/proxy-consumer/kubectl-watch.js', import.meta.url));
const PYTHON = '/usr/bin/python3';
/** Where Debian's python3-kubernetes is. */
const PYTHON_CLIENT = '/usr/lib/python3/dist-packages/kubernetes';

/** What a program has written of an event. */
interface Line {
  readonly event: string;
  readonly key?: string;
  readonly resourceVersion?: string;
  readonly relists?: number;
  readonly message?: string;
}

/** A program that knows nothing of Hawser, at the local API of a member. */
class ForeignReader {
  readonly name: string;
  readonly #file: string;
  readonly #program: Program;

  private constructor(name: string, file: string, program: Program) {
    this.name = name;
    this.#file = file;
    this.#program = program;
  }

  static async start(site: PoolSite, member: number, name: 'kubectl' | 'python'): Promise<ForeignReader> {
    const kubeconfig = await site.kubeconfig(member);
    const file = path.join(site.cluster.dir, `${name}.events`);
    const args = ['--kubeconfig', kubeconfig, '--events', file];
    const command =
      name === 'python' ? [PYTHON, WATCH_PY, ...args] : [process.execPath, KUBECTL_WATCH, ...args];
    const namespace = ['netns', 'exec', site.station(member).namespace.name];
    const reader = new ForeignReader(name, file, startProgram('ip', [...namespace, ...command]));
    await eventually(`${name} has begun`, async () => (await reader.lines()).length > 0, {
      deadlineMs: 20_000,
    });
    await delay(2_000); // it watches by then
    return reader;
  }

  async lines(): Promise<readonly Line[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line);
  }

  /** Checks that it has heard what was written: in order, nothing twice, the last of each, and without listing again. */
  async check(writer: SliceWriter): Promise<void> {
    for (const [slice, versions] of writer.written) {
      const last = versions.at(-1) ?? '';
      await eventually(
        `${this.name} has heard ${last} of ${slice}`,
        async () => (await this.#heard(slice)).includes(last),
        {
          deadlineMs: 10_000,
        },
      );
      const heard = (await this.#heard(slice)).filter((version) => versions.includes(version));
      assert.deepEqual(
        heard,
        versions.filter((version) => heard.includes(version)),
        `${this.name}: ${slice}`,
      );
    }
    const lines = await this.lines();
    const again = lines.filter(
      ({ event, relists = 0 }) => event === 'restart' || (event === 'list' && relists > 0),
    );
    assert.deepEqual(again, [], this.#program.errors());
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }

  async #heard(slice: string): Promise<readonly string[]> {
    return (await this.lines()).flatMap(({ event, key, resourceVersion = '' }) => {
      const isChange = event === 'update' || event === 'MODIFIED';
      return isChange && key === `default/${slice}` ? [resourceVersion] : [];
    });
  }
}

describe('programs that read from a member of a pool (P21)', function () {
  this.timeout(600_000);
  let site: PoolSite;

  givenPool({ members: 3 }, (opened) => {
    site = opened;
  });

  it('go on through leaders that are killed, with the cloud and without it: no gap, no repeat', async () => {
    const leader = await site.untilLed();
    const others = [0, 1, 2].filter((index) => index !== leader);
    const [member = 0] = others;
    const reader = await PoolReader.start(site, member);
    const foreign: ForeignReader[] = [];
    if (findExecutable('kubectl') === undefined) console.log('    left out: there is no kubectl');
    else foreign.push(await ForeignReader.start(site, member, 'kubectl'));
    if (existsSync(PYTHON_CLIENT)) foreign.push(await ForeignReader.start(site, member, 'python'));
    else console.log('    left out: there is no python3-kubernetes');
    const writer = new SliceWriter(site).start();
    await delay(500);

    // P2: the leader is killed, the cloud is there.
    await site.member(leader).kill();
    const second = await site.untilLed({ among: others, not: leader, deadlineMs: within(20) });
    await site.member(leader).start();
    await site.untilLed();

    // P7: the whole pool is offline, and the leader is killed.
    await writer.stop();
    const before = writer;
    await site.setCloud(false);
    await delay(poolTime(15));
    if (second !== member) {
      await site.member(second).kill();
      await delay(poolTime(20));
      await site.member(second).start();
    }
    await site.setCloud(true);
    await site.untilLed({ deadlineMs: within(60) });

    // P5: nobody leads for a while.
    const last = await site.untilLed();
    if (last !== member) {
      await site.member(last).process.freeze();
      await delay(poolTime(10));
      site.member(last).process.thaw();
    }
    await site.untilLed({ deadlineMs: within(60) });
    const after = new SliceWriter(site).start();
    await delay(1_000);
    await after.stop();
    for (const written of [before, after]) {
      await written.check([reader]);
      for (const each of foreign) await each.check(written);
    }
    await reader.stop();
    for (const each of foreign) await each.stop();
  });
});
