/** What a mapper counts since it began. Plain numbers: a library for metrics is loaded when somebody asks for them. */
export interface MapperStats {
  /** Readings of devices that were answered, and those that were not. */
  polls: number;
  pollFailures: number;
  /** Milliseconds that readings took, together. */
  pollMs: number;
  /** Cycles that went by without a reading, because the line was busy. */
  lateCycles: number;
  /** Properties that could not be read while the device answered. */
  propertyErrors: number;
  writes: number;
  writeFailures: number;
  commands: number;
  /** Messages that the bus has acknowledged. */
  messages: number;
  /** Messages that the bus has not; what they said is said again. */
  messagesLost: number;
  /** Messages of the bus that could not be understood. */
  messagesBad: number;
  /** Values that were read and never said, because a newer one was there first. */
  coalesced: number;
  /** What there was no place for, and nobody will hear: command results, devices beyond the limit. */
  dropped: number;
  /** Connections to devices that were opened, could not be opened, and were lost. */
  opened: number;
  openFailures: number;
  lost: number;
}

/** All zero. */
export function newStats(): MapperStats {
  return {
    polls: 0,
    pollFailures: 0,
    pollMs: 0,
    lateCycles: 0,
    propertyErrors: 0,
    writes: 0,
    writeFailures: 0,
    commands: 0,
    messages: 0,
    messagesLost: 0,
    messagesBad: 0,
    coalesced: 0,
    dropped: 0,
    opened: 0,
    openFailures: 0,
    lost: 0,
  };
}
