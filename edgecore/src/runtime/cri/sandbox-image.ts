import type { CriClient } from '../../cri/cri-client.ts';

/**
 * The image that a runtime makes sandboxes of, from what it says of its configuration; undefined where it does not say.
 * Without it no pod starts, and no container has it while none runs.
 * Source: containerd, CRI plug-in, StatusResponse.info.
 */
export async function askSandboxImage(client: CriClient): Promise<string | undefined> {
  const { info } = await client.call('Status', { verbose: true });
  const text = info['config'];
  if (text === undefined) return undefined;
  try {
    const config = JSON.parse(text) as { readonly sandboxImage?: unknown } | null;
    return typeof config?.sandboxImage === 'string' ? config.sandboxImage : undefined;
  } catch {
    return undefined; // another runtime's own words
  }
}
