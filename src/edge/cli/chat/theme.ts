import { styleText } from 'node:util';
import type { EditorTheme, MarkdownTheme } from '@earendil-works/pi-tui';

export const dim = (text: string): string => styleText('dim', text);
export const accent = (text: string): string => styleText('cyan', text);
export const bad = (text: string): string => styleText('red', text);
const bold = (text: string): string => styleText('bold', text);

/** Colours of an answer; they follow the terminal's own palette, light or dark. */
export const markdownTheme: MarkdownTheme = {
  heading: (text) => styleText(['bold', 'cyan'], text),
  link: (text) => styleText('blue', text),
  linkUrl: dim,
  code: (text) => styleText('yellow', text),
  codeBlock: (text) => text,
  codeBlockBorder: dim,
  quote: (text) => styleText('italic', text),
  quoteBorder: dim,
  hr: dim,
  listBullet: accent,
  bold,
  italic: (text) => styleText('italic', text),
  strikethrough: (text) => styleText('strikethrough', text),
  underline: (text) => styleText('underline', text),
};

export const editorTheme: EditorTheme = {
  borderColor: dim,
  selectList: { selectedPrefix: accent, selectedText: accent, description: dim, scrollInfo: dim, noMatch: dim },
};
