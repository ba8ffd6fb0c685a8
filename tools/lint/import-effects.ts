import { calledName, childrenOf, type Node } from './syntax.ts';

/** Objects whose functions only compute. */
const PURE = new Set(['z', 'Object', 'Array', 'String', 'Number', 'Math', 'JSON', 'Symbol', 'Buffer', 'BigInt']);
const PURE_CLASSES = new Set(['Set', 'Map', 'RegExp', 'URL', 'TextEncoder', 'TextDecoder', 'Error', 'Date', 'Uint8Array']);

/** A function is a verb: these do something, or make something that lives. The rest (`endpoint`, `listOf`, `defineSetting`) say what is. */
const DOING = new Set(
  (
    'add append await cache close connect create delete emit execute exec fetch get init install listen load lazy log make memo memoize now on once open ' +
    'publish push put random read register remove run schedule send set setup spawn start subscribe unshift use watch write'
  ).split(' '),
);

/** Statements that only declare. */
const DECLARES = /^(Import|ExportAll|Function|TS|Class|Empty)/;
const FUNCTION = /Function|MethodDefinition/;

/** The parts of a module's top level that do something when it is imported, which nothing may. */
export function effectsOf(program: Node): readonly Node[] {
  return statements(program).flatMap((statement) => {
    const it = statement.type.startsWith('Export') ? (statement.declaration ?? statement) : statement;
    if (it.type === 'VariableDeclaration') return (it.declarations ?? []).flatMap(({ init }) => (init ? effectsIn(init) : []));
    if (it.type === 'ClassDeclaration') return effectsInClass(it);
    if (it.type === 'ExpressionStatement') return it.expression?.type === 'Literal' ? [] : [it];
    if (statement.type === 'ExportNamedDeclaration' || DECLARES.test(it.type)) return [];
    return statement.type === 'ExportDefaultDeclaration' ? effectsIn(it) : [it];
  });
}

function effectsIn(node: Node): readonly Node[] {
  if (FUNCTION.test(node.type)) return [];
  if (node.type === 'ClassExpression') return effectsInClass(node);
  return isEffect(node) ? [node] : childrenOf(node).flatMap(effectsIn);
}

function effectsInClass(node: Node): readonly Node[] {
  const members = childrenOf(node).find(({ type }) => type === 'ClassBody');
  return members
    ? childrenOf(members).flatMap((member) => (member.type === 'StaticBlock' ? [member] : member.static === true ? effectsIn(member) : []))
    : [];
}

function isEffect(node: Node): boolean {
  switch (node.type) {
    case 'AwaitExpression':
    case 'ImportExpression':
    case 'AssignmentExpression':
    case 'UpdateExpression':
      return true;
    case 'NewExpression':
      return !PURE_CLASSES.has(node.callee?.name ?? '') && node.callee?.object?.name !== 'Intl';
    case 'CallExpression':
      return !PURE.has(rootOf(node)) && DOING.has(firstWord(calledName(node.callee)));
    default:
      return false;
  }
}

/** The leftmost name of a chain: `z` of `z.object({}).strict()`. */
function rootOf(node: Node): string {
  const inner = node.callee ?? node.object ?? node.expression;
  return inner ? rootOf(inner) : (node.name ?? '');
}

function firstWord(name: string): string {
  return /^[a-z]+/.exec(name)?.[0] ?? '';
}

/** The statements of a program. */
export function statements(program: Node): readonly Node[] {
  return Array.isArray(program.body) ? (program.body as readonly Node[]) : [];
}
