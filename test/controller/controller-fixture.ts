import { onTestFinished, vi } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { apiVersion, kind } from '../../src/api/names.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { Tenant, TenantSpecSchema } from '../../src/api/tenant.ts';
import { configMapsResource, secretsResource, tenantsResource } from '../../src/controller/kube-resources.ts';
import type { ConfigMapObject, SecretObject } from '../../src/controller/sources/source.ts';
import { createTenantController } from '../../src/controller/tenant-controller.ts';
import type { TenantController, TenantControllerOptions } from '../../src/controller/tenant-controller.ts';
import type { EventInput } from '../../src/kube/events/event-recorder.ts';
import { resource } from '../../src/kube/client/resource.ts';
import type { Resource } from '../../src/kube/client/resource.ts';
import { recordingLogger } from '../kube/recording-logger.ts';
import type { LogLine } from '../kube/recording-logger.ts';
import { createMemoryApiserver } from './memory-apiserver.ts';
import type { ApiRequest, MemoryApiserver } from './memory-apiserver.ts';
import { block } from './scripted-provider.ts';
import type { ScriptedProvider } from './scripted-provider.ts';

/** The real controller over an apiserver and providers in memory, on a clock that only the test moves. */
export interface ControllerFixture {
  readonly apiserver: MemoryApiserver;
  readonly controller: TenantController;
  readonly tenants: Resource<Tenant>;
  readonly secrets: Resource<SecretObject>;
  readonly events: EventInput[];
  readonly lines: LogLine[];
  /** Keys of the passes so far. */
  readonly passes: string[];
  /** Moves the clock by `ms`, and lets all that is due happen. */
  pass(ms?: number): Promise<void>;
  create(
    name: string,
    spec?: Record<string, unknown>,
    metadata?: Partial<Tenant['metadata']>,
  ): Promise<Tenant>;
  get(name: string): Promise<Tenant>;
  /** Merge patch, as a user. */
  patch(name: string, patch: unknown): Promise<Tenant>;
  putSecret(name: string, values: Record<string, string>): Promise<void>;
  putConfigMap(name: string, data: Record<string, string>): Promise<void>;
  /** The operator's writes since the last call: `PATCH tenants/acme/status`. */
  writes(): string[];
  /** `Ready=True/Running` for each condition. */
  conditions(name: string): Promise<string[]>;
  message(name: string): Promise<string | undefined>;
  /** Events since the last call: `Warning Drifted`. */
  news(): string[];
  stop(): Promise<void>;
}

export const namespace = 'team-a';

/** The instant at which each test begins. */
export const startOfTest = new Date('2026-01-01T00:00:00Z');

export interface FixtureOptions extends Partial<TenantControllerOptions> {
  readonly apiserver?: MemoryApiserver;
  /** Aborts once the controller may not act any more; as its end, too. */
  readonly lost?: AbortSignal;
}

const specSchemas = new Map<string, TenantSpecSchema>();

/** With the scripted providers' block for each name. One is for all tests that need the same. */
function specSchemaOf(names: readonly string[]): TenantSpecSchema {
  const key = names.join(' ');
  const schema =
    specSchemas.get(key) ?? tenantSpecSchema(Object.fromEntries(names.map((name) => [name, block])));
  specSchemas.set(key, schema);
  return schema;
}

/** Starts it; it is stopped when the test ends. Jitter is left out: half of each back-off, nothing on top. */
export async function startController(
  providers: readonly ScriptedProvider[],
  options: FixtureOptions = {},
): Promise<ControllerFixture> {
  if (!vi.isFakeTimers()) takeClock();
  const apiserver = options.apiserver ?? createMemoryApiserver();
  const user = apiserver.clientOf('user');
  const tenants = resource<Tenant>(user, tenantsResource);
  const secrets = resource<SecretObject>(user, secretsResource);
  const configMaps = resource<ConfigMapObject>(user, configMapsResource);
  const events: EventInput[] = [];
  const passes: string[] = [];
  const { logger, lines } = recordingLogger();
  const controller = createTenantController({
    client: apiserver.clientOf('operator'),
    specSchema: specSchemaOf(providers.map(({ enabled }) => enabled.definition.name)),
    providers: new Map(providers.map(({ enabled }) => [enabled.definition.name, enabled])),
    events: { emit: (event) => void events.push(event), flush: async () => true },
    logger,
    instance: 'default',
    concurrency: 4,
    namespaces: [],
    tenantSelector: '',
    freeTenantIds: () => true,
    metrics: { queue: { onDone: (key) => void passes.push(key) } },
    ...options,
  });
  let written = apiserver.requests.filter(isWriteOfOperator).length;
  const stop = new AbortController();
  options.lost?.addEventListener('abort', () => stop.abort());
  const running = controller.run(stop.signal, 20_000, options.lost);
  const pass = async (ms = 0): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };
  onTestFinished(async () => {
    stop.abort();
    await vi.advanceTimersByTimeAsync(30_000);
    await running;
  });
  await pass();

  const get = async (name: string): Promise<Tenant> => {
    const tenant = await tenants.get(name, namespace);
    if (tenant === undefined) throw new Error(`there is no Tenant ${name}`);
    return tenant;
  };
  let told = 0;
  return {
    apiserver,
    controller,
    tenants,
    secrets,
    events,
    lines,
    passes,
    pass,
    get,
    async create(name, spec = {}, metadata = {}) {
      const object = { apiVersion, kind, metadata: { ...metadata, name, namespace }, spec };
      const tenant = await tenants.create(object);
      await pass();
      return tenant;
    },
    async patch(name, patch) {
      const tenant = await tenants.mergePatch(name, namespace, patch);
      await pass();
      return tenant;
    },
    async putConfigMap(name, data) {
      const known = await configMaps.get(name, namespace);
      if (known === undefined) await configMaps.create({ metadata: { name, namespace }, data });
      else await configMaps.mergePatch(name, namespace, { data });
      await pass();
    },
    async putSecret(name, values) {
      const data = Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      const known = await secrets.get(name, namespace);
      if (known === undefined) await secrets.create({ metadata: { name, namespace }, type: 'Opaque', data });
      else await secrets.mergePatch(name, namespace, { data });
      await pass();
    },
    writes() {
      const all = apiserver.requests.filter(isWriteOfOperator);
      return all.slice(written, (written = all.length)).map(shortRequest);
    },
    async conditions(name) {
      const { status } = await get(name);
      return (status?.conditions ?? []).map(
        ({ type, status: value, reason }) => `${type}=${value}/${reason}`,
      );
    },
    async message(name) {
      return findCondition((await get(name)).status?.conditions, 'Ready')?.message;
    },
    news() {
      return events.slice(told, (told = events.length)).map(({ type, reason }) => `${type} ${reason}`);
    },
    async stop() {
      stop.abort();
      await pass(30_000);
      await running;
    },
  };
}

function takeClock(): void {
  vi.useFakeTimers({ now: startOfTest });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

function isWriteOfOperator({ user, method }: ApiRequest): boolean {
  return user === 'operator' && !['GET', 'WATCH'].includes(method);
}

function shortRequest({ method, path }: ApiRequest): string {
  return `${method} ${path.replace(/^.*\/namespaces\/[^/]+\//, '')}`;
}
