import { exitCode, httpStatus, type ErrorKind } from '../../src/core/errors.ts';
import { readSource, sections, sources, type Page } from './page.ts';

interface ErrorCode {
  readonly code: string;
  readonly kind: string;
  readonly message: string;
}

const TEXT = String.raw`('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|` + '`(?:[^`\\\\]|\\\\.)*`)';
/** `new AppError('kind', 'code', 'message'`; what follows the code may be an expression. */
const MADE = new RegExp(String.raw`(?:new AppError|super)\(\s*'(\w+)',\s*'([a-z]\w*\.\w+)',\s*(?:${TEXT})?`, 'g');
/** `new AppError('kind', name, …`: a factory inside the file, which is given its code somewhere in it. */
const FACTORY = /new AppError\(\s*'(\w+)',\s*[a-zA-Z]/;
const NAMED = new RegExp(String.raw`'([a-z]\w*\.\w+)'(?:,\s*${TEXT})?`, 'g');

/** Every code of an AppError in the sources. A message with parts that vary shows them in braces. */
export const errorsPage: Page = {
  file: 'errors.md',
  title: 'Error codes',
  async make() {
    const texts = await Promise.all((await sources('**/*.ts')).map(readSource));
    const byCode = new Map<string, ErrorCode>();
    for (const found of texts.flatMap(codesIn)) if (!byCode.get(found.code)?.message) byCode.set(found.code, found);
    const all = [...byCode.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
    const intro =
      'A code is stable: match on it, never on the message. The kind decides the HTTP status and the exit code. Anything else that goes wrong is a ' +
      'bug and shows as `internal` (status 500).\n\n';
    return intro + sections(all, moduleOf, ['code', 'kind', 'HTTP', 'exit', 'says'], rowOf);
  },
};

/** The codes in the text of one source file. */
export function codesIn(source: string): readonly ErrorCode[] {
  const made = [...source.matchAll(MADE)].map(([, kind = '', code = '', message]) => ({ kind, code, message: readable(message) }));
  const kind = FACTORY.exec(source)?.[1];
  if (kind === undefined) return made;
  const known = new Set(made.map(({ code }) => code));
  const areas = new Set(made.map(moduleOf));
  const named = [...source.matchAll(NAMED)].map(([, code = '', message]) => ({ kind, code, message: readable(message) }));
  return [...made, ...named.filter((it) => !known.has(it.code) && (it.message !== '' || areas.has(moduleOf(it))))];
}

/** The text of a literal, with `${config.port}` as `{port}`. */
function readable(literal: string | undefined): string {
  const text = literal?.slice(1, -1).replaceAll(/\\(.)/g, '$1') ?? '';
  return text.replaceAll(/\$\{(?:[\w.]*?)(\w+)\}|\$\{[^}]*\}/g, (_all, name?: string) => `{${name ?? '…'}}`);
}

function moduleOf({ code }: ErrorCode): string {
  return code.split('.')[0] ?? '';
}

function rowOf({ code, kind, message }: ErrorCode): readonly string[] {
  const known = kind as ErrorKind;
  return [`\`${code}\``, kind, String(httpStatus[known] ?? ''), String(exitCode[known] ?? ''), message];
}
