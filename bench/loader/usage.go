package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const hz = 100 // USER_HZ

type pstat struct {
	pid, ppid, sid int
	comm           string
	state          byte
	cpu            float64 // seconds, own and reaped children's
}

func readStat(pid int) (s pstat, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, false
	}
	l, r := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	f := strings.Fields(string(b[r+1:]))
	if l < 0 || len(f) < 15 {
		return s, false
	}
	s.pid, s.comm, s.state = pid, string(b[l+1:r]), f[0][0]
	s.ppid, _ = strconv.Atoi(f[1])
	s.sid, _ = strconv.Atoi(f[3])
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
		n, _ := strconv.ParseFloat(f[i], 64)
		s.cpu += n / hz
	}
	return s, true
}

// alive: the process exists, is not a zombie, and still belongs to the session we started.
func alive(pid, sid int) bool {
	s, ok := readStat(pid)
	return ok && s.state != 'Z' && s.sid == sid
}

// sessionPids: every process of the session, and descendants which left it.
func sessionPids(sid int) []int {
	ents, _ := filepath.Glob("/proc/[0-9]*")
	all := map[int]pstat{}
	for _, e := range ents {
		pid, err := strconv.Atoi(filepath.Base(e))
		if err != nil {
			continue
		}
		if s, ok := readStat(pid); ok {
			all[pid] = s
		}
	}
	in := map[int]bool{}
	for pid, s := range all {
		if s.sid == sid || pid == sid {
			in[pid] = true
		}
	}
	for changed := true; changed; {
		changed = false
		for pid, s := range all {
			if !in[pid] && in[s.ppid] {
				in[pid], changed = true, true
			}
		}
	}
	var out []int
	for pid := range in {
		out = append(out, pid)
	}
	slices.Sort(out)
	return out
}

func statusKB(pid int, key string) float64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	i := bytes.Index(b, []byte(key+":"))
	if i < 0 {
		return 0
	}
	f := strings.Fields(string(b[i:]))
	n, _ := strconv.ParseFloat(f[1], 64)
	return n
}

// usage of a process tree. Shells which only wrap the operator are left out of the memory.
type usage struct {
	cpu             float64
	rssMB, rssHwmMB float64
	procs           int
}

func treeUsage(p *process) (u usage) {
	for _, pid := range sessionPids(p.pid()) {
		s, ok := readStat(pid)
		if !ok || s.state == 'Z' {
			continue
		}
		u.cpu += s.cpu
		if s.comm == "sh" || s.comm == "bash" || s.comm == "dash" {
			continue
		}
		u.procs++
		u.rssMB += statusKB(pid, "VmRSS") / 1024
		u.rssHwmMB += statusKB(pid, "VmHWM") / 1024
	}
	return u
}

// resetPeak restarts VmHWM, so that a phase's peak is exact without sampling.
func resetPeak(p *process) {
	for _, pid := range sessionPids(p.pid()) {
		os.WriteFile("/proc/"+strconv.Itoa(pid)+"/clear_refs", []byte("5"), 0)
	}
}

func selfCPU() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// machineBusy: seconds of CPU used by the whole machine, and stolen from it.
func machineBusy() (busy, steal float64) {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	for i, s := range f[1:] {
		n, _ := strconv.ParseFloat(s, 64)
		switch i {
		case 0, 1, 2, 5, 6:
			busy += n / hz
		case 7:
			steal += n / hz
		}
	}
	return busy, steal
}
