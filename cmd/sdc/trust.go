package main

import (
	"context"
	"sync"

	"github.com/semeco/go-sdc/sdc"
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
