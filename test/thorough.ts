/**
 * Whether a test on real parts leaves nothing out, as in CI, where THOROUGH=1. What a container costs the engine, some 0.8 s of CPU
 * until it is gone, is most of what the suite takes: a developer's run plays a part of what is alike.
 */
export const isThorough = process.env['THOROUGH'] === '1';
