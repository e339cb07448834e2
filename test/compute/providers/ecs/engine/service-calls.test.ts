import { describe, expect, test } from 'vitest';
import { serviceCalls } from '../../../../../src/compute/providers/ecs/engine/service-calls.ts';
import { never } from '../client-fixture.ts';
import { clusterArn } from '../memory-ecs.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';
import { anyConsent } from '../../../permits.ts';

const scope = { region: 'us-west-2' };
const target = { scope, cluster: clusterArn, service: 'a' };
const createInput = { cluster: clusterArn, serviceName: 'a', taskDefinition: 'app:1' };
const updateInput = { cluster: clusterArn, service: 'a', desiredCount: 3 };
type Calls = ReturnType<typeof serviceCalls>;

const create = (calls: Calls) => calls.createService(scope, createInput, never);
const update = (calls: Calls) => calls.updateService(scope, updateInput, anyConsent, never);
const remove = (calls: Calls) => calls.deleteService(target, anyConsent, never);
const tag = (calls: Calls) => calls.tagResource(scope, 'arn:a', [{ key: 'k', value: 'v' }], never);
const untag = (calls: Calls) => calls.untagResource(scope, 'arn:a', ['k'], never);
const list = (calls: Calls) => Array.fromAsync(calls.listServices(target, never));

test.each<
  [action: string, call: (calls: Calls) => unknown, family: string, isRepeatable: boolean, input: object]
>([
  ['CreateService', create, 'serviceWrites', false, createInput],
  ['UpdateService', update, 'serviceWrites', false, updateInput],
  ['DeleteService', remove, 'serviceWrites', true, { cluster: clusterArn, service: 'a', force: true }],
  ['TagResource', tag, 'tagging', true, { resourceArn: 'arn:a', tags: [{ key: 'k', value: 'v' }] }],
  ['UntagResource', untag, 'tagging', true, { resourceArn: 'arn:a', tagKeys: ['k'] }],
])(
  '%s is asked for in these words, and made again only where that does nothing twice',
  async (action, call, family, isRepeatable, input) => {
    const connection = scriptedConnection([{ service: {} }]);
    await call(serviceCalls(connection));
    expect(connection.asked).toEqual([{ scope, action, family, isRepeatable, input }]);
  },
);

describe('a service', () => {
  const service = { serviceName: 'a' };
  test.each([create, update, remove])('is what the answer says: %o', async (call) => {
    await expect(call(serviceCalls(scriptedConnection([{ service }])))).resolves.toEqual(service);
  });

  test.each([
    [create, 'CreateService'],
    [update, 'UpdateService'],
    [remove, 'DeleteService'],
  ])('that the answer leaves out may or may not be there: %o', async (call, action) => {
    await expect(call(serviceCalls(scriptedConnection([{}])))).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: `ECS took ecs:${action} and answered without a service`,
    });
  });
});

describe('what ECS refuses', () => {
  const [exists, draining] = ['was not idempotent', 'is still draining'];
  test.each<[call: (calls: Calls) => Promise<unknown>, name: string, text: string, end: string]>([
    [create, 'ClientException', exists, 'exists'],
    [create, 'ClientException', draining, 'draining'],
    [create, 'ClusterNotFoundException', '', 'cluster-gone'],
    [create, 'ServiceNotActiveException', '', 'ProvisionFailed'],
    [create, 'ServiceNotFoundException', '', 'ProvisionFailed'],
    [update, 'ServiceNotFoundException', '', 'missing'],
    [update, 'ClusterNotFoundException', '', 'cluster-gone'],
    [update, 'ServiceNotActiveException', '', 'inactive'],
    [update, 'ClientException', draining, 'inactive'],
    [update, 'ClientException', exists, 'UpdateFailed'],
    [remove, 'ClusterNotFoundException', '', 'cluster-gone'],
    [remove, 'ServiceNotFoundException', '', 'missing'],
    [remove, 'ServiceNotActiveException', '', 'missing'],
    [remove, 'ClientException', draining, 'DestroyFailed'],
    [tag, 'ConflictException', '', 'UpdateFailed'],
    [tag, 'InvalidParameterException', '', 'InvalidSpec'],
    [untag, 'ConflictException', '', 'UpdateFailed'],
    [list, 'ServerlessException', '', 'ProviderUnavailable'],
  ])('%o as %s %j comes to %s', async (call, name, text, end) => {
    const told = call(serviceCalls(scriptedConnection([refusal(name, text)]))).catch(
      (error: { readonly code: string }) => error.code,
    );
    await expect(told).resolves.toBe(end);
  });
});

describe('the services of a cluster', () => {
  test('are read page by page as a sweep, and no page twice', async () => {
    const connection = scriptedConnection([
      { serviceArns: ['arn:aws:ecs:r:1:service/landlord/a', 'arn:aws:ecs:r:1:service/b'], nextToken: 'more' },
      {},
    ]);
    expect(await list(serviceCalls(connection))).toEqual([['a', 'b'], []]);
    expect(connection.asked.map(({ input }) => input)).toEqual([
      { cluster: clusterArn, maxResults: 100 },
      { cluster: clusterArn, maxResults: 100, nextToken: 'more' },
    ]);
    for (const call of connection.asked) {
      expect(call).toMatchObject({ family: 'serviceReads', priority: 'sweep', isRepeatable: true });
    }
  });

  test('are none where the cluster is gone', async () => {
    const connection = scriptedConnection([refusal('ClusterNotFoundException')]);
    expect(await list(serviceCalls(connection))).toEqual([]);
  });
});
