import type { FakePlatform, Person, Shown, Trouble } from '../fake-platform.ts';
import { FAKE_TOKEN, fakeTelegram } from './fake-telegram.ts';
import { telegram } from './index.ts';

const TROUBLES: Readonly<Record<Exclude<Trouble, 'cut'>, { code: number; description: string; retryAfter?: number }>> = {
  limited: { code: 429, description: 'Too Many Requests: retry after 1', retryAfter: 1 },
  blocked: { code: 403, description: 'Forbidden: bot was blocked by the user' },
  refused: { code: 400, description: 'Bad Request: chat not found' },
  server_error: { code: 502, description: 'Bad Gateway' },
};

/** The fake Telegram with the hands that the conformance suite needs. */
export async function telegramPlatform(mode: 'polling' | 'webhook'): Promise<FakePlatform> {
  const fake = await fakeTelegram();
  const idOf = ({ sender }: Person): number => Number(sender);
  const shown = (to: Person): Shown[] =>
    fake.sentTo(idOf(to)).map(({ message_id: id, text, buttons, edits }) => ({
      id: String(id),
      text,
      buttons: buttons.map(({ text: label }) => label),
      edits,
    }));
  return {
    channel: { kind: telegram, config: { apiRoot: fake.root, mode }, secrets: { token: FAKE_TOKEN } },
    people: [
      { sender: '7', chat: '7' },
      { sender: '8', chat: '8' },
    ],
    longest: 4_096,
    toasts: fake.toasts,
    say: (text, from) => String(fake.say(text, { from: idOf(from) })),
    redeliver: (said) => fake.repeat(Number(said)),
    isAcknowledged: (said) => fake.confirmed() > Number(said),
    shown,
    trouble: (how, to) => fake.trouble('sendMessage', how === 'cut' ? 'drop' : TROUBLES[how], { chat: idOf(to) }),
    hold: (to) => fake.hold('sendMessage', idOf(to)),
    breakDown: (down) => fake.breakDown(down),
    revoke: () => fake.trouble('getMe', { code: 401, description: 'Unauthorized' }, { times: 1_000 }),
    async until(condition) {
      for (const end = Date.now() + 15_000; !(await condition()); await new Promise((resolve) => setTimeout(resolve, 5)))
        if (Date.now() > end)
          throw new Error(`It did not come to this: ${condition.toString()}; ${JSON.stringify(fake.messages).slice(0, 2_000)}`);
    },
    press(message, button, by) {
      const sent = fake.sentTo(idOf(by)).find(({ message_id: id }) => String(id) === message.id)!;
      fake.press(sent, sent.buttons.find(({ text }) => text === button)!.callback_data);
    },
    isTyping: (to) => fake.calls.some(({ method, body }) => method === 'sendChatAction' && body['chat_id'] === idOf(to)),
    ...(mode === 'webhook' && {
      calls: {
        forged: [{}, { [HEADER]: '' }, { [HEADER]: 'a guess' }, { [HEADER]: FAKE_TOKEN }].map(
          (headers) => () => fake.callWebhook(headers, UPDATE),
        ),
        unreadable: () => fake.callWebhook({ [HEADER]: fake.webhookSecret() }, 'no JSON'),
      },
    }),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

const HEADER = 'x-telegram-bot-api-secret-token';
const UPDATE = JSON.stringify({
  update_id: 1,
  message: {
    message_id: 1,
    from: { id: 7, is_bot: false, first_name: 'Me' },
    chat: { id: 7, type: 'private' },
    date: 1,
    text: '/run morning-briefing',
  },
});
