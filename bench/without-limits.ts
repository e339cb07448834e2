/** Loaded before the operator: it may ask of ECS what it likes, so that a fleet is there that AWS would take an hour to create. */
import { ecsRateLimits } from '../src/compute/providers/ecs/engine/limits/rate-limits.ts';

for (const limit of Object.values(ecsRateLimits)) Object.assign(limit, { burst: 10_000, perSecond: 10_000 });
