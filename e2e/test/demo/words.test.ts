import assert from 'node:assert/strict';
import { counted, typed } from '../../src/demo/words.ts';

describe('words of the demonstration', () => {
  it('count one and many', () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => counted(count, 'node')),
      ['0 nodes', '1 node', '2 nodes'],
    );
  });

  it('give a command as a shell takes it', () => {
    assert.equal(typed(['logs', 'deployment/a-1', '--tail=1']), 'logs deployment/a-1 --tail=1');
    assert.equal(typed(['sh', '-c', "echo $A 'b'", '']), `sh -c 'echo $A '\\''b'\\''' ''`);
  });
});
