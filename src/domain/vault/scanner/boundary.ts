/** Whether a token may begin here: not in the middle of a word, where an escape (`\n`, `\u0022`, `%3D`) is no word. */
export function beginsHere(text: string, at: number): boolean {
  if (at === 0 || !isWord(text.charCodeAt(at - 1))) return true;
  if (text[at - 2] === '\\' && /[nrtbf]/.test(text[at - 1]!)) return true;
  return /(?:\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})$/.test(text.slice(Math.max(0, at - 6), at));
}

/** Whether a token may end here: before no letter, digit or `_`, and before no `(`, which makes it a function's name. */
export function endsHere(text: string, at: number): boolean {
  return at >= text.length || !(isWord(text.charCodeAt(at)) || text[at] === '(');
}

function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}
