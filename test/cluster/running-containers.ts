import type { EngineView } from './docker-tenants.ts';

export interface RunningContainer {
  /** running, exited, … */
  readonly state: string;
  readonly image: string;
  /** `NAME=value`, without the image's own. */
  readonly env: readonly string[];
  /** Bytes; 0: no bound. */
  readonly memory: number;
  /** Where volumes are mounted. */
  readonly volumes: readonly string[];
}

/** What the tenant's containers are by the engine's word, in the order of their names. */
export async function runningContainers(
  view: EngineView,
  namespace: string,
  tenant: string,
): Promise<readonly RunningContainer[]> {
  const found = await view.containers(namespace, tenant);
  const sorted = found.toSorted((a, b) => (a.Names[0] ?? '').localeCompare(b.Names[0] ?? ''));
  return Promise.all(sorted.map(({ Id }) => look(view, Id)));
}

async function look({ docker }: EngineView, id: string): Promise<RunningContainer> {
  const { State, Config, HostConfig, Image, Mounts } = await docker.getContainer(id).inspect();
  const ofImage = (await docker.getImage(Image).inspect()).Config.Env ?? [];
  return {
    state: State.Status,
    image: Config.Labels['landlord.image'] ?? Config.Image,
    env: Config.Env.filter((variable) => !ofImage.includes(variable)).toSorted(),
    memory: HostConfig.Memory ?? 0,
    volumes: Mounts.map(({ Destination }) => Destination).toSorted(),
  };
}
