/** What each code means and what to do about it; docs/errors.md is made from this table. */
export const DEVICES_ERRORS = {
  ERR_DEVICES_BUSY: {
    meaning: 'More settings of a device wait, for the disk or for the cloud, than are kept. Nothing was set.',
    remedy: 'Set it again later: settings leave when the cloud has taken them.',
  },
  ERR_DEVICES_MESSAGE: {
    meaning:
      'A message of the event bus cannot be read: no JSON, too large, or not of the form of its topic.',
    remedy:
      'The message says where it is wrong. docs/devices.md has the topics; the program that sent it has to be mended.',
  },
  ERR_DEVICES_READ_ONLY: {
    meaning: 'A property was to be set whose access mode is ReadOnly.',
    remedy: 'Set another property, or have the model say `accessMode: ReadWrite`.',
  },
  ERR_DEVICES_SCHEMA: {
    meaning: 'A schema of a protocol’s configuration is not a JSON schema (2020-12) that can be used.',
    remedy:
      'The message says which and where. It has to be one document without references to others, of at most 256 KiB.',
  },
  ERR_DEVICES_UNKNOWN: {
    meaning: 'There is no such device at this node, or the device has no such property.',
    remedy: 'Look at `hawser devices`, and at the Device object and its model.',
  },
  ERR_DEVICES_VALUE: {
    meaning: 'A value does not fit the type of its property, is out of its range, or is too long.',
    remedy: 'The message names type and range. Values are text, in the form that docs/devices.md describes.',
  },
} as const;

/** A stable code, see docs/errors.md. */
export type DeviceErrorCode = keyof typeof DEVICES_ERRORS;

/** What is wrong with a value, a message or a schema of devices. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: DeviceErrorCode;

  constructor(code: DeviceErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}
