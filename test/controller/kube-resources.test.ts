import { expect, test } from 'vitest';
import { secretsResource, tenantsResource } from '../../src/controller/kube-resources.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { createMemoryApiserver } from './memory-apiserver.ts';

test.each([tenantsResource, secretsResource])(
  'one of $plural is never asked for without its namespace',
  async (type) => {
    const apiserver = createMemoryApiserver();
    const objects = resource(apiserver.clientOf('operator'), type);
    await expect(objects.get('acme')).rejects.toThrow(`${type.plural} acme: a namespace is needed`);
    expect(apiserver.requests).toEqual([]);
  },
);
