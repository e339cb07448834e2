import { describe, expect, it } from 'vitest';
import {
  engineIdIn,
  engineIdOf,
  engineText,
  isSameEngine,
} from '../../../../../src/compute/providers/docker/engine/engine-id.ts';
import { never, standInEngine, testClient } from '../engine-stand-in.ts';

describe('which engine it is', () => {
  it('is its id, and its data root where two engines of one machine share the id', () => {
    const usual = engineIdIn({ ID: 'A', DockerRootDir: '/var/lib/docker' });
    const beside = engineIdIn({ ID: 'A', DockerRootDir: '/srv/docker' });
    expect([usual, beside]).toEqual([{ engineId: 'A' }, { engineId: 'A', dataRoot: '/srv/docker' }]);
    expect(isSameEngine(usual, beside)).toBe(false);
    expect(isSameEngine(beside, { engineId: 'A', dataRoot: '/srv/docker' })).toBe(true);
    expect([usual, beside].map((id) => id && engineText(id))).toEqual(['A', 'A with data in /srv/docker']);
  });

  it('is kept by a placement, and not told by one of an earlier version', () => {
    const place = { provider: 'docker', labelPrefix: 'landlord', tenantId: 'acme' };
    for (const id of [{ engineId: 'A' }, { engineId: 'A', dataRoot: '/srv/docker' }]) {
      expect(engineIdOf({ ...place, ...id, host: 'unix:///a' })).toEqual(id);
    }
    expect(engineIdOf(place)).toBeUndefined();
  });

  it("is told by the engine's /info; what tells none there is out of reach", async () => {
    const answers = ['{"ID":"A","DockerRootDir":"/srv/docker"}', '{"ID":""}'];
    const engine = await standInEngine((request, response) => {
      response.end(request.url === '/v1.41/info' ? answers.shift() : '');
    });
    const client = testClient({ host: engine.host });
    expect(client.address).toBe(engine.host);
    expect(await client.identify(never)).toEqual({ engineId: 'A', dataRoot: '/srv/docker' });
    await expect(client.identify(never)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: `Docker Engine at ${engine.host} does not tell its id in /info`,
    });
  });
});
