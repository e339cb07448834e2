import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOnDeath } from './leftovers.ts';

/** What goes with a stack: whoever disposes of that ends it. */

/** A temporary folder, which goes with the program, too, should that die. */
export async function temporaryFolder(stack: AsyncDisposableStack, prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  stack.defer(async () => {
    await rm(folder, { recursive: true, force: true });
    forget();
  });
  return folder;
}

interface Part {
  stop(): Promise<void>;
}

/** Parts that start side by side. Where one can't be had, this rejects once none starts any more, and the others go with the stack. */
export async function startedTogether<Parts extends readonly Promise<Part>[]>(
  stack: AsyncDisposableStack,
  ...starting: Parts
): Promise<{ readonly [Index in keyof Parts]: Awaited<Parts[Index]> }> {
  await Promise.allSettled(
    starting.map(async (one) => {
      const part = await one;
      stack.defer(() => part.stop());
    }),
  );
  return Promise.all(starting);
}
