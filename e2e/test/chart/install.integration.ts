import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ensureAuthority } from '@hawser/cloudcore';
import { startControlPlane, type ControlPlane } from '@hawser/controlplane';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { parse } from 'yaml';
import { findExecutable } from '../../src/processes/executable.ts';
import { UserCommand } from '../../src/processes/user-command.ts';
import { chartDir, helm, needHelm, ROOT } from './helm.ts';

const HAWSER = path.join(path.dirname(createRequire(import.meta.url).resolve('@hawser/cli')), 'main.js');

// As docs/install-cloud.md has it.
describe('installing cloudcore in a cluster', function () {
  this.timeout(60_000);

  let dir: TempDir;
  let plane: ControlPlane | undefined;
  let kubeconfig: string;
  let kubectl: UserCommand;
  let hawser: UserCommand;

  before(function () {
    needHelm(this);
    if (findExecutable('kubectl') !== undefined) return;
    console.log('    skipped: there is no kubectl here (Debian: kubernetes-client)');
    this.skip();
  });
  beforeEach(async () => {
    dir = await makeTempDir('hwinst-');
    plane = await startControlPlane();
    kubeconfig = path.join(dir.path, 'admin.conf');
    await writeFile(kubeconfig, plane.kubeconfig, { mode: 0o600 });
    const env = { HOME: dir.path, KUBECONFIG: kubeconfig };
    kubectl = new UserCommand('kubectl', ['kubectl'], env);
    hawser = new UserCommand('hawser', [process.execPath, HAWSER], env);
  });
  afterEach(async () => {
    await plane?.stop();
    await dir.remove();
  });

  function helmHere(command: string, ...args: readonly string[]): Promise<string> {
    const where = ['--namespace', 'hawser-system', '--kubeconfig', kubeconfig];
    const { path: home } = dir;
    const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    return helm([command, 'hawser', chartDir, ...where, ...args], env);
  }

  /** A field of the Deployment's template. */
  function template(field: string): Promise<string> {
    const output = ['-o', `jsonpath={.spec.template.${field}}`];
    return kubectl.ok(['-n', 'hawser-system', 'get', 'deployment', 'hawser-cloudcore', ...output]);
  }

  it('goes by the chart alone; another configuration makes other pods', async () => {
    const said = await helmHere('install', '--create-namespace', '--set', 'advertise={hub.example.org}');
    assert.match(said, /STATUS: deployed[^]*Edges reach it at hub\.example\.org:10000/);
    const before = await template('metadata.annotations.checksum/config'.replace('/', '\\/'));
    const set = ['--set', 'config.logLevel=debug', '--reuse-values'];
    assert.match(await helmHere('upgrade', ...set), /REVISION: 2/);
    const after = await template('metadata.annotations.checksum/config'.replace('/', '\\/'));
    assert.match(before, /^[0-9a-f]{64}$/);
    assert.notEqual(after, before);
    assert.ok(plane);
    await ensureAuthority(plane.client); // as the first replica that starts does
    assert.match(
      await hawser.ok(['token', 'create']),
      /hawser join --cloud hub\.example\.org:10000 --token /,
    );
  });

  it('goes by `hawser init` first, and the chart with the values that it wrote', async () => {
    const values = path.join(dir.path, 'values.yaml');
    await hawser.ok(['init', '--advertise', 'hub.example.org', '--chart-values', values]);
    assert.match(await helmHere('install', '--values', values), /STATUS: deployed/);
    assert.equal(await template('spec.serviceAccountName'), 'hawser-cloudcore');
    await helm(['uninstall', 'hawser', '--namespace', 'hawser-system', '--kubeconfig', kubeconfig], {
      HELM_CACHE_HOME: dir.path,
    });
    // What init made is not the chart's to remove, the authority least of all.
    await kubectl.ok([
      '-n',
      'hawser-system',
      'get',
      'secret/hawser-authority',
      'serviceaccount/hawser-cloudcore',
    ]);
  });

  it('goes by plain manifests, of which kubectl applies all', async () => {
    const text = await readFile(path.join(ROOT, 'packaging/manifests/hawser.yaml'), 'utf8');
    assert.equal(text.split('hub.example.org').length - 1, 3, 'one of them in the comment');
    await writeFile(path.join(dir.path, 'hawser.yaml'), text.replaceAll('hub.example.org', 'hub.my.example'));
    // With its links as they are: kubectl follows one only where its path ends with a slash.
    for (const folder of ['packaging', 'cli/manifests'])
      await cp(path.join(ROOT, folder), path.join(dir.path, folder), {
        recursive: true,
        verbatimSymlinks: true,
      });
    const page = await readFile(path.join(ROOT, 'docs/install-cloud.md'), 'utf8');
    const [, said = ''] = /^kubectl (apply .*-f hawser\.yaml.*)$/m.exec(page) ?? [];
    const apply = said.split(' ').map((word) => (/[./]/.test(word) ? path.join(dir.path, word) : word));
    const made = await kubectl.ok(apply);
    assert.match(made, /deployment\.apps\/hawser-cloudcore created/);
    // Of budgets kubectl always says that they are configured: their selectors are replaced as a whole.
    const again = (await kubectl.ok(apply)).trim().split('\n');
    assert.deepEqual(
      again.filter((line) => !/ unchanged$|^poddisruptionbudget\S+ configured$/.test(line)),
      [],
    );
    const data = await kubectl.ok([
      ...['-n', 'hawser-system', 'get', 'configmap', 'hawser-cloudcore'],
      ...['-o', 'jsonpath={.data.cloudcore\\.yaml}'],
    ]);
    assert.deepEqual((parse(data) as { readonly advertise: unknown }).advertise, ['hub.my.example']);
    assert.ok(plane);
    await ensureAuthority(plane.client);
    assert.match(await hawser.ok(['token', 'create']), /hawser join --cloud hub\.my\.example:10000 /);
  });
});
