/** Which output of a container is wanted. Source: KEP-3288. */
export type LogStream = 'All' | 'Stdout' | 'Stderr';

/** What of a log is wanted. Source: core/v1 PodLogOptions, without what chooses the container. */
export interface LogQuery {
  /** Go on with what is written until the container has ended. Default false. */
  readonly follow?: boolean;
  /** The last lines only; 0: none of what is there. Default: all. */
  readonly tailLines?: number;
  /** Lines of this time or later only, wall milliseconds: `sinceTime`, or now less `sinceSeconds`. Default: all. */
  readonly sinceMs?: number;
  /** Each line begins with its time, RFC 3339 with nine digits after the point, and a space. Default false. */
  readonly timestamps?: boolean;
  /** End after so many bytes, wherever in a line that is. Default: all. */
  readonly limitBytes?: number;
  /** Default `All`. */
  readonly stream?: LogStream;
}
