/** Lines of what a process has written so far, without the empty ones; what comes after the last break is no line yet. */
export function wholeLines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '');
}
