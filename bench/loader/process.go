package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// All processes are started from one locked OS thread that lives as long as this program, so that PDEATHSIG ends the
// control plane and the operator even if the loader is killed outright.
var spawnQueue = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for f := range spawnQueue {
			f()
		}
	}()
}

func spawn(cmd *exec.Cmd) error {
	done := make(chan error)
	spawnQueue <- func() { done <- cmd.Start() }
	return <-done
}

// process is one that this program started, in a session of its own.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  string
}

// startProcess writes the program's output to logFile, and gives its group the nice value boost.
func startProcess(logFile string, boost int, env []string, bin string, args ...string) (*process, error) {
	f, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = f, f
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := spawn(cmd); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(bin), err)
	}
	boostProcess(boost, cmd.Process.Pid)
	p := &process{cmd: cmd, done: make(chan struct{}), log: logFile}
	go func() { cmd.Wait(); close(p.done) }()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop sends SIGTERM to the process group, then SIGKILL to whatever of the tree is left. It returns the seconds until
// the exit, and whether something had to be killed.
func (p *process) stop(grace time.Duration) (secs float64, killed bool) {
	begin := time.Now()
	tree := sessionPids(p.pid())
	if !p.exited() {
		syscall.Kill(-p.pid(), syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(grace):
			killed = true
			syscall.Kill(-p.pid(), syscall.SIGKILL)
			<-p.done
		}
	}
	// The shell may be gone before its children: wait for these too.
	deadline := begin.Add(grace)
	for _, pid := range tree {
		for pid != p.pid() && alive(pid, p.pid()) {
			if time.Now().After(deadline) {
				killed = true
				syscall.Kill(pid, syscall.SIGKILL)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return time.Since(begin).Seconds(), killed
}

// tail returns the last n bytes of a file, or why it can't be read.
func tail(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-n):]))
}
