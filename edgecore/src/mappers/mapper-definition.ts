/** A program that speaks for devices, or uses the bus: `<name>.yaml` in the folder of definitions. */
export interface MapperDefinition {
  /** Of the file; also its user name on the bus. A DNS label. */
  readonly name: string;
  /** Protocols whose devices it serves. None: an application, which gets what `topics` says and nothing else. */
  readonly protocols: readonly string[];
  /** Further topics, as filters of MQTT. Default none. */
  readonly topics: { readonly publish: readonly string[]; readonly subscribe: readonly string[] };
  /** Given: edgecore runs it, and starts it again. Not: it runs as a service, or as a pod. */
  readonly run:
    | {
        /** Program and arguments, without a shell. */
        readonly command: readonly string[];
        readonly env: Readonly<Record<string, string>>;
        /** Name or number of the user that it runs as; empty: that of edgecore. */
        readonly user: string;
        /** Of its process, bytes; 0: no limit. Where cgroups can be written. */
        readonly memoryMaxBytes: number;
      }
    | undefined;
  /** Messages that it may publish, a second; more is held back, and counted. Default 2,000. */
  readonly messagesPerSecond: number;
}
