import assert from 'node:assert/strict';
import path from 'node:path';
import { silentLogger, systemClock } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import type { ContainerRuntime } from '../../../src/runtime/container-runtime.ts';
import { loadProvider } from '../../../src/runtime/load-provider.ts';
import { makeProviderRuntime } from '../../../src/runtime/make-provider-runtime.ts';
import { providerRuntime } from '../../../src/runtime/provider-runtime.ts';
import { describeContainerRuntime, MemoryJsonState } from '../../../testing/index.ts';
import { ECHO_PROVIDER } from './echo-place.ts';

let temp: TempDir;
before(async () => {
  temp = await makeTempDir();
});
after(() => temp.remove());

async function makeEcho(
  state: MemoryJsonState,
  options: Readonly<Record<string, unknown>> = {},
): Promise<ContainerRuntime> {
  const provider = await loadProvider(ECHO_PROVIDER);
  const made = await makeProviderRuntime('echo', provider, {
    options,
    node: 'edge-1',
    dataDir: path.join(temp.path, 'runtime'),
    state,
    nodeAddresses: () => ['192.0.2.1'],
    tell: () => {},
    clock: systemClock,
    log: silentLogger,
  });
  return providerRuntime(made);
}

describe('the example of a provider', () => {
  describeContainerRuntime('echo', async () => {
    const state = new MemoryJsonState();
    return {
      runtime: await makeEcho(state),
      imageRef: 'registry.example/app:1',
      pause: ['pause'],
      succeed: ['true'],
      fail: ['false'],
      reopen: () => makeEcho(state),
      close: () => Promise.resolve(),
    };
  });

  it('has options of its own, which are checked', async () => {
    await assert.rejects(makeEcho(new MemoryJsonState(), { prefix: 3 }), {
      code: 'ERR_EDGECORE_RUNTIME_OPTIONS',
      message: /prefix: must be a text/,
    });
    await assert.rejects(makeEcho(new MemoryJsonState(), { colour: 'red' }), {
      code: 'ERR_EDGECORE_RUNTIME_OPTIONS',
      message: /colour/,
    });
  });
});
