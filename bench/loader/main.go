// loader measures two operators in alternating runs, each on a fresh control plane of its own: it starts etcd,
// kube-apiserver and the operator, sends the load, watches what becomes of it, and counts.
// `npm run bench` builds and starts it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// config is what the command line says.
type config struct {
	etcdBin, apiserverBin         string
	crd, template, auditPolicy    string
	updatePatch                   string
	out                           string
	reference, subject            operator
	tenants, pairs                int
	phases                        string
	trickleTenants                int
	trickleRate                   float64
	idle, timeout, calmWait       time.Duration
	churn                         time.Duration
	churnRate                     float64
	workers, boost, apiserverGOGC int
	calm                          float64
	keep, alone                   bool
}

// operator is one of the two that are measured.
type operator struct {
	name string
	// start is a shell command; KUBECONFIG is in its environment.
	start string
	// manifests is a file of objects that its control plane has besides, or empty.
	manifests string
	// metrics is the URL of its metrics, or empty.
	metrics string
}

const allPhases = "trickle,create,idle,trickle-full,update,restart,delete"

func parseFlags() *config {
	c := &config{}
	flag.StringVar(&c.etcdBin, "etcd", "", "the program etcd")
	flag.StringVar(&c.apiserverBin, "apiserver", "", "the program kube-apiserver")
	flag.StringVar(&c.crd, "crd", "", "file with the CRD of Tenant")
	flag.StringVar(&c.template, "template", "", "manifest of a Tenant, with {{name}}, {{namespace}} and {{index}}")
	flag.StringVar(&c.auditPolicy, "audit-policy", "", "audit policy, with {{operatorUser}}")
	flag.StringVar(&c.updatePatch, "update-patch", "", "merge patch of the spec, with {{rev}}")
	flag.StringVar(&c.out, "out", "", "folder of the results")
	flag.StringVar(&c.reference.name, "ref-name", "", "the reference's name in the tables")
	flag.StringVar(&c.reference.start, "ref-start", "", "shell command that starts the reference; KUBECONFIG is in its environment")
	flag.StringVar(&c.subject.name, "name", "", "the subject's name in the tables")
	flag.StringVar(&c.subject.start, "start", "", "shell command that starts the subject")
	flag.StringVar(&c.subject.manifests, "manifests", "", "file of objects that the subject's control plane has besides")
	flag.StringVar(&c.subject.metrics, "metrics", "", "URL of the subject's metrics, for the delay of its event loop")
	flag.BoolVar(&c.alone, "alone", false, "run the subject only")
	flag.IntVar(&c.tenants, "n", 1000, "Tenants")
	flag.IntVar(&c.pairs, "pairs", 3, "pairs of runs: reference, subject, reference, subject, ...")
	flag.StringVar(&c.phases, "phases", allPhases, "phases to run, out of these; create always runs")
	flag.IntVar(&c.trickleTenants, "trickle", 200, "Tenants in the trickle phases")
	flag.Float64Var(&c.trickleRate, "trickle-rate", 20, "creates per second in the trickle phases")
	flag.DurationVar(&c.idle, "idle", 30*time.Second, "length of the idle phase")
	flag.DurationVar(&c.churn, "churn", 0, "so long, Tenants are changed, deleted and created again, e.g. 30m")
	flag.Float64Var(&c.churnRate, "churn-rate", 20, "requests per second meanwhile")
	flag.DurationVar(&c.timeout, "timeout", 10*time.Minute, "limit of each phase")
	flag.IntVar(&c.workers, "workers", 32, "requests that the loader has in flight in create, update and delete")
	flag.Float64Var(&c.calm, "calm", 0.3, "a phase starts once other processes use fewer cores than this")
	flag.DurationVar(&c.calmWait, "calm-wait", 2*time.Minute, "but waits no longer than this")
	flag.IntVar(&c.boost, "boost", 0, "nice value, e.g. -10, of the scheduler's group of each party alike: for a machine that has other work")
	flag.IntVar(&c.apiserverGOGC, "api-gogc", 0, "GOGC of the apiserver, e.g. 400: less of its time is garbage collection (0: its default)")
	flag.BoolVar(&c.keep, "keep", false, "keep the control plane's folder (audit log, etcd)")
	flag.Parse()
	return c
}

var t0 = time.Now()

func logf(f string, a ...any) {
	fmt.Fprintf(os.Stderr, "[%7.1fs] "+f+"\n", append([]any{time.Since(t0).Seconds()}, a...)...)
}

var (
	cleanMu sync.Mutex
	cleanup []func()
)

// onExit has f called where a signal ends the program.
func onExit(f func()) {
	cleanMu.Lock()
	defer cleanMu.Unlock()
	cleanup = append(cleanup, f)
}

func exitOnSignal() {
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM)
	<-sig
	cleanMu.Lock()
	for i := len(cleanup) - 1; i >= 0; i-- {
		cleanup[i]()
	}
	os.Exit(130)
}

func main() {
	// The loader's own garbage collection would take from what it measures.
	debug.SetGCPercent(400)
	c := parseFlags()
	go exitOnSignal()
	if c.boost != 0 && !isBoosted() {
		os.Exit(runBoosted())
	}
	boostProcess(c.boost, os.Getpid())
	if err := compare(c); err != nil {
		logf("error: %v", err)
		os.Exit(1)
	}
}
