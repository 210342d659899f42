/** Reads server-sent events (html.spec.whatwg.org, section 9.2) from a streaming answer. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Longest event in characters; a server that sends a longer one is not ours. */
const EVENT_LENGTH_MAX = 64 * 1024 * 1024;

/** Yields each event; ends with the answer, and throws when the connection breaks or an event has no end. */
export async function* readEvents(response: Response): AsyncGenerator<ServerSentEvent> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    if (rest.length > EVENT_LENGTH_MAX) throw new Error('an event has no end');
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== undefined) yield event;
    }
  }
}

function parseEvent(block: string): ServerSentEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, '');
    if (line.startsWith('event:')) event = value;
    else if (line.startsWith('data:')) data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
