import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import type { KubeFixture } from '../../testing/kube-fixture.ts';
import { recordings, type Exchange, type RecordingFile } from '../recordings.ts';
import { differences } from './recordings/comparison.ts';
import { crudSteps } from './recordings/crud-steps.ts';
import { EXCEPTIONS } from './recordings/exceptions.ts';
import { nodeSteps } from './recordings/node-steps.ts';
import { crdSteps, listSteps, patchSteps, tableSteps, watchSteps } from './recordings/other-steps.ts';
import { prepareRedacted } from './recordings/redacted.ts';
import { Replayer } from './recordings/replayer.ts';
import { startRecordedServer } from './recordings/recorded-server.ts';
import type { Steps } from './recordings/steps.ts';

const FILES: readonly (readonly [RecordingFile, Steps])[] = [
  ['discovery', {}],
  ['crud', crudSteps],
  ['list', listSteps],
  ['watch', watchSteps],
  ['patch', patchSteps],
  ['table', tableSteps],
  ['crd', crdSteps],
  ['node', nodeSteps],
];

for (const [file, steps] of FILES) {
  describe(`recordings of kube-apiserver: ${file}.json`, () => {
    let fixture: KubeFixture;
    let replayer: Replayer;

    before(async () => {
      fixture = await startRecordedServer();
      replayer = new Replayer(fixture.url);
      await prepareRedacted(replayer);
      await steps.start?.(replayer);
    });

    after(() => fixture.stop());

    for (const exchange of recordings(file).values()) {
      it(`${exchange.name}: ${exchange.request.method} ${exchange.request.path.slice(0, 80)}`, async function () {
        await steps.before?.[exchange.name]?.(replayer);
        const found =
          exchange.response.lines === undefined
            ? await replay(replayer, exchange)
            : await replayWatch(replayer, exchange, steps.during?.[exchange.name]);
        const reason = EXCEPTIONS[`${file}/${exchange.name}`];
        if (reason === undefined) assert.deepEqual(found, []);
        else assert.notDeepEqual(found, [], 'equal after all: no longer an exception');
      });
    }
  });
}

async function replay(replayer: Replayer, exchange: Exchange): Promise<string[]> {
  const answer = await replayer.send(exchange);
  replayer.remember(exchange, answer);
  return replayer.compare(exchange, answer);
}

async function replayWatch(
  replayer: Replayer,
  exchange: Exchange,
  during: ((replayer: Replayer) => Promise<void>) | undefined,
): Promise<string[]> {
  const { lines = [], status } = exchange.response;
  const watch = await replayer.watch(exchange);
  await during?.(replayer);
  const endedByServer = ((exchange.response as { endedBy?: string }).endedBy ?? '').includes('server');
  if (endedByServer) await within('the server ends the watch', watch.ended);
  else {
    await eventually('as many lines as recorded', () => watch.lines.length >= lines.length).catch(() => {});
    watch.close();
  }
  const found = watch.status === status ? [] : [`status: ${status} ≠ ${watch.status}`];
  return [
    ...found,
    ...differences(
      { lines },
      { lines: watch.lines },
      { learned: replayer.learned, subset: false, unorderedErrors: false },
    ),
  ];
}
