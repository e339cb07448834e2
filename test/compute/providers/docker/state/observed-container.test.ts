import { describe, expect, it } from 'vitest';
import {
  observeContainer,
  withInspect,
} from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import type {
  InspectedContainer,
  ListedContainer,
} from '../../../../../src/compute/providers/docker/state/container-answers.ts';
import type { ObservedContainer } from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import { describeConfinement } from '../../../../../src/compute/providers/docker/state/confinement/confinement.ts';
import { settings } from '../docker-fixture.ts';

const { ownership } = settings();

/** What the engine says, without what no test asks for. */
type Partly<T> = { readonly [K in keyof T]?: T[K] extends object | undefined ? Partly<T[K]> | null : T[K] };

const listed = (over: Partly<ListedContainer> = {}): ObservedContainer =>
  observeContainer(
    {
      Id: 'c1',
      Names: ['/app'],
      Image: 'app:1',
      Labels: { team: 'a' },
      State: 'running',
      Status: 'Up 2 hours',
      Ports: [],
      ...over,
    } as unknown as ListedContainer,
    ownership,
  );

interface Said {
  readonly RestartCount?: number;
  readonly State?: Partly<InspectedContainer['State']>;
  readonly HostConfig?: Partly<InspectedContainer['HostConfig']>;
  readonly Mounts?: readonly { readonly Name?: string; readonly Source: string; readonly RW: boolean }[];
}

const inspected = ({ State = {}, HostConfig = {}, ...over }: Said = {}): ObservedContainer =>
  withInspect(listed(), {
    Id: 'c1',
    Name: '/renamed',
    Created: '2026-01-01T00:00:00Z',
    State: { Status: 'running', ExitCode: 0, OOMKilled: false, StartedAt: '2026-01-01T00:00:01Z', ...State },
    Config: { Image: 'app:1', Labels: {} },
    HostConfig,
    ...over,
  } as unknown as InspectedContainer);

describe('a list', () => {
  it('tells who a container is, and nothing that only an inspect does', () => {
    expect(listed()).toEqual({
      id: 'c1',
      name: 'app',
      state: 'running',
      health: 'none',
      exitCode: undefined,
      young: false,
      image: 'app:1',
      imageId: '',
      labels: { team: 'a' },
      made: {
        tenantId: undefined,
        container: undefined,
        cluster: undefined,
        specHash: undefined,
        live: undefined,
        image: undefined,
      },
      ports: [],
      networkId: undefined,
      networkMode: '',
      networks: [],
      volumes: [],
      inspected: undefined,
    });
  });

  it('tells by its labels how it was made', () => {
    const Labels = ownership.of({
      tenantId: 'acme',
      tenant: { namespace: 'team-a', name: 'acme', uid: 'u' },
    });
    const own = {
      'landlord.container': 'app',
      'landlord.spec_hash': 'v1:0',
      'landlord.live': '0/0/no',
    };
    expect(listed({ Labels: { ...Labels, ...own } }).made).toEqual({
      tenantId: 'acme',
      container: 'app',
      cluster: 'cluster-1',
      specHash: 'v1:0',
      live: '0/0/no',
    });
  });

  it.each<[string, string, number | undefined]>([
    ['exited', 'Exited (137) 2 minutes ago', 137],
    ['exited', 'Exited (-1) 2 minutes ago', -1],
    ['restarting', 'Restarting (3) 1 second ago', 3],
    ['dead', 'Dead (1)', 1],
    ['exited', 'Exited', undefined],
    ['running', 'Up 2 hours (1)', undefined],
    ['created', 'Created', undefined],
  ])('of one that is %s, "%s", tells the code %s', (State, Status, exitCode) => {
    expect(listed({ State, Status }).exitCode).toBe(exitCode);
  });

  it.each([
    ['Up Less than a second', true],
    ['Up 59 seconds', true],
    ['Up About a minute (healthy)', true],
    ['Up 4 minutes', true],
    ['Up 5 minutes', false],
    ['Up About an hour', false],
    ['Up 3 days (unhealthy)', false],
  ])('%s: young is %s', (Status, young) => {
    expect(listed({ Status }).young).toBe(young);
  });

  it.each([
    ['Up 3 days (unhealthy)', 'unhealthy'],
    ['Up 2 seconds (health: starting)', 'starting'],
    ['Up 2 hours (healthy)', 'healthy'],
    ['Up 2 hours (Paused)', 'none'],
  ])('%s: health is %s', (Status, health) => {
    expect(listed({ Status }).health).toBe(health);
  });

  it('calls young only what runs', () => {
    expect(listed({ Status: 'Up 1 second' }).young).toBe(true);
    expect(listed({ Status: 'Up 1 minute' }).young).toBe(true);
    expect(listed({ State: 'paused', Status: 'Up 1 second (Paused)' }).young).toBe(false);
  });

  it('names the network that it is attached to', () => {
    const networks = (...ids: string[]) =>
      listed({
        NetworkSettings: {
          Networks: Object.fromEntries(ids.map((NetworkID, at) => [`n${at}`, { NetworkID }])),
        },
      }).networkId;
    expect(networks('n1')).toBe('n1');
    expect(networks('', 'n2')).toBe('n2');
    expect(networks('')).toBeUndefined();
    expect(listed({ NetworkSettings: { Networks: null } }).networkId).toBeUndefined();
    expect(listed({ NetworkSettings: null }).networkId).toBeUndefined();
  });

  it('tells the published ports, in an order that stays', () => {
    const port = (IP: string, PublicPort: number, PrivatePort: number, Type: string) => ({
      IP,
      PublicPort,
      PrivatePort,
      Type,
    });
    const ports = [
      port('::', 8081, 80, 'tcp'),
      port('0.0.0.0', 8081, 80, 'tcp'),
      port('0.0.0.0', 9000, 53, 'udp'),
      port('0.0.0.0', 9001, 53, 'tcp'),
      port('', 0, 443, 'tcp'),
    ];
    const expected = ['9001→53/tcp 0.0.0.0', '9000→53/udp 0.0.0.0', '8081→80/tcp 0.0.0.0', '8081→80/tcp ::'];
    for (const Ports of [ports, ports.toReversed()]) {
      expect(
        listed({ Ports }).ports.map(
          ({ address, hostPort, containerPort, protocol }) =>
            `${hostPort}→${containerPort}/${protocol} ${address}`,
        ),
      ).toEqual(expected);
    }
    expect(listed({ Ports: null }).ports).toEqual([]);
  });

  it('tells the name that is its own among links', () => {
    expect(listed({ Names: [] }).name).toBe('');
    expect(listed({ Names: ['/other/alias'] }).name).toBe('other/alias');
    expect(listed({ Names: ['/other/alias', '/own'] }).name).toBe('own');
  });
});

describe('an inspect', () => {
  it('comes later, and its word counts', () => {
    const name = inspected({ State: { Status: 'paused' } });
    expect(name).toMatchObject({ id: 'c1', name: 'renamed', state: 'paused', labels: { team: 'a' } });
  });

  it('of which nothing is said means nothing', () => {
    expect(inspected().inspected).toEqual({
      createdMs: Date.parse('2026-01-01T00:00:00Z'),
      startedMs: Date.parse('2026-01-01T00:00:01Z'),
      finishedMs: 0,
      exitCode: 0,
      oomKilled: false,
      error: '',
      restartCount: 0,
      lastProbe: '',
      image: 'app:1',
      live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 0, restartPolicy: 'no' },
      confinement: {
        capabilities: 'as the engine has it',
        newPrivileges: 'false',
        boundedLog: 'as the engine has it',
        init: 'false',
      },
      fixedPorts: [],
      writableMounts: [],
      networkMode: '',
      endpoints: {},
    });
  });

  it.each(['starting', 'healthy', 'unhealthy', 'none'])('tells the health %s', (Status) => {
    expect(inspected({ State: { Health: { Status } } }).health).toBe(Status);
  });

  it('tells no health where there is no check', () => {
    expect(inspected().health).toBe('none');
    expect(inspected({ State: { Health: { Status: '' } } }).health).toBe('none');
  });

  it.each<[string, number | undefined]>([
    ['exited', 3],
    ['restarting', 3],
    ['dead', 3],
    ['running', undefined],
    ['created', undefined],
  ])('tells the code of the last run of one that is %s: %s', (Status, exitCode) => {
    expect(inspected({ State: { Status, ExitCode: 3 } }).exitCode).toBe(exitCode);
  });

  it.each<[string, number]>([
    ['0001-01-01T00:00:00Z', 0],
    ['2026-01-01T00:00:00.5Z', Date.parse('2026-01-01T00:00:00.500Z')],
    ['soon', 0],
  ])('takes %s for the instant %i', (FinishedAt, ms) => {
    expect(inspected({ State: { FinishedAt } }).inspected?.finishedMs).toBe(ms);
  });

  it('tells limits and restart policy', () => {
    const limits = { NanoCpus: 5e8, Memory: 1e6, PidsLimit: 64 };
    const HostConfig = { ...limits, RestartPolicy: { Name: 'always' }, NetworkMode: 'host' };
    expect(inspected({ RestartCount: 2, HostConfig }).inspected).toMatchObject({
      restartCount: 2,
      live: { nanoCpus: 5e8, memoryBytes: 1e6, pidsLimit: 64, restartPolicy: 'always' },
      networkMode: 'host',
    });
    expect(inspected({ HostConfig: { RestartPolicy: { Name: '' } } }).inspected?.live.restartPolicy).toBe(
      'no',
    );
  });

  it.each([undefined, null, 0, -1])('takes a limit of processes of %s for none', (PidsLimit) => {
    expect(inspected({ HostConfig: { PidsLimit } }).inspected?.live.pidsLimit).toBe(0);
  });

  it('tells in the words of the spec how it is confined, however the engine says it', () => {
    const HostConfig = {
      CapDrop: ['ALL'],
      CapAdd: ['CAP_SETUID', 'CHOWN'],
      SecurityOpt: ['no-new-privileges:true'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      Init: true,
    };
    const held = describeConfinement({
      capabilities: ['CHOWN', 'SETUID'],
      newPrivileges: false,
      boundedLog: true,
      init: true,
    });
    expect(inspected({ HostConfig }).inspected?.confinement).toEqual(held);
    const free = { CapDrop: null, SecurityOpt: ['no-new-privileges:false', 'apparmor=x'] };
    expect(inspected({ HostConfig: free }).inspected?.confinement).toEqual({
      capabilities: 'as the engine has it',
      newPrivileges: 'false',
      boundedLog: 'as the engine has it',
      init: 'false',
    });
  });

  it('tells the host ports that were asked for by number, and no others', () => {
    const PortBindings = {
      '80/tcp': [{ HostPort: '8080' }, { HostPort: '8081' }],
      '53/udp': [{ HostPort: '53' }],
      '1/tcp': [{ HostPort: '' }],
      '2/tcp': [{ HostPort: '0' }],
      '3/tcp': [{}],
      '4/tcp': null,
      '5': [{ HostPort: '5' }],
    };
    expect(inspected({ HostConfig: { PortBindings } }).inspected?.fixedPorts.toSorted()).toEqual([
      '5/tcp',
      '53/udp',
      '8080/tcp',
      '8081/tcp',
    ]);
  });

  it('tells the volumes by name and the bind mounts by path that it can write to', () => {
    const Mounts = [
      { Name: 'data', Source: '/var/lib/docker/volumes/data/_data', RW: true },
      { Source: '/srv', RW: true },
      { Name: 'read', Source: '/var/lib/docker/volumes/read/_data', RW: false },
    ];
    expect(inspected({ Mounts }).inspected?.writableMounts).toEqual(['data', '/srv']);
  });

  it('tells why it could not be started', () => {
    const Error = 'driver failed on endpoint web: port is already allocated';
    expect(inspected({ State: { Error } }).inspected?.error).toBe(Error);
    expect(inspected().inspected?.error).toBe('');
  });

  it('has what the last probe said, and not all of what no engine would keep', () => {
    const probe = (...outputs: string[]) =>
      inspected({
        State: { Health: { Status: 'unhealthy', Log: outputs.map((Output) => ({ Output })) } },
      }).inspected?.lastProbe;
    expect(probe('first', '\n no answer\nat all')).toBe('\n no answer\nat all');
    expect(probe('x'.repeat(5_000))).toBe('x'.repeat(4_096));
    expect(probe()).toBe('');
  });
});
