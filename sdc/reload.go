package sdc

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// DefaultWatch is how often Watch looks.
const DefaultWatch = 10 * time.Second

// ErrNoFolder is returned by Reload and Watch for an identity that was not loaded from a folder.
var ErrNoFolder = errors.New("identity: not loaded from a folder")

// Reload reads the folder that the identity was loaded from once more and uses what is there, as Replace does. On an error nothing has changed.
func (id *Identity) Reload() error {
	if id.folder.Dir == "" {
		return ErrNoFolder
	}
	f := id.folder
	f.Now = id.now
	c, err := f.read()
	if err != nil {
		return err
	}
	return id.Replace(*c)
}

// Watch looks at the folder that the identity was loaded from every so often (0 means DefaultWatch) and reloads it when a file has changed, until ctx ends. What cannot be used, as
// when only the certificate has been replaced and not yet the key, is logged and told to Reloaded, and the former credentials stay.
func (id *Identity) Watch(ctx context.Context, every time.Duration) error {
	if id.folder.Dir == "" {
		return ErrNoFolder
	}
	if every <= 0 {
		every = DefaultWatch
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	// Once at the beginning: files may have changed between loading and watching.
	var seen [32]byte
	for {
		if now := id.folder.digest(); now != seen {
			first := seen == [32]byte{}
			seen = now
			err := id.Reload()
			switch {
			case err != nil:
				id.log().LogAttrs(ctx, slog.LevelError, "changed certificates cannot be used; the former ones stay",
					slog.String("folder", id.folder.Dir), slog.String("error", err.Error()))
			case !first:
				id.log().LogAttrs(ctx, slog.LevelInfo, "certificates reloaded",
					slog.String("folder", id.folder.Dir), slog.String("sha256", Fingerprint(id.Leaf())))
			}
			if id.Reloaded != nil {
				id.Reloaded(err)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}
