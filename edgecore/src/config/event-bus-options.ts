import type { OptionTable } from './option.ts';

const MINUTE_MS = 60_000;

/** Options of the event bus: the embedded broker, an external one, and what is bridged. */
export const EVENT_BUS_OPTIONS = {
  mode: {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'embedded', 'external', 'both', 'off'],
    meaning:
      'Which MQTT broker programs at the edge use. `embedded`: one of edgecore itself. `external`: the one at `eventBus.url`. `both`: the two of them, bridged. `auto`: `embedded`. `off`: none, and no devices. Whichever it is, it is opened with the first device or mapper definition of the node.',
  },
  listen: {
    kind: 'text',
    default: '127.0.0.1:1883',
    pattern: {
      source: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/]+):\\d{1,5}$',
      is: '`host:port` or `[address]:port`',
    },
    meaning:
      'Where the embedded broker listens. It has no TLS: another address than that of the machine itself lets the network read along.',
  },
  maxClients: {
    kind: 'number',
    default: 100,
    min: 1,
    max: 1000,
    unit: 'clients',
    meaning: 'Clients of the embedded broker, 10 at most with the same credentials.',
  },
  maxPacketBytes: {
    kind: 'number',
    default: 256 * 1024,
    min: 16 * 1024,
    max: 4 * 1024 * 1024,
    unit: 'bytes',
    meaning: 'Larger packets end the connection of a client of the embedded broker.',
  },
  maxSessions: {
    kind: 'number',
    default: 100,
    min: 1,
    max: 1000,
    unit: 'sessions',
    meaning:
      'Lasting sessions (clean session = 0) of the embedded broker. For one more, the one whose client is away the longest is forgotten.',
  },
  sessionMaxMessages: {
    kind: 'number',
    default: 1000,
    min: 1,
    max: 50_000,
    unit: 'messages',
    meaning: 'Messages of QoS 1 and 2 that wait for one client; for more the oldest are dropped.',
  },
  sessionMaxBytes: {
    kind: 'number',
    default: 1024 * 1024,
    min: 16 * 1024,
    max: 64 * 1024 * 1024,
    unit: 'bytes',
    meaning: 'The same, in bytes.',
  },
  sessionsMaxBytes: {
    kind: 'number',
    default: 16 * 1024 * 1024,
    min: 64 * 1024,
    max: 256 * 1024 * 1024,
    unit: 'bytes',
    meaning:
      'Bytes of all messages that wait for clients; for more those of the largest session are dropped.',
  },
  sessionExpiryMs: {
    kind: 'number',
    default: 24 * 60 * MINUTE_MS,
    min: MINUTE_MS,
    max: 24 * 24 * 60 * MINUTE_MS,
    unit: 'ms',
    meaning:
      'A session whose client is away for so long is forgotten. Time while edgecore does not run does not count.',
  },
  url: {
    kind: 'text',
    default: '',
    pattern: {
      // It is told in logs and by the admin socket: no place for a password.
      source: '^$|^mqtts?://[^\\s/@]+$',
      is: '`mqtt://host:port` or `mqtts://host:port`; user and password go into `eventBus.user` and `eventBus.passwordFile`',
    },
    meaning: 'The external broker. Ports without one said: 1883, and 8883 with TLS.',
  },
  user: { kind: 'text', default: '', meaning: 'User name at the external broker. Empty: none.' },
  passwordFile: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^/', is: 'an absolute path' },
    meaning: 'File with the password for it, in one line.',
  },
  caFile: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^/', is: 'an absolute path' },
    meaning: 'Authorities (PEM) that the external broker’s certificate may be of. Empty: those of Node.js.',
  },
  certFile: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^/', is: 'an absolute path' },
    meaning: 'Certificate (PEM) to show to the external broker. Empty: none.',
  },
  keyFile: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^/', is: 'an absolute path' },
    meaning: 'Key (PEM) of that certificate.',
  },
  bridgeIn: {
    kind: 'text',
    default: '',
    meaning:
      'With `both`: filters, with commas between them, of what comes from the external broker to the embedded one.',
  },
  bridgeOut: {
    kind: 'text',
    default: '',
    meaning:
      'With `both`: filters, with commas between them, of what goes from the embedded broker to the external one.',
  },
} as const satisfies OptionTable[string];
