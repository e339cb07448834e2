package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

func machine() map[string]string {
	m := map[string]string{"cores": strconv.Itoa(runtime.NumCPU()), "go": runtime.Version()}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for _, l := range strings.Split(string(b), "\n") {
			if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
				m["cpu"] = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m["loadavg"] = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	return m
}

// row of the table. Of all of them lower is better.
type row struct{ key, label, format string }

var rows = []row{
	{"start.seconds", "start on an empty cluster: exec -> Ready, s", "%.2f"},
	{"trickle.p50ms", "trickle create -> Ready p50, ms", "%.1f"},
	{"trickle.p99ms", "trickle create -> Ready p99, ms", "%.1f"},
	{"trickle.maxms", "trickle create -> Ready max, ms", "%.1f"},
	{"trickle.cpu", "trickle: operator CPU, s", "%.2f"},
	{"create.seconds", "create N -> all Ready, s", "%.2f"},
	{"create.send", "    of which the loader was sending, s", "%.2f"},
	{"create.p50ms", "    create -> Ready p50 in the burst, ms", "%.0f"},
	{"create.p99ms", "    create -> Ready p99 in the burst, ms", "%.0f"},
	{"create.writesPer", "writes per tenant, create -> Ready", "%.3f"},
	{"create.requestsPer", "    requests per tenant, create -> Ready", "%.3f"},
	{"create.refusedPer", "    of which refused (4xx/5xx) per tenant", "%.3f"},
	{"create.cpu", "operator CPU for N creates, s", "%.2f"},
	{"create.apicpu", "    apiserver CPU for N creates, s", "%.2f"},
	{"create.peakMB", "    operator RSS peak in create, MB", "%.0f"},
	{"create.loopP99ms", "    event-loop delay p99, ms", "%.1f"},
	{"idle.requests", "idle: requests", "%.0f"},
	{"idle.writes", "    idle: writes", "%.0f"},
	{"idle.cpu", "    idle: operator CPU, s", "%.2f"},
	{"idle.apicpu", "    idle: apiserver CPU, s", "%.2f"},
	{"idle.rssMB", "idle: operator RSS with N, MB", "%.0f"},
	{"trickle-full.p50ms", "trickle with N present p50, ms", "%.1f"},
	{"trickle-full.p99ms", "trickle with N present p99, ms", "%.1f"},
	{"trickle-full.cpu", "trickle with N present: operator CPU, s", "%.2f"},
	{"update.seconds", "update N -> all current, s", "%.2f"},
	{"update.p50ms", "    change -> Ready p50 in the storm, ms", "%.0f"},
	{"update.p99ms", "    change -> Ready p99 in the storm, ms", "%.0f"},
	{"update.writesPer", "    writes per tenant", "%.3f"},
	{"update.cpu", "    operator CPU, s", "%.2f"},
	{"update.peakMB", "    operator RSS peak, MB", "%.0f"},
	{"update.loopP99ms", "    event-loop delay p99, ms", "%.1f"},
	{"churn.firstMB", "churn: operator RSS in its first third, MB", "%.1f"},
	{"churn.lastMB", "    in its last third, MB", "%.1f"},
	{"churn.growth", "    last third / first third", "%.3f"},
	{"restart.stop", "stop: SIGTERM -> exit, s", "%.2f"},
	{"restart.seconds", "cold start with N: exec -> 3 changed Ready, s", "%.2f"},
	{"restart.writes", "    writes of the restarted operator, all", "%.0f"},
	{"restart.otherWrites", "    of which to unchanged objects", "%.0f"},
	{"restart.requests", "    requests, all", "%.0f"},
	{"restart.cpu", "    operator CPU until quiet, s", "%.2f"},
	{"restart.peakMB", "    operator RSS peak, MB", "%.0f"},
	{"restart.loopP99ms", "    event-loop delay p99, ms", "%.1f"},
	{"delete.seconds", "delete N -> 0, s", "%.2f"},
	{"delete.writesPer", "    writes per tenant", "%.3f"},
	{"delete.cpu", "    operator CPU, s", "%.2f"},
	{"total.cpu", "operator CPU, all phases, s", "%.2f"},
	{"total.peakMB", "operator RSS peak, all phases, MB", "%.0f"},
	{"noise.foreignCores", "foreign CPU in the timed phases, cores", "%.2f"},
}

// flatten makes the metrics that the tables are made of.
func (res *result) flatten() {
	var foreign, wall float64
	for _, p := range res.Phases {
		if p.Error != "" {
			continue
		}
		for name, value := range p.metrics() {
			res.Metrics[p.Name+"."+name] = value
		}
		res.Metrics["total.cpu"] += p.OperatorCPU
		res.Metrics["total.peakMB"] = max(res.Metrics["total.peakMB"], p.RSSPeakMB)
		if p.Name != "idle" {
			foreign += p.ForeignCores * p.Seconds
			wall += p.Seconds
		}
	}
	if wall > 0 {
		res.Metrics["noise.foreignCores"] = foreign / wall
	}
}

func (p *phase) metrics() map[string]float64 {
	m := map[string]float64{
		"seconds": p.Seconds, "cpu": p.OperatorCPU, "apicpu": p.APICPU, "etcdcpu": p.EtcdCPU, "loadercpu": p.LoaderCPU,
		"peakMB": p.RSSPeakMB, "rssMB": p.RSSEndMB, "requests": float64(p.Requests.Total),
		"writes": float64(p.Requests.Writes), "otherWrites": float64(p.Requests.OtherWrites),
	}
	if p.LoaderSends > 0 {
		m["send"] = p.LoaderSends
	}
	if p.Objects > 0 && p.Name != "restart" {
		refused := 0
		for _, n := range p.Requests.Errors {
			refused += n
		}
		m["writesPer"] = float64(p.Requests.Writes) / float64(p.Objects)
		m["requestsPer"] = float64(p.Requests.Total) / float64(p.Objects)
		m["refusedPer"] = float64(refused) / float64(p.Objects)
	}
	for quantile, ms := range p.LatencyMs {
		m[quantile+"ms"] = ms
	}
	for extra, name := range map[string]string{
		"stopSeconds": "stop", "loopP99ms": "loopP99ms", "firstMB": "firstMB", "lastMB": "lastMB",
	} {
		if value, ok := p.Extra[extra]; ok {
			m[name] = value
		}
	}
	if first := p.Extra["firstMB"]; first > 0 {
		m["growth"] = p.Extra["lastMB"] / first
	}
	return m
}

func (res *result) table(w io.Writer) {
	fmt.Fprintf(w, "%s, N=%d, %s, %s cores (%s), load before %s\n\n", res.Name, res.N, res.At, res.Machine["cores"], res.Machine["cpu"], res.Machine["loadavg"])
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if v, ok := res.Metrics[row.key]; ok {
			fmt.Fprintf(tw, "%s\t"+row.format+"\n", row.label, v)
		}
	}
	tw.Flush()
	fmt.Fprintf(w, "\nrequests of the operator by phase (audit log)\n")
	for _, p := range res.Phases {
		fmt.Fprintf(w, "  %-13s %s\n", p.Name, byCount(p.Requests.By))
		if len(p.Requests.Errors) > 0 {
			fmt.Fprintf(w, "  %-13s refused: %s\n", "", byCount(p.Requests.Errors))
		}
		if p.NotQuiet {
			fmt.Fprintf(w, "  %-13s still busy 30 s after the phase\n", "")
		}
	}
	fmt.Fprintf(w, "\nCPU seconds by phase: operator / apiserver / etcd / loader; foreign cores\n")
	for _, p := range res.Phases {
		fmt.Fprintf(w, "  %-13s %6.2f / %6.2f / %5.2f / %5.2f; %.2f\n", p.Name, p.OperatorCPU, p.APICPU, p.EtcdCPU, p.LoaderCPU, p.ForeignCores)
	}
	fmt.Fprintf(w, "\ncross-check of the operator's writes on the subject: metrics %d, audit %d\n",
		res.Check["operatorWritesByMetrics"], res.Check["operatorWritesByAudit"])
	fmt.Fprintf(w, "watches which the apiserver ended, as too slow: %d (of the loader's: %d)\n",
		res.Check["watchersTerminatedByServer"], res.Check["loaderWatchBreaks"])
	for _, e := range res.Errors {
		fmt.Fprintf(w, "ERROR %s\n", e)
	}
}

func byCount(m map[string]int) string {
	keys := []string{}
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(a, b)
	})
	var out []string
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
