import path from 'node:path';
import type { ContainerRuntime } from '../../src/runtime/container-runtime.ts';
import { makeContainerConfig, makeSandboxConfig } from '../../testing/config-maker.ts';
import type { ContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { TEST_IMAGES } from '../../testing/containerd/test-images.ts';

/** Where the sleeper serves a page on this machine. */
export interface Sleeper {
  readonly sandboxId: string;
  readonly containerId: string;
}

/**
 * Runs a pod that serves `/www` on its port 80.
 * @param hostPort port of this machine that leads there, 0: none
 */
export async function startSleeper(
  runtime: ContainerRuntime,
  site: ContainerdSite,
  hostPort = 0,
): Promise<Sleeper> {
  const signal = AbortSignal.timeout(20_000);
  const sandbox = makeSandboxConfig({
    uid: 'uid-sleeper',
    name: 'sleeper',
    logDirectory: path.join(site.dir, 'logs'),
    cgroupParent: `${site.cgroupRoot}/pod-sleeper`,
    portMappings: hostPort === 0 ? [] : [{ protocol: 'TCP', containerPort: 80, hostPort, hostIp: '' }],
  });
  const sandboxId = await runtime.createSandbox(sandbox, signal);
  const image = await runtime.images.status(TEST_IMAGES.busybox);
  const config = makeContainerConfig({
    name: 'main',
    imageRef: image?.id ?? '',
    image: TEST_IMAGES.busybox,
    command: ['httpd', '-f', '-p', '80', '-h', '/www'],
    logPath: 'main/0.log',
  });
  const containerId = await runtime.createContainer(sandboxId, sandbox, config, signal);
  await runtime.startContainer(containerId, signal);
  return { sandboxId, containerId };
}
