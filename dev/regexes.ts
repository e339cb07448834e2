import { readFileSync } from 'node:fs';
import { parsers } from 'prettier/plugins/typescript';
import type { ParserOptions } from 'prettier';

/** A regular expression as it stands in a source. */
export interface FoundRegex {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly source: string;
  readonly flags: string;
}

/** What can't be checked, for its pattern is made only at run time. */
export interface HiddenRegex {
  readonly file: string;
  readonly line: number;
}

export interface Regexes {
  readonly found: readonly FoundRegex[];
  readonly hidden: readonly HiddenRegex[];
}

interface Node {
  readonly type: string;
  readonly loc: { readonly start: { readonly line: number } };
  readonly [key: string]: unknown;
}

interface Made extends HiddenRegex {
  readonly pattern: Node | undefined;
}

/** Every literal, and every `new RegExp` of a constant text of the same sources. */
export async function regexesIn(files: readonly string[]): Promise<Regexes> {
  const found: FoundRegex[] = [];
  const made: Made[] = [];
  const texts = new Map<string, string>();
  for (const file of files) {
    for (const node of nodesIn(await parse(file))) {
      const { line } = node.loc.start;
      const { regex } = node as { readonly regex?: { readonly pattern: string; readonly flags: string } };
      if (regex !== undefined) found.push({ file, line, source: regex.pattern, flags: regex.flags });
      if (makesRegex(node)) made.push({ file, line, pattern: (node['arguments'] as readonly Node[])[0] });
      if (node.type === 'VariableDeclarator') noteText(texts, node);
    }
  }
  const hidden: HiddenRegex[] = [];
  for (const { file, line, pattern } of made) {
    const source = pattern === undefined ? undefined : (textOf(pattern) ?? texts.get(nameOf(pattern)));
    if (source === undefined) hidden.push({ file, line });
    else found.push({ file, line, source, flags: '' });
  }
  return { found, hidden };
}

/** The grammar that formats the sources reads them here, too. */
async function parse(file: string): Promise<unknown> {
  const text = readFileSync(file, 'utf8');
  return parsers.typescript.parse(text, { filepath: file } as ParserOptions);
}

function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && 'loc' in value) yield value as Node;
  for (const [key, member] of Object.entries(value)) {
    if (!besides.has(key)) yield* nodesIn(member);
  }
}

/** What hangs on a tree beside its nodes. */
const besides: ReadonlySet<string> = new Set(['parent', 'tokens', 'comments', 'loc', 'range', 'regex']);

function makesRegex(node: Node): boolean {
  const isCall = node.type === 'NewExpression' || node.type === 'CallExpression';
  return isCall && nameOf(node['callee'] as Node) === 'RegExp';
}

function noteText(texts: Map<string, string>, declarator: Node): void {
  const init = declarator['init'] as Node | null;
  const text = init === null ? undefined : textOf(init);
  if (text !== undefined) texts.set(nameOf(declarator['id'] as Node), text);
}

function nameOf(node: Node): string {
  return node.type === 'Identifier' ? (node['name'] as string) : '';
}

function textOf({ type, value }: Node): string | undefined {
  return type === 'Literal' && typeof value === 'string' ? value : undefined;
}
