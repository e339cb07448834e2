import { describe, expect, test } from 'vitest';
import { container, converted, service } from './compose-fixture.ts';

const always = { restartPolicy: 'Always' };

describe('a key of a service', () => {
  test.each<[keys: string, said: Readonly<Record<string, unknown>>]>([
    ['command: run --now "two words"', { args: ['run', '--now', 'two words'] }],
    ['command: [run, "a b"]', { args: ['run', 'a b'] }],
    ['command: []', {}],
    ['command: ""', {}],
    ['entrypoint: /bin/sh -c', { command: ['/bin/sh', '-c'] }],
    ['entrypoint: ""\ncommand: serve all', { command: ['serve', 'all'] }],
    ['user: "1000:1000"', { user: '1000:1000' }],
    ['working_dir: /srv', { workingDir: '/srv' }],
    ['hostname: box', { hostname: 'box' }],
    ['init: yes', { init: true }],
    ['tty: true\nstdin_open: "true"', { tty: true, stdin: true }],
    ['read_only: true', { readOnlyRootFilesystem: true }],
    ['stop_signal: sigint\nstop_grace_period: 1m30s', { stopSignal: 'SIGINT', stopGracePeriodSeconds: 90 }],
    ['stop_signal: 3', { stopSignal: 'SIGQUIT' }],
    ['shm_size: 1gb', { shmSize: '1Gi' }],
    [
      'ulimits: {nproc: 65535, nofile: {soft: 20000, hard: 40000}}',
      {
        ulimits: [
          { name: 'nproc', soft: 65_535, hard: 65_535 },
          { name: 'nofile', soft: 20_000, hard: 40_000 },
        ],
      },
    ],
    ['sysctls: {net.core.somaxconn: 1024}', { sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] }],
    ['sysctls: [net.ipv4.ip_forward=1]', { sysctls: [{ name: 'net.ipv4.ip_forward', value: '1' }] }],
    [
      'extra_hosts: ["a=10.0.0.1", "b:host-gateway", "c:[::1]"]',
      {
        extraHosts: [
          { hostname: 'a', ip: '10.0.0.1' },
          { hostname: 'b', ip: 'host-gateway' },
          { hostname: 'c', ip: '::1' },
        ],
      },
    ],
    ['dns: 1.1.1.1', { dns: ['1.1.1.1'] }],
    [
      'cap_add: [CAP_NET_ADMIN, sys_nice]\ncap_drop: [ALL]',
      {
        capabilities: { add: ['NET_ADMIN', 'SYS_NICE'], drop: ['ALL'] },
      },
    ],
    ['platform: linux/arm64', { platform: 'linux/arm64' }],
    ['mem_limit: 512m\ncpus: 0.5', { resources: { memory: '512Mi', cpu: '0.5' } }],
    [
      'deploy: {resources: {limits: {cpus: "2", memory: 1.5G}}}',
      { resources: { memory: '1.5Gi', cpu: '2' } },
    ],
    [
      'environment: {A: 0644, B: yes, C: "", D: 1.10}',
      {
        env: [
          { name: 'A', value: '0644' },
          { name: 'B', value: 'yes' },
          { name: 'C', value: '' },
          { name: 'D', value: '1.10' },
        ],
      },
    ],
    [
      'environment: ["A=b=c", "E="]',
      {
        env: [
          { name: 'A', value: 'b=c' },
          { name: 'E', value: '' },
        ],
      },
    ],
    [
      'healthcheck: {test: curl -f localhost, interval: 1m30s, timeout: 500ms, retries: 5, start_period: 10s}',
      {
        healthCheck: {
          shell: 'curl -f localhost',
          intervalSeconds: 90,
          timeoutSeconds: 0.5,
          retries: 5,
          startPeriodSeconds: 10,
        },
      },
    ],
    [
      'healthcheck: {test: [CMD, ok, now]}',
      {
        healthCheck: { command: ['ok', 'now'], intervalSeconds: 30, timeoutSeconds: 30, retries: 3 },
      },
    ],
    [
      'healthcheck: {test: [CMD-SHELL, "a | b"], interval: 0s}',
      {
        healthCheck: { shell: 'a | b', intervalSeconds: 30, timeoutSeconds: 30, retries: 3 },
      },
    ],
    ['healthcheck: {test: [NONE]}', { healthCheck: { disable: true } }],
    ['healthcheck: {disable: true}', { healthCheck: { disable: true } }],
    ['healthcheck: {disable: false}', {}],
  ])('%s', (keys, said) => {
    expect(container(keys)).toEqual({ ...said, ...always });
  });

  test.each<[port: string, ports: readonly object[]]>([
    ['"80"', [{ containerPort: 80 }]],
    ['"8080:80"', [{ containerPort: 80, hostPort: 8080 }]],
    ['"127.0.0.1:8080:80/udp"', [{ containerPort: 80, hostPort: 8080, protocol: 'UDP' }]],
    ['"[::1]:8080:80"', [{ containerPort: 80, hostPort: 8080 }]],
    [':80', [{ containerPort: 80 }]],
    [
      '9000-9001:7000-7001',
      [
        { containerPort: 7000, hostPort: 9000 },
        { containerPort: 7001, hostPort: 9001 },
      ],
    ],
    ['9000-9009:80', [{ containerPort: 80 }]],
    [
      '{target: 80, published: "8080", protocol: udp, name: web, mode: host}',
      [{ name: 'web', containerPort: 80, hostPort: 8080, protocol: 'UDP' }],
    ],
  ])('port %s', (port, ports) => {
    expect(container(`ports: [${port}]`)).toEqual({ ports, ...always });
  });

  test.each<[ports: string, address: string | undefined, noted: RegExp[]]>([
    [
      '["127.0.0.1:80:80", "127.0.0.1:81:81"]',
      '127.0.0.1',
      [/^needs services\.app\.ports: policy\.docker\.allow_bind_addresses: \["127\.0\.0\.1"\], where /],
    ],
    ['["[::1]:8080:80"]', '::1', [/^needs .*allow_bind_addresses: \["::1"\]/]],
    ['[{target: 80, published: 8080, host_ip: 10.0.0.1}]', '10.0.0.1', [/^needs .*\["10\.0\.0\.1"\]/]],
    ['["0.0.0.0:8080:80"]', undefined, [/^changed services\.app\.ports\[0\]: 0\.0\.0\.0: the address is /]],
    ['["127.0.0.1:8080:80", "8081:81"]', undefined, [/^changed services\.app\.ports\[0\]: 127\.0\.0\.1: /]],
    ['["8080:80"]', undefined, []],
  ])('ports %s are published at %s', (ports, address, noted) => {
    const { spec, notes } = converted(service(`ports: ${ports}`));
    expect(spec?.['computeConfig']).toEqual(
      address && { docker: { containers: { app: { port_bind_address: address } } } },
    );
    expect(notes.filter((line) => !line.includes('host_ports'))).toEqual(
      noted.map((line) => expect.stringMatching(line) as string),
    );
  });

  test('publishes a port of a container once, and says which other one is lost', () => {
    const { spec, notes } = converted(service('ports: ["8080:80", "127.0.0.1:8080:80", "9090:80"]'));
    expect(spec?.containers[0]).toMatchObject({ ports: [{ containerPort: 80, hostPort: 8080 }] });
    expect(notes.filter((line) => line.startsWith('dropped'))).toEqual([
      'dropped services.app.ports[2]: 80/TCP has one port of the host, 8080',
    ]);
  });

  test('is noted with what is wrong, and nothing else is lost by it', () => {
    const { spec, notes } = converted(
      service('stop_grace_period: soon\nports: ["80:x", "81:81"]\ntty: true'),
    );
    expect(spec?.containers[0]).toMatchObject({ tty: true, ports: [{ containerPort: 81, hostPort: 81 }] });
    expect(notes).toContain(
      'dropped services.app.stop_grace_period: must be a duration such as 1m30s, not "soon"',
    );
    expect(notes).toContain('dropped services.app.ports[0]: must be a port or a range of ports, not "x"');
  });

  test.each([
    'group_add: ["7"]',
    'network_mode: service:app',
    'network_mode: service:nobody',
    'pid: host',
    'runtime: other',
    'dns_search: example',
  ])('that no Tenant has is dropped with a note: %s', (keys) => {
    const [key = ''] = keys.split(':');
    expect(converted(service(keys)).notes).toEqual([
      expect.stringMatching(new RegExp(`^dropped services\\.app\\.${key}: `)),
    ]);
  });

  test.each(['container_name: box', 'expose: ["80"]', 'cpu_shares: 5', 'develop: {}', 'spelt_wrong: 1'])(
    'that nothing which runs depends on is left out, and said: %s',
    (keys) => {
      const [key = ''] = keys.split(':');
      expect(converted(service(keys)).notes).toEqual([
        expect.stringMatching(new RegExp(`^changed services\\.app\\.${key}: left out: `)),
      ]);
    },
  );
});

describe('volumes', () => {
  test("of a name are the tenant's, and others are of the container that mounts them", () => {
    const { spec } = converted(
      service(
        'volumes: ["my_data:/data", "my_data:/more:ro", /anon]\ntmpfs: ["/tmp:size=64m"]',
        'volumes: {my_data: {}, my-data: {}}',
      ),
    );
    expect(spec?.['volumes']).toEqual([
      { name: 'my-data-2', persistent: {} },
      { name: 'app-anon', persistent: {} },
      { name: 'app-tmp', tmpfs: { size: '64Mi' } },
    ]);
    expect(spec?.containers[0]?.['volumeMounts']).toEqual([
      { name: 'my-data-2', mountPath: '/data' },
      { name: 'my-data-2', mountPath: '/more', readOnly: true },
      { name: 'app-anon', mountPath: '/anon' },
      { name: 'app-tmp', mountPath: '/tmp' },
    ]);
  });

  test('of a path are bind mounts from the folder of the file, and need leave', () => {
    const { spec, notes } = converted(
      service('volumes: ["./a/../conf:/conf:ro", "~/x:/x:z", {type: bind, source: "/etc/y z", target: /y}]'),
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: { volumes: ['/srv/shop/conf:/conf:ro', '/home/ann/x:/x:z', '/etc/y z:/y'] },
    });
    expect(notes).toEqual([
      'needs services.app.volumes[0]: policy.docker.allowed_host_paths with /srv/shop/conf',
      'needs services.app.volumes[1]: policy.docker.allowed_host_paths with {path: /home/ann/x, writable: true, relabel: true}',
      'needs services.app.volumes[2]: policy.docker.allowed_host_paths with {path: /etc/y z, writable: true}',
    ]);
  });

  test('keep the words of their modes, but for what shows on the host', () => {
    const { spec, notes } = converted(
      service(
        'volumes: ["/a:/a:ro,rslave,Z", "/b:/b:cached", {type: bind, source: /c, target: /c, bind: {propagation: rshared, selinux: z}}, ' +
          '"d:/d:nocopy", {type: volume, source: e, target: /e, read_only: true, volume: {nocopy: true}}, ' +
          '{type: volume, source: f, target: /f, volume: {nocopy: true, subpath: rows}}]',
        'volumes: {d: , e: , f: }',
      ),
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: {
        volumes: ['/a:/a:ro,Z,rslave', '/b:/b', '/c:/c:z', 'd:/d:nocopy', 'e:/e:ro,nocopy'],
      },
    });
    expect(spec?.containers[0]?.['volumeMounts']).toEqual([{ name: 'f', mountPath: '/f', subPath: 'rows' }]);
    expect(notes.filter((line) => !line.includes('allowed_host_paths'))).toEqual([
      'dropped services.app.volumes[2]: rshared: no Tenant mounts anything on its host',
      expect.stringMatching(/^needs services\.app\.volumes\[5\]: Docker Engine 26 or newer/),
    ]);
    expect(notes).toContain(
      'needs services.app.volumes[0]: policy.docker.allowed_host_paths with {path: /a, relabel: true}',
    );
  });

  test('of a path whose content is given need the file', () => {
    const { spec, notes } = converted(
      service('volumes: [{type: bind, source: ./a.conf, target: /etc/a.conf, content: "x: 1"}]'),
    );
    expect(spec?.['computeConfig']).toEqual({ docker: { volumes: ['/srv/shop/a.conf:/etc/a.conf'] } });
    expect(notes).toContain(
      'needs services.app.volumes[0]: the file /srv/shop/a.conf on the host, with the content that stands here',
    );
  });

  test('of another service are mounted as there', () => {
    const { spec } = converted(
      `${service('volumes: ["data:/data"]')}  other: {image: b, volumes_from: [app]}\nvolumes: {data: }`,
    );
    expect(spec?.containers[1]).toMatchObject({ volumeMounts: [{ name: 'data', mountPath: '/data' }] });
  });

  test('with options of a driver are dropped with a note', () => {
    const { notes } = converted(
      service('volumes: ["a:/a"]', 'volumes: {a: {driver: nfs, driver_opts: {o: addr=1}}}'),
    );
    expect(notes.map((line) => line.split(':')[0])).toEqual([
      'dropped volumes.a.driver',
      'dropped volumes.a.driver_opts',
    ]);
  });
});

describe('secrets and configs', () => {
  test('are files out of a Secret and a ConfigMap that are printed beside', () => {
    const { spec, manifests, notes } = converted(
      service('secrets: [pw]\nconfigs: [{source: conf, target: /etc/app.conf}]') +
        'secrets: {pw: {file: ./pw.txt}}\nconfigs: {conf: {content: "a: $$1"}}',
      { files: { '/srv/shop/pw.txt': 'hush\n' } },
    );
    expect(manifests.slice(0, -1)).toEqual([
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'shop-secrets' }, stringData: { pw: 'hush\n' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop-files' }, data: { conf: 'a: $1' } },
    ]);
    expect(spec?.['volumes']).toEqual([
      { name: 'app-secrets', secret: { secretName: 'shop-secrets', items: [{ key: 'pw', path: 'pw' }] } },
      { name: 'files', configMap: { name: 'shop-files' } },
    ]);
    expect(spec?.containers[0]?.['volumeMounts']).toEqual([
      { name: 'app-secrets', mountPath: '/run/secrets', readOnly: true },
      { name: 'files', mountPath: '/etc/app.conf', subPath: 'conf', readOnly: true },
    ]);
    expect(notes).toContainEqual(
      expect.stringMatching(/^needs services\.app\.configs\.conf: Docker Engine 26 or newer/),
    );
  });

  test('of a path that is no folder of secrets are mounted from the host, as by compose', () => {
    const { spec } = converted(
      `${service('configs: [{source: conf, target: /etc/app.conf}]')}configs: {conf: {file: ./app.conf}}`,
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: { volumes: ['/srv/shop/app.conf:/etc/app.conf:ro'] },
    });
  });

  test('that can not be read have to be given', () => {
    const { notes } = converted(`${service('secrets: [pw]')}secrets: {pw: {external: true}}`);
    expect(notes).toEqual(['needs services.app.secrets.pw: a Secret shop-secrets with the key pw']);
  });
});

describe('what only Docker has', () => {
  test('of a container that is alone is said in the block itself, where that has it', () => {
    const { spec } = converted(
      service(
        'network_mode: host\nlabels: ["a.b=c"]\nlogging: {options: {max-size: 5m}}\nprivileged: true\ndevices: [/dev/a:/dev/b]\n' +
          'security_opt: ["no-new-privileges:true", "label=disable"]\nipc: host',
      ),
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: {
        network_mode: 'host',
        labels: { 'a.b': 'c' },
        containers: {
          app: {
            logging: { driver: 'json-file', options: { 'max-size': '5m' } },
            security_opt: ['label=disable'],
            privileged: true,
            devices: ['/dev/a:/dev/b'],
            ipc_mode: 'host',
          },
        },
      },
    });
  });

  test('of several is said of each', () => {
    const { spec } = converted(
      `${service('labels: {a: b}')}  side: {image: c, network_mode: host, volumes: ["/x:/x"]}`,
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: {
        containers: {
          app: { labels: { a: 'b' } },
          side: { volumes: ['/x:/x'], network_mode: 'host' },
        },
      },
    });
  });

  test("of networks: those of others by name, and the file's own are the tenant's", () => {
    const { spec, notes } = converted(
      `${service('networks: {front: {aliases: [web, app]}, back: {ipv4_address: 10.9.0.2}}')}networks: {front: {external: true, name: proxy}, back: {internal: true}}`,
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: { containers: { app: { networks: ['proxy'], network_aliases: { proxy: ['web', 'app'] } } } },
    });
    expect(notes).toEqual([
      'needs services.app.networks.front: policy.docker.allow_networks: [proxy]',
      'needs services.app.networks.front.aliases: policy.docker.allow_network_aliases: [proxy/web]',
      'needs services.app.networks.front.aliases: policy.docker.allow_network_aliases: [proxy/app]',
      'changed services.app.networks.back.ipv4_address: left out: nothing in the file names it',
      'changed networks.back.internal: left out: the network of a Tenant leads outside, and all share it',
    ]);
  });

  test('in a network of others, that its name leads nobody there to it is told', () => {
    const { notes } = converted(`${service('networks: [front]')}networks: {front: {external: true}}`);
    expect(notes).toEqual([
      'needs services.app.networks.front: policy.docker.allow_networks: [front]',
      'changed services.app.networks.front: others there know no app: say network_aliases where they name it',
    ]);
  });

  test('is the network of another service, by its name or by that of its container', () => {
    const { spec, notes } = converted(
      `${service('network_mode: service:vpn_gate')}  side: {image: c, restart: always, network_mode: "container:gate"}\n  vpn_gate: {image: b, container_name: gate}`,
    );
    expect(spec?.['computeConfig']).toEqual({
      docker: {
        containers: {
          app: { network_mode: 'service:vpn-gate' },
          side: { network_mode: 'service:vpn-gate' },
        },
      },
    });
    // Whose network others are in is a server.
    expect(spec?.containers.find(({ name }) => name === 'vpn-gate')).toEqual({
      name: 'vpn-gate',
      image: 'b',
    });
    expect(notes.filter((one) => one.startsWith('dropped'))).toEqual([]);
  });

  test('is nothing that is of that network itself', () => {
    const { spec, notes } = converted(
      `${service('network_mode: service:vpn\nports: ["80:80"]\nhostname: box')}  vpn: {image: b}`,
    );
    expect(spec?.containers[0]).toEqual({ name: 'app', image: 'reg.example/app:1', ...always });
    expect(notes.filter((one) => one.startsWith('dropped'))).toEqual([
      'dropped services.app.hostname: no engine takes it in the network of vpn: say it there',
      'dropped services.app.ports: no engine takes it in the network of vpn: say it there',
    ]);
  });

  test('networks of the file become one, which is told', () => {
    const { notes } = converted(
      `${service('networks: [a]')}networks: {a: , b: {driver: bridge}, c: {external: true}}`,
    );
    expect(notes).toEqual(['changed networks: all services share the one network of the Tenant']);
  });

  test('an address that others name is missed', () => {
    const { notes } = converted(
      `${service('networks: {back: {ipv4_address: 10.9.0.2}}')}  other: {image: b, dns: 10.9.0.2, restart: always}\nnetworks: {back: }`,
    );
    expect(notes).toEqual([
      expect.stringMatching(/^dropped services\.app\.networks\.back\.ipv4_address: others name/),
    ]);
  });
});
