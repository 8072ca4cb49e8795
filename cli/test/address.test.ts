import assert from 'node:assert/strict';
import { checkNames, formatAddress, parseAddress } from '../src/cloud/address.ts';

describe('addresses of hubs', () => {
  it('are read with and without a port', () => {
    assert.deepEqual(parseAddress('hub.example.org', '--cloud'), { host: 'hub.example.org', port: 10_000 });
    assert.deepEqual(parseAddress('192.0.2.7:443', '--cloud'), { host: '192.0.2.7', port: 443 });
    assert.deepEqual(parseAddress('[2001:db8::1]:443', '--cloud'), { host: '2001:db8::1', port: 443 });
    assert.deepEqual(parseAddress('[::1]', '--cloud'), { host: '::1', port: 10_000 });
  });

  it('are refused with a scheme, a path, or a port that cannot be', () => {
    for (const text of [
      '',
      'https://hub:1',
      'hub/x',
      'hub:0',
      'hub:65536',
      'hub:x',
      '2001:db8::1',
      'a b',
      '[x]:1',
    ]) {
      assert.throws(() => parseAddress(text, '--cloud'), { code: 'ERR_CLI_USAGE' }, text);
    }
  });

  it('are dialled under names without a port', () => {
    checkNames(['hub.example.org', '192.0.2.7', '2001:db8::7', 'hub-1'], '--advertise');
    for (const text of ['', '192.0.2.7:443', 'hub:443', '[::1]', 'https://hub', 'a b'])
      assert.throws(() => checkNames(['hub', text], '--advertise'), /^CliError: --advertise .*websocketPort/);
  });

  it('come back as they were', () => {
    for (const text of ['hub:1', '[::1]:2', '192.0.2.7:3']) {
      const { host, port } = parseAddress(text, '--cloud');
      assert.equal(formatAddress(host, port), text);
    }
  });
});
