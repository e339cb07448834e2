import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { imageId, memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerOperator, withImage } from './docker-operator.ts';
import type { DockerOperatorOptions } from './docker-operator.ts';

const secret = 'registry.example/team-a/secret-app:1';
const settled = 'Every container is as desired';
const regcred = { imagePullSecrets: [{ name: 'regcred' }] };
const login = (username: string) => ({ auths: { 'registry.example': { username, password: 'p' } } });
const refused = new ComputeError('ImageUnavailable', 'unauthorized');

/** An engine before a registry that lets these users have its images, and nobody else. */
function privateRegistry(users: readonly string[], present: readonly string[] = []) {
  const engine = memoryEngine(present);
  for (const image of present) engine.pulledImages.add(image);
  const state = { users: [...users], isDown: false };
  const pull = engine.pullImage.bind(engine);
  const asked: string[] = [];
  const letIn = (username = 'nobody') => {
    if (state.isDown) throw new ComputeError('ImageUnavailable', 'connection refused');
    if (!state.users.includes(username)) throw refused;
  };
  engine.pullImage = async (image, terms, ...rest) => {
    letIn(terms?.auth?.username);
    await pull(image, terms, ...rest);
  };
  engine.askRegistry = async (image, auth) => {
    asked.push(`${image} by ${auth?.username ?? 'nobody'}`);
    letIn(auth?.username);
    return imageId(image);
  };
  const operator = (options: DockerOperatorOptions = {}) =>
    dockerOperator({
      engine,
      pullSecrets: { 'team-a/regcred': login('a'), 'team-b/regcred': login('b') },
      ...options,
    });
  return { engine, asked, state, operator };
}

describe("an image that another tenant's credentials brought to the engine", () => {
  test('is not for who has none, or others that the registry refuses', async () => {
    const { engine, asked, operator } = privateRegistry(['a']);
    const { settle, requests } = operator();
    expect(await settle('team-a', withImage(secret, regcred))).toBe(settled);
    expect(asked).toEqual([]);
    for (const spec of [withImage(secret), withImage(secret, regcred)]) {
      expect(await settle('team-b', spec)).toBe('ImageUnavailable: unauthorized');
    }
    expect(asked).toEqual([`${secret} by nobody`, `${secret} by b`]);
    expect(Object.keys(requests())).toEqual(['landlord-tenant-team-a-acme-9201d5e7']);
    expect(engine.containers.size).toBe(1);
  });

  test('nor after the operator was started anew', async () => {
    const { operator } = privateRegistry(['a'], [secret]);
    expect(await operator().settle('team-b', withImage(secret))).toBe('ImageUnavailable: unauthorized');
  });

  test('is for who has credentials that the registry takes, and is asked for once', async () => {
    const { asked, operator } = privateRegistry(['a', 'b'], [secret]);
    const { settle } = operator();
    for (const name of ['one', 'two', 'three']) {
      expect(await settle('team-b', withImage(secret, regcred), name)).toBe(settled);
    }
    expect(asked).toEqual([`${secret} by b`]);
  });

  test('is asked for once more where it has become another one', async () => {
    const { engine, asked, operator } = privateRegistry(['b'], [secret]);
    const { settle } = operator();
    expect(await settle('team-b', withImage(secret, regcred), 'one')).toBe(settled);
    const inspect = engine.inspectImage.bind(engine);
    engine.inspectImage = async (...args) => {
      const found = await inspect(...args);
      return found && { ...found, Id: imageId('registry.example/other:1') };
    };
    engine.images.add('registry.example/other:1');
    expect(await settle('team-b', withImage(secret, regcred), 'two')).toBe(settled);
    expect(asked).toHaveLength(2);
  });

  test('is for all, where the registry gives it to anybody', async () => {
    const { asked, operator } = privateRegistry(['nobody'], [secret]);
    const { settle } = operator();
    expect(await settle('team-a', withImage(secret))).toBe(settled);
    expect(await settle('team-b', withImage(secret))).toBe(settled);
    expect(asked).toEqual([`${secret} by nobody`]);
  });

  test("is for the namespaces of the operator's own credentials alone", async () => {
    const { operator } = privateRegistry(['op'], [secret]);
    const registries = { 'registry.example': { username: 'op', password: 'p', namespaces: ['team-a'] } };
    const { settle } = operator({ docker: { registries } });
    expect(await settle('team-a', withImage(secret))).toBe(settled);
    expect(await settle('team-b', withImage(secret))).toBe('ImageUnavailable: unauthorized');
  });
});

describe('while the registry is down', () => {
  test('what runs is made again of its own image, and nothing else is made of one that was not granted', async () => {
    const { engine, state, operator } = privateRegistry(['a'], [secret]);
    expect(await operator().settle('team-a', withImage(secret, regcred))).toBe(settled);
    state.isDown = true;
    const anew = operator();
    const changed = { containers: [{ name: 'app', image: secret, args: ['x'] }], ...regcred };
    expect(await anew.settle('team-b', changed)).toBe('ImageUnavailable: connection refused');
    expect(await anew.apply('team-a', changed)).not.toMatch(/^ImageUnavailable/);
    expect([...engine.containers.values()].map(({ body }) => body.Cmd)).toContainEqual(['x']);
  });

  test('an image that the operator says needs no word of it is taken', async () => {
    const { state, asked, operator } = privateRegistry([], [secret]);
    state.isDown = true;
    const policy = {
      namespaces: [{ names: ['team-a'], docker: { unverified_images: ['registry.example/team-a/*'] } }],
    };
    const { settle } = operator({ policy });
    expect(await settle('team-a', withImage(secret))).toBe(settled);
    expect(await settle('team-b', withImage(secret))).toBe('ImageUnavailable: connection refused');
    expect(asked).toEqual([`${secret} by nobody`]);
  });
});

describe('an image that comes from no registry', () => {
  test('is taken by default, and nobody is asked', async () => {
    const { operator, asked } = privateRegistry([]);
    const { engine, settle } = operator({ engine: memoryEngine(['built:1']) });
    expect(await settle('team-a', withImage('built:1'))).toBe(settled);
    expect(asked).toEqual([]);
    expect(engine.calls).not.toContain('askRegistry');
  });

  test('is refused where the policy says so', async () => {
    const policy = { docker: { allow_local_images: false } };
    const { engine, settle } = dockerOperator({ engine: memoryEngine(['built:1']), policy });
    expect(await settle('team-a', withImage('built:1'))).toMatch(
      /^PolicyDenied: policy\.docker\.allow_local_images: image built:1 comes from no registry/,
    );
    expect(engine.containers.size).toBe(0);
  });
});

describe('a name that an engine could take for an id', () => {
  const hexName = 'cafe';

  test('is asked for whole, and leads to no other image', async () => {
    const engine = memoryEngine(['registry.example/hr/payroll:1']);
    const asked: string[] = [];
    // As the engine does: by the first digits of an id, where it knows no such name.
    engine.inspectImage = async (name) => {
      asked.push(name);
      return { Id: `sha256:${hexName}0123`, RepoTags: ['registry.example/hr/payroll:1'] } as never;
    };
    const { apply, requests } = dockerOperator({ engine });
    expect(await apply('team-a', withImage(hexName))).toBe('Pulling cafe');
    expect(asked).toEqual(['docker.io/library/cafe:latest']);
    expect(requests()).toEqual({});
  });
});

test('a container is made of the image that was looked at, and bears the name that it was asked for by', async () => {
  const { engine, settle } = dockerOperator({ engine: memoryEngine(['app:1']) });
  expect(await settle('team-a', withImage('app:1'))).toBe(settled);
  const [container] = engine.containers.values();
  expect(container?.askedFor).toBe(imageId('app:1'));
  expect(container?.body.Labels?.['landlord.image']).toBe('app:1');
});
