/** What is known of a container that was not made by Landlord, and stands for one of the spec. */
export interface Foreign {
  /** As the engine calls it, or did before it was to go. */
  readonly name: string;
  /** Whether it is to give way to one of the tenant's own; else it is only shown. */
  readonly isAdopted: boolean;
  readonly differences: readonly ForeignDifference[];
  /** The engine removes it once it has ended: there is no way back to it. */
  readonly isFleeting: boolean;
}

export interface ForeignDifference {
  /** Below the container's. */
  readonly path: string;
  readonly desired: string;
  readonly actual: string;
}
