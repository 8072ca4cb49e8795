/** What a program of a pod says of the API server that it has found. */
export interface InClusterReport {
  readonly server: string;
  /** Of the ConfigMap that it was to read. */
  readonly data: Readonly<Record<string, string>>;
  /** HTTP status of what it may not read; undefined: it was shown that, too. */
  readonly refused: number | undefined;
}
