/** The release of this package; a test holds it against package.json. */
export const VERSION = '0.1.0';

/** What this program calls itself towards hubs. */
export const SOFTWARE = `edgecore/${VERSION}`;
