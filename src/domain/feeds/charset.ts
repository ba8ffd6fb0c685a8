/** How far into a document a declaration of its encoding is looked for (HTML Standard: 1024 bytes). */
const PRESCAN_BYTES = 1024;

/**
 * Bytes as text. What decides, first to last: byte order mark, `charset` of the content type, the pattern of a UTF-16
 * document, its own declaration (`<?xml encoding>`, `<meta charset>`), UTF-8 (RFC 7303 section 3). A wrong claim does
 * not end in question marks: text that is no UTF-8 is read as windows-1252.
 */
export function decodeText(bytes: Uint8Array, contentType = ''): string {
  const marked = byteOrderMark(bytes) ?? utf16Pattern(bytes);
  if (marked) return new TextDecoder(marked).decode(bytes);
  const declared = [charsetOf(contentType), declaredIn(bytes)];
  for (const label of declared) {
    const text = label && tryDecode(bytes, label);
    if (text) return text;
  }
  return tryDecode(bytes, 'utf-8') ?? mend(bytes);
}

function byteOrderMark(bytes: Uint8Array): string | null {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return a === 0xff && b === 0xfe ? 'utf-16le' : null;
}

/** `<` and a letter, each beside a zero. */
function utf16Pattern(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes;
  if (a === 0 && b === 0x3c && c === 0 && d !== 0) return 'utf-16be';
  return a === 0x3c && b === 0 && c !== 0 && d === 0 ? 'utf-16le' : null;
}

function charsetOf(contentType: string): string | null {
  return /charset\s*=\s*["']?([^\s"';,]+)/i.exec(contentType)?.[1] ?? null;
}

function declaredIn(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, PRESCAN_BYTES)).toString('latin1');
  const label =
    /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/i.exec(head)?.[1] ?? /<meta\s[^>]*?charset\s*=\s*["']?([\w.:-]+)/i.exec(head)?.[1];
  return label === undefined || /^(utf-?16|utf-?32|ucs-?[24])/i.test(label) ? null : label;
}

/** Null when the label is unknown, or when the bytes are not in that encoding. */
function tryDecode(bytes: Uint8Array, label: string): string | null {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Mostly UTF-8 with a few bad bytes stays UTF-8; the rest is windows-1252, the usual culprit. */
function mend(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8').decode(bytes);
  const bad = text.match(/\ufffd/g)?.length ?? 0;
  const good = text.match(/[^\0-\x7f\ufffd]/g)?.length ?? 0;
  return good > bad ? text : new TextDecoder('windows-1252').decode(bytes);
}
