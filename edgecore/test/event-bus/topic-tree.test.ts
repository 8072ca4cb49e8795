import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { covers, isFilter, isTopic, matches } from '../../src/event-bus/topic-filter.ts';
import { TopicTree } from '../../src/event-bus/topic-tree.ts';

const split = (text: string): string[] => text.split('/');

describe('topic filters', () => {
  it('match as MQTT 3.1.1 says (4.7)', () => {
    const cases: readonly (readonly [filter: string, topic: string, does: boolean])[] = [
      ['sport/tennis/player1/#', 'sport/tennis/player1', true],
      ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
      ['sport/#', 'sport', true],
      ['#', 'sport', true],
      ['sport/tennis/+', 'sport/tennis/player1', true],
      ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
      ['sport/+', 'sport', false],
      ['sport/+', 'sport/', true],
      ['+/+', '/finance', true],
      ['/+', '/finance', true],
      ['+', '/finance', false],
      ['#', '$SYS/x', false],
      ['+/monitor/Clients', '$SYS/monitor/Clients', false],
      ['$SYS/#', '$SYS/x', true],
      ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ];
    for (const [filter, topic, does] of cases) {
      assert.equal(matches(split(filter), split(topic)), does, `${filter} ${topic}`);
    }
  });

  it('are valid or not', () => {
    for (const filter of ['#', '+', 'a/+/b', 'a/#', '/', 'a//b', 'x'.repeat(1024)])
      assert.ok(isFilter(filter), filter);
    for (const filter of [
      '',
      'a#',
      'a/#/b',
      'a+',
      '+a/b',
      'a\0',
      'x'.repeat(1025),
      'é'.repeat(600),
      '/'.repeat(40),
    ]) {
      assert.equal(isFilter(filter), false, filter);
    }
    assert.ok(isTopic('a/b'));
    for (const topic of ['', 'a/+', '#', 'a\0']) assert.equal(isTopic(topic), false);
  });

  it('cover one another exactly when every topic says so; and the tree finds what matching finds', () => {
    const random = seededRandom(7);
    const word = (words: readonly string[]): string => words[Math.floor(random.next() * words.length)] ?? '';
    const some = (words: readonly string[]): string[] =>
      Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => word(words));
    const filter = (): string => {
      const levels = some(['a', 'b', '+', '$x']);
      return (random.next() < 0.3 ? [...levels, '#'] : levels).join('/');
    };
    const topics = Array.from({ length: 300 }, () => some(['a', 'b', 'c', '$x', '']));
    const tree = new TopicTree<string, number>();
    const filters = [...new Set(Array.from({ length: 200 }, filter))];
    for (const [at, each] of filters.entries()) tree.set(each, each, at);
    for (const topic of topics) {
      const found: string[] = [];
      tree.match(topic, (key) => found.push(key));
      const expected = filters.filter((each) => matches(split(each), topic));
      assert.deepEqual(found.toSorted(), expected.toSorted(), topic.join('/'));
    }
    for (const wide of filters) {
      for (const narrow of filters) {
        if (!covers(split(wide), split(narrow))) continue;
        for (const topic of topics) {
          if (matches(split(narrow), topic)) assert.ok(matches(split(wide), topic), `${wide} ${narrow}`);
        }
      }
    }
    for (const each of filters) tree.delete(each, each);
    tree.match(['a'], () => assert.fail('nothing is left'));
  });
});
