/** What the Bot API takes as HTML ("Formatting options", HTML style), told apart from what it refuses. */
const TAGS = new Set(['b', 'strong', 'i', 'em', 'u', 'ins', 's', 'strike', 'del', 'a', 'code', 'pre', 'blockquote', 'tg-spoiler', 'span']);

export type HtmlReading = { readonly text: string } | { readonly error: string };

/** The text behind the tags, or the error in the words of the real server. */
export function readTelegramHtml(html: string): HtmlReading {
  const open: string[] = [];
  let text = '';
  for (let at = 0; at < html.length;) {
    const letter = html[at]!;
    const offset = Buffer.byteLength(html.slice(0, at));
    if (letter === '&') {
      const entity = /^&(?:lt|gt|amp|quot|#\d+|#x[\da-f]+);/i.exec(html.slice(at, at + 12))?.[0];
      text += entity ? decode(entity) : '&';
      at += entity?.length ?? 1;
    } else if (letter !== '<') {
      text += letter;
      at += 1;
    } else {
      const end = html.indexOf('>', at);
      const tag = /^<(\/?)([a-z-]+)((?:\s+[a-z-]+="[^"<>]*")*)>$/i.exec(end === -1 ? '' : html.slice(at, end + 1));
      if (!tag) return { error: `Unclosed start tag at byte offset ${offset}` };
      const name = tag[2]!.toLowerCase();
      if (!TAGS.has(name)) return { error: `Unsupported start tag "${name}" at byte offset ${offset}` };
      if (tag[1] === '') {
        if (open.includes('code') || (open.includes('pre') && name !== 'code'))
          return { error: `Tag "${name}" inside code at byte offset ${offset}` };
        if (name === 'blockquote' && open.includes('blockquote')) return { error: `Nested blockquote at byte offset ${offset}` };
        open.push(name);
      } else if (open.pop() !== name)
        return { error: `Unmatched end tag at byte offset ${offset}, expected "</${open.at(-1) ?? ''}>", found "</${name}>"` };
      at = end + 1;
    }
  }
  return open.length > 0 ? { error: `Can't find end tag corresponding to start tag "${open.at(-1)}"` } : { text };
}

function decode(entity: string): string {
  const named: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' };
  if (named[entity] !== undefined) return named[entity];
  return String.fromCodePoint(entity.startsWith('&#x') ? Number.parseInt(entity.slice(3, -1), 16) : Number(entity.slice(2, -1)));
}
