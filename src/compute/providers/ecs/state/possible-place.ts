import type { Placement } from '../../../../api/status.ts';
import { ComputeError } from '../../../errors.ts';
import type { EcsOperatorBlock, EcsPolicy } from '../config.ts';
import { placeShapes } from '../config.ts';
import { accountOf } from '../address/arns.ts';

/**
 * A placement is what a status says, and whoever may write that can say anything. Before it is used, it must be one that
 * this operator can have written, by its config and policy of now or by earlier ones: a place that was left must be found
 * again after the lists have grown shorter. What is there is touched by its owner tags alone, whatever names it.
 */
export type AssertPossible = (placement: Placement, code: 'DestroyFailed' | 'ProviderUnavailable') => void;

/** `widest`: the policy of all namespaces together. */
export function possiblePlaces(block: EcsOperatorBlock, widest: EcsPolicy): AssertPossible {
  const accounts = new Set(
    [
      block.cluster_arn,
      ...(block.assume_role === undefined ? [] : [block.assume_role.role_arn]),
      ...widest.allowed_clusters,
      ...widest.allowed_roles.map(({ role_arn }) => role_arn),
    ].map(accountOf),
  );
  return ({ region, cluster, service, roleArn }, code) => {
    const wrong = Object.entries({ region, cluster, service, roleArn }).find(
      ([key, value]) => value !== undefined && !fits(key as keyof typeof placeShapes, value),
    );
    if (wrong !== undefined) {
      throw impossible(code, `its ${wrong[0]} is none that the operator can have written`);
    }
    // That it is a place of ECS at all is seen by who goes there.
    if (typeof cluster !== 'string') return;
    const account = accountOf(cluster);
    if (typeof roleArn === 'string' && accountOf(roleArn) !== account) {
      throw impossible(code, 'its role is of another account than its cluster');
    }
    if (accounts.has(account)) return;
    const mend = 'list its cluster in policy.ecs.allowed_clusters until it is empty';
    throw impossible(
      code,
      `account ${account} is none of the operator's config; if there is something, ${mend}`,
    );
  };
}

function fits(key: keyof typeof placeShapes, value: unknown): boolean {
  return placeShapes[key].safeParse(value).success;
}

function impossible(code: 'DestroyFailed' | 'ProviderUnavailable', why: string): ComputeError {
  return new ComputeError(code, `a placement in the status of this tenant is not used: ${why}`);
}
