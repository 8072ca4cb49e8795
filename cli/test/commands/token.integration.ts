import assert from 'node:assert/strict';
import { JoinTokens } from '@hawser/cloudcore/admin';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { hawser, json, type Run } from '../hawser.ts';

interface ShownToken {
  readonly id: string;
  readonly token?: string;
  readonly command?: string;
  readonly maxUses: number;
  readonly node?: string;
}

describe('hawser token', function () {
  this.timeout(30_000);

  let cluster: TestCluster;
  before(async function () {
    cluster = await startTestCluster();
    const config = `${cluster.dir}/cloudcore.yaml`;
    const run = await hawser([
      'init',
      '--kubeconfig',
      cluster.kubeconfig,
      '--config',
      config,
      '--advertise',
      'hub',
    ]);
    assert.equal(run.code, 0, run.stderr);
  });
  after(() => cluster.stop());

  function token(...args: string[]): Promise<Run> {
    return hawser(['token', ...args, '--kubeconfig', cluster.kubeconfig]);
  }

  it('makes one, prints the command to join with, and never its secret again', async () => {
    const run = await token('create', '--node', 'shop-17', '--pool', 'shops', '--replace', '--ttl', '2h');
    assert.equal(run.code, 0, run.stderr);
    const [line = ''] = run.stdout.split('\n');
    const [, text = ''] =
      /^hawser join --cloud hub:10000 --token (\S+) --name shop-17 --pool shops --replace$/.exec(line) ?? [];
    const [pin = '', secret = ''] = text.split('.');
    assert.match(pin, /^[0-9a-f]{64}$/);
    assert.ok(secret.length >= 22);
    for (const format of ['text', 'json']) {
      const list = await token('list', '--output', format);
      assert.equal(list.code, 0, list.stderr);
      assert.match(list.stdout, /shop-17/);
      assert.doesNotMatch(list.stdout, new RegExp(secret));
      assert.doesNotMatch(list.stdout, /"hash"/);
    }
  });

  it('makes one that the hub takes, as often as it was told', async () => {
    const {
      token: text = '',
      id,
      maxUses,
    } = json(await token('create', '--uses', '2', '--output', 'json')) as ShownToken;
    assert.equal(maxUses, 2);
    const tokens = new JoinTokens({ client: cluster.client, pin: text.split('.')[0] ?? '' });
    for (const node of ['a', 'b']) await tokens.consume({ token: text, node, key: node }, async () => {});
    await assert.rejects(
      tokens.consume({ token: text, node: 'c', key: 'c' }, async () => {}),
      {
        code: 'ERR_CLOUDCORE_TOKEN_USED',
      },
    );
    const row = (await token('list')).stdout.split('\n').find((line) => line.startsWith(id));
    assert.match(row ?? '', /used up .* 2\/2 .* a,b/);
  });

  it('takes one back, by its id or by its text', async () => {
    for (const by of ['id', 'token'] as const) {
      const made = json(await token('create', '--output', 'json')) as Required<ShownToken>;
      assert.equal((await token('revoke', made[by])).code, 0);
      assert.doesNotMatch((await token('list')).stdout, new RegExp(made.id));
      const again = await token('revoke', made[by]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /ERR_CLI_NOT_FOUND/);
      assert.doesNotMatch(again.stderr, new RegExp(made.token));
    }
  });

  it('names the address that it is told', async () => {
    assert.match((await token('create', '--cloud', '192.0.2.9:1')).stdout, /--cloud 192\.0\.2\.9:1 /);
  });

  it('refuses what cannot be, with the range', async () => {
    const cases: [string[], number, RegExp][] = [
      [['create', '--ttl', 'soon'], 2, /--ttl "soon" is no duration/],
      [['create', '--ttl', '1s'], 1, /one minute to 366 days/],
      [['create', '--uses', '0'], 2, /whole number of at least 1/],
      [['create', '--uses', '5000'], 1, /1 to 1000 uses/],
      [['create', '--node', 'Not_A_Name'], 1, /ERR_CLOUDCORE_NODE_NAME/],
      [['revoke'], 2, /missing required argument/],
    ];
    for (const [args, code, message] of cases) {
      const run = await token(...args);
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, message);
      assert.equal(run.stdout, '');
    }
  });

  it('wants a cluster that was initialised, and does not initialise it', async () => {
    const empty = await startTestCluster();
    try {
      const run = await hawser(['token', 'create', '--kubeconfig', empty.kubeconfig]);
      assert.equal(run.code, 1);
      assert.match(run.stderr, /ERR_CLI_NOT_INITIALISED/);
      assert.match(run.stderr, /hawser init/);
      await assert.rejects(
        empty.client.request({ method: 'GET', path: '/api/v1/namespaces/hawser-system' }),
        /not found/,
      );
    } finally {
      await empty.stop();
    }
  });
});
