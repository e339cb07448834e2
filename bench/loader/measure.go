package main

import (
	"os"
	"time"
)

// phase is what was measured in one phase. The clock (Seconds) runs from the first request to the last object done;
// requests and CPU also hold the operator's trailing work until it is quiet.
type phase struct {
	Name         string             `json:"name"`
	Error        string             `json:"error,omitempty"`
	Seconds      float64            `json:"seconds"`
	LoaderSends  float64            `json:"loaderSendSeconds,omitempty"` // the loader's requests alone
	Objects      int                `json:"objects,omitempty"`
	LatencyMs    map[string]float64 `json:"latencyMs,omitempty"`
	Requests     requests           `json:"requests"`
	OperatorCPU  float64            `json:"operatorCPU"`
	APICPU       float64            `json:"apiserverCPU"`
	EtcdCPU      float64            `json:"etcdCPU"`
	LoaderCPU    float64            `json:"loaderCPU"`
	ForeignCores float64            `json:"foreignCores"` // CPU used by anything else, in cores, within the clock
	StealCores   float64            `json:"stealCores"`
	RSSPeakMB    float64            `json:"rssPeakMB"`
	RSSEndMB     float64            `json:"rssEndMB"`
	Extra        map[string]float64 `json:"extra,omitempty"`
	NotQuiet     bool               `json:"notQuiet,omitempty"` // the operator was still busy 30 s later
}

// span is the time on a phase's clock: its first request, its last object done.
type span struct{ first, last time.Time }

func (s span) seconds() float64 {
	if s.first.IsZero() || s.last.IsZero() {
		return 0
	}
	return s.last.Sub(s.first).Seconds()
}

// clocks are those of all CPU time, in seconds.
type clocks struct{ operator, api, etcd, loader, machine, steal float64 }

func (r *runner) clocks() (c clocks) {
	if r.process != nil {
		c.operator = treeUsage(r.process).cpu
	}
	c.api, c.etcd, c.loader = treeUsage(r.plane.api).cpu, treeUsage(r.plane.etcd).cpu, selfCPU()
	c.machine, c.steal = machineBusy()
	return c
}

// foreign is the CPU time since a that none of the four parties used.
func (c clocks) foreign(a clocks) float64 {
	return max(0, (c.machine-a.machine)-(c.operator-a.operator)-(c.api-a.api)-(c.etcd-a.etcd)-(c.loader-a.loader))
}

// measure runs work as a phase. own are the Tenants that the operator is expected to write to.
func (r *runner) measure(name string, own map[string]bool, work func(p *phase) (span, error)) *phase {
	p := &phase{Name: name, Extra: map[string]float64{}}
	r.res.Phases = append(r.res.Phases, p)
	// Skip what the operator did between the phases (e.g. deletions of trickle Tenants).
	r.quiet(10 * time.Second)
	r.skipAudit()
	if r.process != nil {
		resetPeak(r.process)
	}
	r.waitCalm()
	r.loopDelay()
	a, begin := r.clocks(), time.Now()
	clock, err := work(p)
	b, wall := r.clocks(), time.Since(begin).Seconds()
	p.Seconds = clock.seconds()
	p.ForeignCores = b.foreign(a) / wall
	p.StealCores = (b.steal - a.steal) / wall
	r.noteLoopDelay(p)
	if err != nil {
		p.Error = err.Error()
		r.fail(name, err)
	} else if name != "idle" && r.process != nil {
		p.NotQuiet = !r.quiet(30 * time.Second)
		r.noteLoopDelay(p)
	}
	z := r.clocks()
	p.OperatorCPU, p.APICPU, p.EtcdCPU, p.LoaderCPU = z.operator-a.operator, z.api-a.api, z.etcd-a.etcd, z.loader-a.loader
	if r.process != nil {
		u := treeUsage(r.process)
		p.RSSPeakMB, p.RSSEndMB = u.rssHwmMB, u.rssMB
	}
	if p.Requests, r.offset, err = readAudit(r.plane.auditLog, r.offset, own); err != nil {
		r.fail("audit", err)
	}
	r.account(p.Requests)
	logf("%-8s %-13s %8.2f s  writes %5d  all %5d  op cpu %6.2f  api cpu %6.2f  rss %5.0f MB  foreign %.2f cores",
		r.o.name, name, p.Seconds, p.Requests.Writes, p.Requests.Total, p.OperatorCPU, p.APICPU, p.RSSPeakMB, p.ForeignCores)
	return p
}

func (r *runner) fail(what string, err error) {
	r.res.Errors = append(r.res.Errors, what+": "+err.Error())
	logf("%s, %s: %v", r.o.name, what, err)
}

// waitCalm waits until the rest of the machine uses less than --calm cores over 2 s.
func (r *runner) waitCalm() {
	deadline := time.Now().Add(r.c.calmWait)
	for waited := false; time.Now().Before(deadline); waited = true {
		a := r.clocks()
		time.Sleep(2 * time.Second)
		cores := r.clocks().foreign(a) / 2
		if cores < r.c.calm {
			return
		}
		if !waited {
			logf("waiting for a calm machine: others use %.1f cores", cores)
		}
	}
}

func (r *runner) account(q requests) {
	for what, n := range q.By {
		r.audited[what] += int64(n)
	}
}

func (r *runner) skipAudit() {
	q, offset, err := readAudit(r.plane.auditLog, r.offset, nil)
	if err == nil {
		r.offset = offset
		r.account(q)
	}
}

// quiet waits until the operator rests: under 5 % of a core and under 8 KB of audit log in 2 s.
func (r *runner) quiet(limit time.Duration) bool {
	if r.process == nil {
		return true
	}
	size := func() int64 {
		if info, err := os.Stat(r.plane.auditLog); err == nil {
			return info.Size()
		}
		return 0
	}
	const steps = 8
	var cpu [steps]float64
	var log [steps]int64
	deadline := time.Now().Add(limit)
	for i := 0; ; i++ {
		c, l := treeUsage(r.process).cpu, size()
		if i >= steps && c-cpu[i%steps] < 0.1 && l-log[i%steps] < 8<<10 {
			return true
		}
		cpu[i%steps], log[i%steps] = c, l
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(250 * time.Millisecond)
	}
}
