package main

import (
	"context"
	"fmt"
)

// serveRole is what a child process of the bench does.
func serveRole(_ context.Context, role string) error {
	return fmt.Errorf("unknown role %q", role)
}
