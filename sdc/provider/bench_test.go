package provider_test

import (
	"strconv"
	"testing"

	"github.com/semeco/go-sdc/sdc/provider"
)

// BenchmarkUpdate is a commit nobody listens to.
func BenchmarkUpdate(b *testing.B) {
	dev, err := provider.New(provider.Config{MDIB: device(b), Insecure: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := dev.Update(setNum(strconv.Itoa(i))); err != nil {
			b.Fatal(err)
		}
	}
}
