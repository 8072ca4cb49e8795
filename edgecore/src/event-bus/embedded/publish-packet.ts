/** A PUBLISH packet, MQTT 3.1.1, 3.3. */
export interface PublishPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** Whether it is an old one, of before the subscription. */
  readonly retain: boolean;
  /** Whether it was published to be retained; is not said to clients. */
  readonly retained: boolean;
  /** It was sent before, and not acknowledged. */
  readonly dup: boolean;
  /** Of QoS 1 and 2. */
  readonly messageId: number;
}

/** The packet's bytes, in one buffer. */
export function encodePublish({ topic, payload, qos, retain, dup, messageId }: PublishPacket): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length;
  const lengthBytes = length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
  const packet = Buffer.allocUnsafe(1 + lengthBytes + length);
  packet[0] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  let at = 1;
  for (let rest = length; at <= lengthBytes; at += 1) {
    packet[at] = (rest & 0x7f) | (at < lengthBytes ? 0x80 : 0);
    rest >>>= 7;
  }
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at);
  if (qos > 0) at = packet.writeUInt16BE(messageId, at);
  packet.set(payload, at);
  return packet;
}
