import { defaultTenantId } from '../../../src/compute/spec/tenant-id.ts';
import type { AwsEcs } from '../models/aws-ecs.ts';
import { serviceNameOf } from '../models/ecs-client.ts';
import { noteTrouble } from '../world.ts';
import type { Action, Scene } from './scene.ts';
import { namespace } from './users.ts';

/** What happens to ECS, and what people and AWS do there. */

/** A service that runs, for a stranger to lay hands on; undefined: there is none. */
function someService(scene: Scene): { readonly aws: AwsEcs; readonly name: string } | undefined {
  const aws = scene.world.aws();
  const tenant = scene.anyName();
  const name = serviceNameOf(defaultTenantId(namespace, tenant));
  scene.world.disturbedOnEcsMs.set(`${namespace}/${tenant}`, scene.world.time.now());
  return aws.service(name)?.status === 'ACTIVE' ? { aws, name } : undefined;
}

function trouble(scene: Scene, what: string): void {
  scene.world.note(`ecs: ${what}`);
  noteTrouble(scene.world);
  scene.world.weather.ecsOutSinceMs = scene.world.time.now();
}

export const ecsActions = {
  async ecsOutage(scene) {
    const { door } = scene.world.aws();
    door.outage = scene.random.pick(['refused', '503', 'silent'] as const);
    trouble(scene, `is out of reach: ${door.outage}`);
    await scene.pass(scene.random.pick([2_000, 30_000, 400_000]));
    door.outage = undefined;
    scene.world.weather.ecsOutSinceMs = Infinity;
  },
  async ecsDenied(scene) {
    const { door } = scene.world.aws();
    door.denied = /^ecs:/;
    trouble(scene, 'denies everything');
    await scene.pass(scene.random.pick([2_000, 30_000]));
    door.denied = undefined;
    scene.world.weather.ecsOutSinceMs = Infinity;
  },
  ecsThrottle(scene) {
    scene.world.note('ecs: throttles');
    noteTrouble(scene.world);
    scene.world
      .aws()
      .door.exhaust(
        scene.random.pick(['serviceReads', 'serviceWrites', 'taskReads'] as const),
        scene.random.int(1_000, 20_000),
      );
  },
  ecsLoseAnswer(scene) {
    const { lostAnswers } = scene.world.aws().door;
    lostAnswers.add(
      scene.random.pick([
        'ecs:CreateService',
        'ecs:UpdateService',
        'ecs:DeleteService',
        'ecs:RegisterTaskDefinition',
      ]),
    );
  },
  ecsCrash(scene) {
    const found = someService(scene);
    found?.aws.strangers.crashTask(found.name);
  },
  ecsRebalance(scene) {
    const found = someService(scene);
    found?.aws.strangers.rebalance(found.name);
  },
  ecsScale(scene) {
    const found = someService(scene);
    found?.aws.strangers.update(found.name, { desiredCount: scene.random.int(1, 4) });
  },
} satisfies Record<string, Action>;
