// Package recording keeps what devices did in a file: the MDIB each began with, every report that changed it, the state of the link to it, and every
// gap. docs/recording.md describes the bytes.
//
// A Writer appends; what it has written is never changed. It loses nothing silently: when it cannot keep up, because the disk is slow or full, the recording
// says by a Gap how many records are missing and since when, and goes on with the whole MDIB. A process that is killed loses what was not yet handed to the
// operating system, at most Config.FlushEvery; a machine that loses power at most Config.SyncEvery.
//
// A Reader finds any moment by an index. A file that was not closed, or is torn or damaged, is read up to and after the damage, which stands in the stream of entries
// as a Gap like any other.
//
// The package needs the device model only. Package recorder records devices by a consumer, package replayer brings recordings back to life as providers.
package recording
