/** What a command's exit code says. */
export const EXIT = {
  done: 0,
  /** It was tried, and did not work. */
  failed: 1,
  /** Options or arguments that cannot be understood; nothing was tried. */
  misuse: 2,
  /** `hawser status`: the node has a problem, or edgecore does not run. As `systemctl status` has it. */
  degraded: 3,
  /** Ended by Ctrl-C, as shells have it. */
  interrupted: 130,
} as const;

/** One of {@link EXIT}; of `hawser exec` whatever the command inside of the container has ended with. */
export type ExitCode = number;
