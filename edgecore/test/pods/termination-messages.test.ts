import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { regarding } from '../../src/pods/recorded-pod-events.ts';
import { TerminationMessages } from '../../src/pods/termination-messages.ts';
import type { RuntimeContainer } from '../../src/runtime/container-runtime.ts';
import { makePod } from '../../testing/index.ts';
import { exited, running, runtimePod } from './runtime-pods.ts';

describe('Last words of containers', () => {
  let temp: TempDir;
  let file: string;
  let tails: string[];

  beforeEach(async () => {
    temp = await makeTempDir();
    file = path.join(temp.path, 'message');
    tails = [];
  });
  afterEach(() => temp.remove());

  const notes = (policy = 'File'): RuntimeContainer['notes'] => ({
    specHash: 'hash',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: policy,
    terminationMessageFile: file,
  });
  const messages = (): TerminationMessages =>
    new TerminationMessages((log) => {
      tails.push(log);
      return Promise.resolve('the end of the log');
    });
  const wordsOf = async (container: RuntimeContainer): Promise<string | undefined> =>
    (await messages().of(runtimePod([container]), undefined)).get(container.id);

  it('are in their file, of which the last 4096 bytes count', async () => {
    await writeFile(file, `${'x'.repeat(10)}${'y'.repeat(4096)}`);
    assert.equal(await wordsOf(exited('main', 0, { notes: notes() })), 'y'.repeat(4096));
  });

  it('are not looked for while it runs, and none where there is no file', async () => {
    await writeFile(file, 'not yet');
    assert.equal(await wordsOf(running('main', { notes: notes() })), undefined);
    await temp.remove();
    assert.equal(await wordsOf(exited('main', 1, { notes: notes() })), '');
  });

  it('are the end of the log where the file is empty, it failed, and its policy says so', async () => {
    await writeFile(file, '');
    const fallback = { notes: notes('FallbackToLogsOnError'), logPath: '/logs/0.log' };
    assert.equal(await wordsOf(exited('main', 1, fallback)), 'the end of the log');
    assert.deepEqual(tails, ['/logs/0.log']);
    assert.equal(await wordsOf(exited('main', 0, fallback)), '');
    assert.equal(await wordsOf(exited('main', 1, { ...fallback, notes: notes() })), '');
    assert.equal(await wordsOf(exited('main', 1, { ...fallback, reason: 'ContainerCannotRun' })), '');
    await writeFile(file, 'its own');
    assert.equal(await wordsOf(exited('main', 1, fallback)), 'its own');
    assert.equal(tails.length, 1);
  });

  it('are read once, though the file is another one later', async () => {
    await writeFile(file, 'first');
    const reader = messages();
    const container = exited('main', 1, { notes: notes() });
    await reader.of(runtimePod([container]), undefined);
    await writeFile(file, 'second');
    assert.equal((await reader.of(runtimePod([container]), undefined)).get('main-0'), 'first');
  });

  it('are not looked for behind a link, and nothing waits for a pipe', async () => {
    const secret = path.join(temp.path, 'secret');
    await writeFile(secret, 'secret');
    await symlink(secret, file);
    assert.match((await wordsOf(exited('main', 1, { notes: notes() }))) ?? '', /^Error on reading .*ELOOP/);
    file = path.join(temp.path, 'pipe');
    execFileSync('mkfifo', [file]);
    assert.match((await wordsOf(exited('main', 1, { notes: notes() }))) ?? '', /it is no file$/);
  });
});

describe('What an event of a pod is about', () => {
  it('is the pod, or one of its containers', () => {
    const pod = makePod('a', { spec: { initContainers: [{ name: 'setup' }] } });
    assert.equal(regarding(pod).fieldPath, undefined);
    assert.equal(regarding(pod).uid, 'uid-a');
    assert.equal(regarding(pod, 'main').fieldPath, 'spec.containers{main}');
    assert.equal(regarding(pod, 'setup').fieldPath, 'spec.initContainers{setup}');
  });
});
