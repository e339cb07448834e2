const root = process.argv[2]!; const seed = Number(process.argv[3]);
const { simulate } = await import('./run.ts');
const { describeRun } = await import('./report.ts');
const { knownFaults } = await import('./seeds.ts');
const left = new Set([...knownFaults.map(({ leavesOut }: any) => leavesOut), 'order', 'releases', 'replicas']);
console.log(describeRun(await simulate(seed, process.argv[4] === 'now' ? undefined : left), Infinity));
