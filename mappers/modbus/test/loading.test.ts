import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

/** Loads the driver in a process of its own, does something with it, and says which packages came with it. */
function loaded(what: string): string[] {
  const script = `
    import { driver } from ${JSON.stringify(new URL('../src/index.js', import.meta.url).href)};
    import { modbusOver } from ${JSON.stringify(new URL('../src/modbus-serial.js', import.meta.url).href)};
    import { EventEmitter } from 'node:events';
    import { Module } from 'node:module';
    ${what}
    console.log(Object.keys(Module._cache).join('\\n'));`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  }).split('\n');
}

describe('loading the driver', () => {
  it('loads neither package of Modbus before a device is opened', () => {
    const files = loaded('void driver;');
    assert.ok(!files.some((file) => /node_modules\/(modbus-serial|serialport|@serialport)\//.test(file)));
  });

  it('loads nothing for serial lines with TCP', () => {
    const files = loaded(
      'modbusOver(Object.assign(new EventEmitter(), { isOpen: true, open: (opened) => opened() }));',
    );
    assert.ok(files.some((file) => file.includes('/modbus-serial/')));
    assert.ok(!files.some((file) => /node_modules\/(serialport|@serialport)\//.test(file)));
  });
});
