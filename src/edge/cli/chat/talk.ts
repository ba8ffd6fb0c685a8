import {
  cancelTurns,
  changeConversation,
  exportConversation,
  listConversations,
  listMessages,
  type Conversation,
  type Message,
  type TurnEvent,
} from '#agents/contract';
import { errorInfo } from '#core/errors';
import type { Cli } from '../context.ts';
import { ago, money, shorten } from '../words.ts';
import { openConversation } from './conversation.ts';
import { openScreen, type Screen } from './screen.ts';
import { turnEvents } from './turn.ts';

const COMMANDS = [
  { name: 'new', description: 'begin a new conversation' },
  { name: 'list', description: 'the latest conversations' },
  { name: 'open', description: 'go on with another one', argumentHint: 'NUMBER or part of its title' },
  { name: 'retry', description: 'another answer to your last message' },
  { name: 'title', description: 'name this conversation', argumentHint: 'TEXT' },
  { name: 'export', description: 'this conversation as Markdown, into a file' },
  { name: 'stop', description: 'stop the answer' },
  { name: 'help', description: 'what can be typed here' },
  { name: 'quit', description: 'leave; what runs goes on' },
] as const;

const SHOWN_MESSAGES = 20;

/** A talk in the terminal; resolves when the owner leaves. What was said meanwhile is answered in its order. */
export async function talkInTerminal(io: Cli, first: Conversation): Promise<void> {
  let conversation = first;
  let listed: readonly Conversation[] = [];
  let running: AbortController | null = null;
  let isLeaving = false;
  let work: Promise<void> = Promise.resolve();
  const left = Promise.withResolvers<void>();
  const screen = openScreen(titleOf(conversation), {
    commands: [...COMMANDS],
    onSubmit: (text) => {
      isLeaving = false;
      if (text.trim() === '/stop') return void stop();
      if (text.trim() === '/quit' || text.trim() === '/exit') return left.resolve();
      work = work.then(() => handle(text.trim())).catch((error: unknown) => screen.showError(errorInfo(error).message));
    },
    onKey: (key) => {
      if (key === 'end') return left.resolve();
      if (running) return void stop();
      if (key === 'escape') return;
      if (isLeaving) return left.resolve();
      isLeaving = true;
      screen.showNote('Ctrl-C once more to leave.');
    },
  });

  async function stop(): Promise<void> {
    if (!running) return;
    screen.setBusy('stopping');
    await (
      await io.client()
    )
      .call(cancelTurns, { id: conversation.id })
      .catch((error: unknown) => screen.showError(errorInfo(error).message));
  }

  async function handle(text: string): Promise<void> {
    if (!text.startsWith('/')) {
      screen.showOwner(text);
      return turn(text);
    }
    const [name = '', ...rest] = text.slice(1).split(/\s+/);
    await command(name, rest.join(' '));
  }

  async function turn(text: string | null): Promise<void> {
    running = new AbortController();
    screen.setBusy('thinking');
    try {
      await showTurn(screen, turnEvents(io, { conversationId: conversation.id, text, signal: running.signal }));
    } finally {
      running = null;
      screen.setBusy(null);
    }
  }

  async function command(name: string, rest: string): Promise<void> {
    switch (name) {
      case 'new':
        return enter(await openConversation(await io.client(), {}));
      case 'list':
        listed = (await (await io.client()).call(listConversations, { limit: 20 })).items;
        return screen.showNote(
          listed
            .map((it, at) => `${String(at + 1).padStart(2)}  ${shorten(titleOf(it), 60)}  ${ago(it.updatedAt, Date.now())}`)
            .join('\n') || 'There is none yet.',
        );
      case 'open': {
        const byNumber = listed[Number(rest) - 1];
        return enter(byNumber ?? (await openConversation(await io.client(), { conversation: rest || 'last' })));
      }
      case 'retry':
        return turn(null);
      case 'title':
        if (rest === '') return screen.showNote(titleOf(conversation));
        conversation = await (await io.client()).call(changeConversation, { id: conversation.id, title: rest });
        return screen.showNote(`It is called "${rest}".`);
      case 'export': {
        const { writeFile } = await import('node:fs/promises');
        const { fileName, markdown } = await (await io.client()).call(exportConversation, { id: conversation.id });
        const path = fileName.replace(/[/\\]/g, '-');
        await writeFile(path, markdown, { flag: 'wx' });
        return screen.showNote(`Wrote ${path}.`);
      }
      case 'help':
        return screen.showNote(
          [
            ...COMMANDS.map((it) => `/${it.name.padEnd(8)}${it.description}`),
            '',
            'Enter sends, Alt-Enter begins a new line, Up brings back what you said. Ctrl-C stops the answer, then leaves.',
          ].join('\n'),
        );
      default:
        return screen.showError(`There is no command /${name}; /help lists them.`);
    }
  }

  async function enter(next: Conversation): Promise<void> {
    conversation = next;
    screen.clear(titleOf(next));
    await showHistory();
  }

  async function showHistory(): Promise<void> {
    const { items } = await (await io.client()).call(listMessages, { id: conversation.id, limit: SHOWN_MESSAGES });
    for (const message of items.toReversed()) showMessage(screen, message);
    const unfinished = items.find(({ turn: state }) => state === 'running' || state === 'queued');
    if (unfinished) screen.showNote('An answer is still being written: it will be here when you open this conversation again.');
  }

  try {
    await showHistory().catch((error: unknown) => screen.showError(errorInfo(error).message));
    await left.promise;
  } finally {
    screen.close();
  }
  io.say(`Go on with: castellan chat --conversation ${conversation.id}`);
  (running as AbortController | null)?.abort();
}

/** Shows a turn as it goes on. */
async function showTurn(screen: Screen, events: AsyncIterable<TurnEvent>): Promise<void> {
  let answer: ReturnType<Screen['showAnswer']> | null = null;
  for await (const event of events) {
    if (event.type === 'reasoning') screen.setBusy('thinking');
    if (event.type === 'tool_call') screen.setBusy(event.name);
    if (event.type === 'text') {
      screen.setBusy('answering');
      answer ??= screen.showAnswer();
      answer.append(event.text);
    }
    if (event.type !== 'end') continue;
    if (event.message.text !== '') (answer ?? screen.showAnswer()).set(event.message.text);
    if (event.status === 'cancelled') screen.showNote('Stopped.');
    else if (event.status === 'failed') screen.showError(`${event.error?.message ?? 'There is no answer.'} /retry asks again.`);
    if (event.receipt?.offline) screen.showNote('Answered offline, without a model.');
    else if (event.receipt && event.receipt.costUsd > 0) screen.showNote(`${event.receipt.model}, ${money(event.receipt.costUsd)}`);
  }
}

function showMessage(screen: Screen, { role, text, error }: Message): void {
  if (role === 'user') {
    screen.showOwner(text);
    screen.remember(text);
    return;
  }
  if (text !== '') screen.showAnswer().set(text);
  if (error) screen.showError(error.message);
}

function titleOf({ title }: Conversation): string {
  return title || 'a new conversation';
}
