package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
)

// profile says where the processor time of a run went.
type profile struct {
	What   string
	Shares []share
}

type share struct {
	Where   string
	Percent float64
}

// parts assigns functions to what they do; the first that matches counts.
var parts = []struct {
	where   string
	pattern *regexp.Regexp
}{
	{"system calls (sockets)", regexp.MustCompile(`^(internal/runtime/)?syscall\.|^internal/poll\.|^runtime\.(futex|epoll|usleep|netpoll|read|write)|^internal/runtime/syscall`)},
	{"copying, comparing, hashing", regexp.MustCompile(`^(memeq|aeshash|cmpbody|indexbytebody|countbody)|^runtime\.(memmove|memequal|memhash|strhash|map)|^internal/runtime/maps`)},
	{"garbage collector and allocation", regexp.MustCompile(`^gcWriteBarrier|^internal/runtime/gc|^runtime\.(asyncPreempt|suspendG|preemptPark|heapArenaOf|wbBufFlush|stopTheWorld|startTheWorld|heapSetType|acquirem|gc|mallocgc|scan|mark|sweep|grey|greyobject|heapBits|newobject|makeslice|growslice|memclr|bg|wbBuf|typePointers|\(\*mspan|\(\*mheap|\(\*mcache|\(\*mcentral|\(\*gc|\(\*sweep|tryDeferToSpanScan|findObject|spanOf|publicationBarrier|nextFree|deductAssist|bulkBarrier)|^runtime\.\(\*spanInline|^runtime\.\(\*spanSPMC|^runtime\.\(\*unwinder|^runtime\.pcvalue|^runtime\.stackpool`)},
	{"scheduler and locks", regexp.MustCompile(`^runtime\.|^sync|^internal/sync|^internal/runtime/atomic|^context\.|^time\.|^internal/race`)},
	{"TLS", regexp.MustCompile(`^crypto|^vendor/golang.org/x/crypto|^internal/byteorder`)},
	{"net/http", regexp.MustCompile(`^net|^bufio|^io\.|^bytes|^strings|^mime|^vendor/golang.org/x/net|^internal/bytealg`)},
	{"model codec, encoding", regexp.MustCompile(`go-sdc/(mdib/(pm|msg|ext|internal/codec)).*(ppend|encode)`)},
	{"model codec, decoding (scanner included)", regexp.MustCompile(`go-sdc/(mdib/(pm|msg|ext|internal/codec)|internal/xmlscan)`)},
	{"MDIB (commit, mirror)", regexp.MustCompile(`go-sdc/(mdib|internal/pmap)`)},
	{"SOAP and eventing", regexp.MustCompile(`go-sdc/soap`)},
	{"provider, consumer", regexp.MustCompile(`go-sdc/sdc`)},
}

const elsewhere = "elsewhere"

// profiled runs f with a CPU profile and keeps what it says. While the whole run is profiled already, it only runs f.
func (e *env) profiled(what string, f func() error) error {
	var b bytes.Buffer
	if pprof.StartCPUProfile(&b) != nil {
		return f()
	}
	err := f()
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	file := filepath.Join(e.dir, "cpu.pprof")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return err
	}
	out, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=100000", "-nodefraction=0", file).Output() //nolint:noctx // ends by itself
	if err != nil {
		return fmt.Errorf("go tool pprof: %w", err)
	}
	e.profiles = append(e.profiles, profile{what, shares(out)})
	return nil
}

// shares adds the flat times of a profile up by what the functions do.
func shares(top []byte) []share {
	sum := map[string]float64{}
	s := bufio.NewScanner(bytes.NewReader(top))
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 6 || !strings.HasSuffix(f[1], "%") {
			continue
		}
		percent, err := strconv.ParseFloat(strings.TrimSuffix(f[1], "%"), 64)
		if err != nil {
			continue
		}
		sum[where(f[5])] += percent
	}
	var out []share
	for w, p := range sum {
		out = append(out, share{w, p})
	}
	slices.SortFunc(out, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.Percent, a.Percent), strings.Compare(b.Where, a.Where))
	})
	return out
}

func where(function string) string {
	for _, p := range parts {
		if p.pattern.MatchString(function) {
			return p.where
		}
	}
	return elsewhere
}
