package msg_test

import (
	"os"
	"path/filepath"
	"testing"
)

func referenceDir(t testing.TB) string {
	if d := os.Getenv("SDC_REFERENCE_DIR"); d != "" {
		return d
	}
	dir, _ := os.Getwd()
	for {
		d := filepath.Join(dir, "shared", "reference")
		if _, err := os.Stat(d); err == nil {
			return d
		}
		if filepath.Dir(dir) == dir {
			t.Skip("no reference")
		}
		dir = filepath.Dir(dir)
	}
}
