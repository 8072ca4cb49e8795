import { createServer } from 'node:net';
import type { SandboxConfig } from '../container-config.ts';
import { RuntimeError } from '../runtime-error.ts';

/**
 * Sees that a pod can have its ports of the host: all pods have the node's address, so a port is its own number, and
 * one pod's only.
 * @param others sandboxes that are up
 * @throws RuntimeError another number is asked for, or another pod or program has it
 */
export async function checkPorts(config: SandboxConfig, others: readonly SandboxConfig[]): Promise<void> {
  for (const { protocol, containerPort, hostPort, hostIp } of config.portMappings) {
    const port = `hostPort ${hostPort}/${protocol}`;
    if (containerPort !== hostPort) {
      const why = `pods have the node's own address here, and a port cannot become another: listen on ${hostPort}, and say so in containerPort`;
      throw refused(`${port} cannot lead to ${containerPort}: ${why}`, config);
    }
    const owner = others.find(({ portMappings }) =>
      portMappings.some((other) => other.protocol === protocol && other.hostPort === hostPort),
    );
    if (owner !== undefined)
      throw refused(`${port} is taken by the pod ${owner.namespace}/${owner.name} of this node`, config);
    const problem = protocol === 'TCP' ? await whyNotListen(hostPort, hostIp) : undefined;
    if (problem !== undefined) throw refused(`${port}: ${problem}`, config);
  }
}

/** Ports that containers of other pods say to listen on too: one of them will not get it. */
export function sharedPorts(config: SandboxConfig, others: readonly SandboxConfig[]): readonly string[] {
  return (config.containerPorts ?? []).flatMap(({ protocol, port }) => {
    const owner = others.find(({ containerPorts = [] }) =>
      containerPorts.some((other) => other.protocol === protocol && other.port === port),
    );
    return owner === undefined ? [] : [`${port}/${protocol} (${owner.namespace}/${owner.name})`];
  });
}

function whyNotListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') resolve('another program of this node listens on it');
      else if (code === 'EACCES') resolve('only root may listen on it here');
      else resolve(message);
    });
    server.listen({ port, ...(host !== '' && { host }), exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}

function refused(message: string, { uid }: SandboxConfig): RuntimeError {
  return new RuntimeError('ERR_EDGECORE_RUNTIME', message, { about: uid });
}
