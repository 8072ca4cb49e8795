import assert from 'node:assert/strict';
import { KubeletFailure } from '../../src/kubelet/kubelet-failure.ts';
import { readLogOptions } from '../../src/kubelet/log-options.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');

const read = (query: string): ReturnType<typeof readLogOptions> =>
  readLogOptions(new URLSearchParams(query), NOW_MS);

function refuses(query: string, status: number, message: RegExp): void {
  assert.throws(
    () => read(query),
    (error) => {
      assert.ok(error instanceof KubeletFailure, String(error));
      assert.equal(error.status, status, query);
      assert.match((JSON.parse(error.message) as { message: string }).message, message);
      return true;
    },
  );
}

describe('readLogOptions', () => {
  it('has defaults', () => {
    assert.deepEqual(read(''), {
      previous: false,
      query: { follow: false, timestamps: false, stream: 'All' },
    });
  });

  it('reads all of them', () => {
    assert.deepEqual(
      read(
        'follow=true&timestamps=1&previous=TRUE&tailLines=0&limitBytes=17&sinceTime=2026-03-01T11:00:00%2B01:00',
      ),
      {
        previous: true,
        query: {
          follow: true,
          timestamps: true,
          stream: 'All',
          tailLines: 0,
          limitBytes: 17,
          sinceMs: Date.parse('2026-03-01T10:00:00Z'),
        },
      },
    );
    assert.equal(read('sinceSeconds=60').query.sinceMs, NOW_MS - 60_000);
    assert.equal(read('stream=Stderr').query.stream, 'Stderr');
  });

  it('reads truth as the API does', () => {
    for (const text of ['false', 'False', '0'])
      assert.equal(read(`follow=${text}`).query.follow, false, text);
    for (const text of ['true', '1', 'yes', ''])
      assert.equal(read(`follow=${text}`).query.follow, true, text);
  });

  it('knows the old name of tailLines', () => {
    assert.equal(read('tail=5&tailLines=7').query.tailLines, 5);
    assert.equal(read('tail=all&tailLines=7').query.tailLines, undefined);
  });

  it('refuses what cannot be read', () => {
    refuses('tailLines=many', 400, /^Unable to decode query\. tailLines/);
    refuses('limitBytes=1.5', 400, /limitBytes/);
    refuses('sinceTime=yesterday', 400, /sinceTime/);
    refuses('sinceTime=2026-03-01', 400, /sinceTime/);
    refuses('sinceTime=2026-13-45T99:00:00Z', 400, /sinceTime/);
  });

  it('refuses values that are not valid', () => {
    refuses('tailLines=-1', 422, /^Invalid request\. tailLines.*greater than or equal to 0/);
    refuses('limitBytes=0', 422, /limitBytes.*greater than 0/);
    refuses('sinceSeconds=0', 422, /sinceSeconds.*greater than 0/);
    refuses('sinceSeconds=1&sinceTime=2026-03-01T11:00:00Z', 422, /at most one of/);
    refuses('stream=stdout', 422, /stream.*"All", "Stdout", "Stderr"/);
    refuses('stream=Stdout&tailLines=1', 422, /mutually exclusive/);
  });
});
