/** The codes of {@link ControlPlaneError}. */
export type ControlPlaneErrorCode = keyof typeof CONTROLPLANE_ERRORS;

/** What each code of this package means and what to do about it; docs/errors.md is made from this table. */
export const CONTROLPLANE_ERRORS = {
  ERR_CONTROLPLANE_CA_EXPIRED: {
    meaning:
      "The control plane's own certificate authority has reached its end, or will be valid only in the future.",
    remedy:
      'Look at the clock first. If it is right, remove the folder pki in the data folder: a new authority is made at the next start, and every client needs a new kubeconfig.',
  },
  ERR_CONTROLPLANE_CONFIG: {
    meaning: 'An option is missing, unknown or not valid; the message names all of them.',
    remedy: 'Correct the options. `--help` lists them.',
  },
  ERR_CONTROLPLANE_DATA_DIR: {
    meaning: 'The data folder cannot be used: it cannot be written, or another control plane uses it.',
    remedy: 'See who else uses the folder, and whose it is. Each control plane needs one of its own.',
  },
  ERR_CONTROLPLANE_LISTEN: {
    meaning: 'The address cannot be listened on.',
    remedy: 'Choose another --port, stop the program that has it, or correct --host.',
  },
  ERR_CONTROLPLANE_PKI: {
    meaning: 'A key or certificate in the data folder cannot be read, or does not fit the others.',
    remedy:
      'Restore the folder pki from a backup. Removing it makes new keys at the next start; every client then needs a new kubeconfig, and tokens are void.',
  },
} as const;

/** An error of the control plane that an operator has to act on. */
export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
  readonly code: ControlPlaneErrorCode;
  /** A path, an address. */
  readonly about: string | undefined;

  constructor(code: ControlPlaneErrorCode, message: string, options?: ErrorOptions & { about?: string }) {
    super(message, options);
    this.code = code;
    this.about = options?.about;
  }
}
