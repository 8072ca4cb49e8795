/** What each code means and what to do about it; docs/errors.md is made from this table. */
export const MAPPER_ERRORS = {
  ERR_MAPPER_BUS_AWAY: {
    meaning: 'The event bus is not connected, or the connection broke before the message was acknowledged.',
    remedy:
      'See that edgecore (or the external broker) runs, and that address, name and secret are right. The mapper connects again by itself, and says everything anew.',
  },
  ERR_MAPPER_BUS_REFUSED: {
    meaning: 'The broker refused the connection or a subscription.',
    remedy:
      'Compare name and secret with the definition in /etc/hawser/mappers.d, and the protocols in it with that of the mapper.',
  },
  ERR_MAPPER_COMMAND_LINE: {
    meaning: 'The command line or the environment of a mapper is wrong; the message says what.',
    remedy: 'Correct it; `--help` lists every option.',
  },
  ERR_MAPPER_HANGS: {
    meaning: 'A driver did not end an operation that was aborted.',
    remedy: 'The connection is closed and opened anew. A driver has to end when its signal aborts.',
  },
  ERR_MAPPER_MANIFEST: {
    meaning: 'A manifest given to `--check` cannot be read.',
    remedy: 'It has to be YAML with Device and DeviceModel objects of devices.kubeedge.io/v1beta1.',
  },
  ERR_MAPPER_NO_ANSWER: {
    meaning: 'A device did not answer within its time-out, or cannot be reached at all.',
    remedy: 'See that it is powered, connected, and has the address of its configuration.',
  },
  ERR_MAPPER_PUSH: {
    meaning: 'A receiver of readings (`pushMethod`) does not take them.',
    remedy:
      'See that it runs and what it answered. What does not fit the buffer meanwhile is dropped, and counted.',
  },
  ERR_MAPPER_TEMPLATE: {
    meaning: 'A new mapper cannot be made: its name is not a DNS label, or its folder is not empty.',
    remedy: 'Choose another name, or another folder with `--dir`.',
  },
} as const;

/** A stable code, see docs/errors.md. */
export type MapperErrorCode = keyof typeof MAPPER_ERRORS;

/** What the world or a caller does wrong to a mapper. */
export class MapperError extends Error {
  override readonly name = 'MapperError';
  readonly code: MapperErrorCode;

  constructor(code: MapperErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}

/** What to say of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
