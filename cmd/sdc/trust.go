package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/policy"
	"github.com/semeco/go-sdc/sdc/provider"
)

// watchIdentity reloads certificates, trust and lists when their files change, until the function returned is called.
func watchIdentity(e *env, id *sdc.Identity) func() {
	if id == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(e.ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := id.Watch(ctx, 0); err != nil {
			e.log.Warn("certificates are not watched", "error", err)
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// auditLimit goes with every --audit.
type auditLimit struct {
	AuditMax int64 `name:"audit-max-mib" placeholder:"MIB" help:"Set the audit file aside, as FILE and a number, before it exceeds so many MiB, and go on in a new one; its chain goes on. Default: never."`
}

// openAudit opens the file of --audit; nil without one. The log is told when records cannot be written, and when they can again.
func (l auditLimit) openAudit(e *env, path string) (*audit.File, error) {
	if l.AuditMax < 0 || l.AuditMax > 1<<20 || l.AuditMax > 0 && path == "" {
		return nil, usagef("--audit-max-mib takes 1 to 1048576, together with --audit")
	}
	if path == "" {
		return nil, nil
	}
	f, err := audit.Open(path, audit.FileConfig{MaxSize: l.AuditMax << 20, Logger: e.log})
	if err != nil {
		return nil, fmt.Errorf("--audit: %w", err)
	}
	return f, nil
}

// accessFlags say what peers may do to a simulated device, and where it is recorded.
type accessFlags struct {
	Policy string `placeholder:"any|read-only|FILE" default:"any" help:"Who may call operations: any trusted consumer, nobody, or as a policy file says. A device of your own is read-only unless it has a policy."`
	auditLimit
	Audit string `placeholder:"FILE" help:"Append who connected, read, subscribed, called operations and was refused to this file, whose records are chained (sdc audit verify)."`
}

// access is what accessFlags come to.
type access struct {
	policy provider.Policy
	sink   audit.Sink
	close  func() error
}

// open reads the policy and opens the audit file.
func (f *accessFlags) open(e *env) (*access, error) {
	a := &access{close: func() error { return nil }}
	switch f.Policy {
	case "any", "": // "" in tests that make the command by hand
		a.policy = provider.AllowAll()
	case "read-only":
		a.policy = provider.ReadOnly()
	default:
		p, err := policy.Read(f.Policy)
		if err != nil {
			return nil, err
		}
		a.policy = p
	}
	file, err := f.openAudit(e, f.Audit)
	if file != nil {
		a.sink, a.close = file, file.Close
	}
	return a, err
}

// warn tells of handles in a policy file that the device does not have.
func (a *access) warn(e *env, snap *mdib.Snapshot) {
	if p, ok := a.policy.(*policy.Policy); ok {
		for _, w := range p.Check(snap) {
			fmt.Fprintln(e.err, "sdc: warning:", w)
		}
	}
}
