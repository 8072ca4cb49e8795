/** Longest value of a property, bytes of UTF-8. */
export const VALUE_BYTES_MAX = 16 * 1024;

/** Most entries in the metadata of a desired value. */
export const METADATA_ENTRIES_MAX = 16;

/** Longest key in the metadata of a desired value, characters. */
export const METADATA_KEY_MAX = 128;

/** Longest value in the metadata of a desired value, characters. */
export const METADATA_VALUE_MAX = 1024;

/** Most properties of a device or a model, and most methods of a device. */
export const PROPERTIES_MAX = 1000;

/** Longest name of a property or a method, characters. */
export const PROPERTY_NAME_MAX = 128;

/** Shortest cycle of reading and of reporting, milliseconds. */
export const CYCLE_MS_MIN = 10;

/** Longest cycle, milliseconds: what a timer of Node.js can wait. */
export const CYCLE_MS_MAX = 2 ** 31 - 1;

/** A cycle of which nothing is said, milliseconds. */
export const CYCLE_MS_DEFAULT = 1000;

/** Largest message of the event bus that is read, bytes. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;

/** Largest `configData` of a device or a property, bytes of JSON. */
export const CONFIG_BYTES_MAX = 64 * 1024;

/** Largest schema, bytes of JSON. */
export const SCHEMA_BYTES_MAX = 256 * 1024;

/** Deepest nesting of a schema, and of `configData`. */
export const JSON_DEPTH_MAX = 64;

/** Most problems of one device or model that are said. */
export const PROBLEMS_MAX = 20;
