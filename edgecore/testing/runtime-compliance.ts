import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';
import type { ContainerConfig, SandboxConfig } from '../src/runtime/container-config.ts';
import type { ContainerRuntime, RuntimeContainer } from '../src/runtime/container-runtime.ts';
import { RuntimeError } from '../src/runtime/runtime-error.ts';
import { makeContainerConfig, makeSandboxConfig } from './config-maker.ts';

/** A runtime under test, and how to start it again over what it had. */
export interface ContainerRuntimeFixture {
  readonly runtime: ContainerRuntime;
  /** What the runtime calls an image that has the programs below. */
  readonly imageRef: string;
  /** Goes on until it is told to end, and ends then. */
  readonly pause: readonly string[];
  /** Ends at once, with exit code 0. */
  readonly succeed: readonly string[];
  /** Ends at once, with exit code 1. */
  readonly fail: readonly string[];
  /** Where the runtime can do so: goes on, whatever it is told, until it is killed. */
  readonly deaf?: readonly string[];
  /** What it writes into its log once it is deaf. Absent: it is so from its start. */
  readonly deafWord?: string;
  /** Where the runtime can do so: a command that writes `hello` and ends with this exit code; one that takes an hour. */
  readonly exec?: {
    readonly hello: readonly string[];
    readonly exitCode: number;
    readonly hour: readonly string[];
  };
  /** Folder that logs go below, where the runtime writes any. */
  readonly logDirectory?: string;
  /** Changes a sandbox as this runtime needs it: cgroup, namespaces, security. */
  readonly sandbox?: (config: SandboxConfig) => SandboxConfig;
  /** The same runtime after a restart of the edge core, not started. */
  reopen(): Promise<ContainerRuntime>;
  close(): Promise<void>;
}

/** What every {@link ContainerRuntime} has to do. */
export function describeContainerRuntime(name: string, open: () => Promise<ContainerRuntimeFixture>): void {
  describe(`container runtime ${name}`, () => {
    let signal: AbortSignal;
    beforeEach(() => {
      signal = AbortSignal.timeout(120_000);
    });
    let fixture: ContainerRuntimeFixture;
    let runtime: ContainerRuntime;
    let counter = 0;
    let uid = '';

    beforeEach(async () => {
      fixture = await open();
      runtime = fixture.runtime;
      counter += 1;
      uid = `uid-${counter}-${process.pid}`;
      await runtime.start();
    });
    afterEach(async () => {
      await fixture.close();
    });

    const sandboxOf = (attempt = 0): SandboxConfig => {
      const config = makeSandboxConfig({
        uid,
        name: `pod-${counter}`,
        attempt,
        logDirectory: fixture.logDirectory === undefined ? '' : `${fixture.logDirectory}/${uid}`,
      });
      return fixture.sandbox?.(config) ?? config;
    };
    const containerOf = (command: readonly string[], attempt = 0, containerName = 'main'): ContainerConfig =>
      makeContainerConfig({
        name: containerName,
        attempt,
        command,
        imageRef: fixture.imageRef,
        image: 'registry.example/app:1',
        logPath: fixture.logDirectory === undefined ? '' : `${containerName}/${attempt}.log`,
      });
    const run = async (
      command: readonly string[],
      attempt = 0,
      containerName = 'main',
    ): Promise<{ readonly sandboxId: string; readonly id: string }> => {
      const sandbox = sandboxOf();
      const sandboxId = await runtime.createSandbox(sandbox, signal);
      const config = containerOf(command, attempt, containerName);
      const id = await runtime.createContainer(sandboxId, sandbox, config, signal);
      await runtime.startContainer(id, signal);
      return { sandboxId, id };
    };
    const container = async (id: string): Promise<RuntimeContainer | undefined> =>
      (await runtime.get(uid))?.containers.find((one) => one.id === id);
    const exited = async (id: string): Promise<RuntimeContainer> => {
      let found: RuntimeContainer | undefined;
      await eventually('it has exited', async () => (found = await container(id))?.state === 'exited');
      assert.ok(found);
      return found;
    };
    const mine = async (): Promise<number> => (await runtime.list()).filter((pod) => pod.uid === uid).length;

    it('has nothing of a pod that it was not told of', async () => {
      assert.equal(await runtime.get(uid), undefined);
      assert.equal(await mine(), 0);
    });

    it('says what it is, and whether it is well', async () => {
      assert.match(runtime.version, new RegExp(`^${runtime.name}://`));
      const types = (await runtime.conditions()).filter(({ ok }) => ok).map(({ type }) => type);
      assert.ok(types.includes('RuntimeReady'), types.join(' '));
    });

    it('makes a sandbox and a container, starts it, and says so', async () => {
      const told: (string | undefined)[] = [];
      runtime.listen((about) => told.push(about));
      const sandbox = sandboxOf();
      const sandboxId = await runtime.createSandbox(sandbox, signal);
      const made = await runtime.get(uid);
      assert.equal(made?.name, sandbox.name);
      assert.equal(made.namespace, sandbox.namespace);
      assert.deepEqual(
        made.sandboxes.map(({ id, attempt, ready }) => ({ id, attempt, ready })),
        [{ id: sandboxId, attempt: 0, ready: true }],
      );
      const config = containerOf(fixture.pause);
      const id = await runtime.createContainer(sandboxId, sandbox, config, signal);
      const created = await container(id);
      assert.equal(created?.state, 'created');
      assert.equal(created.startedAtMs, undefined);
      assert.equal(created.exitCode, undefined);
      await runtime.startContainer(id, signal);
      const running = await container(id);
      assert.equal(running?.state, 'running');
      assert.equal(running.name, 'main');
      assert.equal(running.attempt, 0);
      assert.equal(running.sandboxId, sandboxId);
      assert.equal(running.image, 'registry.example/app:1');
      assert.deepEqual(running.notes, config.notes);
      assert.ok((running.startedAtMs ?? 0) >= running.createdAtMs);
      assert.equal(await mine(), 1);
      await eventually('it is told', () => told.includes(uid) || told.includes(undefined));
    });

    it('does nothing where something is done already', async () => {
      const { sandboxId, id } = await run(fixture.pause);
      const before = await runtime.get(uid);
      assert.equal(await runtime.createSandbox(sandboxOf(), signal), sandboxId);
      const again = await runtime.createContainer(sandboxId, sandboxOf(), containerOf(fixture.pause), signal);
      assert.equal(again, id);
      assert.deepEqual(await runtime.get(uid), before);
    });

    it('tells how a container ended', async () => {
      const good = await run(fixture.succeed, 0, 'good');
      const bad = await run(fixture.fail, 0, 'bad');
      const [wellDone, failed] = [await exited(good.id), await exited(bad.id)];
      assert.equal(wellDone.exitCode, 0);
      assert.equal(wellDone.reason, 'Completed');
      assert.equal(failed.exitCode, 1);
      assert.equal(failed.reason, 'Error');
      assert.ok((failed.finishedAtMs ?? 0) >= (failed.startedAtMs ?? Infinity));
    });

    it('keeps every attempt, the latest first', async () => {
      const first = await run(fixture.succeed);
      await exited(first.id);
      const second = await run(fixture.pause, 1);
      const names = (await runtime.get(uid))?.containers.map(({ id, attempt }) => ({ id, attempt }));
      assert.deepEqual(names, [
        { id: second.id, attempt: 1 },
        { id: first.id, attempt: 0 },
      ]);
      await runtime.removeContainer(first.id, signal);
      await runtime.removeContainer(first.id, signal);
      assert.deepEqual(
        (await runtime.get(uid))?.containers.map(({ id }) => id),
        [second.id],
      );
    });

    it('ends a container, keeps what became of it, and does not end it twice', async () => {
      const { id } = await run(fixture.pause);
      await runtime.stopContainer(id, 20, signal);
      const ended = await exited(id);
      assert.equal(typeof ended.exitCode, 'number');
      await runtime.stopContainer(id, 20, signal);
      assert.deepEqual(await container(id), ended);
    });

    it('kills what does not want to end', async function () {
      if (fixture.deaf === undefined) this.skip();
      const { id } = await run(fixture.deaf);
      const { deafWord, logDirectory = '' } = fixture;
      if (deafWord !== undefined) {
        const log = path.join(logDirectory, uid, 'main/0.log');
        await eventually('it is deaf', async () => (await readFile(log, 'utf8')).includes(deafWord));
      }
      await runtime.stopContainer(id, 1, signal);
      assert.equal((await exited(id)).exitCode, 137);
    });

    it('stops a sandbox with what runs in it, and makes another one beside it', async () => {
      const { sandboxId, id } = await run(fixture.pause);
      await runtime.stopSandbox(sandboxId, signal);
      await runtime.stopSandbox(sandboxId, signal);
      assert.equal((await container(id))?.state, 'exited');
      assert.equal((await runtime.get(uid))?.sandboxes[0]?.ready, false);
      const next = await runtime.createSandbox(sandboxOf(1), signal);
      assert.deepEqual(
        (await runtime.get(uid))?.sandboxes.map(({ id: sandbox, attempt, ready }) => [
          sandbox,
          attempt,
          ready,
        ]),
        [
          [next, 1, true],
          [sandboxId, 0, false],
        ],
      );
    });

    it('removes a sandbox with its containers, and is not sorry if it is not there', async () => {
      const { sandboxId, id } = await run(fixture.pause);
      await runtime.stopSandbox(sandboxId, signal);
      await runtime.removeSandbox(sandboxId, signal);
      await runtime.removeSandbox(sandboxId, signal);
      await runtime.removeContainer(id, signal);
      assert.equal(await runtime.get(uid), undefined);
      assert.equal(await mine(), 0);
    });

    it('says that it does not know a container', async () => {
      await assert.rejects(
        runtime.startContainer('0123456789abcdef', signal),
        (error) => error instanceof RuntimeError && error.notFound,
      );
    });

    it('runs a command in a container', async function () {
      const { exec } = fixture;
      if (exec === undefined) this.skip();
      const { id } = await run(fixture.pause);
      const { stdout, exitCode } = await runtime.exec(id, exec.hello, 10_000, signal);
      assert.equal(stdout.trim(), 'hello');
      assert.equal(exitCode, exec.exitCode);
      await assert.rejects(
        runtime.exec(id, exec.hour, 500, signal),
        (error) => error instanceof RuntimeError && error.code === 'ERR_EDGECORE_RUNTIME_TIMEOUT',
      );
    });

    it('still has its pods after a restart of the edge core', async () => {
      const { id } = await run(fixture.pause);
      const before = await runtime.get(uid);
      await runtime.stop();
      await runtime.stop();
      runtime = await fixture.reopen();
      await runtime.start();
      await runtime.start();
      assert.deepEqual(await runtime.get(uid), before);
      await runtime.stopContainer(id, 20, signal);
      await exited(id);
    });

    it('does nothing once it is told to stop', async () => {
      const reason = new Error('enough');
      await assert.rejects(runtime.createSandbox(sandboxOf(), AbortSignal.abort(reason)), reason);
      assert.equal(await runtime.get(uid), undefined);
    });
  });
}
