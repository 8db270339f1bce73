//go:build !unix

package audit

import "os"

// openLocked opens a file. Other processes are not kept away here.
func openLocked(path string) (file, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
