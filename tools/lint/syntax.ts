/** The few fields of an ESTree node that the house rules look at; which are there depends on `type`. */
export interface Node {
  readonly type: string;
  readonly name?: string;
  readonly kind?: string;
  readonly value?: unknown;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly static?: boolean;
  readonly computed?: boolean;
  readonly source?: Node | null;
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
  readonly object?: Node;
  readonly property?: Node;
  readonly imported?: Node;
  readonly specifiers?: readonly Node[];
  readonly declaration?: Node | null;
  readonly declarations?: readonly Node[];
  readonly id?: Node | null;
  readonly init?: Node | null;
  readonly expression?: Node;
  readonly elements?: readonly unknown[];
  readonly properties?: readonly unknown[];
  /** A list of statements, or the node that holds one. */
  readonly body?: readonly Node[] | Node;
}

export interface Context {
  readonly filename: string;
  report(problem: { readonly node: Node; readonly message: string }): void;
}

/** A lint rule as the linter's plugin interface wants it: called once a file, answers with a visitor. */
export interface Rule {
  create(context: Context): Record<string, (node: Node) => void>;
}

/** The text of a string literal, or null. */
export function textOf(node: Node | null | undefined): string | null {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

/** The name a call goes by: `open` in both `open()` and `store.open()`. */
export function calledName(callee: Node | undefined): string {
  const node = callee?.type === 'ChainExpression' ? callee.expression : callee;
  return (node?.type === 'MemberExpression' ? node.property?.name : node?.name) ?? '';
}

/** Whether a node is `object.property`, written out. */
export function isMember(node: Node, object: string, property: string): boolean {
  return node.type === 'MemberExpression' && node.object?.name === object && (node.property?.name ?? textOf(node.property)) === property;
}

/** The nodes directly inside a node. */
export function childrenOf(node: Node): readonly Node[] {
  return Object.entries(node)
    .filter(([key]) => key !== 'parent')
    .flatMap(([, value]: [string, unknown]) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter((value): value is Node => typeof value === 'object' && value !== null && typeof (value as Partial<Node>).type === 'string');
}
