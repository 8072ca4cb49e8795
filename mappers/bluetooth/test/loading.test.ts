import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

describe('loading the driver', () => {
  it('loads nothing of D-Bus before a device is opened', () => {
    const script = `
      import { driver } from ${JSON.stringify(new URL('../src/index.js', import.meta.url).href)};
      import { Module } from 'node:module';
      void driver;
      console.log(Object.keys(Module._cache).join('\\n'));`;
    const files = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    assert.doesNotMatch(files, /node_modules\/(dbus-next|node-ble)\//);
  });
});
