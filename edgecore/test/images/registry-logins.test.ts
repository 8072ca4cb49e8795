import assert from 'node:assert/strict';
import { parseImageName } from '../../src/images/image-name.ts';
import { loginsFor, readPullSecret, type ScopedLogin } from '../../src/images/registry-logins.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function secret(auths: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
  };
}

describe('readPullSecret', () => {
  const read = (entry: unknown): readonly ScopedLogin[] =>
    readPullSecret(secret({ 'registry.example': entry }));

  it('reads user and password', () => {
    assert.deepEqual(read({ username: 'u', password: 'p', email: 'e' }), [
      { scope: 'registry.example', login: { username: 'u', password: 'p' } },
    ]);
  });

  it('reads auth, which counts more, with colons in the password and padding', () => {
    const [found] = read({ username: 'x', password: 'y', auth: base64('u:p:q\0\0') });
    assert.deepEqual(found?.login, { username: 'u', password: 'p:q' });
  });

  it('reads an identity token', () => {
    assert.deepEqual(read({ identitytoken: 't' })[0]?.login, { identityToken: 't' });
  });

  it('reads the older type', () => {
    const data = {
      '.dockercfg': base64(JSON.stringify({ 'https://registry.example/v1/': { username: 'u' } })),
    };
    assert.deepEqual(readPullSecret({ type: 'kubernetes.io/dockercfg', data }), [
      { scope: 'registry.example', login: { username: 'u' } },
    ]);
  });

  it('has nothing of other types, of entries without a login, and without data', () => {
    assert.deepEqual(readPullSecret({ type: 'Opaque', data: { '.dockerconfigjson': base64('{}') } }), []);
    assert.deepEqual(read({}), []);
    assert.deepEqual(read({ auth: base64('no colon') }), []);
    assert.deepEqual(read(null), []);
    assert.deepEqual(readPullSecret({ type: 'kubernetes.io/dockerconfigjson' }), []);
    const data = { '.dockerconfigjson': base64('{}') };
    assert.deepEqual(readPullSecret({ type: 'kubernetes.io/dockerconfigjson', data }), []);
  });

  it('refuses what is no JSON, without saying what it was', () => {
    const data = { '.dockerconfigjson': base64('{"password":"hunter2') };
    assert.throws(
      () => readPullSecret({ type: 'kubernetes.io/dockerconfigjson', data }),
      (error: Error) =>
        error.message.includes('no JSON object') && !JSON.stringify(error).includes('hunter2'),
    );
  });
});

describe('loginsFor', () => {
  const users = (image: string, ...scopes: readonly string[]): readonly unknown[] => {
    const entries = Object.fromEntries(scopes.map((scope) => [scope, { username: scope, password: 'p' }]));
    return loginsFor(parseImageName(image), readPullSecret(secret(entries))).map(({ username }) => username);
  };

  const cases: readonly {
    readonly image: string;
    readonly scopes: readonly string[];
    readonly fit: readonly string[];
  }[] = [
    { image: 'registry.example/app', scopes: ['registry.example'], fit: ['registry.example'] },
    {
      image: 'registry.example/app',
      scopes: ['https://registry.example/v2/'],
      fit: ['https://registry.example/v2/'],
    },
    { image: 'registry.example/app', scopes: ['registry.example:5000'], fit: [] },
    { image: 'registry.example:5000/app', scopes: ['registry.example'], fit: [] },
    { image: 'registry.example:5000/app', scopes: ['*.example:5000'], fit: ['*.example:5000'] },
    { image: 'a.b.example/app', scopes: ['*.example'], fit: [] },
    {
      image: 'a.b.example/app',
      scopes: ['*.b.example', 'a*.b.example'],
      fit: ['a*.b.example', '*.b.example'],
    },
    { image: 'registry.example/team/app', scopes: ['registry.example/other'], fit: [] },
    {
      image: 'registry.example/team/app',
      scopes: ['registry.example', 'registry.example/team', 'registry.example/team/app'],
      fit: ['registry.example/team/app', 'registry.example/team', 'registry.example'],
    },
    { image: 'registryXexample/app', scopes: ['registry.example'], fit: [] },
    { image: 'busybox', scopes: ['https://index.docker.io/v1/'], fit: ['https://index.docker.io/v1/'] },
    { image: 'busybox', scopes: ['docker.io', 'index.docker.io'], fit: ['docker.io'] },
    { image: 'registry.example/app', scopes: ['index.docker.io'], fit: [] },
    {
      image: 'registry.example/app',
      scopes: ['registry.exampl[', '[a-z]*.example'],
      fit: ['[a-z]*.example'],
    },
  ];
  for (const { image, scopes, fit } of cases)
    it(`takes ${fit.join(', ') || 'none'} of ${scopes.join(', ')} for ${image}`, () => {
      assert.deepEqual(users(image, ...scopes), fit);
    });

  it('has the same login only once', () => {
    const login = { username: 'u', password: 'p' };
    const logins = ['registry.example', '*.example'].map((scope) => ({ scope, login }));
    assert.deepEqual(loginsFor(parseImageName('registry.example/app'), logins), [login]);
  });
});
