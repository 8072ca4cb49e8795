/** What each code of this package means and what to do about it; docs/errors.md is made from this table. */
export const CLI_ERRORS = {
  ERR_CLI_API_SERVER: {
    meaning: 'The API server is not one that Hawser can work with, or it does not answer as one.',
    remedy: 'See that the kubeconfig leads to a Kubernetes API server of release 1.26 or later.',
  },
  ERR_CLI_CHECKS: {
    meaning: 'Checks of this machine failed before anything was changed; each is listed with what to do.',
    remedy:
      'Mend what the list names, and say it again. `--skip-checks NAME,…` passes over a check that is wrong about your machine.',
  },
  ERR_CLI_CONFIG: {
    meaning: 'A configuration file cannot be read, written or understood.',
    remedy: 'The message names the file and the reason. `--config` or `--config-dir` chooses another place.',
  },
  ERR_CLI_CONFIRM: {
    meaning: 'The command changes something that cannot be taken back, and nobody has agreed to it.',
    remedy: 'Say it again with `--yes`, or at a terminal, where it asks.',
  },
  ERR_CLI_EXEC: {
    meaning:
      'The command inside of the container could not be run, or its connection was cut before it ended.',
    remedy:
      'The message is the one of the container runtime. See that the program is in the image, and that the container runs: `hawser describe pod NAME`.',
  },
  ERR_CLI_INTERRUPTED: {
    meaning: 'The command was ended by a signal. What it had done before is done.',
    remedy: 'Say it again: commands of Hawser go on where they were ended.',
  },
  ERR_CLI_LOG_CUT: {
    meaning: 'A log ended before its end: edgecore has stopped, or was restarted.',
    remedy: 'Say it again; `--since` leaves out what was shown.',
  },
  ERR_CLI_NOT_INITIALISED: {
    meaning: 'The cluster has no authority of Hawser.',
    remedy: 'Say `hawser init` with a kubeconfig of this cluster first.',
  },
  ERR_CLI_NOT_FOUND: {
    meaning: 'There is nothing of this name.',
    remedy: 'Look at the name: the matching `list` shows what there is.',
  },
  ERR_CLI_RIGHTS: {
    meaning: 'The user of the kubeconfig may not do what the command has to; the message lists it.',
    remedy: 'Use a kubeconfig of a cluster administrator: `--kubeconfig`, `--context`.',
  },
  ERR_CLI_RUNNING: {
    meaning: 'edgecore runs on this machine, and uses what the command would take away.',
    remedy: 'Stop it first: `systemctl stop edgecore`, or end its process.',
  },
  ERR_CLI_SERVICE: {
    meaning: 'systemd could not start or stop edgecore. What the command had done before is done.',
    remedy: 'See why: `systemctl status edgecore` and `journalctl --unit edgecore --lines 50`.',
  },
  ERR_CLI_USAGE: {
    meaning: 'The command was given an option or argument that it cannot understand.',
    remedy: 'The message says which. `--help` after any command shows its options, with examples.',
  },
} as const;

/** The codes of {@link CliError}. */
export type CliErrorCode = keyof typeof CLI_ERRORS;

/** What a command itself has found wrong. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  /** What it is about: a path, a name, an address. */
  readonly about: string | undefined;
  /** What to do, where more can be said than {@link CLI_ERRORS} does. */
  readonly remedy: string | undefined;
  /** For programs: shown with `--output json` only. */
  readonly details: unknown;

  constructor(
    code: CliErrorCode,
    message: string,
    options: ErrorOptions & { about?: string; remedy?: string; details?: unknown } = {},
  ) {
    super(message, options);
    this.code = code;
    this.about = options.about;
    this.remedy = options.remedy;
    this.details = options.details;
  }
}
