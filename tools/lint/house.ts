// The house rules that a linter can hold, as a plugin of oxlint. Why each is there: ARCHITECTURE.md and AGENTS.md.
// test/house-rules.test.ts plants a violation of every one: a rule counts only after it has failed once.
import { effectsOf, statements } from './import-effects.ts';
import { placeOf, type Place } from './place.ts';
import { refusal } from './rings.ts';
import { isMember, textOf, type Node, type Rule } from './syntax.ts';

/** Production code of the rings; entry points and tests are judged less. */
function isRing({ ring, forTests }: Place): boolean {
  return !forTests && (ring === 'core' || ring === 'domain' || ring === 'edge' || ring === 'sdk');
}

const rings: Rule = {
  create(context) {
    const judge = (node: Node, source: Node | null | undefined, typeOnly: boolean): void => {
      const specifier = textOf(source);
      const message = specifier === null ? null : refusal({ from: context.filename, specifier, typeOnly });
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node) => judge(node, node.source, node.importKind === 'type'),
      ExportNamedDeclaration: (node) => judge(node, node.source, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => judge(node, node.source, node.exportKind === 'type'),
      ImportExpression: (node) => judge(node, node.source, false),
      TSImportType: (node) => judge(node, node.source, true),
    };
  },
};

const STATEFUL = new Set(['WeakMap', 'WeakSet', 'EventEmitter', 'AsyncLocalStorage', 'AbortController']);

const noModuleState: Rule = {
  create(context) {
    const { ring, forTests } = placeOf(context.filename);
    if (ring === 'free' || forTests) return {};
    return {
      Program(program) {
        for (const statement of statements(program)) {
          const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
          if (declared?.type !== 'VariableDeclaration') continue;
          for (const each of declared.declarations ?? []) {
            if (declared.kind !== 'let' && declared.kind !== 'var' && !startsEmpty(each.init)) continue;
            context.report({ node: each, message: 'No mutable state in a module: build it in a factory and pass it to who needs it.' });
          }
        }
      },
    };
  },
};

/** What is made empty is made to be filled. */
function startsEmpty(init: Node | null | undefined): boolean {
  if (init?.type === 'TSAsExpression' || init?.type === 'TSSatisfiesExpression') return startsEmpty(init.expression);
  if (init?.type === 'ArrayExpression') return init.elements?.length === 0;
  if (init?.type === 'ObjectExpression') return init.properties?.length === 0;
  if (init?.type !== 'NewExpression') return false;
  const name = init.callee?.name ?? '';
  return STATEFUL.has(name) || ((name === 'Map' || name === 'Set') && init.arguments?.length === 0);
}

/** A file that is the start of a process of its own, named so: its top level is its program. */
const PROCESS_START = /(^|[/-])(entry|main)\.ts$/;

const nothingOnImport: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (!isRing(place) || place.part === 'web' || PROCESS_START.test(place.path)) return {};
    const message = 'Nothing happens on import: export a value and let a list or a factory use it.';
    return { Program: (program) => effectsOf(program).forEach((node) => context.report({ node, message })) };
  },
};

const timeAndChance: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (place.ring !== 'domain' || place.forTests) return {};
    const flag = (node: Node, instead: string): void =>
      context.report({ node, message: `Time, ids and chance are arguments in the domain: take ${instead}.` });
    const flagCrypto = (node: Node): void => flag(node, 'newId (#core/ids)');
    return {
      MemberExpression(node) {
        if (isMember(node, 'Date', 'now')) flag(node, 'a Clock (#core/clock)');
        if (isMember(node, 'Math', 'random')) flag(node, 'a random: () => number');
        if (isMember(node, 'crypto', 'randomUUID')) flagCrypto(node);
      },
      NewExpression(node) {
        if (node.callee?.name === 'Date' && node.arguments?.length === 0) flag(node, 'a Clock (#core/clock)');
      },
      ImportSpecifier(node) {
        if (node.imported?.name === 'randomUUID') flagCrypto(node);
      },
    };
  },
};

const ENVIRONMENT = /^src\/(core\/config|castellan|main|agent|launcher)\b/;

const environment: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (place.ring === 'free' || place.forTests || ENVIRONMENT.test(place.path)) return {};
    const message = 'The environment is read once, in src/core/config.ts: take the value as an argument.';
    return {
      MemberExpression(node) {
        if (isMember(node, 'process', 'env')) context.report({ node, message });
      },
      ImportDeclaration(node) {
        if (textOf(node.source) !== 'node:process') return;
        if (node.specifiers?.some(({ imported }) => imported?.name === 'env')) context.report({ node, message });
      },
    };
  },
};

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/;
const SAYS_NOTHING = /(^|-)(utils?|helpers?|managers?|services?|common|misc)(-|\.)/;

const fileNames: Rule = {
  create(context) {
    const { path, ring } = placeOf(context.filename);
    const name = path.split('/').at(-1) ?? '';
    const report = (node: Node, message: string): void => context.report({ node, message });
    return {
      Program(program) {
        if (ring === 'outside') return;
        if (!KEBAB.test(name)) report(program, `Name files in kebab-case: ${name} is not.`);
        if (ring === 'domain' && SAYS_NOTHING.test(name))
          report(program, `${name} says nothing of what is inside: name the file for the thing it holds.`);
      },
    };
  },
};

const CODE = /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/;

const errorCodes: Rule = {
  create(context) {
    const message = 'An error code is a literal of the form module.snake_case: it is documented and clients match on it.';
    return {
      NewExpression(node) {
        const code = node.callee?.name === 'AppError' ? node.arguments?.[1] : undefined;
        const text = textOf(code);
        if (code?.type === 'TemplateLiteral' || (text !== null && !CODE.test(text))) context.report({ node: code ?? node, message });
      },
    };
  },
};

export default {
  meta: { name: 'house' },
  rules: {
    rings,
    'no-module-state': noModuleState,
    'nothing-on-import': nothingOnImport,
    'time-and-chance': timeAndChance,
    environment,
    'file-names': fileNames,
    'error-codes': errorCodes,
  },
};
