import { secretSource } from '../../address/secret-source.ts';
import type { SecretSource } from '../../address/secret-source.ts';
import type { EcsScope } from '../../address/service-target.ts';
import type { EcsCall, EcsConnection } from '../ecs-connection.ts';
import { EcsRefusal, refusalError } from '../ecs-refusal.ts';
import type { Priority } from '../limits/token-queue.ts';
import type { SecretReads } from './secret-reads.ts';

/** As many names as a filter of DescribeParameters takes. */
const namesAtOnce = 50;

type Of<Kind extends SecretSource['kind']> = Extract<SecretSource, { kind: Kind }>;

interface Asking {
  readonly connection: EcsConnection;
  readonly scope: EcsScope;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

/** Versions of what is there: by label and ARN of a secret, by name and region of a parameter. */
type Versions = ReadonlyMap<string, string>;

/** The SDK's clients are loaded with the first call, for most operators need neither. */
export function secretCalls(connection: EcsConnection): SecretReads {
  return {
    async secretVersions(scope, references, priority, signal) {
      const asking = { connection, scope, priority, signal };
      const sources = new Map(references.map((reference) => [reference, secretSource(reference)]));
      const known = [...sources.values()].filter((source) => source !== undefined);
      const secrets = [...new Set(known.filter(isSecret).map(({ id }) => id))];
      const answers = await Promise.all([
        ...secrets.map((id) => describeSecret(asking, id)),
        ...batches(known.filter(isParameter)).map((batch) => describeParameters(asking, batch)),
      ]);
      const versions: Versions = new Map(answers.flatMap((answer) => [...answer]));
      return new Map(
        [...sources].flatMap(([reference, source]) => {
          const version = source && keysOf(source).flatMap((key) => versions.get(key) ?? [])[0];
          return version === undefined ? [] : [[reference, version] as const];
        }),
      );
    },
  };
}

function keysOf(source: SecretSource): readonly string[] {
  return source.kind === 'secret'
    ? [`${source.label} ${source.id}`]
    : source.names.map((name) => `${name} ${source.region}`);
}

function isSecret(source: SecretSource): source is Of<'secret'> {
  return source.kind === 'secret';
}

function isParameter(source: SecretSource): source is Of<'parameter'> {
  return source.kind === 'parameter';
}

/** A secret may be of another region than what reads it. */
function at({ scope, priority }: Asking, region: string): Pick<EcsCall<unknown>, 'scope' | 'priority'> {
  return { scope: { ...scope, region }, priority };
}

async function describeSecret(asking: Asking, id: string): Promise<Versions> {
  const region = id.split(':')[3] ?? asking.scope.region;
  const answer = await asking.connection.ask(
    {
      ...at(asking, region),
      action: 'secretsmanager:DescribeSecret',
      family: 'secretReads',
      isRepeatable: true,
      send: async (_ecs, options, { other }) => {
        const { DescribeSecretCommand, SecretsManagerClient } =
          await import('@aws-sdk/client-secrets-manager');
        return other(SecretsManagerClient).send(new DescribeSecretCommand({ SecretId: id }), options);
      },
    },
    asking.signal,
  );
  if (answer instanceof EcsRefusal) {
    if (answer.name === 'ResourceNotFoundException') return new Map();
    throw refusalError(answer, 'ProviderUnavailable');
  }
  const labels = Object.entries(answer.VersionIdsToStages ?? {});
  return new Map(
    labels.flatMap(([version, stages]) => stages.map((label) => [`${label} ${id}`, version] as const)),
  );
}

interface Batch {
  readonly region: string;
  readonly names: readonly string[];
}

function batches(parameters: readonly Of<'parameter'>[]): readonly Batch[] {
  return [...Map.groupBy(parameters, ({ region }) => region)].flatMap(([region, of]) => {
    const names = [...new Set(of.flatMap((one) => one.names))];
    const starts = Array.from(
      { length: Math.ceil(names.length / namesAtOnce) },
      (_, index) => index * namesAtOnce,
    );
    return starts.map((start) => ({ region, names: names.slice(start, start + namesAtOnce) }));
  });
}

async function describeParameters(asking: Asking, { region, names }: Batch): Promise<Versions> {
  const versions = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    const input = {
      ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [...names] }],
      MaxResults: namesAtOnce,
      ...(NextToken !== undefined && { NextToken }),
    };
    const page = await asking.connection.ask(
      {
        ...at(asking, region),
        action: 'ssm:DescribeParameters',
        family: 'parameterReads',
        isRepeatable: true,
        send: async (_ecs, options, { other }) => {
          const { DescribeParametersCommand, SSMClient } = await import('@aws-sdk/client-ssm');
          return other(SSMClient).send(new DescribeParametersCommand(input), options);
        },
      },
      asking.signal,
    );
    if (page instanceof EcsRefusal) throw refusalError(page, 'ProviderUnavailable');
    for (const { Name = '', Version = 0 } of page.Parameters ?? [])
      versions.set(`${Name} ${region}`, String(Version));
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  return versions;
}
