import assert from 'node:assert/strict';
import { CloudCoreError } from '@hawser/cloudcore/admin';
import { HubRefusal } from '@hawser/edgecore';
import { EdgeCoreError } from '@hawser/edgecore/admin';
import { TunnelError } from '@hawser/proto';
import { CLI_ERRORS, CliError } from '../src/errors.ts';
import { explain, failureText, isMisuse } from '../src/failure.ts';

describe('failures as they are told', () => {
  it('finds the remedy of every package’s codes', async () => {
    const errors = [
      new CliError('ERR_CLI_CONFIRM', 'a'),
      new EdgeCoreError('ERR_EDGECORE_TOKEN', 'b'),
      new EdgeCoreError('ERR_EDGE_STORE_FULL', 'c'),
      new CloudCoreError('ERR_CLOUDCORE_TOKEN_OPTIONS', 'd'),
      new TunnelError('ERR_TUNNEL_CERT_EXPIRED', 'e'),
      Object.assign(new Error('f'), { code: 'ERR_KUBE_FORBIDDEN' }),
    ];
    for (const error of errors) {
      const { remedy, code } = await explain(error);
      assert.equal(code, error.code);
      assert.ok((remedy ?? '').length > 20, error.code);
    }
  });

  it('prefers what is said for the occasion, and what the hub says of its refusal', async () => {
    const own = await explain(new CliError('ERR_CLI_CONFIG', 'x', { remedy: 'do this' }));
    assert.equal(own.remedy, 'do this');
    const fields = { status: 403, message: 'used up', hubCode: 'ERR_CLOUDCORE_TOKEN_USED' };
    assert.equal((await explain(new HubRefusal({ ...fields, remedy: 'ask for one' }))).remedy, 'ask for one');
    assert.match(
      (await explain(new HubRefusal({ ...fields, remedy: '' }))).remedy ?? '',
      /hawser token create/,
    );
  });

  it('tells causes once, where the message does not have them', async () => {
    const root = new Error('disk full');
    const middle = new Error('write failed', { cause: root });
    const failure = await explain(new Error('no store: write failed', { cause: middle }));
    assert.deepEqual(failure.causes, ['disk full']);
    const text = failureText({ ...failure, code: 'ERR_X', remedy: 'wait' });
    assert.equal(text, 'hawser: no store: write failed (ERR_X)\n  because: disk full\n  What to do: wait');
  });

  it('tells something of anything that can be thrown', async () => {
    assert.equal((await explain('a text')).message, 'a text');
    assert.equal((await explain(undefined)).message, 'undefined');
    const empty = new Error('outer', { cause: new AggregateError([new Error('one'), new Error('two')]) });
    assert.deepEqual((await explain(empty)).causes, ['Error: one; Error: two']);
  });

  it('knows misuse', () => {
    assert.ok(isMisuse(new CliError('ERR_CLI_USAGE', '')));
    assert.ok(!isMisuse(new CliError('ERR_CLI_CHECKS', '')));
  });

  it('has a meaning and a remedy for each code', () => {
    for (const [code, { meaning, remedy }] of Object.entries(CLI_ERRORS)) {
      assert.ok(meaning.endsWith('.') && remedy.endsWith('.'), code);
    }
  });
});
