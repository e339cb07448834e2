import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/**
 * Files that take a minute or more, mostly for waiting: the others run beside them. Begun last, each would have the
 * machine to itself at the end.
 */
const longest: readonly string[] = [
  'test/cluster/kill-9-creation.real.test.ts',
  'test/cluster/converted-files.real.test.ts',
  'test/cluster/kill-9-changes.real.test.ts',
  'test/cluster/ecs-fleet.real.test.ts',
  'test/cluster/engine-restart.real.test.ts',
  'test/compute/providers/docker/crash-points.real.test.ts',
  'test/cluster/docker-lifecycle.real.test.ts',
  'test/deploy/removing.real.test.ts',
  'test/cluster/engine-outage.real.test.ts',
  'test/cluster/ecs-faults.real.test.ts',
  'test/compute/providers/docker/edge.real.test.ts',
  'test/deploy/install.real.test.ts',
  'test/deploy/kustomize.real.test.ts',
  'test/cluster/crash-points.real.test.ts',
  'test/compute/providers/docker/engine/ssh/ssh.real.test.ts',
  'test/cluster/docker-replicas.real.test.ts',
  'test/cluster/ecs-kill-9.real.test.ts',
  'test/cluster/ecs-crash-points.real.test.ts',
  'test/compute/providers/ecs/engine/ecs-client.real.test.ts',
  'test/cluster/apiserver-outage.real.test.ts',
  // Of the unit files, where CI asks it for many manifests.
  'test/security/fuzz.test.ts',
];

/** Real files wait for much, unit files for nothing: these fill the end, when ever fewer of the former are left. */
const projects: readonly string[] = ['real', 'unit-alone', 'unit'];

/** Project by project, since a worker goes on only with the project that it began with; the longest files first. */
export class RealFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort.call(this, files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.indexOf(relative(this.ctx.config.root, moduleId));
      return index === -1 ? longest.length : index;
    };
    const turn = ({ project }: TestSpecification): number => projects.indexOf(project.name);
    return sorted.toSorted((a, b) => turn(a) - turn(b) || rank(a) - rank(b));
  }
}
