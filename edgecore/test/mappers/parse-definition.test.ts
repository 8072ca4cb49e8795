import assert from 'node:assert/strict';
import { parseDefinition } from '../../src/mappers/parse-definition.ts';

describe('definitions of mappers', () => {
  it('have defaults', () => {
    assert.deepEqual(parseDefinition('modbus', { protocols: ['modbus'] }), {
      definition: {
        name: 'modbus',
        protocols: ['modbus'],
        topics: { publish: [], subscribe: [] },
        run: undefined,
        messagesPerSecond: 2000,
      },
    });
  });

  it('say what to run', () => {
    const parsed = parseDefinition('m', {
      protocols: ['a', 'b'],
      run: { command: ['/bin/x', 1], env: { A: 'b', N: 5 }, user: 1000, memoryMax: '64Mi' },
      topics: { publish: ['plant/+/out'], subscribe: ['plant/#'] },
      messagesPerSecond: 10,
    });
    assert.ok('definition' in parsed);
    assert.deepEqual(parsed.definition.run, {
      command: ['/bin/x', '1'],
      env: { A: 'b', N: '5' },
      user: '1000',
      memoryMaxBytes: 64 * 1024 * 1024,
    });
    assert.deepEqual(parsed.definition.topics, { publish: ['plant/+/out'], subscribe: ['plant/#'] });
  });

  const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
    ['m', 'text', /is not a map/],
    ['m', null, /is not a map/],
    ['Up', {}, /the name of the file, Up, is no DNS label/],
    ['m', { protocol: ['modbus'] }, /protocol is not known; known are protocols, topics/],
    ['m', { protocols: 'modbus' }, /protocols: is not a list/],
    ['m', { protocols: ['Modbus'] }, /protocols\[0\]: "Modbus" is not a DNS label/],
    ['m', { topics: { publish: ['a/#/b'] } }, /topics\.publish\[0\]: "a\/#\/b" is not a topic filter/],
    ['m', { topics: { hear: [] } }, /topics: hear is not known/],
    ['m', { run: {} }, /run\.command: the program is missing/],
    ['m', { run: { command: [''] } }, /run\.command\[0\]: "" is not a text that is not empty/],
    ['m', { run: { command: ['x'], user: 'a b' } }, /run\.user: a b is not the name or number/],
    ['m', { run: { command: ['x'], user: { a: 1 } } }, /run\.user/],
    ['m', { run: { command: ['x'], memoryMax: '64MB' } }, /run\.memoryMax: 64MB is not as 64Mi/],
    ['m', { run: { command: ['x'], env: { '1A': 'x' } } }, /run\.env\.1A: is no name of a variable/],
    ['m', { run: { command: ['x'], env: { A: ['x'] } } }, /run\.env\.A: is not a text/],
    ['m', { messagesPerSecond: 0 }, /messagesPerSecond: 0 is not a whole number/],
    ['m', { messagesPerSecond: '5' }, /messagesPerSecond: "5" is not a whole number/],
  ];
  for (const [name, value, expected] of WRONG) {
    it(`refuse ${JSON.stringify(value)} of ${name}`, () => {
      const parsed = parseDefinition(name, value);
      assert.ok('problems' in parsed);
      assert.match(parsed.problems.join('\n'), expected);
    });
  }

  it('tell everything that is wrong at once', () => {
    const parsed = parseDefinition('m', { protocols: ['A', 'B'], messagesPerSecond: -1 });
    assert.equal('problems' in parsed && parsed.problems.length, 3);
  });
});
