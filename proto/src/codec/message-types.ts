/** A message as it was decoded: every field has a value, absent ones their default. */
export type Decoded<Properties> = {
  readonly [Field in keyof Properties as Field extends `$${string}` ? never : Field]-?: NonNullable<
    Properties[Field]
  >;
};

/** A message to encode: absent fields take their default. */
export type Encodable<Properties> = {
  readonly [Field in keyof Properties as Field extends `$${string}` ? never : Field]?: NonNullable<
    Properties[Field]
  >;
};

/** The bodies of a oneof `body` as a union: `{body: 'hello', hello: Hello} | …`. */
export type OneBody<Bodies> = {
  [Body in keyof Bodies]: { readonly body: Body } & Readonly<Record<Body, Bodies[Body]>>;
}[keyof Bodies];

/** An envelope with a oneof `body`, which may be one that this release does not know. */
export type Envelope<Bodies> = OneBody<Bodies> | { readonly body?: never; readonly ignorable: boolean };

/** One body of an envelope to encode: of a message the fields that are not at their default. */
export type EncodableBody<Bodies> = {
  [Body in keyof Bodies]: Readonly<
    Record<
      Body,
      Bodies[Body] extends Uint8Array
        ? Uint8Array
        : Bodies[Body] extends object
          ? Partial<Bodies[Body]>
          : Bodies[Body]
    >
  >;
}[keyof Bodies];
