import type { Ownership } from '../../../../../ownership.ts';
import type { ListedContainer } from '../../../state/container-answers.ts';
import { servingName } from '../../../state/container-name.ts';
import { imagesBefore, toldBefore } from '../../../state/image/images-before.ts';
import { pinnedNames } from '../../../state/image/image-names.ts';
import { observeContainer } from '../../../state/observed-container.ts';

/** Which images Tenants need, or may go back to. */
export interface ImageNeeds {
  /** The tenant asks for these, and for no others. */
  want(this: void, tenantId: string, images: ReadonlySet<string>): void;
  /** It is gone from here. */
  forget(this: void, tenantId: string): void;
  /** Names; see `pinnedImage`. */
  wanted(): ReadonlySet<string>;
  /** Ids of what came before, by all containers of the engine: other operators' go back as well. */
  rollback(containers: readonly ListedContainer[]): ReadonlySet<string>;
}

type Chain = Pick<ReturnType<typeof observeContainer>, 'imageId'> & {
  readonly made: { readonly imagesBefore: readonly string[] };
};

export function createImageNeeds(ownership: Ownership): ImageNeeds {
  const wanted = new Map<string, ReadonlySet<string>>();
  /**
   * By tenant and container: one that was removed by hand, and is made anew, says nothing of what came before. One that the spec
   * no longer has is kept as well, for the spec of before has it.
   */
  const chains = new Map<string, Map<string, Chain>>();

  const note = (container: ListedContainer): void => {
    if (!ownership.isOurs(container.Labels)) return;
    const { name, imageId, made } = observeContainer(container, ownership);
    if (made.tenantId === undefined) return;
    const ofTenant = chains.get(made.tenantId) ?? new Map<string, Chain>();
    chains.set(made.tenantId, ofTenant);
    const last = ofTenant.get(servingName(name));
    const before = made.imagesBefore ?? imagesBefore(imageId, last);
    ofTenant.set(servingName(name), { imageId, made: { imagesBefore: before } });
  };

  return {
    want(tenantId, images) {
      wanted.set(tenantId, new Set(pinnedNames(images)));
    },
    forget(tenantId) {
      wanted.delete(tenantId);
      chains.delete(tenantId);
    },
    wanted: () => new Set([...wanted.values()].flatMap((names) => [...names])),
    rollback(containers) {
      for (const container of containers) note(container);
      const remembered = [...chains.values()].flatMap((ofTenant) => [...ofTenant.values()]);
      const told = containers.flatMap(({ Labels }) => toldBefore(Labels));
      return new Set([
        ...told,
        ...remembered.flatMap(({ imageId, made }) => [imageId, ...made.imagesBefore]),
      ]);
    },
  };
}
