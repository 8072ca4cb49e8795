/** A token of a label selector. `end` closes every list of tokens. */
export interface LabelToken {
  readonly type:
    'identifier' | 'in' | 'notin' | '=' | '==' | '!=' | '!' | '>' | '<' | '(' | ')' | ',' | 'end';
  readonly text: string;
}

const SPACE = ' \t\r\n';
const SPECIAL = '=!(),<>';
const SYMBOLS = new Set(['=', '==', '!=', '!', '>', '<', '(', ')', ',']);

/** Splits a label selector into tokens. Source: k8s.io/apimachinery labels.Lexer. */
export function labelTokens(text: string): LabelToken[] {
  const tokens: LabelToken[] = [];
  let position = 0;
  while (position < text.length) {
    const char = text.charAt(position);
    if (SPACE.includes(char)) {
      position += 1;
    } else if (SPECIAL.includes(char)) {
      const symbol = longestSymbol(text, position);
      tokens.push({ type: symbol as LabelToken['type'], text: symbol });
      position += symbol.length;
    } else {
      const word = wordAt(text, position);
      tokens.push({ type: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
      position += word.length;
    }
  }
  tokens.push({ type: 'end', text: '' });
  return tokens;
}

/** Every special character alone is a symbol, so there always is one. */
function longestSymbol(text: string, start: number): string {
  const two = text.slice(start, start + 2);
  return SYMBOLS.has(two) ? two : text.charAt(start);
}

function wordAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && !SPACE.includes(text.charAt(end)) && !SPECIAL.includes(text.charAt(end)))
    end += 1;
  return text.slice(start, end);
}
