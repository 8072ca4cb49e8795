import { createNetnsPair } from './netns-pair.ts';

/** Whether namespaces can be used here, and what of them; or why not. */
export type NetnsAvailability =
  { readonly ok: true; readonly netem: boolean } | { readonly ok: false; readonly reason: string };

let known: Promise<NetnsAvailability> | undefined;

/**
 * Finds out whether this process can make namespaces with a line, loss and bandwidth limits, by doing so once.
 * `netem` says whether the kernel can delay packets as well. A test that needs it skips with the reason.
 */
export function netnsAvailable(): Promise<NetnsAvailability> {
  known ??= probe();
  return known;
}

async function probe(): Promise<NetnsAvailability> {
  if (process.platform !== 'linux') return { ok: false, reason: 'network namespaces are a feature of Linux' };
  if (process.getuid?.() !== 0) return { ok: false, reason: 'making network namespaces needs root' };
  try {
    const pair = await createNetnsPair();
    try {
      await pair.edge.setLoss(0.5);
      await pair.edge.shape({ bitsPerSecond: 10e6 });
      return {
        ok: true,
        netem: await pair.edge.shape({ delayMs: 1 }).then(
          () => true,
          () => false,
        ),
      };
    } finally {
      await pair.close();
    }
  } catch (error) {
    return { ok: false, reason: `network namespaces cannot be used here: ${(error as Error).message}` };
  }
}
