package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Disk is a small file system of its own, in memory, that is really full when it is full. No other process sees it, and it is gone with Close.
type Disk struct {
	mount *os.File
}

// NewDisk makes a disk of so many bytes. It needs Linux and the right to mount.
func NewDisk(size int64) (*Disk, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fsopen", err)
	}
	defer func() { _ = unix.Close(fs) }()
	if err := unix.FsconfigSetString(fs, "size", strconv.FormatInt(size, 10)); err != nil {
		return nil, os.NewSyscallError("fsconfig", err)
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, os.NewSyscallError("fsconfig", err)
	}
	// Attached to no place, it can be reached by its descriptor only.
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fsmount", err)
	}
	return &Disk{mount: os.NewFile(uintptr(fd), "disk")}, nil
}

// Path names a file on the disk.
func (d *Disk) Path(name string) string {
	return filepath.Join(fmt.Sprintf("/proc/self/fd/%d", d.mount.Fd()), name)
}

// Fill takes all the space that is left, until Relieve.
func (d *Disk) Fill() error {
	f, err := os.OpenFile(d.Path(ballast), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	b := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(b)
	}
	if closed := f.Close(); closed != nil {
		return closed
	}
	if !errors.Is(err, unix.ENOSPC) {
		return err
	}
	return nil
}

const ballast = "ballast"

// Relieve makes room again.
func (d *Disk) Relieve() error { return os.Remove(d.Path(ballast)) }

// Close ends it. Files that are open on it stay usable.
func (d *Disk) Close() error { return d.mount.Close() }
