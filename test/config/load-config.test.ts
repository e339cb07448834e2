import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { providerDefinitions as providers } from '../../src/compute/registry.ts';
import { ConfigError, loadConfig, parseConfig, withOwnNamespace } from '../../src/config/load-config.ts';
import type { Environment } from '../../src/config/environment.ts';
import type { OperatorConfig } from '../../src/config/operator-config.ts';

/** The configuration example of docs/compute-providers.md. */
const documented = `
compute:
  docker:
    image: "nginx:latest"
    host: ""
    network_name: bridge
    network_driver: bridge
    label_prefix: landlord
  ecs:
    cluster_arn: "arn:aws:ecs:us-west-2:123456789012:cluster/landlord"
    task_definition_arn: "arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12"
    service_name_prefix: "landlord-tenant-"
`;

/** The whole of it, as the design shows it. */
const whole = `
instance: default
${documented.trim()}
  mock: {}
controller: {concurrency: 32, resync_interval: 5m, namespaces: [], tenant_selector: ""}
leader_election: {enabled: false, namespace: "", name: landlord, lease_duration: 15s, renew_deadline: 10s, retry_period: 2s}
server: {address: ":8080"}
log: {level: info, format: json}
policy:
  allowed_images: ["*"]
  max_resources: {cpu: "", memory: ""}
  docker: {allowed_host_paths: [], allow_host_network: false, allow_join_network: false}
  ecs:
    allowed_clusters: []
    allowed_regions: []
    allowed_roles: [{role_arn: "arn:aws:iam::123456789012:role/tenant", external_id: x-1, session_name: landlord}]
    allowed_task_definitions: []
    allowed_subnets: []
    allowed_security_groups: []
`;

const mock = 'compute: {mock: {}}';
const ecs = (more = ''): string => `${documented.slice(documented.indexOf('  ecs:'))}    ${more}`;

function parse(text: string, environment: Environment = {}): OperatorConfig {
  return parseConfig(text, '/etc/landlord.yaml', { providers, environment });
}

function refusal(text: string, environment?: Environment): string {
  try {
    parse(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'taken';
}

describe('parseConfig', () => {
  test('takes the documented example, and fills in the rest', () => {
    const config = parse(documented);
    expect(Object.keys(config.compute)).toEqual(['docker', 'ecs']);
    expect(config.compute['docker']).toMatchObject({
      image: 'nginx:latest',
      host: '',
      label_prefix: 'landlord',
      port_bind_address: '127.0.0.1',
      network_pool: '10.210.0.0/16',
    });
  });

  test('takes the whole config of the design, whose values are the defaults but for the roles', () => {
    const config = parse(whole);
    expect(Object.keys(config.compute)).toEqual(['docker', 'ecs', 'mock']);
    expect(config.policy).toMatchObject({ ecs: { allowed_roles: [{ external_id: 'x-1' }] } });
    const { compute, ...defaults } = parse(documented);
    expect({ ...parse(whole.replace(/allowed_roles: .*/, 'allowed_roles: []')), compute }).toEqual({
      ...defaults,
      compute,
    });
  });

  test.each(['compute: {mock: }', 'compute:\n  mock:\n'])(
    'enables a provider by an empty block: %j',
    (text) => {
      expect(parse(text).compute).toEqual({ mock: {} });
    },
  );

  test('allows tenants nothing that needs power over the host, unless told so', () => {
    expect(parse(mock).policy).toMatchObject({
      docker: { allowed_host_paths: [], allow_host_network: false, allow_join_network: false },
    });
  });
});

describe('each mistake is one line that names file and path:', () => {
  test.each([
    ['nothing at all', '', 'compute: no provider is enabled; add a block for one of: docker, ecs, mock'],
    [
      'no provider',
      'compute: {}',
      'compute: no provider is enabled; add a block for one of: docker, ecs, mock',
    ],
    [
      'blocks commented out',
      'compute:\n#  mock: {}',
      'compute: no provider is enabled; add a block for one of: docker, ecs, mock',
    ],
    [
      'an unknown provider',
      'compute: {podman: {}}',
      'compute.podman: is not a known provider; known are docker, ecs, mock',
    ],
    [
      'an unknown provider beside a known one',
      'compute: {mock: {}, dokcer: {}}',
      'compute.dokcer: is not a known provider; known are docker, ecs, mock',
    ],
    ['an unknown key', `${mock}\ncontrolller: {}`, 'controlller: is not a known key'],
    ['an unknown key below', `${mock}\ncontroller: {workers: 1}`, 'controller.workers: is not a known key'],
    [
      'an unknown key of a provider',
      'compute: {docker: {image: a, network: b}}',
      'compute.docker.network: is not a known key',
    ],
    [
      'an engine without an address',
      'compute: {docker: {image: a, engines: {edge: {}}}}',
      'compute.docker.engines.edge.host: is required',
    ],
    [
      'an engine at what is no address',
      'compute: {docker: {image: a, engines: {edge: {host: edge.example}}}}',
      'compute.docker.engines.edge.host: must start with unix://, tcp:// or ssh://',
    ],
    [
      'an engine whose name can be in no label',
      'compute: {docker: {image: a, engines: {Edge_1: {host: "unix:///e"}}}}',
      'compute.docker.engines.Edge_1: must be the name of an engine, such as edge-1',
    ],
    [
      'an engine that is listed twice',
      'compute: {docker: {image: a, engines: {edge: {host: "unix:///e"}, same: {host: "unix:///e"}}}}',
      'compute.docker.engines.same.host: leads to an engine that is listed already',
    ],
    [
      "an engine that is the block's own",
      'compute: {docker: {image: a, host: "unix:///e", engines: {edge: {host: "unix:///e"}}}}',
      'compute.docker.engines.edge.host: leads to an engine that is listed already',
    ],
    [
      'a default engine that is not listed',
      'compute: {docker: {image: a, engine: edge-2, engines: {edge-1: {host: "unix:///e"}}}}',
      'compute.docker.engine: is none of engines: edge-1',
    ],
    [
      'TLS for what is no tcp://',
      'compute: {docker: {image: a, host: "ssh://e", tls: {ca_file: c}}}',
      'compute.docker.tls: is for a host that starts with tcp:// alone',
    ],
    [
      'TLS for an engine that is no tcp://',
      'compute: {docker: {image: a, engines: {edge: {host: "ssh://e", tls: {}}}}}',
      'compute.docker.engines.edge.tls: is for a host that starts with tcp:// alone',
    ],
    [
      'a certificate without its key',
      'compute: {docker: {image: a, host: "tcp://e", tls: {cert_file: c}}}',
      'compute.docker.tls.key_file: one of cert_file and key_file is of no use without the other',
    ],
    ['docker without image', 'compute: {docker: {}}', 'compute.docker.image: is required'],
    ['docker without anything', 'compute: {docker: }', 'compute.docker.image: is required'],
    [
      'ecs without cluster',
      `compute:\n${ecs().replace(/ +cluster_arn.*\n/, '')}`,
      'compute.ecs.cluster_arn: is required',
    ],
    [
      'ecs without task definition',
      `compute:\n${ecs().replace(/ +task_def.*\n/, '')}`,
      'compute.ecs.task_definition_arn: is required',
    ],
    [
      'ecs without a name',
      `compute:\n${ecs().replace(/ +service_name.*\n/, '')}`,
      'compute.ecs.service_name_prefix: is required where service_name is not given: one of them names the service',
    ],
    [
      'ecs without anything',
      'compute: {ecs: {}}',
      'compute.ecs.cluster_arn: is required; compute.ecs.task_definition_arn: is required',
    ],
    [
      'no YAML',
      'compute: [',
      'line 1, column 11: is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['tabs', 'compute:\n\tmock: {}', 'line 2, column 1: is not YAML: Tabs are not allowed as indentation'],
    ['a key twice', `${mock}\n${mock}`, 'line 2, column 1: is not YAML: Map keys must be unique'],
    [
      'two documents',
      `${mock}\n---\n${mock}`,
      'line 2, column 1: is not YAML: Source contains multiple documents',
    ],
    ['an unknown tag', 'instance: !env X', 'line 1, column 11: is not YAML: Unresolved tag: !env'],
    [
      'a dangling alias',
      'instance: *name',
      'is not YAML: Unresolved alias (the anchor must be set before the alias): name',
    ],
    ['a list', '- compute', 'must be a YAML mapping with the key compute'],
    ['a word', 'compute', 'must be a YAML mapping with the key compute'],
    ['a provider that is no mapping', 'compute: {mock: yes}', 'compute.mock: must be an object'],
    ['compute that is no mapping', 'compute: docker', 'compute: must be an object'],
    ['a key with a line break', `${mock}\n"a\\nb": 1`, '"a\\nb": is not a known key'],
    [
      'the legacy default_provider',
      'compute: {default_provider: docker, docker: {image: a}}',
      'compute.default_provider: is not supported any more: name the provider in each Tenant (spec.computeProvider or a label)',
    ],
    [
      'the legacy defaults',
      'compute: {defaults: {image: a}, docker: {image: a}}',
      "compute.defaults: is not supported any more: put the defaults into the provider's own block, such as compute.docker",
    ],
    [
      'no duration',
      `${mock}\ncontroller: {resync_interval: 5}`,
      'controller.resync_interval: must be a string',
    ],
    [
      'no unit',
      `${mock}\ncontroller: {resync_interval: "5"}`,
      'controller.resync_interval: must be a duration such as 500ms, 15s, 5m or 1h',
    ],
    [
      'a rollout of nobody',
      `${mock}\ncontroller: {rollout: {mock: {max_concurrent: 0}}}`,
      'controller.rollout.mock.max_concurrent: must be at least 1',
    ],
    [
      'a rollout without its size',
      `${mock}\ncontroller: {rollout: {mock: {max_failures: 2}}}`,
      'controller.rollout.mock.max_concurrent: is required',
    ],
    [
      'a rollout on an unknown provider',
      `${mock}\ncontroller: {rollout: {mok: {max_concurrent: 1}}}`,
      'controller.rollout.mok: is not a known key',
    ],
    ['no workers', `${mock}\ncontroller: {concurrency: 0}`, 'controller.concurrency: must be at least 1'],
    ['no address', `${mock}\nserver: {address: "8080"}`, 'server.address: must be HOST:PORT or :PORT'],
    [
      'a port of too many digits',
      `${mock}\nserver: {address: ":100000"}`,
      'server.address: must be HOST:PORT or :PORT',
    ],
    [
      'a port out of range',
      `${mock}\nserver: {address: ":65536"}`,
      'server.address: must have a port of at most 65535',
    ],
    [
      'an unknown level',
      `${mock}\nlog: {level: verbose}`,
      'log.level: must be one of trace, debug, info, warn, error, silent',
    ],
    ['a bad instance', `${mock}\ninstance: My Cluster`, 'instance: must be a DNS label'],
    [
      'a bad name of the cluster',
      `${mock}\ncluster_id: My Cluster`,
      'cluster_id: must be at most 63 lower-case letters, digits, - and ., with a letter or digit at both ends, or empty',
    ],
    [
      'too long a name of the cluster',
      `${mock}\ncluster_id: ${'a'.repeat(64)}`,
      'cluster_id: must be at most 63 lower-case letters, digits, - and ., with a letter or digit at both ends, or empty',
    ],
    [
      'a relative host path',
      `${mock}\npolicy: {docker: {allowed_host_paths: [srv]}}`,
      'policy.docker.allowed_host_paths[0]: must be an absolute path',
    ],
    [
      'no quantity',
      `${mock}\npolicy: {max_resources: {cpu: lots}}`,
      'policy.max_resources.cpu: must be a positive Kubernetes quantity such as 2 or 4Gi, or empty for no bound',
    ],
    [
      'rules for no namespace',
      `${mock}\npolicy: {namespaces: [{allowed_images: [a]}]}`,
      'policy.namespaces[0].names: is required where no selector is given: one of them says which namespaces',
    ],
    [
      'a selector of nothing, and no names',
      `${mock}\npolicy: {namespaces: [{names: [], selector: ""}]}`,
      'policy.namespaces[0].names: is required where no selector is given: one of them says which namespaces',
    ],
    [
      'no selector of namespaces',
      `${mock}\npolicy: {namespaces: [{names: [a]}, {selector: "team in ()"}]}`,
      'policy.namespaces[1].selector: must be a label selector such as team=a,tier in (gold,silver),!legacy',
    ],
    [
      'a selector of blanks',
      `${mock}\npolicy: {namespaces: [{selector: " "}]}`,
      'policy.namespaces[0].selector: must be a label selector such as team=a,tier in (gold,silver),!legacy',
    ],
    [
      'no selector of Tenants',
      `${mock}\ncontroller: {tenant_selector: "tier=gold,"}`,
      'controller.tenant_selector: must be a label selector such as team=a,tier in (gold,silver),!legacy',
    ],
    [
      'an unknown rule of a namespace',
      `${mock}\npolicy: {namespaces: [{names: [a], docker: {allow_all: true}}]}`,
      'policy.namespaces[0].docker.allow_all: is not a known key',
    ],
    [
      'no engine',
      'compute: {docker: {image: a, host: "http://x"}}',
      'compute.docker.host: must be empty or start with unix://, tcp:// or ssh://',
    ],
    [
      'a pool without room',
      'compute: {docker: {image: a, network_pool: 10.0.0.0/30}}',
      'compute.docker.network_pool: must have room for at least one /28',
    ],
    [
      'parts of an ARN that nobody can tell apart',
      `compute: {ecs: {cluster_arn: "arn:aws:ecs:us-west-2:123456789012:cluster/c", task_definition_arn: "arn:aws:ecs:us-west-2:123456789012:task-definition/t", service_name: s, secret_arns: {"*/*/*": "arn:aws:ssm:us-west-2:1:parameter/{namespace}-{name}"}}}`,
      'compute.ecs.secret_arns."*/*/*": joins {namespace} and {name} by "-", which a name may have in it: two Secrets, ' +
        "also of two namespaces, could mean one ARN. Put something between them that no name has, such as '/'",
    ],
    [
      'no pool',
      'compute: {docker: {image: a, network_pool: ten}}',
      'compute.docker.network_pool: must be an IPv4 network such as 10.210.0.0/16',
    ],
    [
      'no bind address',
      'compute: {docker: {image: a, port_bind_address: all}}',
      'compute.docker.port_bind_address: must be an IP address such as 127.0.0.1 or ::1',
    ],
    [
      'two passwords',
      'compute: {docker: {image: a, registries: {r: {username: u, password: hunter2, password_file: f}}}}',
      'compute.docker.registries.r.password_file: exactly one of password and password_file is required',
    ],
  ])('%s', (_what, text, message) => {
    expect(refusal(text)).toBe(`/etc/landlord.yaml: ${message}`);
    expect(message).not.toContain('\n');
  });

  test.each([
    ['that is not there', (folder: string) => join(folder, 'none.yaml'), 'ENOENT'],
    ['that is a folder', (folder: string) => folder, 'EISDIR'],
  ])('a file %s', (_what, fileIn, code) => {
    const folder = mkdtempSync(join(tmpdir(), 'landlord-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = fileIn(folder);
    expect(() => loadConfig(file, providers, {})).toThrow(
      new ConfigError(`${file}: can't be read (${code}); name the config with --config FILE`),
    );
  });

  test('and none of them repeats a value, which may be a password', () => {
    const secret = 'compute: {docker: {image: a, registries: {r: {username: u, password: [hunter2]}}}}';
    expect(refusal(secret)).toContain('compute.docker.registries.r.password: must be a string');
    expect(refusal(secret)).not.toContain('hunter2');
  });
});

describe('DOCKER_HOST', () => {
  const environment = { DOCKER_HOST: 'tcp://engine:2375' };
  const hostOf = (text: string, from: Environment = environment): unknown =>
    parse(text, from).compute['docker']?.['host'];

  test.each([
    'compute: {docker: {image: a}}',
    'compute: {docker: {image: a, host: ""}}',
    'compute: {docker: {image: a, host: }}',
  ])('fills docker.host where it is empty: %s', (text) => {
    expect(hostOf(text)).toBe('tcp://engine:2375');
  });

  test('leaves a docker.host that is there', () => {
    expect(hostOf('compute: {docker: {image: a, host: "unix:///x.sock"}}')).toBe('unix:///x.sock');
  });

  test('is nothing to an engine that has a name', () => {
    const { engines } = parse('compute: {docker: {image: a, engines: {e: {host: "unix:///e"}}}}', environment)
      .compute['docker'] as { engines: object };
    expect(engines).toEqual({ e: { host: 'unix:///e', former_hosts: [] } });
  });

  test('leaves it empty where it is not set, or set to nothing', () => {
    expect(hostOf('compute: {docker: {image: a}}', {})).toBe('');
    expect(hostOf('compute: {docker: {image: a}}', { DOCKER_HOST: '' })).toBe('');
  });

  test('enables nothing by itself', () => {
    expect(parse(mock, environment).compute).toEqual({ mock: {} });
  });

  test('is read from the process for a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'landlord-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'landlord.yaml');
    writeFileSync(file, 'compute: {docker: {image: a}}');
    expect(loadConfig(file, providers, environment).compute['docker']).toMatchObject({
      host: 'tcp://engine:2375',
    });
  });
});

describe('cluster_id', () => {
  test.each(['', 'a', 'eu-1.example', '6f1c1a52-3a53-4a0c-9c7e-6d9a0c7b3f10', 'a'.repeat(63)])(
    'is taken: %j',
    (id) => {
      expect(parse(`${mock}\ncluster_id: "${id}"`).cluster_id).toBe(id);
    },
  );
});

describe('controller.own_namespace', () => {
  const watched = (controller: string, own?: string): readonly string[] =>
    withOwnNamespace(parse(`${mock}\ncontroller: ${controller}`), 'landlord.yaml', own).controller.namespaces;

  test('is that of the pod, once, besides those that are named', () => {
    expect(watched('{own_namespace: true}', 'infra')).toEqual(['infra']);
    expect(watched('{own_namespace: true, namespaces: [team-a]}', 'infra')).toEqual(['team-a', 'infra']);
    expect(watched('{own_namespace: true, namespaces: [infra]}', 'infra')).toEqual(['infra']);
  });

  test('is none of those to watch unless the config says so', () => {
    expect(watched('{}', 'infra')).toEqual([]);
    expect(watched('{namespaces: [team-a]}', 'infra')).toEqual(['team-a']);
  });

  test('outside of a cluster is a mistake that stops the start, and does not become all namespaces', () => {
    const config = parse(`${mock}\ncontroller: {own_namespace: true}`);
    expect(() => withOwnNamespace(config, 'landlord.yaml')).toThrow(
      'landlord.yaml: controller.own_namespace: there is none outside of a cluster; name the namespace in controller.namespaces',
    );
  });
});
