import assert from 'node:assert/strict';
import { KubeletFailure } from '../../src/kubelet/kubelet-failure.ts';
import { readForwardPorts, readStreamOptions } from '../../src/kubelet/stream-options.ts';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof KubeletFailure);
    assert.equal(error.status, 400);
    return error.message;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

describe('readStreamOptions', () => {
  const read = (query: string): ReturnType<typeof readStreamOptions> =>
    readStreamOptions(new URLSearchParams(query));

  it('reads what API servers say, and what the API says', () => {
    const all = { stdin: true, stdout: true, stderr: true, tty: false };
    assert.deepEqual(read('input=1&output=1&error=1'), all);
    assert.deepEqual(read('stdin=true&stdout=true&stderr=true&tty=false'), all);
    assert.deepEqual(read('output=1'), { stdin: false, stdout: true, stderr: false, tty: false });
  });

  it('has one stream of output with a terminal', () => {
    assert.deepEqual(read('input=1&output=1&error=1&tty=1'), {
      stdin: true,
      stdout: true,
      stderr: false,
      tty: true,
    });
  });

  it('refuses to stream nothing', () => {
    for (const query of ['', 'tty=1', 'output=0', 'tty=1&error=1']) {
      assert.equal(
        refusal(() => read(query)),
        'you must specify at least 1 of stdin, stdout, stderr',
        query,
      );
    }
  });
});

describe('readForwardPorts', () => {
  const read = (query: string, isWebSocket = true): readonly number[] =>
    readForwardPorts(new URLSearchParams(query), isWebSocket);

  it('reads ports of a WebSocket; SPDY has them in its streams', () => {
    assert.deepEqual(read('port=80&port=443,8080'), [80, 443, 8080]);
    assert.deepEqual(read('', false), []);
  });

  it('refuses what are no ports', () => {
    assert.equal(
      refusal(() => read('')),
      'query parameter "port" is required',
    );
    assert.equal(
      refusal(() => read('port=')),
      'query parameter "port" cannot be empty',
    );
    for (const port of ['http', '-1', '65536', '80,', '0x50']) {
      assert.match(
        refusal(() => read(`port=${port}`)),
        /unable to parse ".*" as a port/,
      );
    }
    assert.equal(
      refusal(() => read('port=0')),
      'port "0" must be > 0',
    );
  });
});
