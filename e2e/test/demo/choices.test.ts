import assert from 'node:assert/strict';
import { HELP, parseChoices } from '../../src/demo/choices.ts';

describe('the choices of npm start', () => {
  it('go on at a terminal, with the view, and end elsewhere', () => {
    const { keep, view, nodes, runtime, transport } = parseChoices([], true);
    assert.deepEqual([keep, view, nodes, runtime, transport], [true, true, 3, undefined, undefined]);
    const elsewhere = parseChoices([], false);
    assert.deepEqual([elsewhere.keep, elsewhere.view], [false, false]);
  });

  it('can be said', () => {
    const said = ['--nodes', '20', '--transport', 'quic', '--runtime', 'process', '--kubeconfig', 'f'];
    const { nodes, transport, runtime, kubeconfig } = parseChoices(said, true);
    assert.deepEqual([nodes, transport, runtime, kubeconfig], [20, 'quic', 'process', 'f']);
    assert.deepEqual(
      [parseChoices(['--once'], true).keep, parseChoices(['--keep'], false).keep],
      [false, true],
    );
    assert.equal(parseChoices(['--no-view'], true).view, false);
    assert.equal(parseChoices(['--help'], false).help, true);
  });

  it('are refused with the name of the choice and what is allowed', () => {
    for (const nodes of ['0', '21', '-1', '3.5', 'x', '', '0x3', '1e1'])
      assert.throws(() => parseChoices([`--nodes=${nodes}`], true), {
        message: `--nodes is a number from 1 to 20, and not ${JSON.stringify(nodes)}`,
      });
    assert.throws(() => parseChoices(['--transport', 'tcp'], true), {
      message: '--transport is one of ws, quic, webtransport, auto, and not "tcp"',
    });
    assert.throws(() => parseChoices(['--runtime', 'docker'], true), {
      message: '--runtime is one of cri, process, null, and not "docker"',
    });
    assert.throws(() => parseChoices(['--kubeconfig='], true), /--kubeconfig/);
    assert.throws(() => parseChoices(['--once', '--keep'], true), /--once and --keep/);
    assert.throws(() => parseChoices(['--nonsense'], true), /--nonsense/);
    assert.throws(() => parseChoices(['nonsense'], true), /nonsense/);
  });

  it('are all in the help', () => {
    for (const name of ['nodes', 'transport', 'runtime', 'kubeconfig', 'once', 'keep', 'no-view', 'help'])
      assert.match(HELP, new RegExp(`^  --${name} `, 'm'));
    for (const line of HELP.split('\n')) assert.ok(line.length <= 80, line);
  });
});
