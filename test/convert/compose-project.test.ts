import { describe, expect, test } from 'vitest';
import { converted, schema, service } from './compose-fixture.ts';

const names = (source: string): unknown[] =>
  (converted(source).spec?.containers ?? []).map(({ name }) => name);

describe('containers', () => {
  test('are called as services, in the letters that names have, each otherwise than the others', () => {
    expect(names('services: {web_app: {image: a}, web-app: {image: b}, Web: {image: c}}')).toEqual([
      'web-app-2',
      'web-app',
      'web',
    ]);
  });

  test('keep the name by which others call them', () => {
    const source = (host: string): string => `services:
  db: {image: a, container_name: shopdb, restart: always}
  web: {image: c, restart: always, environment: {URL: "postgres://u@${host}:5432/x"}}`;
    expect(names(source('shopdb'))).toEqual(['shopdb', 'web']);
    expect(names(source('db'))).toEqual(['db', 'web']);
  });

  test.each([
    ['environment: {DB_HOST: my_db, DB_NAME: my_db}', { DB_HOST: 'my-db', DB_NAME: 'my_db' }],
    ['environment: ["URL=pg://my_db:my_db@my_db:5432/my_db"]', { URL: 'pg://my_db:my_db@my-db:5432/my_db' }],
    [
      'environment: {A: "my_db:1, x_my_db:2", B: "http://my_db/my_db/"}',
      { A: 'my-db:1, x_my_db:2', B: 'http://my-db/my_db/' },
    ],
    [
      'environment: {DSN: "host=my_db dbname=my_db", NET: "Server=my_db;Database=my_db"}',
      { DSN: 'host=my-db dbname=my_db', NET: 'Server=my-db;Database=my_db' },
    ],
    ['environment: {BROKERS: "my_db,other"}', { BROKERS: 'my-db,other' }],
    [
      'environment: {BOTH: "the_db:1", LINKED: "tcp://nick:1"}\n    links: ["my_db:nick"]',
      { BOTH: 'my-db:1', LINKED: 'tcp://my-db:1' },
    ],
  ])('are named where hosts are: %s', (keys, env) => {
    const { spec, notes } = converted(`services:
  web:
    image: a
    restart: always
    ${keys}
  my_db: {image: b, restart: always, container_name: the_db}`);
    expect(spec?.containers[0]?.['env']).toEqual(
      Object.entries(env).map(([name, value]) => ({ name, value })),
    );
    expect(notes).toContain('changed services.web.environment: hosts are named as their containers are');
  });

  test.each([
    [
      'command: wait my_db:5432 -- psql -h my_db my_db',
      ['wait', 'my-db:5432', '--', 'psql', '-h', 'my-db', 'my_db'],
    ],
    [
      'command: [psql, --host, my_db, -d, my_db, --dbhost=my_db]',
      ['psql', '--host', 'my-db', '-d', 'my_db', '--dbhost=my-db'],
    ],
  ])('are named in commands: %s', (keys, args) => {
    const { spec } = converted(`services:
  web: {image: a, restart: always}
  my_db: {image: b, restart: always}
  job:
    image: c
    ${keys}`);
    expect(spec?.containers[2]?.['args']).toEqual(args);
  });

  test('are started again unless they are jobs', () => {
    const { spec } = converted(`services:
  said: {image: a, restart: "no"}
  failing: {image: a, restart: "on-failure:3"}
  swarm: {image: a, deploy: {restart_policy: {condition: any}}}
  server: {image: a, ports: ["80"]}
  failing_server: {image: a, ports: ["80"], restart: on-failure}
  checked: {image: a, healthcheck: {test: ok}}
  awaited: {image: a}
  migration: {image: a, expose: ["1"]}
  again: {image: a, restart: unless-stopped}
  worker:
    image: a
    depends_on:
      migration: {condition: service_completed_successfully}
      again: {condition: service_completed_successfully}
      awaited: {}`);
    expect(spec?.containers.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([
      ['said', 'Never'],
      ['failing', 'OnFailure'],
      ['swarm', 'Always'],
      ['server', undefined],
      ['failing-server', undefined],
      ['checked', undefined],
      ['awaited', undefined],
      ['migration', 'Never'],
      ['again', 'OnFailure'],
      ['worker', 'Never'],
    ]);
  });

  test('wait for one another by the names that they have', () => {
    const { spec } = converted(`services:
  my_db: {image: a}
  job: {image: a}
  web:
    image: a
    depends_on: {my_db: {condition: service_healthy}, job: {condition: service_completed_successfully}}
  side: {image: a, depends_on: [web]}`);
    expect(spec?.containers.map(({ dependsOn }) => dependsOn)).toEqual([
      undefined,
      undefined,
      [
        { container: 'my-db', condition: 'Healthy' },
        { container: 'job', condition: 'Completed' },
      ],
      [{ container: 'web', condition: 'Started' }],
    ]);
  });
});

describe('a file', () => {
  test('is called by its own name, or that of its folder', () => {
    const nameOf = (source: string): unknown =>
      (converted(source).manifests.at(-1) as { metadata: unknown }).metadata;
    expect(nameOf('services: {a: {image: b}}')).toEqual({ name: 'shop' });
    expect(nameOf('name: My_Shop\nservices: {a: {image: b}}')).toEqual({ name: 'my-shop' });
  });

  test('takes variables from the files that it is given, later ones first', () => {
    const { spec, notes } = converted(
      service(
        'environment: {A: "${A}", B: "${B:-b}", C: "${C-c}", D: "${D:+d}", E: "$$E", F: "${F:-${A}/$B}", G:, H:}',
      ),
      { envFiles: ['A=1\nexport C=\nG="two\\nlines" # more', "A='$x'\nD=${C}y"] },
    );
    expect(spec?.containers[0]?.['env']).toEqual([
      { name: 'A', value: '$x' },
      { name: 'B', value: 'b' },
      { name: 'C', value: '' },
      { name: 'D', value: 'd' },
      { name: 'E', value: '$E' },
      { name: 'F', value: '$x/' },
      { name: 'G', value: 'two\nlines' },
    ]);
    expect(notes.map((line) => line.replace(/:.*/, ''))).toEqual([
      'needs services.app.environment.F',
      'needs services.app.environment.H',
    ]);
  });

  test('says which variables have no value, each once, and which are required', () => {
    const { notes } = converted(
      service('environment: {A: "${X:?say it}", B: "$Y", C: "${X}"}\nstop_signal: "${Z-SIGINT}"'),
    );
    expect(notes).toEqual([
      'needs services.app.environment.A: a value of the variable X, without which compose does not start: name it by --env-file',
      'needs services.app.environment.B: a value of the variable Y, if it is to have one: empty here, as in compose',
    ]);
  });

  test('reads the files with variables beside it, below what the service says itself', () => {
    const { spec, notes } = converted(
      service('env_file: [a.env, {path: none.env, required: false}, gone.env]\nenvironment: {B: own}'),
      { files: { '/srv/shop/a.env': 'A=1\n# no\nB=2\n' } },
    );
    expect(spec?.containers[0]?.['env']).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: 'own' },
    ]);
    expect(notes).toEqual([
      'changed services.app.env_file: left out: there is no none.env',
      "needs services.app.env_file: the file gone.env, which can't be read: its variables are missing",
    ]);
  });

  test('has services that extend others, of the same file and of another', () => {
    const { spec } = converted(
      `services:
  base: {image: a, environment: [A=1, B=2], command: old, ports: ["80"]}
  web: {extends: base, environment: {B: 3}, command: new, ports: ["81"], restart: always}
  far: {extends: {file: far.yml, service: far}, tty: true, restart: always}`,
      { files: { '/srv/shop/far.yml': 'services: {far: {extends: {service: deep}}, deep: {image: z}}' } },
    );
    expect(spec?.containers.slice(1)).toEqual([
      {
        name: 'web',
        image: 'a',
        args: ['new'],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '3' },
        ],
        ports: [{ containerPort: 80 }, { containerPort: 81 }],
        restartPolicy: 'Always',
      },
      { name: 'far', image: 'z', tty: true, restartPolicy: 'Always' },
    ]);
  });

  test('knows anchors, merge keys and keys of its own', () => {
    const { spec, notes } = converted(`x-all: &all {image: a, tty: true, restart: always}
services:
  one: {<<: *all, tty: false}
  two: *all`);
    expect(spec?.containers).toEqual([
      { name: 'one', image: 'a', tty: false, restartPolicy: 'Always' },
      { name: 'two', image: 'a', tty: true, restartPolicy: 'Always' },
    ]);
    expect(notes).toEqual([]);
  });

  test('runs services of profiles that are asked for', () => {
    const source =
      'services: {a: {image: a, restart: always}, b: {image: b, restart: always, profiles: [x]}}';
    expect(names(source)).toEqual(['a']);
    expect(converted(source).notes).toEqual([
      expect.stringMatching(/^changed services\.b\.profiles: left out/),
    ]);
    expect(converted(source, { profiles: ['x'] }).spec?.containers).toHaveLength(2);
    expect(converted(source, { profiles: ['*'] }).spec?.containers).toHaveLength(2);
  });

  test('is without services that others complete, or that are to be none', () => {
    const { spec, notes } = converted(`services:
  app_proxy: {environment: {APP_PORT: 80}}
  none: {image: a, deploy: {replicas: 0}}
  web: {image: a, restart: always, depends_on: [none]}`);
    expect(spec?.containers).toEqual([{ name: 'web', image: 'a', restartPolicy: 'Always' }]);
    expect(notes).toEqual([
      'needs services.app_proxy: an image, which another file names: left out',
      'changed services.none: left out: there are to be none of it',
      'changed services.web.depends_on.none: left out: none does not run here',
    ]);
  });

  test('loses nothing by what is wrong for want of a value', () => {
    const { notes } = converted(service('ports: ["$P:$P"]\nuser: "a b"'));
    expect(notes).toContainEqual(
      expect.stringMatching(/^needs services\.app\.ports\[0\]: values of its variables, as without them/),
    );
    expect(converted(service('user: "$U b"'), {}, schema).notes).toContainEqual(
      expect.stringMatching(/^needs services\.app\.user: values of its variables/),
    );
  });

  test('with one service may have replicas of it', () => {
    expect(converted(service('deploy: {replicas: 3}')).spec).toMatchObject({ replicas: 3 });
    expect(converted(`${service('scale: 2')}  b: {image: b, restart: always}`).notes).toEqual([
      expect.stringMatching(/^dropped services\.app\.scale: /),
    ]);
  });

  test.each([
    ['services: {a: {build: .}}', 'refused services.a.build: images are not built here'],
    ['services: {}', 'refused : services: there are none'],
    ['include: [b.yml]\nservices: {a: {image: a}}', 'refused : include: '],
    ['services: {a: {image: a}', 'refused : is no YAML: '],
    ['services: {a: {extends: b}}', 'refused : a extends b, which is not there'],
    ['services: {a: {extends: a}}', 'refused : a extends itself'],
  ])('is refused as a whole: %s', (source, start) => {
    const { spec, notes } = converted(source);
    expect(spec).toBeUndefined();
    expect(notes.filter((line) => line.startsWith(start))).toHaveLength(1);
  });

  test('with an image beside its build is said without it', () => {
    const { spec, notes } = converted(service('build: .'));
    expect(spec?.containers[0]).toMatchObject({ image: 'reg.example/app:1' });
    expect(notes).toEqual([expect.stringMatching(/^dropped services\.app\.build: /)]);
  });
});

describe('what the schema refuses', () => {
  test('is left out with its words, at the key that it comes from, and the rest is taken', () => {
    const { spec, notes } = converted(
      service('user: "a b"\nulimits: {nofile: 5, nice: 1}\nenvironment: {"1A": x, B: y}\nhostname: box'),
      {},
      schema,
    );
    expect(schema.safeParse(spec).success).toBe(true);
    expect(spec?.containers[0]).toMatchObject({
      hostname: 'box',
      ulimits: [{ name: 'nofile', soft: 5, hard: 5 }],
      env: [{ name: 'B', value: 'y' }],
    });
    expect(notes).toContain(
      'dropped services.app.user: spec.containers[0].user: must be USER, UID, USER:GROUP or UID:GID',
    );
    expect(
      notes.filter((line) => /^dropped services\.app\.(ulimits\.nice|environment\.1A): spec\./.test(line)),
    ).toHaveLength(2);
  });

  test('is the whole where no container can be without it', () => {
    const image = 'a'.repeat(600);
    expect(converted(`services: {a: {image: ${image}}}`, {}, schema)).toMatchObject({
      manifests: [],
      notes: expect.arrayContaining([
        expect.stringMatching(/^refused services\.a\.image: spec\.containers\[0\]\.image/),
      ]),
    });
    const many = Array.from({ length: 17 }, (_none, index) => `s${index}: {image: a}`).join(', ');
    expect(converted(`services: {${many}}`, {}, schema).notes).toContainEqual(
      expect.stringMatching(/^refused services: spec\.containers: must have at most 16 items/),
    );
  });
});
