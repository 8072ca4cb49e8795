import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger, systemClock } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { loadProvider } from '../../../src/runtime/load-provider.ts';
import { makeProviderRuntime } from '../../../src/runtime/make-provider-runtime.ts';
import type { RuntimeContext, RuntimeProvider } from '../../../src/runtime/runtime-provider.ts';
import { MemoryJsonState } from '../../../testing/index.ts';

describe('loading a provider of a runtime', () => {
  let temp: TempDir;

  beforeEach(async () => {
    temp = await makeTempDir();
  });
  afterEach(() => temp.remove());

  const module = async (text: string, name = 'provider.mjs'): Promise<string> => {
    const file = path.join(temp.path, name);
    await writeFile(file, text);
    await chmod(file, 0o644);
    return file;
  };

  it('says that there is none', async () => {
    await assert.rejects(loadProvider('/nowhere/provider.js'), {
      code: 'ERR_EDGECORE_RUNTIME_PROVIDER_MISSING',
      message: /there is no such file/,
    });
    await assert.rejects(loadProvider('hawser-runtime-that-nobody-wrote'), {
      code: 'ERR_EDGECORE_RUNTIME_PROVIDER_MISSING',
      message: /no such package/,
    });
  });

  it('takes nothing that others can write to, nor a folder, nor what a link leads to', async () => {
    const file = await module('export default {}');
    await chmod(file, 0o666);
    const unsafe = { code: 'ERR_EDGECORE_RUNTIME_PROVIDER_UNSAFE', message: /can be written by others/ };
    await assert.rejects(loadProvider(file), unsafe);
    await chmod(file, 0o644);
    await mkdir(path.join(temp.path, 'link'));
    const link = path.join(temp.path, 'link', 'provider.mjs');
    await symlink(file, link);
    await chmod(temp.path, 0o777);
    await assert.rejects(loadProvider(link), unsafe);
    await chmod(temp.path, 0o700);
  });

  it('says what is wrong with it', async () => {
    const wrong = (message: RegExp): object => ({ code: 'ERR_EDGECORE_RUNTIME_PROVIDER', message });
    await assert.rejects(loadProvider(await module('export default 3', 'a.mjs')), wrong(/no default export/));
    await assert.rejects(
      loadProvider(await module('throw new Error("no")', 'b.mjs')),
      wrong(/cannot be loaded: no/),
    );
    const old = 'export default { apiVersion: "hawser.dev/runtime/v0", create() {} }';
    await assert.rejects(loadProvider(await module(old, 'c.mjs')), wrong(/made for hawser.dev\/runtime\/v0/));
  });

  it('says what is missing in what it makes, and that it has no options', async () => {
    const context: RuntimeContext = {
      options: {},
      node: 'edge-1',
      dataDir: path.join(temp.path, 'runtime'),
      state: new MemoryJsonState(),
      nodeAddresses: () => [],
      tell: () => {},
      clock: systemClock,
      log: silentLogger,
    };
    const file = await module(
      'export default { apiVersion: "hawser.dev/runtime/v1", create: () => ({ name: "x" }) }',
    );
    const provider: RuntimeProvider<unknown> = await loadProvider(file);
    await assert.rejects(makeProviderRuntime('x', provider, context), {
      code: 'ERR_EDGECORE_RUNTIME_PROVIDER',
      message: /lacks start, stop, list, .*real, images/,
    });
    await assert.rejects(makeProviderRuntime('x', provider, { ...context, options: { colour: 'red' } }), {
      code: 'ERR_EDGECORE_RUNTIME_OPTIONS',
      message: /pods.runtimeOptions.colour: the runtime x has no options/,
    });
  });
});
