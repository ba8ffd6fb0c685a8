/** Reads server-sent events off a body (HTML Living Standard, section 9.2.6); comments are dropped. */
export async function* parseEventStream(body: ReadableStream<Uint8Array>): AsyncIterable<{ id?: string; event?: string; data: string }> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const blocks = rest.split(/\r\n\r\n|\n\n|\r\r/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event) yield event;
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function parseBlock(block: string): { id?: string; event?: string; data: string } | null {
  const data: string[] = [];
  let id: string | undefined;
  let name: string | undefined;
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
    else if (field === 'event') name = value;
  }
  if (data.length === 0) return null;
  return { data: data.join('\n'), ...(id !== undefined && { id }), ...(name !== undefined && { event: name }) };
}
