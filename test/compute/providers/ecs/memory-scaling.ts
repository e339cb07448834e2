import type { ScalingPolicy } from '@aws-sdk/client-application-auto-scaling';
import type { ScalingApi } from '../../../../src/compute/providers/ecs/engine/scaling/scaling-api.ts';
import { seenScaling } from '../../../../src/compute/providers/ecs/state/scaling/seen-scaling.ts';
import type { ShownScaling } from '../../../../src/compute/providers/ecs/state/scaling/scaling.ts';

/** Application Auto Scaling in memory: what it is told, and nothing is ever scaled. */
export interface MemoryScaling {
  readonly api: ScalingApi;
  /** By the name of the service. */
  readonly targets: Map<string, MemoryTarget>;
}

export interface MemoryTarget {
  min: number;
  max: number;
  readonly policies: Map<string, ScalingPolicy>;
}

export const scalingWrites: Readonly<Record<string, true>> = {
  registerScalableTarget: true,
  putScalingPolicy: true,
  deleteScalingPolicy: true,
  deregisterScalableTarget: true,
};

/** `isThere`: whether there is a service of that name. */
export function memoryScaling(isThere: (name: string) => boolean): MemoryScaling {
  const targets: MemoryScaling['targets'] = new Map();
  return {
    targets,
    api: {
      async describeScaling({ service }) {
        const found = targets.get(service);
        return found && answerOf(found);
      },
      async registerScalableTarget({ service }, { min, max }) {
        if (!isThere(service)) return 'missing';
        const found = targets.get(service);
        if (found === undefined) targets.set(service, { min, max, policies: new Map() });
        else Object.assign(found, { min, max });
        return 'done';
      },
      async putScalingPolicy({ service }, policy) {
        const found = targets.get(service);
        found?.policies.set(policy.PolicyName ?? '', policy as ScalingPolicy);
        return found === undefined ? 'missing' : 'done';
      },
      async deleteScalingPolicy({ service }, name) {
        targets.get(service)?.policies.delete(name);
      },
      async deregisterScalableTarget({ service }) {
        targets.delete(service);
      },
    },
  };
}

/** As the operator sees it. */
export function seenTarget(target: MemoryTarget | undefined): ShownScaling {
  return seenScaling(target && answerOf(target));
}

function answerOf({ min, max, policies }: MemoryTarget) {
  const target = { MinCapacity: min, MaxCapacity: max } as never;
  return { target, policies: [...policies.values()] };
}
