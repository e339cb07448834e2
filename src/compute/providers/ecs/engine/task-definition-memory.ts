import { scopeKey } from '../address/service-target.ts';
import type { EcsScope } from '../address/service-target.ts';
import type { EcsApi } from './ecs-api.ts';
import { abortable } from '../../../../async/abortable.ts';

/** Some 20 MB of the largest ones, which may have 64 KiB; a fleet has one of its own for each tenant, and a few bases. */
const maxRemembered = 2_000;

type Describe = EcsApi['describeTaskDefinition'];

export interface TaskDefinitionMemory {
  readonly describe: Describe;
  /** It may have been deregistered since. */
  forget(scope: EcsScope, taskDefinition: string): void;
}

/**
 * Asks once for each revision, however many tenants want it at the same time, because a revision never changes. What
 * is not there is asked for again, and so is a family without a revision, which means its latest.
 */
export function rememberTaskDefinitions(ask: Describe, closing: AbortSignal): TaskDefinitionMemory {
  const remembered = new Map<string, ReturnType<Describe>>();
  const memoryKey = (scope: EcsScope, taskDefinition: string): string =>
    `${scopeKey(scope)} ${taskDefinition}`;

  const begin = (scope: EcsScope, taskDefinition: string): ReturnType<Describe> => {
    const key = memoryKey(scope, taskDefinition);
    // Not aborted with who asked first: others wait for it, too. It has a deadline of its own.
    const asking = ask(scope, taskDefinition, closing);
    remembered.set(key, asking);
    void forgetUnless(asking, /:[0-9]+$/.test(taskDefinition), () => {
      if (remembered.get(key) === asking) remembered.delete(key);
    });
    dropOldest(remembered);
    return asking;
  };
  return {
    describe: async (scope, taskDefinition, signal) => {
      signal.throwIfAborted();
      const known = remembered.get(memoryKey(scope, taskDefinition));
      return abortable(known ?? begin(scope, taskDefinition), signal);
    },
    forget: (scope, taskDefinition) => {
      remembered.delete(memoryKey(scope, taskDefinition));
    },
  };
}

async function forgetUnless(
  asking: Promise<unknown>,
  isRevision: boolean,
  forget: () => void,
): Promise<void> {
  try {
    if ((await asking) === undefined || !isRevision) forget();
  } catch {
    forget();
  }
}

function dropOldest(remembered: Map<string, unknown>): void {
  if (remembered.size <= maxRemembered) return;
  const [oldest] = remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
}
