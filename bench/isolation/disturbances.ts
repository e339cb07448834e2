import { createTenant, inTurns, isReady, tenantsPath, until } from '../tenants.ts';
import type { ProbeKind } from './probes.ts';
import { instance, namespace } from '../site.ts';
import type { Site } from '../site.ts';

/** Something bad that happens to others than the probes. */
export interface Disturbance {
  readonly name: string;
  /** Whose changes are timed: where the engine itself is away, those of the other provider. */
  readonly probe: ProbeKind;
  /** What both runs begin with. */
  before?(site: Site): Promise<void>;
  begin(site: Site): Promise<void>;
  end(site: Site): Promise<void>;
}

export interface Sizes {
  /** Tenants in an engine or account that hangs. */
  readonly crowd: number;
  /** Containers that are deleted at once, each taking its grace. */
  readonly deletions: number;
}

const victim = 'victim';
const graceSeconds = 10;

export function disturbancesOf({ crowd, deletions }: Sizes): readonly Disturbance[] {
  return [
    aboutOneContainer('one container answers 500 to inspect', {
      status: 500,
      message: 'RWLayer of container is unexpectedly nil',
    }),
    aboutOneContainer('one container whose inspect hangs', 'hang'),
    {
      name: `${crowd} tenants on an engine that hangs`,
      probe: 'mock',
      begin: async (site) => {
        site.engine.freeze();
        await createCrowd(site, crowd, { computeProvider: 'docker' });
      },
      end: async (site) => {
        await deleteCrowd(site);
        site.engine.thaw();
        await untilCrowdGone(site);
      },
    },
    {
      name: `${crowd} tenants in an ECS account that hangs`,
      probe: 'docker',
      begin: async (site) => {
        site.ecs.setFault(() => ({ kind: 'hang' }));
        await createCrowd(site, crowd, { computeProvider: 'ecs' });
      },
      end: async (site) => {
        await deleteCrowd(site);
        site.ecs.setFault(undefined);
        await untilCrowdGone(site);
      },
    },
    secretsRefused(crowd),
    {
      name: 'a namespace that is gone',
      probe: 'mock',
      before: (site) => site.startOperator({ namespaces: [namespace] }),
      begin: (site) => site.startOperator({ namespaces: [namespace, 'gone'] }),
      end: (site) => site.startOperator(),
    },
    slowDeletions(deletions),
  ];
}

function aboutOneContainer(
  name: string,
  answer: 'hang' | { readonly status: number; readonly message: string },
): Disturbance {
  return {
    name,
    probe: 'docker',
    begin: async (site) => {
      await createTenant(site, victim, { computeProvider: 'docker' });
      await until(`${victim} is Ready`, () => isReady(site.fleet.get(victim)));
      const label = [`landlord.owner=${instance}`, `landlord.tenant_name=${victim}`];
      const [found] = await site.docker.listContainers({ filters: { label } });
      if (found === undefined) throw new Error(`${victim} has no container`);
      const { Id, Names } = found;
      const called = [Id, ...Names.map((each) => each.replace('/', ''))];
      const isAsked = new RegExp(`/containers/(${called.join('|')})/json`);
      site.engineProxy.answerBy((_method, url) => (isAsked.test(url) ? answer : undefined));
      // So that somebody asks.
      await site.docker.getContainer(Id).kill();
    },
    end: async (site) => {
      if (site.engineProxy.answerBy(undefined) === 0) throw new Error(`nobody has asked about ${victim}`);
      await site.request('DELETE', `${tenantsPath}/${victim}`);
      await until(`${victim} is gone`, () => site.fleet.get(victim) === undefined);
    },
  };
}

function secretsRefused(crowd: number): Disturbance {
  const secret = 'crowd';
  const secretsPath = `/api/v1/namespaces/${namespace}/secrets`;
  const env = [{ name: 'VALUE', valueFrom: { secretKeyRef: { name: secret, key: 'value' } } }];
  return {
    name: `no right to read the Secrets of ${crowd} tenants`,
    probe: 'mock',
    before: async (site) => {
      await site.request('POST', secretsPath, { metadata: { name: secret }, stringData: { value: '1' } });
      const containers = [{ name: 'app', image: 'app:1', env }];
      await createCrowd(site, crowd, { computeProvider: 'mock', containers });
      await until('the tenants with Secrets are Ready', () => crowdOf(site).every(isReady));
      await site.startOperator();
    },
    begin: async (site) => {
      await site.grantSecrets(false);
      await site.startOperator();
    },
    end: async (site) => {
      await site.grantSecrets(true);
      await site.startOperator();
      await deleteCrowd(site);
      await untilCrowdGone(site);
      await site.request('DELETE', `${secretsPath}/${secret}`);
    },
  };
}

/** Of containers that run already, and end only once their grace is over. */
export function slowDeletions(count: number): Disturbance {
  return {
    name: `${count} deletions that take a grace of ${graceSeconds} s`,
    probe: 'docker',
    before: async (site) => {
      const app = { name: 'app', image: site.image, args: ['ignore-term'] };
      const containers = [{ ...app, stopGracePeriodSeconds: graceSeconds }];
      await createCrowd(site, count, { computeProvider: 'docker', containers });
      await until('those to be deleted are Ready', () => crowdOf(site).every(isReady), 900_000);
    },
    begin: deleteCrowd,
    end: untilCrowdGone,
  };
}

const crowdName = (index: number): string => `crowd-${index}`;

function crowdOf(site: Site) {
  return site.fleet.tenants().filter(({ metadata }) => metadata.name.startsWith('crowd-'));
}

async function createCrowd(site: Site, count: number, spec: Record<string, unknown>): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => crowdName(index));
  await inTurns(names, (name) => createTenant(site, name, spec));
  await until('all are there', () => crowdOf(site).length === count);
}

async function deleteCrowd(site: Site): Promise<void> {
  const names = crowdOf(site).map(({ metadata }) => metadata.name);
  await inTurns(names, (name) => site.request('DELETE', `${tenantsPath}/${name}`));
}

async function untilCrowdGone(site: Site): Promise<void> {
  await until('the others are gone', () => crowdOf(site).length === 0, 900_000);
}
