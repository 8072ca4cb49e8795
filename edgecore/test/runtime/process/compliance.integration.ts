import { describeContainerRuntime } from '../../../testing/index.ts';
import { ProcessSite } from './process-site.ts';

for (const mounts of ['auto', 'links']) {
  describe(`the runtime process, mounts: ${mounts}`, () => {
    let site: ProcessSite;
    before(async () => {
      site = await ProcessSite.open({ mounts });
    });
    after(() => site.close());

    describeContainerRuntime('process', async () => ({
      runtime: await site.reopen(),
      imageRef: 'sha256:1',
      pause: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'],
      succeed: ['true'],
      fail: ['false'],
      deaf: ['sh', '-c', 'trap "" TERM; echo deaf; while true; do sleep 1; done'],
      deafWord: 'deaf',
      exec: { hello: ['sh', '-c', 'echo hello; exit 3'], exitCode: 3, hour: ['sleep', '3600'] },
      logDirectory: site.logs,
      reopen: () => site.reopen(),
      close: () => site.removePods(),
    }));
  });
}
