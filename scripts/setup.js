// What `npm start`, `npm test`, `npm run soak` and `npm run bench` need before they can do their work: packages,
// compiled sources, and Debian packages for the tests that use a real program. Each step is skipped when done.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root, run, say } from './run.js';

const OLDEST_NODE = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  say(
    `Node.js ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node} (${process.execPath}).`,
  );
  process.exit(1);
}

/** @returns {Promise<() => Promise<void>>} what is left to do: addons in C++, which take as long as our own sources */
async function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(root, 'node_modules', '.hawser-installed');
  const wanted = `${lock} node-abi-${process.versions.modules}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return async () => {};
  say('installing npm packages (first run, or package-lock.json changed) …');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await mustRun('npm ci', 'npm', ['ci', '--ignore-scripts', ...quiet]);
  return async () => {
    await mustRun('npm rebuild', 'npm', ['rebuild', ...quiet], { stdio: ['ignore', 'ignore', 'inherit'] });
    writeFileSync(stamp, wanted);
  };
}

/** Folders that hold a package: those of the root's workspaces. */
export function packageDirs() {
  const { workspaces } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return workspaces.flatMap((pattern) =>
    pattern.endsWith('/*')
      ? readdirSync(path.join(root, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -1)}${name}`)
      : [pattern],
  );
}

async function build({ clean }) {
  if (clean)
    for (const dir of packageDirs()) rmSync(path.join(root, dir, 'dist'), { recursive: true, force: true });
  say('compiling …');
  await mustRun('compiling', process.execPath, ['node_modules/typescript/bin/tsc', '-b']);
  await mustRun('bundling the edge core', process.execPath, ['edgecore/bundle.js']);
}

/**
 * Packages from Debian that some tests and benches use: the command (or file) looked for, and who has it. `service`:
 * what the package starts by itself, and nobody here wants.
 */
const SYSTEM_PACKAGES = [
  { command: 'ip', debian: 'iproute2', use: 'tests in network namespaces' },
  { command: 'nft', debian: 'nftables', use: 'tests with real packet loss' },
  { command: 'dig', debian: 'bind9-dnsutils', use: 'tests with other clients of DNS' },
  { command: 'kubectl', debian: 'kubernetes-client', use: 'tests with kubectl' },
  { command: 'curl', debian: 'curl', use: 'tests of the commands in documents' },
  { command: 'openssl', debian: 'openssl', use: 'tests of the commands in documents' },
  {
    file: '/usr/lib/python3/dist-packages/kubernetes',
    debian: 'python3-kubernetes',
    use: 'tests with the Python client of Kubernetes',
  },
  { command: 'containerd', debian: 'containerd', use: 'tests that run containers' },
  { command: 'runc', debian: 'runc', use: 'tests that run containers' },
  {
    file: '/usr/lib/cni/bridge',
    debian: 'containernetworking-plugins',
    use: 'tests that run containers',
  },
  { command: 'iptables', debian: 'iptables', use: 'tests with host ports' },
  { command: 'busybox', debian: 'busybox-static', use: 'images of tests, and tests with Helm' },
  { command: 'gcc', debian: 'gcc', use: 'images of tests, and a Modbus device for tests' },
  {
    file: '/usr/include/stdio.h',
    debian: 'libc6-dev',
    use: 'images of tests, and a Modbus device for tests',
  },
  {
    file: '/usr/include/modbus/modbus.h',
    debian: 'libmodbus-dev',
    use: 'a Modbus device for tests',
  },
  { command: 'mbpoll', debian: 'mbpoll', use: 'tests with another client of Modbus' },
  { command: 'socat', debian: 'socat', use: 'tests with serial lines' },
  { command: 'dbus-daemon', debian: 'dbus', use: 'tests with Bluetooth devices' },
  {
    command: 'docker-registry',
    debian: 'docker-registry',
    service: 'docker-registry',
    use: 'tests that pull images',
  },
  {
    command: 'mosquitto',
    debian: 'mosquitto',
    service: 'mosquitto',
    use: 'tests with another broker of MQTT',
  },
  { command: 'mosquitto_pub', debian: 'mosquitto-clients', use: 'tests with other clients of MQTT' },
  { command: 'systemd-nspawn', debian: 'systemd-container', use: 'tests with systemd' },
  { command: 'strip', debian: 'binutils', use: 'tests of the package for Debian' },
];

function onPath(command) {
  const dirs = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return dirs.some((dir) => dir !== '' && existsSync(path.join(dir, command)));
}

/** One that there is not does not keep the others away. */
async function installSingly(packages, options) {
  for (const { debian, use } of packages) {
    const code = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debian], options);
    if (code !== 0) say(`could not install ${debian}. Left out: ${use}.`);
  }
}

async function installSystemPackages() {
  const missing = SYSTEM_PACKAGES.filter(({ command, file }) => !(file ? existsSync(file) : onPath(command)));
  if (missing.length === 0) return;
  const names = missing.map(({ debian }) => debian);
  const uses = [...new Set(missing.map(({ use }) => use))].join('; ');
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    say(`not installed, and this user may not install: ${names.join(', ')}. Left out: ${uses}.`);
    say(`To have them: sudo apt-get install ${names.join(' ')}`);
    return;
  }
  say(`installing from Debian, for ${uses}: ${names.join(' ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...names];
  if ((await run('apt-get', install, { ...quiet, stdio: 'ignore' })) !== 0) {
    await run('apt-get', ['update', '-qq'], quiet); // fresh machines have no package lists
    await installSingly(missing, quiet);
  }
  for (const { service } of missing)
    if (service && existsSync('/run/systemd/system'))
      await run('systemctl', ['disable', '--now', service], { stdio: 'ignore' });
}

/**
 * Brings the checkout to where the main job and the tests can run.
 * @param {{clean?: boolean, systemPackages?: boolean}} options clean: compile from nothing;
 *   systemPackages: install what tests need from Debian
 */
export async function setup({ clean = false, systemPackages = false } = {}) {
  checkNode();
  const compileAddons = await installPackages();
  if (systemPackages) await installSystemPackages();
  await Promise.all([compileAddons(), build({ clean })]);
}
