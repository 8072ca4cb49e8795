// Processors that packages are made for.

/** What cannot be packed, and what to do about it. */
export class PackageError extends Error {
  code = 'ERR_PACKAGE';
}

/**
 * By Debian's names. `node`: what Node.js calls the processor, and its npm package. `quic`: the package of
 * `@chainsafe` with the QUIC addon; undefined: there is none, and edges of that kind use WebSocket. `tools`: prefix of
 * the cross tools of binutils.
 */
export const ARCHITECTURES = {
  amd64: {
    debian: 'amd64',
    node: 'x64',
    quic: 'libp2p-quic-linux-x64-gnu',
    tools: 'x86_64-linux-gnu-',
    elf: 62,
  },
  arm64: {
    debian: 'arm64',
    node: 'arm64',
    quic: 'libp2p-quic-linux-arm64-gnu',
    tools: 'aarch64-linux-gnu-',
    elf: 183,
  },
  armhf: { debian: 'armhf', node: 'arm', quic: undefined, tools: 'arm-linux-gnueabihf-', elf: 40 },
};

/** @throws PackageError */
export function architecture(name) {
  const found = ARCHITECTURES[name];
  if (found === undefined) throw new PackageError(`there are no packages for ${JSON.stringify(name)}`);
  return found;
}

/** Debian's name of the processor that this runs on. */
export function thisArchitecture() {
  const found = Object.values(ARCHITECTURES).find(({ node }) => node === process.arch);
  return found?.debian ?? process.arch;
}
