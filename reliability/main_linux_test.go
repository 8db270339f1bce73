package main

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/netns"
)

func TestMain(m *testing.M) {
	netns.Enter(programs())
	goleak.VerifyTestMain(m)
}
