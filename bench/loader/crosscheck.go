package main

import (
	"slices"
	"strconv"
	"strings"
)

var writeVerbs = []string{"POST", "PUT", "PATCH", "APPLY", "DELETE"}

// writeCounts are successful writes on Tenants so far: all, as the apiserver's metrics have them, and the loader's own.
type writeCounts struct{ all, loader, watchesEnded int64 }

func (r *runner) writeCounts() writeCounts {
	counts := writeCounts{loader: r.api.writes.Load()}
	text, err := r.api.get("/metrics")
	if err != nil {
		return counts
	}
	for _, line := range strings.Split(string(text), "\n") {
		name, labels, value := cutMetric(line)
		switch {
		case name == "apiserver_terminated_watchers_total" && labels["resource"] == resource:
			counts.watchesEnded += int64(value)
		case name == "apiserver_request_total" && labels["group"] == group && labels["resource"] == resource &&
			strings.HasPrefix(labels["code"], "2") && slices.Contains(writeVerbs, labels["verb"]):
			counts.all += int64(value)
		}
	}
	return counts
}

// cutMetric reads a line such as name{label="value",…} 12.
func cutMetric(line string) (name string, labels map[string]string, value float64) {
	name, rest, ok := strings.Cut(line, "{")
	if !ok || strings.HasPrefix(line, "#") {
		return "", nil, 0
	}
	end := strings.LastIndexByte(rest, '}')
	value, _ = strconv.ParseFloat(strings.TrimSpace(rest[end+1:]), 64)
	labels = map[string]string{}
	for _, label := range strings.Split(rest[:end], ",") {
		key, quoted, _ := strings.Cut(label, "=")
		labels[key] = strings.Trim(quoted, `"`)
	}
	return name, labels, value
}

// crossCheck: the writes on Tenants by the metrics, less the loader's own, against the audit log.
func (r *runner) crossCheck(before writeCounts) {
	now := r.writeCounts()
	var audited int64
	for what, n := range r.audited {
		verb, on, _ := strings.Cut(what, " ")
		name, _, _ := strings.Cut(on, "/")
		if isWrite(verb) && name == resource {
			audited += n
		}
	}
	r.tracker.mu.Lock()
	defer r.tracker.mu.Unlock()
	r.res.Check = map[string]int64{
		"operatorWritesByMetrics": now.all - before.all - (now.loader - before.loader),
		"operatorWritesByAudit":   audited, "watchersTerminatedByServer": now.watchesEnded,
		"loaderWatchBreaks": r.tracker.broken, "loader429": r.api.retried.Load(),
	}
}
