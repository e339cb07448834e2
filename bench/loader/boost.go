package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

const boostedEnv = "BENCH_IS_BOOSTED"

func isBoosted() bool { return os.Getenv(boostedEnv) != "" }

// runBoosted runs the loader once more, in a session of its own: the scheduler groups processes by session, so the
// value does not reach the caller's. Returns the exit code.
func runBoosted() int {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), boostedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
	if err := spawn(cmd); err != nil {
		logf("error: %v", err)
		return 1
	}
	done := make(chan struct{})
	onExit(func() { cmd.Process.Signal(syscall.SIGTERM); <-done })
	err := cmd.Wait()
	close(done)
	if err != nil {
		return max(1, cmd.ProcessState.ExitCode())
	}
	return 0
}

// boostProcess sets the nice value of the scheduler's group of a process that leads a session. 0 changes nothing.
func boostProcess(nice, pid int) {
	if nice == 0 {
		return
	}
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(nice)), 0); err != nil {
		logf("boost: %v", err)
	}
}
