/** Something in a device, a model or a value that is not as it has to be. */
export interface Problem {
  /** JSON pointer into the object, as in `/spec/properties/2/visitors/configData/offset`; `''`: the whole of it. */
  readonly path: string;
  /** What is wrong, with the value where it is short: `must be <= 65535, is 70000`. */
  readonly message: string;
  /** What to do about it, a sentence. */
  readonly remedy: string;
}
