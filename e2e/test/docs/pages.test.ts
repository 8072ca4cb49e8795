import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
/** What a name has in queries beside that of its metric. */
const OF_QUERIES = /_(?:bucket|count|sum)$/;

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

function pages(): string[] {
  const docs = readdirSync(path.join(ROOT, 'docs'), { recursive: true }).map(
    (name) => `docs/${String(name)}`,
  );
  return docs.filter((name) => name.endsWith('.md'));
}

/** Pages that one comes to from a page by links, that one included. */
function reachableFrom(first: string): Set<string> {
  const found = new Set([first]);
  for (const page of found) {
    const targets = [...read(page).matchAll(/\]\(([^)\s#:]+\.md)(?:#[^)\s]*)?\)/g)].map(
      ([, target = '']) => target,
    );
    for (const target of targets) {
      const file = path.join(path.dirname(page), target);
      if (existsSync(path.join(ROOT, file))) found.add(file);
    }
  }
  return found;
}

describe('pages of the documents', () => {
  it('are reached from README, and from the index', () => {
    for (const first of ['README.md', 'docs/README.md']) {
      const reached = reachableFrom(first);
      const lost = pages().filter((page) => !reached.has(page));
      assert.deepEqual(lost, [], `no way from ${first}`);
    }
  });

  it('name metrics that there are', () => {
    const known = new Set(read('docs/reference/metrics.md').match(/\bhawser_\w+/g));
    const wrong = [...pages(), 'README.md'].flatMap((page) =>
      (read(page).match(/\bhawser_[a-z]\w*[a-z](?![\w…*])/g) ?? [])
        .filter((name) => !known.has(name.replace(OF_QUERIES, '')) && !known.has(name))
        .map((name) => `${page}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('have pictures without what ends a line of them', () => {
    const wrong = [...pages(), 'README.md'].flatMap((page) =>
      [...read(page).matchAll(/^```mermaid\n(\w+)(?:-v2)?\n([\s\S]*?)^```/gm)].flatMap(
        ([, kind = '', code = '']) => {
          const ends = { sequenceDiagram: /;/, stateDiagram: /-->[^:\n]*:[^:\n]*:/ }[kind];
          const lines = code.split('\n').filter((line) => ends?.test(line));
          return lines.map((line) => `${page}: ${line.trim()}`);
        },
      ),
    );
    assert.deepEqual(wrong, []);
  });

  it('show commands as blocks of sh, which are looked at', () => {
    const hidden = pages().flatMap((page) =>
      [
        ...read(page)
          .replaceAll(/^```[\s\S]*?^```/gm, '')
          .matchAll(/^ {4}(?:hawser|kubectl|node|npm|curl) .*$/gm),
      ].map(([line]) => `${page}: ${line.trim()}`),
    );
    assert.deepEqual(hidden, []);
  });
});
