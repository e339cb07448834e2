# `npm run check`: all that holds without a test run. What reads the layout runs beside the rest: it uses one core.
prettier --check --cache --log-level warn . &
layout=$!
oxlint --type-aware --quiet && tsc --incremental --tsBuildInfoFile node_modules/.cache/tsc && node dev/generate/main.ts --check && node dev/check-regexes.ts
rest=$?
wait "$layout" || exit 1
exit "$rest"
