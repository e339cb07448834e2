# `npm run check`: all that holds without a test run. What uses one core, or remembers what it has seen, runs beside the rest.
prettier --check --cache --log-level warn . &
layout=$!
node dev/check-regexes.ts &
regexes=$!
oxlint --type-aware --quiet && tsc --incremental --tsBuildInfoFile node_modules/.cache/tsc && node dev/generate/main.ts --check
rest=$?
wait "$layout" || rest=1
wait "$regexes" || rest=1
exit "$rest"
