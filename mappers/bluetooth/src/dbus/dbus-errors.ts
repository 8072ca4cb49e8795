/** Somebody on the bus, or the bus itself, answered a call with an error. */
export class DBusFailure extends Error {
  override readonly name = 'DBusFailure';
  /** `org.bluez.Error.Failed`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text === '' ? errorName : text);
    this.errorName = errorName;
  }
}

/** The connection to the bus has ended, or cannot be had. */
export class DBusGone extends Error {
  override readonly name = 'DBusGone';
}

/** A call was not answered in its time. */
export class DBusTimeout extends Error {
  override readonly name = 'DBusTimeout';
}
