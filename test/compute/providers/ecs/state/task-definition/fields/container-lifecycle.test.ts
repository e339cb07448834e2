import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../../../src/compute/providers/ecs/state/desired.ts';
import { registerInput } from '../../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import type { ContainerSpec } from '../../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../../../ecs-fixture.ts';
import { baseArn } from '../../../memory-ecs.ts';

const base: TaskDefinition = {
  taskDefinitionArn: baseArn,
  networkMode: 'awsvpc',
  containerDefinitions: [
    {
      name: 'app',
      image: 'app:0',
      essential: true,
      dependsOn: [
        { containerName: 'proxy', condition: 'HEALTHY' },
        { containerName: 'db', condition: 'START' },
      ],
    },
    { name: 'proxy', image: 'proxy:1', essential: false, healthCheck: { command: ['CMD', 'ok'] } },
  ],
};

function register(containers: readonly ContainerSpec[], over: Partial<TaskDefinition> = {}) {
  const desired = desireService(tenantSpec({}, { containers }), settings());
  if (desired.overlay === undefined) throw new Error('no overlay');
  const { containerDefinitions } = registerInput(desired.overlay, { ...base, ...over }, desired.ownerTags);
  return Object.fromEntries(containerDefinitions.map((one) => [one.name, one]));
}

const healthCheck = { command: ['/ok'], intervalSeconds: 5, retries: 3, startPeriodSeconds: 0 };
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) as string });

describe('how containers begin and end stands in the request, in the words of ECS', () => {
  test('in order, beside what the base waits for', () => {
    const { app, api } = register([
      containerSpec('app', {
        dependsOn: [
          { container: 'db', condition: 'Healthy' },
          { container: 'migrate', condition: 'Completed' },
        ],
      }),
      containerSpec('api', { dependsOn: [{ container: 'app', condition: 'Started' }] }),
      containerSpec('db', { healthCheck }),
      containerSpec('migrate', { restartPolicy: 'Never' }),
    ]);
    expect(app?.dependsOn).toEqual([
      { containerName: 'proxy', condition: 'HEALTHY' },
      { containerName: 'db', condition: 'HEALTHY' },
      { containerName: 'migrate', condition: 'SUCCESS' },
    ]);
    expect(api?.dependsOn).toEqual([{ containerName: 'app', condition: 'START' }]);
    expect(register([containerSpec('app')])['app']?.dependsOn).toEqual(
      base.containerDefinitions?.[0]?.dependsOn,
    );
  });

  test('a job is never essential', () => {
    const { app, once, again, always, side } = register([
      containerSpec('app'),
      containerSpec('once', { restartPolicy: 'Never' }),
      containerSpec('again', { restartPolicy: 'OnFailure' }),
      containerSpec('always', { restartPolicy: 'Always' }),
      containerSpec('side', { essential: false }),
    ]);
    expect(app).toMatchObject({ essential: true });
    expect(app).not.toHaveProperty('restartPolicy');
    expect(once).toMatchObject({ essential: false, restartPolicy: { enabled: false } });
    expect(again).toMatchObject({
      essential: false,
      restartPolicy: { enabled: true, ignoredExitCodes: [0], restartAttemptPeriod: 60 },
    });
    expect(always).toMatchObject({ essential: true, restartPolicy: { enabled: true } });
    expect(side).toMatchObject({ essential: false });
    expect(side).not.toHaveProperty('restartPolicy');
  });
});

describe('what ECS can not do of that is refused, and says what to do', () => {
  test('a job that is essential', () => {
    const job = containerSpec('job', { restartPolicy: 'OnFailure', essential: true });
    expect(() => register([containerSpec('app'), job])).toThrow(
      refusal(/container job: essential: ECS ends the whole task/),
    );
  });

  test('jobs alone, unless the base has what runs on', () => {
    const jobs = [containerSpec('app', { restartPolicy: 'Never' })];
    expect(() => register(jobs)).toThrow(
      refusal(/container app: restartPolicy: a task of ECS needs a container/),
    );
    const [app, proxy] = base.containerDefinitions ?? [];
    expect(
      register(jobs, { containerDefinitions: [app ?? {}, { ...proxy, essential: true }] }),
    ).toBeDefined();
  });

  test('to wait for the health of what has no check', () => {
    const app = containerSpec('app', { dependsOn: [{ container: 'db', condition: 'Healthy' }] });
    expect(() => register([app, containerSpec('db')])).toThrow(
      refusal(/container app: dependsOn: ECS knows by a health check alone that db is healthy/),
    );
  });
});
