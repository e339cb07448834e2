import { describe, expect, it } from 'vitest';
import { dockerRequests } from './docker-requests.ts';
import type { DockerOperatorOptions as Operator } from './docker-operator.ts';

/** What one container of a Tenant may ask of its host, beside others that ask for nothing. */

type Fields = Readonly<Record<string, unknown>>;

const policy = (docker: Fields): Operator => ({ policy: { docker } });

/** Of the container that asks, and of the one that does not. */
async function hostConfigs(fields: Fields, operator: Operator = {}, block: Fields = {}) {
  const containers = [
    { name: 'app', image: 'app:1', ...fields },
    { name: 'db', image: 'db:1' },
  ];
  const bodies = await dockerRequests({ containers, computeConfig: { docker: block } }, operator);
  const [app = {}, db = {}] = bodies.map(({ HostConfig }) => HostConfig);
  return { app, db };
}

describe('capabilities', () => {
  it('are dropped without leave, and added from the default ones again', async () => {
    const { app, db } = await hostConfigs({ capabilities: { add: ['CHOWN'], drop: ['ALL'] } });
    expect([app.CapDrop, app.CapAdd]).toEqual([['ALL'], ['CHOWN']]);
    expect(db.CapAdd).toContain('SETUID');
    const { app: less } = await hostConfigs({ capabilities: { drop: ['SETUID'] } });
    expect(less.CapAdd).toContain('CHOWN');
    expect(less.CapAdd).not.toContain('SETUID');
  });

  it('beyond those need the rule, by name, and are of the one container alone', async () => {
    const asked = { capabilities: { add: ['NET_ADMIN'] } };
    await expect(hostConfigs(asked)).rejects.toThrow(
      /^PolicyDenied: policy\.docker\.allow_capabilities: container app: capabilities\.add .*NET_ADMIN/,
    );
    const { app, db } = await hostConfigs(asked, policy({ allow_capabilities: ['NET_ADMIN'] }));
    expect(app.CapAdd).toContain('NET_ADMIN');
    expect(db.CapAdd).not.toContain('NET_ADMIN');
  });

  it('that all containers have from the block are dropped as well', async () => {
    const operator = policy({ allow_capabilities: ['NET_RAW'] });
    const asked = { capabilities: { drop: ['NET_RAW'] } };
    const { app, db } = await hostConfigs(asked, operator, { cap_add: ['NET_RAW'] });
    expect(app.CapAdd).not.toContain('NET_RAW');
    expect(db.CapAdd).toContain('NET_RAW');
  });
});

describe('sysctls', () => {
  const set = (name: string): Fields => ({ sysctls: [{ name, value: '1' }] });

  it('that do no harm to others need no leave', async () => {
    const { app, db } = await hostConfigs(set('net.ipv4.ip_unprivileged_port_start'));
    expect(app.Sysctls).toEqual({ 'net.ipv4.ip_unprivileged_port_start': '1' });
    expect(db.Sysctls).toBeUndefined();
  });

  it.each<[string, string[]]>([
    ['net.ipv4.ip_forward', ['net.ipv4.*']],
    ['kernel.shmmax', ['kernel.shmmax']],
    ['fs.mqueue.msg_max', ['fs.mqueue.*', 'net.*']],
  ])('%s needs the rule', async (name, allowed) => {
    await expect(hostConfigs(set(name))).rejects.toThrow(
      `PolicyDenied: policy.docker.allow_sysctls: container app: sysctl ${name} `,
    );
    expect((await hostConfigs(set(name), policy({ allow_sysctls: allowed }))).app.Sysctls).toEqual({
      [name]: '1',
    });
  });

  it.each(['net.ipv4', 'net.ipv4.ip_forward2', 'net.core.somaxconn'])(
    'a rule for one name is none for another: %s',
    async (rule) => {
      await expect(
        hostConfigs(set('net.ipv4.ip_forward'), policy({ allow_sysctls: [rule] })),
      ).rejects.toThrow(/allow_sysctls/);
    },
  );

  it('are granted to the namespaces that are named, beside the harmless ones', async () => {
    const docker = { allow_sysctls: ['net.ipv4.ip_forward'] };
    const open = (name: string): Operator => ({ policy: { namespaces: [{ names: [name], docker }] } });
    const asked = {
      sysctls: ['net.ipv4.ip_forward', 'net.core.somaxconn'].map((name) => ({ name, value: '1' })),
    };
    expect(Object.keys((await hostConfigs(asked, open('team-a'))).app.Sysctls ?? {})).toHaveLength(2);
    await expect(hostConfigs(asked, open('team-b'))).rejects.toThrow(/allow_sysctls/);
  });
});
