import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readTelegramHtml } from './fake-html.ts';

export interface FakeMessage {
  readonly message_id: number;
  readonly chat: number;
  /** As Telegram would show it. */
  text: string;
  /** As it was sent. */
  source: string;
  parseMode: string | undefined;
  buttons: { text: string; callback_data: string }[];
  edits: number;
  readonly replyTo: number | undefined;
}

type Body = Readonly<Record<string, unknown>>;
/** What a call meets instead of its usual answer: `drop` does its work and then breaks the line, `hang` does it and never answers. */
type Trouble = { readonly code: number; readonly description: string; readonly retryAfter?: number } | 'drop' | 'hang';

/** A server that speaks the Bot API as its documents say it does, on a loopback port. */
export interface FakeTelegram extends AsyncDisposable {
  readonly root: string;
  readonly token: string;
  readonly messages: FakeMessage[];
  readonly calls: { readonly method: string; readonly body: Body }[];
  readonly toasts: string[];
  /** The lowest update id that would be delivered again. */
  confirmed(): number;
  /** Somebody writes; returns the update's id. */
  say(
    text: string,
    options?: { readonly from?: number; readonly chat?: number; readonly type?: string; readonly name?: string; readonly more?: Body },
  ): number;
  /** Somebody presses a button of one of our messages. */
  press(message: FakeMessage, data: string, from?: number): number;
  /** The same update once more, as after a lost confirmation. */
  repeat(updateId: number): void;
  /** The next calls of a method, to one chat when given and after as many good ones, meet trouble. */
  trouble(method: string, trouble: Trouble, options?: { readonly times?: number; readonly chat?: number; readonly after?: number }): void;
  /** Calls of a method to a chat hang until released. */
  hold(method: string, chat: number): () => void;
  sentTo(chat: number): FakeMessage[];
  /** Every call fails from now on, or no longer. */
  breakDown(down: boolean): void;
  /** Where it calls, empty when it is polled. */
  webhook(): string;
  /** Another program takes the bot. */
  setWebhook(url: string): void;
  /** What it was told to call with. */
  webhookSecret(): string;
  /** Somebody calls there with these headers; resolves with the status. */
  callWebhook(headers: Record<string, string>, body: string): Promise<number>;
  /** Resolves when the condition holds; looked at after every call. */
  until(condition: () => boolean): Promise<void>;
}

export const FAKE_TOKEN = '123456:AAFakeTokenForTests_abcdefghijklmno';

export async function fakeTelegram(): Promise<FakeTelegram> {
  const messages: FakeMessage[] = [];
  const calls: FakeTelegram['calls'] = [];
  const toasts: string[] = [];
  const updates: { update_id: number; [key: string]: unknown }[] = [];
  const history = new Map<number, { update_id: number }>();
  const troubles: { method: string; trouble: Trouble; times: number; after: number; chat: number | undefined }[] = [];
  const held: { method: string; chat: number; gate: Promise<void> }[] = [];
  const waiting = new Set<() => void>();
  const pollers = new Set<(answer: 'conflict' | 'look') => void>();
  let nextUpdate = 1000;
  let nextMessage = 1;
  let offset = 0;
  let webhook: { url: string; secret: string } | null = null;
  let lastError: string | null = null;
  let isCalling = false;
  let isDown = false;
  const ended = new AbortController();

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function look(): void {
    for (const check of waiting) check();
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as Body;
    const reply = (status: number, answer: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    const fail = (code: number, description: string, parameters?: Body): void =>
      reply(code, { ok: false, error_code: code, description, ...(parameters && { parameters }) });
    if (token !== FAKE_TOKEN) return fail(401, 'Unauthorized');
    calls.push({ method, body });
    const chat = body['chat_id'] as number | undefined;
    await held.find((each) => each.method === method && each.chat === chat)?.gate;
    const coming = troubles.find((each) => each.method === method && each.times > 0 && (each.chat === undefined || each.chat === chat));
    if (isDown) return fail(502, 'Bad Gateway');
    const trouble = coming && (coming.after -= 1) < 0 ? coming : undefined;
    if (trouble) trouble.times -= 1;
    if (trouble && typeof trouble.trouble !== 'string') {
      const { code, description, retryAfter } = trouble.trouble;
      fail(code, description, retryAfter === undefined ? undefined : { retry_after: retryAfter });
      return look();
    }
    const result = method === 'getUpdates' ? await poll(body, response) : perform(method, body);
    if (trouble?.trouble === 'hang') await new Promise((resolve) => response.on('close', resolve));
    else if (trouble) response.destroy();
    else if (result === 'gone') response.destroy();
    else if (typeof result === 'string')
      fail(result.startsWith('Conflict') ? 409 : result.startsWith('Forbidden') ? 403 : result === 'Not Found' ? 404 : 400, result);
    else reply(200, { ok: true, result });
    look();
  }

  /** One call at a time, the oldest update first, until it is answered well (setWebhook with max_connections 1). */
  async function callOut(): Promise<void> {
    if (isCalling) return;
    isCalling = true;
    while (webhook && updates[0] && !ended.signal.aborted) {
      const [update] = updates;
      lastError = await callWebhook({ 'x-telegram-bot-api-secret-token': webhook.secret }, JSON.stringify(update)).then(
        (status) => (status >= 200 && status < 300 ? null : `Wrong response from the webhook: ${status}`),
        (error: unknown) => `Connection failed: ${String(error)}`,
      );
      if (lastError === null) {
        updates.shift();
        offset = Math.max(offset, update!.update_id + 1);
      } else await new Promise((resolve) => setTimeout(resolve, 10));
      look();
    }
    isCalling = false;
  }

  async function callWebhook(headers: Record<string, string>, body: string): Promise<number> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, signal: ended.signal };
    return (await fetch(webhook!.url, init)).status;
  }

  /** getUpdates: an offset confirms all below it; a second reader ends the first. */
  async function poll(body: Body, response: ServerResponse): Promise<unknown> {
    if (webhook) return "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
    for (const end of pollers) end('conflict');
    offset = Math.max(offset, Number(body['offset'] ?? 0));
    while (updates[0] && updates[0].update_id < offset) updates.shift();
    look();
    if (updates.length === 0 && Number(body['timeout'] ?? 0) > 0) {
      const end = await new Promise<'conflict' | 'look' | 'gone'>((resolve) => {
        pollers.add(resolve);
        response.on('close', () => resolve('gone'));
        setTimeout(() => resolve('look'), Number(body['timeout']) * 1_000).unref();
      });
      pollers.clear();
      if (end === 'conflict') return 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';
      if (end === 'gone') return 'gone';
    }
    return updates.slice(0, Number(body['limit'] ?? 100));
  }

  function perform(method: string, body: Body): unknown {
    switch (method) {
      case 'getMe':
        return { id: 1, is_bot: true, first_name: 'Castellan', username: 'castellan_test_bot' };
      case 'sendMessage':
        return sendMessage(body);
      case 'editMessageText':
        return editMessageText(body);
      case 'answerCallbackQuery':
        toasts.push((body['text'] as string | undefined) ?? '');
        return true;
      case 'sendChatAction':
        return true;
      case 'getWebhookInfo':
        return {
          url: webhook?.url ?? '',
          has_custom_certificate: false,
          pending_update_count: updates.length,
          ...(lastError !== null && { last_error_date: 1_700_000_000, last_error_message: lastError }),
        };
      case 'setWebhook':
        webhook = { url: String(body['url']), secret: (body['secret_token'] as string | undefined) ?? '' };
        void callOut();
        return true;
      case 'deleteWebhook':
        webhook = null;
        return true;
      default:
        return 'Not Found';
    }
  }

  function shown(body: Body): { text: string } | string {
    const source = (body['text'] as string | undefined) ?? '';
    if (source === '') return 'Bad Request: message text is empty';
    const read = body['parse_mode'] === 'HTML' ? readTelegramHtml(source) : { text: source };
    if ('error' in read) return `Bad Request: can't parse entities: ${read.error}`;
    if (read.text.trim() === '') return 'Bad Request: text must be non-empty';
    if (read.text.length > 4096) return 'Bad Request: message is too long';
    return read;
  }

  function buttonsOf(body: Body): FakeMessage['buttons'] | string {
    const rows = (body['reply_markup'] as { inline_keyboard?: FakeMessage['buttons'][] } | undefined)?.inline_keyboard ?? [];
    const buttons = rows.flat();
    return buttons.some(({ callback_data: data }) => Buffer.byteLength(data) < 1 || Buffer.byteLength(data) > 64)
      ? 'Bad Request: BUTTON_DATA_INVALID'
      : buttons;
  }

  function sendMessage(body: Body): unknown {
    const read = shown(body);
    const buttons = buttonsOf(body);
    if (typeof read === 'string') return read;
    if (typeof buttons === 'string') return buttons;
    if (!body['chat_id']) return 'Bad Request: chat not found';
    const message: FakeMessage = {
      message_id: (nextMessage += 1),
      chat: body['chat_id'] as number,
      text: read.text.trim(),
      source: String(body['text']),
      parseMode: body['parse_mode'] as string | undefined,
      buttons,
      edits: 0,
      replyTo: (body['reply_parameters'] as { message_id: number } | undefined)?.message_id,
    };
    messages.push(message);
    return { message_id: message.message_id, date: 0, chat: { id: message.chat, type: 'private' }, text: message.text };
  }

  function editMessageText(body: Body): unknown {
    const message = messages.find((each) => each.message_id === body['message_id'] && each.chat === body['chat_id']);
    if (!message) return 'Bad Request: message to edit not found';
    const read = shown(body);
    const buttons = buttonsOf(body);
    if (typeof read === 'string') return read;
    if (typeof buttons === 'string') return buttons;
    if (message.text === read.text.trim() && JSON.stringify(message.buttons) === JSON.stringify(buttons))
      return 'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';
    Object.assign(message, {
      text: read.text.trim(),
      source: String(body['text']),
      parseMode: body['parse_mode'],
      buttons,
      edits: message.edits + 1,
    });
    return { message_id: message.message_id };
  }

  function push(content: Body): number {
    const update = { update_id: (nextUpdate += 1), ...content };
    history.set(update.update_id, update);
    updates.push(update);
    for (const wake of pollers) wake('look');
    void callOut();
    return update.update_id;
  }

  const person = (id: number, name = `User ${id}`): Body => ({ id, is_bot: false, first_name: name });

  return {
    root,
    token: FAKE_TOKEN,
    messages,
    calls,
    toasts,
    confirmed: () => offset,
    say(text, { from = 7, chat = from, type = 'private', name, more = {} } = {}) {
      return push({
        message: {
          message_id: (nextMessage += 1),
          from: person(from, name),
          chat: { id: chat, type },
          date: 1_700_000_000,
          ...(text !== '' && { text }),
          ...more,
        },
      });
    },
    press: (message, data, from = message.chat) =>
      push({
        callback_query: {
          id: `q${nextUpdate}`,
          from: person(from),
          data,
          chat_instance: 'x',
          message: { message_id: message.message_id, chat: { id: message.chat, type: 'private' }, date: 1_700_000_000 },
        },
      }),
    repeat(updateId) {
      updates.push(history.get(updateId)!);
      offset = 0;
      for (const wake of pollers) wake('look');
      void callOut();
    },
    trouble: (method, trouble, { times = 1, after = 0, chat } = {}) => void troubles.push({ method, trouble, times, after, chat }),
    hold(method, chat) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const entry = { method, chat, gate: promise };
      held.push(entry);
      return () => {
        held.splice(held.indexOf(entry), 1);
        resolve();
      };
    },
    sentTo: (chat) => messages.filter((each) => each.chat === chat),
    until(condition) {
      if (condition()) return Promise.resolve();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const check = (): void => {
        if (!condition()) return;
        done();
        resolve();
      };
      const poller = setInterval(check, 5);
      const limit = setTimeout(() => {
        done();
        reject(
          new Error(
            `It did not come to this: ${condition.toString()}; sent: ${JSON.stringify(messages.map(({ chat, text }) => [chat, text.slice(0, 80)]))}`,
          ),
        );
      }, 8_000);
      const done = (): void => {
        clearInterval(poller);
        clearTimeout(limit);
        waiting.delete(check);
      };
      waiting.add(check);
      return promise;
    },
    breakDown(down) {
      isDown = down;
      for (const wake of pollers) wake('look');
    },
    callWebhook,
    webhook: () => webhook?.url ?? '',
    setWebhook: (url) => void (webhook = { url, secret: '' }),
    webhookSecret: () => webhook?.secret ?? '',
    async [Symbol.asyncDispose]() {
      ended.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
