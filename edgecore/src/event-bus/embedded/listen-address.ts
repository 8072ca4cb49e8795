import { EdgeCoreError } from '../../errors.ts';

/**
 * Host and port of `eventBus.listen`.
 * @throws EdgeCoreError `ERR_EDGECORE_BUS_LISTEN`
 */
export function parseListen(listen: string): { host: string; port: number } {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(listen);
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  if (host === undefined || port > 65_535) {
    throw new EdgeCoreError('ERR_EDGECORE_BUS_LISTEN', `${listen} is no address to listen on`, {
      about: listen,
    });
  }
  return { host, port };
}
