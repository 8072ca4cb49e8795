import { ConnectionLost, type DriverContext } from '@hawser/mapper-sdk';
import { SerialLink, type LineSettings } from './serial-link.ts';

const SETTINGS = ['baudRate', 'dataBits', 'parity', 'stopBits'] as const;

/**
 * Opens serial lines, and knows which are. A line is set up in one way: of devices that say different things of it
 * those that came first are served, and the others when they are gone.
 */
export class SerialLines {
  readonly #open = new Map<string, LineSettings>();

  /** @throws ConnectionLost it cannot be opened, or is open with other settings */
  async open(path: string, settings: LineSettings, context: DriverContext): Promise<SerialLink> {
    const other = this.#open.get(path);
    if (other !== undefined) refuseOthers(path, settings, other);
    const link = await SerialLink.open(path, settings, context);
    this.#open.set(path, settings);
    link.onLost(() => {
      if (this.#open.get(path) === settings) this.#open.delete(path);
    });
    return link;
  }
}

function refuseOthers(path: string, ours: LineSettings, theirs: LineSettings): void {
  const words = SETTINGS.filter((key) => ours[key] !== theirs[key]).map(
    (key) => `protocol.configData.${key} is ${ours[key]} here, and ${theirs[key]} there`,
  );
  if (words.length > 0)
    throw new ConnectionLost(
      `another device has set up ${path} differently: ${words.join('; ')}. All devices of a line have to say the same of it`,
    );
}
