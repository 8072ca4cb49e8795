// aedes and mqtt.js write their packets by mqtt-packet, which at its first packet makes a buffer for each of the 65,536
// packet identifiers there can be, to have them at hand: 10 MB of memory. Without, it makes the one that it needs.
import packets from 'mqtt-packet';

packets.writeToStream.cacheNumbers = false;
