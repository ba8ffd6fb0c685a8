import {
  CombinedAutocompleteProvider,
  Container,
  Editor,
  Loader,
  Markdown,
  matchesKey,
  ProcessTerminal,
  Spacer,
  Text,
  TuiMainScreen,
  type SlashCommand,
} from '@earendil-works/pi-tui';
import { plain } from '../words.ts';
import { accent, bad, dim, editorTheme, markdownTheme } from './theme.ts';

/** An answer on the screen that grows. */
export interface Growing {
  append(text: string): void;
  /** The whole of it, when it is known. */
  set(text: string): void;
}

/** The terminal as a place to talk. Everything shown is cleared of control characters first. */
export interface Screen {
  /** What the owner said. */
  showOwner(text: string): void;
  showAnswer(): Growing;
  /** A remark of the program. */
  showNote(text: string): void;
  showError(text: string): void;
  /** What is going on, with a sign of life; null when nothing is. */
  setBusy(what: string | null): void;
  remember(text: string): void;
  /** An empty place for another conversation. */
  clear(title: string): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

export interface ScreenHandlers {
  readonly commands: readonly SlashCommand[];
  readonly onSubmit: (text: string) => void;
  /** Ctrl-C on an empty line, Escape (`escape`), or Ctrl-D on an empty line (`end`). */
  readonly onKey: (key: 'interrupt' | 'escape' | 'end') => void;
}

/** Draws in the main screen, so that the talk stays in the terminal's scrollback. */
export function openScreen(title: string, { commands, onSubmit, onKey }: ScreenHandlers): Screen {
  const terminal = new ProcessTerminal();
  const tui = new TuiMainScreen(terminal);
  const talk = new Container();
  const status = new Container();
  const editor = new Editor(tui, editorTheme, { paddingX: 1 });
  editor.setAutocompleteProvider(new CombinedAutocompleteProvider([...commands], process.cwd()));
  editor.onSubmit = (text) => {
    if (text.trim() === '') return;
    editor.addToHistory(text);
    onSubmit(text);
  };
  for (const child of [talk, status, editor]) tui.addChild(child);
  tui.setFocus(editor);
  tui.addInputListener((data) => {
    if (matchesKey(data, 'ctrl+c')) {
      if (editor.getText() === '') onKey('interrupt');
      else editor.setText('');
      return { consume: true };
    }
    if (matchesKey(data, 'ctrl+d') && editor.getText() === '') {
      onKey('end');
      return { consume: true };
    }
    if (matchesKey(data, 'escape') && !editor.isShowingAutocomplete()) onKey('escape');
    return undefined;
  });
  let loader: Loader | null = null;

  function add(...children: (Text | Markdown | Spacer)[]): void {
    for (const child of children) talk.addChild(child);
    tui.requestRender();
  }

  function setBusy(what: string | null): void {
    if (what !== null && loader) return loader.setMessage(what);
    loader?.stop();
    loader = null;
    status.clear();
    if (what !== null) {
      loader = new Loader(tui, accent, dim, what);
      status.addChild(loader);
      loader.start();
    }
    tui.requestRender();
  }

  const greet = (of: string): void => add(new Text(`${accent('Castellan')}  ${dim(plain(of))}`, 1, 0), new Spacer(1));
  terminal.setTitle('Castellan');
  greet(title);
  tui.start();
  return {
    showOwner: (text) => add(new Text(`${accent('›')} ${plain(text)}`, 1, 0), new Spacer(1)),
    showAnswer() {
      const markdown = new Markdown('', 1, 0, markdownTheme);
      let whole = '';
      add(markdown, new Spacer(1));
      const set = (text: string): void => {
        whole = text;
        markdown.setText(plain(whole));
        tui.requestRender();
      };
      return { append: (text) => set(whole + text), set };
    },
    showNote: (text) => add(new Text(dim(plain(text)), 1, 0), new Spacer(1)),
    showError: (text) => add(new Text(bad(plain(text)), 1, 0), new Spacer(1)),
    setBusy,
    remember: (text) => editor.addToHistory(text),
    clear(next) {
      talk.clear();
      greet(next);
    },
    close() {
      setBusy(null);
      tui.stop();
    },
  };
}
