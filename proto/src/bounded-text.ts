/**
 * The head of a text that goes to a peer, or into a header, and that a peer may have had a hand in (names in a
 * certificate, for example): well-formed Unicode, at most `maxCharacters` UTF-16 units. A cut through a surrogate
 * pair leaves U+FFFD rather than half a character, on which `encodeURIComponent` throws.
 */
export function boundedText(text: string, maxCharacters: number): string {
  return Buffer.from(text.slice(0, maxCharacters)).toString();
}
