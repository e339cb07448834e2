/**
 * Says which regular expressions of src take more than linear time for some text, and exits 1: tenants, and whatever
 * engines repeat of them, choose the texts. Part of `npm run check`.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { check } from 'recheck';
import { z } from 'zod';
import { regexesIn } from './regexes.ts';
import type { FoundRegex } from './regexes.ts';

/**
 * By the automaton of each, which is a proof; trying texts out is not. The limits let in what repeats a class some hundred
 * times, and the timeout is for a busy machine: a simple pattern takes milliseconds.
 */
const how = {
  checker: 'automaton',
  maxRepeatCount: 600,
  maxPatternSize: 5_000,
  maxNFASize: 200_000,
  timeout: 60_000,
} as const;

// The same checker on every machine: there may be a Java on one, too.
process.env['RECHECK_BACKEND'] ??= hasBinary() ? 'native' : 'pure';

const root = join(import.meta.dirname, '..');
const { found, hidden } = await regexesIn(globSync(join(root, 'src/**/*.ts')));

/** Those of zod's own formats that schemas of src use. */
const formats = ['ipv4', 'ipv6', 'cidrv4'] as const;
const zods = formats.map((format) => ({
  file: join(root, `zod:${format}`),
  line: 1,
  source: z.regexes[format].source,
  flags: z.regexes[format].flags,
}));

const problems = hidden.map(
  (where) => `${place(where)}: a pattern that is made at run time can't be checked`,
);
const queue = [...found, ...zods];
await Promise.all(Array.from({ length: availableParallelism() }, checkOnes));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

async function checkOnes(): Promise<void> {
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const problem = await problemOf(next);
    if (problem !== undefined) problems.push(`${place(next)}: /${next.source}/ ${problem}`);
  }
}

async function problemOf({ source, flags }: FoundRegex): Promise<string | undefined> {
  const found = await check(source, flags, how);
  if (found.status === 'unknown') return 'is too much to check: make it simpler';
  return found.status === 'safe' ? undefined : `takes more than linear time: ${found.complexity.summary}`;
}

function hasBinary(): boolean {
  try {
    import.meta.resolve(
      `recheck-${process.platform === 'darwin' ? 'macos' : process.platform}-${process.arch}/package.json`,
    );
    return true;
  } catch {
    return false;
  }
}

function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${relative(root, file)}:${line}`;
}
