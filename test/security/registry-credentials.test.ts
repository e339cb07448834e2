import { expect, test } from 'vitest';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerOperator, withImage } from './docker-operator.ts';

/** Who pulls what, on behalf of whom. */
function registry(options: Parameters<typeof dockerOperator>[0]) {
  const engine = memoryEngine();
  const pulls: string[] = [];
  const pull = engine.pullImage.bind(engine);
  engine.pullImage = async (image, terms, ...rest) => {
    pulls.push(`${image} by ${terms?.auth?.username ?? 'nobody'}`);
    await pull(image, terms, ...rest);
  };
  const operator = dockerOperator({ ...options, engine });
  return async (namespace: string, image: string, more: object = {}) => {
    pulls.length = 0;
    await operator.settle(namespace, withImage(image, more), `t${engine.containers.size}`);
    return pulls;
  };
}

const entry = (username: string, more: object = {}) => ({ username, password: 'p', ...more });

test("the operator's credentials for a path are not given to what is beside it", async () => {
  const pulled = registry({ docker: { registries: { 'registry.example/team-a': entry('op') } } });
  expect(await pulled('team-b', 'registry.example/hr/payroll:1')).toEqual([
    'registry.example/hr/payroll:1 by nobody',
  ]);
  expect(await pulled('team-b', 'registry.example/team-ab/app:1')).toEqual([
    'registry.example/team-ab/app:1 by nobody',
  ]);
  expect(await pulled('team-b', 'registry.example:5000/team-a/app:1')).toEqual([
    'registry.example:5000/team-a/app:1 by nobody',
  ]);
  expect(await pulled('team-b', 'registry.example/team-a/app:1')).toEqual([
    'registry.example/team-a/app:1 by op',
  ]);
});

test("the operator's credentials are for the namespaces that they name, and for those that the policy does", async () => {
  const pulled = registry({
    docker: { registries: { 'registry.example': entry('op', { namespaces: ['team-a'] }) } },
    policy: { namespaces: [{ names: ['team-b'], docker: { allowed_registries: ['registry.example'] } }] },
  });
  expect(await pulled('team-a', 'registry.example/app:1')).toEqual(['registry.example/app:1 by op']);
  expect(await pulled('team-b', 'registry.example/app:2')).toEqual(['registry.example/app:2 by op']);
  expect(await pulled('team-c', 'registry.example/app:3')).toEqual(['registry.example/app:3 by nobody']);
  expect(await pulled('team', 'registry.example/app:4')).toEqual(['registry.example/app:4 by nobody']);
});

test("a tenant's own credentials for a path are not given to what is beside it", async () => {
  const pulled = registry({
    pullSecrets: {
      'team-a/regcred': { auths: { 'https://registry.example/v2/team-a': entry('a') } },
    },
  });
  const own = { imagePullSecrets: [{ name: 'regcred' }] };
  expect(await pulled('team-a', 'registry.example/hr/payroll:1', own)).toEqual([
    'registry.example/hr/payroll:1 by nobody',
  ]);
  expect(await pulled('team-a', 'registry.example/team-a/app:1', own)).toEqual([
    'registry.example/team-a/app:1 by a',
  ]);
});
