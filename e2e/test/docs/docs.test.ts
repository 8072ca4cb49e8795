import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const CODE = /(?<![A-Z0-9_])ERR_[A-Z0-9]+(?:_[A-Z0-9]+)+(?!_?\$|[A-Z0-9_])/g;

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

function filesBelow(dir: string, suffix: string): string[] {
  const folder = path.join(ROOT, dir);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(suffix)).map((name) => path.join(dir, name));
}

/** The packages whose errors users meet. */
function packages(): string[] {
  const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
  return workspaces
    .filter((dir) => dir !== 'e2e')
    .flatMap((dir) =>
      dir.endsWith('/*')
        ? readdirSync(path.join(ROOT, dir.slice(0, -2))).map((name) => `${dir.slice(0, -1)}${name}`)
        : [dir],
    );
}

function sources(): string[] {
  return packages().flatMap((dir) => filesBelow(`${dir}/src`, '.ts'));
}

/** The word after `ERR_`: whose code it is. */
function ownerOf(code: string): string | undefined {
  return code.split('_')[1];
}

function pages(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  return [...top, ...filesBelow('docs', '.md')];
}

/** Text without code, in which brackets are no links. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, 'code');
}

/** The anchors of a page, made as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const targets = [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? page : path.join(path.dirname(page), file);
      if (!existsSync(path.join(ROOT, linked))) return true;
      return anchor !== undefined && linked.endsWith('.md') && !anchors(read(linked)).has(anchor);
    })
    .map((target) => `${page}: ${target}`);
}

describe('documents', () => {
  it('are what the code says', async function () {
    this.timeout(30_000);
    await promisify(execFile)(process.execPath, [path.join(ROOT, 'scripts/docs.js'), '--check']);
  });

  it('link to files and headings that are there', () => {
    assert.deepEqual(pages().flatMap(brokenLinks), []);
  });

  it('list each error code that a source has', () => {
    const listed = new Set(read('docs/errors.md').match(CODE));
    // Codes of Node.js and of OpenSSL are looked for in sources, too.
    const owners = new Set([...packages().map((dir) => dir.toUpperCase()), ...[...listed].map(ownerOf)]);
    const missing = sources().flatMap((file) =>
      (read(file).match(CODE) ?? [])
        .filter((code) => owners.has(ownerOf(code) ?? '') && !listed.has(code))
        .map((code) => `${file}: ${code}`),
    );
    assert.deepEqual(missing, [], 'add them to the table of their package, then run `npm run docs`');
  });

  it('list no error code that no source uses', () => {
    const tables = /\/(?:errors|error-table)\.ts$/;
    const texts = sources()
      .filter((file) => !tables.test(file))
      .map(read);
    const used = new Set(texts.flatMap((text) => text.match(CODE) ?? []));
    // A StatusError makes its code from the reason of the Status, or from 'UNKNOWN' where there is none.
    const isMade = (code: string): boolean => {
      const rest = code.replace(/^ERR_KUBE_/, '');
      const reason = rest
        .toLowerCase()
        .replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return texts.some((text) => text.includes(`'${reason}'`) || text.includes(`'${rest}'`));
    };
    const listed = [...new Set(read('docs/errors.md').match(CODE))];
    assert.ok(listed.length > 20, 'docs/errors.md has hardly any codes');
    assert.deepEqual(
      listed.filter((code) => !used.has(code) && !isMade(code)),
      [],
    );
  });

  it('give each decision a number of its own', () => {
    const numbers = filesBelow('docs/adr', '.md').map((file) => /^\d{4}(?=-)/.exec(path.basename(file))?.[0]);
    assert.ok(numbers.length > 0, 'docs/adr is empty');
    assert.equal(new Set(numbers).size, numbers.length, numbers.join(', '));
    assert.ok(!numbers.includes(undefined), 'a decision is named NNNN-what-it-is.md');
  });
});
