//go:build !unix

package msg_test

import "time"

func processorTime() time.Duration { return 0 }
