package faults

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Clock sets the wall clock of this process, and of nothing else; the monotonic time goes on, as it does when somebody sets the clock of a host.
//
// A process reads the clock by a function that the kernel has put into its memory. A Clock replaces that by one that asks the kernel and adds an offset.
type Clock struct {
	mem    *os.File
	offset int64 // where in memory the offset is, in seconds
}

// clockCode is the function: clock_gettime(clock, *timespec) by system call, and for clock 0, CLOCK_REALTIME, the seconds plus what stands behind the code.
var clockCode = []byte{
	0xb8, 228, 0, 0, 0, // mov eax, SYS_clock_gettime
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi
	0x75, 0x0a, // jne to ret
	0x48, 0x8b, 0x0d, 14, 0, 0, 0, // mov rcx, [rip+14]
	0x48, 0x01, 0x0e, // add [rsi], rcx
	0xc3,                         // ret
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // padding, so that the offset is written as a whole
	0, 0, 0, 0, 0, 0, 0, 0, // the offset
}

// NewClock takes the clock over. It is to be called at the beginning of a process that is there for tests, before much else runs.
func NewClock() (*Clock, error) {
	mem, at, err := openClock()
	if err != nil {
		return nil, err
	}
	if _, err := mem.WriteAt(clockCode, at); err != nil {
		return nil, errors.Join(err, mem.Close())
	}
	return &Clock{mem: mem, offset: at + int64(len(clockCode)) - 8}, nil
}

// ClockSettable tells why NewClock would fail on this machine; nil if it would not. It leaves the clock alone.
func ClockSettable() error {
	mem, at, err := openClock()
	if err != nil {
		return err
	}
	same := make([]byte, len(clockCode))
	_, err = mem.ReadAt(same, at)
	if err == nil {
		_, err = mem.WriteAt(same, at)
	}
	return errors.Join(err, mem.Close())
}

// openClock opens the memory of this process, in which the function is at a place that is large enough.
func openClock() (mem *os.File, at int64, err error) {
	at, size, err := findClock()
	if err != nil {
		return nil, 0, err
	}
	if size < uint64(len(clockCode)) {
		return nil, 0, fmt.Errorf("the kernel's function has %d bytes, %d are needed", size, len(clockCode))
	}
	mem, err = os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	return mem, at, err
}

// Set makes the wall clock wrong by so many seconds.
func (c *Clock) Set(seconds int64) error {
	_, err := c.mem.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(seconds)), c.offset)
	return err
}

// findClock returns where in the memory of this process the kernel's clock_gettime is, and how long.
func findClock() (at int64, size uint64, err error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.Contains(line, "[vdso]") {
			continue
		}
		var from, to int64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			return 0, 0, err
		}
		mem, err := os.Open("/proc/self/mem")
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = mem.Close() }()
		image, err := io.ReadAll(io.NewSectionReader(mem, from, to-from))
		if err != nil {
			return 0, 0, err
		}
		file, err := elf.NewFile(bytes.NewReader(image))
		if err != nil {
			return 0, 0, err
		}
		symbols, err := file.DynamicSymbols()
		if err != nil {
			return 0, 0, err
		}
		for _, s := range symbols {
			if s.Name == "__vdso_clock_gettime" {
				return from + int64(s.Value), s.Size, nil
			}
		}
	}
	return 0, 0, errors.New("this process does not read the clock by a function of the kernel's")
}
