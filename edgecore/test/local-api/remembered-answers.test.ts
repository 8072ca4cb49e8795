import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { makeTempDir } from '@hawser/seams/testing';
import { RememberedAnswers, type RememberedAnswer } from '../../src/local-api/remembered-answers.ts';
import { LogLines } from '../identity/log-lines.ts';

const LIMITS = { bytes: 4_000, answerBytes: 2_000 };

describe('what the API server has said of itself', () => {
  let dir: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    const temporary = await makeTempDir();
    dir = path.join(temporary.path, 'answers');
    remove = () => temporary.remove();
  });

  afterEach(() => remove());

  const open = async (): Promise<RememberedAnswers> => {
    const answers = new RememberedAnswers(dir, silentLogger, LIMITS);
    await answers.start();
    return answers;
  };
  const answer = (bytes: number, fill = 'a'): RememberedAnswer => ({
    headers: { 'content-type': 'application/json' },
    body: Buffer.alloc(bytes, fill),
  });

  it('is there after a restart, by path and form', async () => {
    const answers = await open();
    await answers.put('/apis', 'x', answer(10, 'x'));
    await answers.put('/apis', 'y', answer(10, 'y'));
    const again = await open();
    assert.equal(again.count, 2);
    assert.deepEqual(await again.get('/apis', 'x'), answer(10, 'x'));
    assert.deepEqual(await again.get('/apis', 'y'), answer(10, 'y'));
    assert.equal(await again.get('/apis', 'z'), undefined);
    assert.ok(again.bytes > 0);
  });

  it('makes its folder for itself alone, and has nothing to say of that', async () => {
    const log = new LogLines();
    await new RememberedAnswers(dir, log, LIMITS).start();
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
    assert.deepEqual(log.lines, []);
  });

  it('takes no more of the disk than it may: what was asked for longest ago goes first', async () => {
    const answers = await open();
    for (const name of ['a', 'b', 'c', 'd']) await answers.put(name, '', answer(600));
    await answers.get('a', '');
    await answers.put('e', '', answer(600));
    assert.ok(answers.bytes <= LIMITS.bytes);
    assert.notEqual(await answers.get('a', ''), undefined);
    assert.equal(await answers.get('b', ''), undefined);
    await answers.put('huge', '', answer(1_900));
    assert.equal(await answers.get('huge', ''), undefined);
    assert.equal((await readdir(dir)).length, answers.count);
  });

  it('is written only where it is another one', async () => {
    const answers = await open();
    await answers.put('/apis', '', answer(10));
    const [file = ''] = await readdir(dir);
    await writeFile(path.join(dir, file), 'marked');
    await answers.put('/apis', '', answer(10));
    assert.equal(await readFile(path.join(dir, file), 'utf8'), 'marked');
    await answers.put('/apis', '', answer(10, 'b'));
    assert.deepEqual(await answers.get('/apis', ''), answer(10, 'b'));
  });

  it('is nothing where a file is damaged, or the folder cannot be used', async () => {
    const answers = await open();
    await answers.put('/apis', '', answer(10));
    const [file = ''] = await readdir(dir);
    await writeFile(path.join(dir, file), '{');
    assert.equal(await answers.get('/apis', ''), undefined);
    assert.equal(answers.count, 0);
    await writeFile(path.join(dir, '..', 'plain'), '');
    const none = new RememberedAnswers(path.join(dir, '..', 'plain'), silentLogger);
    await none.start();
    await none.put('/apis', '', answer(10));
    assert.equal(await none.get('/apis', ''), undefined);
  });
});
