// The one program in the images that Landlord is tried with: a small HTTP server that can be made to misbehave.
// It is the only file in its image, so it brings along what a shell would be used for elsewhere.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// unhealthyFlag makes the health check fail as long as it exists.
const unhealthyFlag = "/unhealthy"

const usage = `usage: /app [MODE]
  serve [AFTER]             answer HTTP on $PORT (default 8080), listening AFTER this time; the default
  ignore-term               serve, and go on at SIGTERM
  crash [CODE [AFTER]]      serve, and exit with CODE (default 1) AFTER this time (default at once)
  unhealthy-after AFTER     serve, and fail the health check from then on
  sleep [DURATION]          do nothing, for ever by default
  needs HOST…               serve, once port 8080 of each HOST answers; exit 1 where one has not within a second
  job HOST…                 wait until each HOST answers, and exit 0
  check                     the health check (also as /bin/ok): exit 0, or 1 where the server doesn't answer or is unhealthy
  unhealthy | healthy       make the health check fail | succeed
  get URL                   print what an HTTP server answers; exit 1 where it can't be reached
  resolve NAME FILE         print the addresses of a name, each time that they change, until there is such a FILE
  write FILE TEXT | read FILE
  flood MEGABYTES           print as much, and serve
  fork-bomb                 start processes until there can be no more, and say how many there were
  raw-socket                open sockets below TCP and UDP, and say how that went
HTTP: / names the version, /env/NAME shows a variable, /exit/CODE ends the program.
`

func main() {
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "ok" {
		args = []string{"check"}
	}
	if len(args) == 0 {
		args = strings.Fields(os.Getenv("MODE"))
	}
	if len(args) == 0 {
		args = []string{"serve"}
	}
	run(args[0], args[1:])
}

func run(mode string, args []string) {
	switch mode {
	case "serve":
		exitAtSignal()
		time.Sleep(duration(args, 0, 0))
		serve()
	case "ignore-term":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		serve()
	case "crash":
		exitAtSignal()
		go serve()
		time.Sleep(duration(args, 1, 0))
		fmt.Fprintln(os.Stderr, "crashing, as told")
		os.Exit(number(args, 0, 1))
	case "unhealthy-after":
		exitAtSignal()
		time.AfterFunc(duration(args, 0, 0), func() { must(os.WriteFile(unhealthyFlag, nil, 0o644)) })
		serve()
	case "sleep":
		exitAtSignal()
		time.Sleep(duration(args, 0, 1<<62))
	case "needs":
		exitAtSignal()
		for _, host := range args {
			if !answers(host, time.Second) {
				fmt.Fprintln(os.Stderr, host, "does not answer")
				os.Exit(1)
			}
		}
		serve()
	case "job":
		exitAtSignal()
		for _, host := range args {
			for !answers(host, time.Minute) {
			}
		}
		fmt.Println("done")
	case "check":
		check()
	case "unhealthy":
		must(os.WriteFile(unhealthyFlag, nil, 0o644))
	case "healthy":
		must(os.RemoveAll(unhealthyFlag))
	case "get":
		get(argument(args, 0))
	case "resolve":
		resolve(argument(args, 0), argument(args, 1))
	case "write":
		must(os.WriteFile(argument(args, 0), []byte(argument(args, 1)), 0o644))
	case "read":
		text, err := os.ReadFile(argument(args, 0))
		must(err)
		os.Stdout.Write(text)
	case "flood":
		exitAtSignal()
		flood(number(args, 0, 1))
		serve()
	case "fork-bomb":
		forkBomb()
	case "raw-socket":
		openRawSockets()
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(64)
	}
}

func flood(megabytes int) {
	line := strings.Repeat("x", 8191) + "\n"
	for written := 0; written < megabytes<<20; written += len(line) {
		fmt.Print(line)
	}
}

func forkBomb() {
	var children []*os.Process
	for len(children) < 10_000 {
		child, err := os.StartProcess("/app", []string{"/app", "sleep", "1m"}, &os.ProcAttr{})
		if err != nil {
			fmt.Println(err)
			break
		}
		children = append(children, child)
	}
	fmt.Printf("%d processes\n", len(children))
	for _, child := range children {
		child.Kill()
	}
}

func openRawSockets() {
	kinds := map[string][3]int{
		"icmp": {syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP},
		"arp":  {syscall.AF_PACKET, syscall.SOCK_RAW, 0x0608},
	}
	for name, kind := range kinds {
		_, err := syscall.Socket(kind[0], kind[1], kind[2])
		fmt.Println(name, err)
		if err != nil {
			defer os.Exit(1)
		}
	}
}

// exitAtSignal: as process 1 of a container a program must ask for SIGTERM, or the kernel keeps it away.
func exitAtSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		os.Exit(0)
	}()
}

func resolve(name, file string) {
	last := ""
	for {
		found, err := net.LookupHost(name)
		sort.Strings(found)
		answer := strings.Join(found, " ")
		if err != nil {
			answer = err.Error()
		}
		if answer != last {
			fmt.Println(answer)
		}
		last = answer
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func port() string {
	if port := os.Getenv("PORT"); port != "" {
		return port
	}
	return "8080"
}

// serve speaks just enough HTTP by hand: net/http would triple the image.
func serve() {
	listener, err := net.Listen("tcp", ":"+port())
	must(err)
	fmt.Printf("version %s listens on port %s\n", os.Getenv("VERSION"), port())
	for {
		connection, err := listener.Accept()
		must(err)
		go answer(connection)
	}
}

func answer(connection net.Conn) {
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(10 * time.Second))
	reader := bufio.NewReader(connection)
	request, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	for line := request; line != "\r\n" && line != "\n"; {
		if line, err = reader.ReadString('\n'); err != nil {
			return
		}
	}
	path := "/"
	if fields := strings.Fields(request); len(fields) > 1 {
		path = fields[1]
	}
	status, body := "200 OK", fmt.Sprintf("version %s\n", os.Getenv("VERSION"))
	if name, ok := strings.CutPrefix(path, "/env/"); ok {
		body = os.Getenv(name) + "\n"
	} else if code, ok := strings.CutPrefix(path, "/exit/"); ok {
		os.Exit(number([]string{code}, 0, 1))
	} else if path != "/" {
		status, body = "404 Not Found", "not found\n"
	}
	fmt.Fprintf(connection, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, len(body), body)
}

func answers(host string, within time.Duration) bool {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		connection, err := net.DialTimeout("tcp", host+":8080", within)
		if err == nil {
			connection.Close()
			return true
		}
	}
	return false
}

func check() {
	if _, err := os.Stat(unhealthyFlag); err == nil {
		fmt.Println("unhealthy, as told")
		os.Exit(1)
	}
	connection, err := net.DialTimeout("tcp", "127.0.0.1:"+port(), time.Second)
	must(err)
	connection.Close()
	fmt.Println("ok")
}

func get(url string) {
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	if !strings.Contains(host, ":") {
		host += ":80"
	}
	connection, err := net.DialTimeout("tcp", host, 3*time.Second)
	must(err)
	connection.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(connection, "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host)
	answer, err := io.ReadAll(connection)
	must(err)
	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	fmt.Print(body)
}

func argument(args []string, index int) string {
	if index < len(args) {
		return args[index]
	}
	fmt.Fprint(os.Stderr, usage)
	os.Exit(64)
	return ""
}

func duration(args []string, index int, otherwise time.Duration) time.Duration {
	if index >= len(args) {
		return otherwise
	}
	parsed, err := time.ParseDuration(args[index])
	must(err)
	return parsed
}

func number(args []string, index, otherwise int) int {
	if index >= len(args) {
		return otherwise
	}
	parsed, err := strconv.Atoi(args[index])
	must(err)
	return parsed
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
