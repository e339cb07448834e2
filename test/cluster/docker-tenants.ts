import Dockerode from 'dockerode';
import { inject } from 'vitest';

/** What the engine really holds, as `docker ps` would show it; the tests' own view, apart from the provider's. */
export interface EngineView {
  readonly docker: Dockerode;
  /** All containers of the tenant's namespace, in whatever state. */
  containers(namespace: string, tenant?: string): Promise<Dockerode.ContainerInfo[]>;
  /** Everything that bears the namespace's mark: containers, networks, volumes. */
  leftovers(namespace: string, tenant?: string): Promise<string[]>;
}

export function engineView(host: string = inject('dockerHost')): EngineView {
  const docker = new Dockerode({ socketPath: host.replace(/^unix:\/\//, '') });
  const labels = (namespace: string, tenant?: string) => [
    `landlord.tenant_namespace=${namespace}`,
    ...(tenant === undefined ? [] : [`landlord.tenant_name=${tenant}`]),
  ];
  const containers: EngineView['containers'] = (namespace, tenant) =>
    docker.listContainers({ all: true, filters: { label: labels(namespace, tenant) } });
  return {
    docker,
    containers,
    async leftovers(namespace, tenant) {
      const filters = JSON.stringify({ label: labels(namespace, tenant) });
      const networks = await docker.listNetworks({ filters });
      const { Volumes } = await docker.listVolumes({ filters });
      return [
        ...(await containers(namespace, tenant)).map(({ Names }) => `container ${Names.join()}`),
        ...networks.map(({ Name }) => `network ${Name}`),
        ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
      ];
    },
  };
}

/** The operator's docker block for the tests' engine. */
export function dockerBlock(image: string): Record<string, unknown> {
  return { ...inject('engineBlock'), image };
}
