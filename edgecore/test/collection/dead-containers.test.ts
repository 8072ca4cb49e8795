import assert from 'node:assert/strict';
import { deadOf } from '../../src/collection/dead-containers.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/runtime/container-runtime.ts';

/** `main.2 exited s1`: name, attempt, state, sandbox. */
function containerOf(text: string): RuntimeContainer {
  const [id = '', state, sandboxId] = text.split(' ');
  const [name, attempt] = id.split('.');
  return {
    id,
    name,
    attempt: Number(attempt),
    state,
    sandboxId,
    createdAtMs: Number(attempt),
  } as unknown as RuntimeContainer;
}

/** `s1 ready`. */
function podOf(sandboxes: readonly string[], containers: readonly string[]): RuntimePod {
  return {
    sandboxes: sandboxes.map((text) => ({ id: text.split(' ')[0], ready: text.endsWith(' ready') })),
    containers: containers.map(containerOf),
  } as unknown as RuntimePod;
}

describe('deadOf', () => {
  const table: [what: string, sandboxes: string[], containers: string[], dead: string[]][] = [
    ['nothing of what runs', ['s ready'], ['main.0 running s', 'other.0 created s'], []],
    ['nothing but the latest dead one', ['s ready'], ['main.1 running s', 'main.0 exited s'], []],
    [
      'all dead ones before the latest',
      ['s ready'],
      ['main.3 running s', 'main.2 exited s', 'main.1 exited s', 'main.0 exited s'],
      ['main.1', 'main.0'],
    ],
    [
      'the same where none runs',
      ['s ready'],
      ['main.2 exited s', 'main.1 exited s', 'main.0 exited s'],
      ['main.1', 'main.0'],
    ],
    [
      'those of each name by themselves',
      ['s ready'],
      ['a.1 exited s', 'a.0 exited s', 'b.0 exited s'],
      ['a.0'],
    ],
    ['whatever the order is', ['s ready'], ['a.0 exited s', 'a.1 exited s'], ['a.0']],
    ['nothing whose state is not known', ['s ready'], ['a.1 exited s', 'a.0 unknown s'], []],
    [
      'a new one that was not started keeps the one before it',
      ['s ready'],
      ['a.2 created s', 'a.1 exited s', 'a.0 exited s'],
      ['a.0'],
    ],
    [
      'old sandboxes without containers',
      ['s2 ready', 's1', 's0'],
      ['main.1 running s2', 'main.0 exited s0'],
      ['s1'],
    ],
    ['not the latest sandbox, nor one that is ready', ['s1', 's0 ready'], [], []],
    [
      'an old sandbox once its containers are gone',
      ['s2', 's1', 's0'],
      ['a.1 exited s1', 'a.0 exited s0'],
      ['a.0'],
    ],
  ];
  for (const [what, sandboxes, containers, expected] of table) {
    it(`finds ${what}`, () => {
      const dead = deadOf([podOf(sandboxes, containers)]);
      assert.deepEqual([...dead.containers.map(({ id }) => id), ...dead.sandboxes], expected);
    });
  }
});
