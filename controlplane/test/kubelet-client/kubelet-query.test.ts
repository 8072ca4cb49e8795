import assert from 'node:assert/strict';
import { StatusError } from '@hawser/kube';
import { logQuery, portForwardQuery, streamQuery } from '../../src/kubelet-client/kubelet-query.ts';

const logs = (query: string): string => logQuery(new URLSearchParams(query), 'web').toString();
const refuses = (query: string, code: number, message: string): void => {
  assert.throws(
    () => logs(query),
    (error: unknown) =>
      error instanceof StatusError && error.status.code === code && error.message === message,
    query,
  );
};

describe('what a kubelet is asked', () => {
  it('for logs is what the client has asked, in the words of a kubelet', () => {
    assert.equal(logs(''), '');
    assert.equal(
      logs('container=a&follow=true&timestamps=1&previous=false&pretty=true'),
      'follow=true&timestamps=true',
    );
    assert.equal(
      logs('tailLines=0&limitBytes=7&sinceSeconds=60'),
      'sinceSeconds=60&tailLines=0&limitBytes=7',
    );
    assert.equal(logs('sinceTime=2026-01-02T03:04:05.123Z'), 'sinceTime=2026-01-02T03%3A04%3A05.123Z');
    assert.equal(logs('stream=Stderr'), 'stream=Stderr');
    assert.equal(logs('insecureSkipTLSVerifyBackend=true&sinceTime=&tailLines='), '');
  });

  it('for logs has to make sense; otherwise the client hears what kube-apiserver says', () => {
    refuses('tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax');
    refuses(
      'sinceTime=yesterday',
      400,
      'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    );
    const invalid = 'PodLogOptions "web" is invalid: ';
    refuses(
      'tailLines=-1',
      422,
      `${invalid}tailLines: Invalid value: -1: must be greater than or equal to 0`,
    );
    refuses('limitBytes=0', 422, `${invalid}limitBytes: Invalid value: 0: must be greater than 0`);
    refuses('sinceSeconds=0', 422, `${invalid}sinceSeconds: Invalid value: 0: must be greater than 0`);
    for (const query of ['sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z', 'stream=Stdout&tailLines=1']) {
      assert.throws(
        () => logs(query),
        (error: unknown) => error instanceof StatusError && error.status.code === 422,
      );
    }
    assert.throws(() => logs('stream=Both'), /supported values: "All", "Stderr", "Stdout"/);
  });

  it('for a shell and for a port', () => {
    const shell = new URLSearchParams(
      'container=a&stdin=true&stdout=1&stderr=false&tty=true&command=sh&command=-c',
    );
    assert.equal(streamQuery(shell).toString(), 'input=1&output=1&tty=1&command=sh&command=-c');
    assert.equal(portForwardQuery(new URLSearchParams('')).toString(), '');
    assert.equal(portForwardQuery(new URLSearchParams('ports=80&ports=81,82')).get('port'), '80,81,82');
    assert.throws(() => portForwardQuery(new URLSearchParams('ports=80;rm')), /invalid syntax/);
  });
});
