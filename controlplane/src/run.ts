import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@hawser/seams';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import type { CommandOptions } from './command-line.ts';
import { ControlPlaneError } from './errors.ts';
import { writePrivateFile } from './pki/private-file.ts';

/**
 * Starts a control plane as the command does, and writes its kubeconfig; again whenever that changes.
 *
 * Errors: those of `startControlPlane`; `ERR_CONTROLPLANE_CONFIG` when the kubeconfig cannot be written.
 */
export async function runControlPlane(options: CommandOptions, logger: Logger): Promise<ControlPlane> {
  const { dataDir, host, port, advertise, hosts, kubeconfig: file } = options;
  const plane = await startControlPlane({
    ...{ host, port, hosts, logger },
    ...(dataDir !== undefined && { dataDir }),
    ...(advertise !== undefined && { advertise }),
  });
  try {
    await writeKubeconfig(file, plane);
  } catch (error) {
    await plane.stop();
    throw error;
  }
  plane.onRenewal(() => {
    writeKubeconfig(file, plane).catch((error: unknown) =>
      logger.error({ err: error, file }, 'the renewed kubeconfig could not be written'),
    );
  });
  logger.info({ file }, 'kubeconfig written');
  return plane;
}

async function writeKubeconfig(file: string, plane: ControlPlane): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writePrivateFile(file, plane.kubeconfig);
  } catch (cause) {
    const text = `the kubeconfig ${file} cannot be written: ${(cause as Error).message}`;
    throw new ControlPlaneError('ERR_CONTROLPLANE_CONFIG', text, { cause, about: file });
  }
}
