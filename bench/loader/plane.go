package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// namespace holds the Tenants.
const namespace = "bench"

// The operator is named like a service account, so that it meets the same flow control ("workload-low") and the same
// RBAC as in a pod.
const (
	operatorNamespace = "landlord-system"
	operatorUser      = "system:serviceaccount:" + operatorNamespace + ":operator"
	operatorGroups    = "system:serviceaccounts,system:serviceaccounts:" + operatorNamespace
)

// plane is one fresh control plane: an etcd and a kube-apiserver of its own, on its own ports.
type plane struct {
	dir        string
	etcd, api  *process
	base       string
	ca         []byte
	adminToken string
	kubeconfig string
	auditLog   string
}

// freePort returns port, or the next one that is free: other users of the machine are left alone.
func freePort(port int) int {
	for p := port; p < port+100; p++ {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p)); err == nil {
			l.Close()
			return p
		}
	}
	return port
}

// startPlane returns once the apiserver is ready. dir goes with stopPlane's caller.
func startPlane(c *config, dir string) (*plane, error) {
	etcdURL := fmt.Sprintf("http://127.0.0.1:%d", freePort(27790))
	apiPort := freePort(27443)
	p := &plane{dir: dir, base: fmt.Sprintf("https://127.0.0.1:%d", apiPort), adminToken: rand.Text(),
		auditLog: filepath.Join(dir, "audit.log"), kubeconfig: filepath.Join(dir, "kubeconfig")}
	if err := p.writeFiles(c); err != nil {
		return nil, err
	}
	err := p.startEtcd(c, etcdURL)
	if err == nil {
		err = p.startApiserver(c, etcdURL, apiPort)
	}
	if err == nil {
		err = p.waitUntilReady()
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *plane) path(name string) string { return filepath.Join(p.dir, name) }

func (p *plane) writeFiles(c *config) (err error) {
	if err = os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	if p.ca, err = writeCertificates(p.dir); err != nil {
		return err
	}
	// The loader is system:masters: exempt from priority and fairness, never queued behind the operator.
	operatorToken := rand.Text()
	tokens := fmt.Sprintf("%s,bench-loader,bench-loader,\"system:masters\"\n%s,%s,bench-operator,\"%s\"\n",
		p.adminToken, operatorToken, operatorUser, operatorGroups)
	if err = os.WriteFile(p.path("tokens.csv"), []byte(tokens), 0o600); err != nil {
		return err
	}
	policy, err := os.ReadFile(c.auditPolicy)
	if err != nil {
		return err
	}
	policy = bytes.ReplaceAll(policy, []byte("{{operatorUser}}"), []byte(operatorUser))
	if err = os.WriteFile(p.path("audit-policy.yaml"), policy, 0o644); err != nil {
		return err
	}
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: bench
  cluster: {server: %q, certificate-authority-data: %s}
users:
- name: operator
  user: {token: %s}
contexts:
- name: bench
  context: {cluster: bench, user: operator, namespace: %s}
current-context: bench
`, p.base, base64.StdEncoding.EncodeToString(p.ca), operatorToken, namespace)
	return os.WriteFile(p.kubeconfig, []byte(kubeconfig), 0o600)
}

func (p *plane) startEtcd(c *config, url string) (err error) {
	peerURL := fmt.Sprintf("http://127.0.0.1:%d", freePort(27890))
	p.etcd, err = startProcess(p.path("etcd.log"), c.boost, nil, c.etcdBin,
		"--data-dir="+p.path("etcd"), "--listen-client-urls="+url, "--advertise-client-urls="+url,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL, "--initial-cluster=default="+peerURL,
		"--log-level=warn",
		// The disk of the machine is not what is measured.
		"--unsafe-no-fsync",
	)
	return err
}

func (p *plane) startApiserver(c *config, etcdURL string, port int) (err error) {
	var env []string
	if c.apiserverGOGC > 0 {
		env = append(env, fmt.Sprintf("GOGC=%d", c.apiserverGOGC))
	}
	p.api, err = startProcess(p.path("kube-apiserver.log"), c.boost, env, c.apiserverBin,
		"--etcd-servers="+etcdURL,
		"--cert-dir="+p.dir,
		"--tls-cert-file="+p.path("server.crt"), "--tls-private-key-file="+p.path("server.key"),
		fmt.Sprintf("--secure-port=%d", port), "--bind-address=127.0.0.1",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p.path("accounts.key"), "--service-account-signing-key-file="+p.path("accounts.key"),
		"--token-auth-file="+p.path("tokens.csv"), "--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount", "--allow-privileged",
		"--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000",
		"--audit-policy-file="+p.path("audit-policy.yaml"), "--audit-log-path="+p.auditLog,
		"--audit-log-maxsize=4000", "--audit-log-mode=blocking",
	)
	return err
}

func (p *plane) waitUntilReady() error {
	admin := newAPI(p, 1)
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if _, err := admin.get("/readyz"); err == nil {
			return nil
		}
		if p.api.exited() || p.etcd.exited() {
			return fmt.Errorf("the control plane ended at its start:\n%s", tail(p.path("kube-apiserver.log"), 2000))
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the apiserver is not ready after 90 s:\n%s", tail(p.path("kube-apiserver.log"), 2000))
		}
	}
}

func (p *plane) stop() {
	for _, part := range []*process{p.api, p.etcd} {
		if part != nil {
			part.stop(5 * time.Second)
		}
	}
}
