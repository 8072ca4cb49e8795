// The modules of Node.js that every edge needs, loaded before `beginMemoryDiet` makes loading them slow. One that is
// missing here costs a millisecond or two; one that is not needed costs memory.
import 'node:crypto';
import 'node:dns/promises';
import 'node:fs/promises';
import 'node:http';
import 'node:https';
import 'node:net';
import 'node:os';
import 'node:querystring';
import 'node:stream/promises';
import 'node:string_decoder';
import 'node:tls';
import 'node:url';
import 'node:util';
import 'node:zlib';
