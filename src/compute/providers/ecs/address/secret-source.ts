/** Where the reference of a container to a secret (`valueFrom`) leads, as far as what is there has versions. */
export type SecretSource =
  /** Of Secrets Manager: the version that bears the label. */
  | { readonly kind: 'secret'; readonly region: string; readonly id: string; readonly label: string }
  /** Of SSM: one of these is its name, which the ARN does not tell from the other. */
  | { readonly kind: 'parameter'; readonly region: string; readonly names: readonly string[] };

/** What a reference means where it names no version: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html */
const currentLabel = 'AWSCURRENT';

/** Undefined: it names one version for good, or what is not known here. */
export function secretSource(reference: string): SecretSource | undefined {
  const [, , service, region = '', account, kind = '', name = '', _jsonKey, label = '', version = ''] =
    reference.split(':');
  if (service === 'secretsmanager' && kind === 'secret' && version === '') {
    const id = reference.split(':').slice(0, 7).join(':');
    return { kind: 'secret', region, id, label: label === '' ? currentLabel : label };
  }
  // What follows the name of a parameter is a version or a label of it.
  if (service === 'ssm' && account !== undefined && kind.startsWith('parameter/') && name === '')
    return { kind: 'parameter', region, names: parameterNames(kind.slice('parameter/'.length)) };
  return undefined;
}

/** `/a/b` is `parameter/a/b` in an ARN, and so is `a` as well as `/a` `parameter/a`. */
function parameterNames(path: string): readonly string[] {
  return path.includes('/') ? [`/${path}`] : [path, `/${path}`];
}
