// Package web shows a station in a browser: an operating-room wall, a page for each device, and, where the operator of the
// program has allowed it, operations with confirmation and audit.
//
//	h, err := web.New(web.Config{Station: s})
//	err = web.Serve(ctx, listener, h, nil)
//
// It is a reader by default. Everything a browser needs is in the binary: pages, scripts and styles are embedded, nothing is
// fetched from elsewhere, and the content security policy forbids it.
//
// The same data serves other programs: docs/station-api.md tells of the JSON documents and the WebSocket, and
// /api/v1/openapi.json describes them for machines.
//
// # What one browser costs
//
// Each client has one goroutine and no queue: it is sent the newest state when it can take it, at most every
// Config.Interval, and samples decimated to what its screen can show. A browser that does not keep up misses states in
// between, is told of jumps in its waveforms, and is closed after Config.WriteTimeout. Config.MaxClients bounds their
// number, Config.MaxPerPeer those of one peer. What is on its way to browsers is bounded, too: 64 MiB of large documents and messages, to one peer a quarter.
// A document beyond is refused, a follower is closed. On loopback, where a proxy may stand for all browsers, a peer has no share.
package web
