package pm

import (
	"encoding/json"
	"fmt"
)

// Opt is an optional value: the zero Opt holds nothing.
type Opt[T any] struct {
	v  T
	ok bool
}

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{v: v, ok: true} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.v, o.ok }

// IsSet reports whether a value is held.
func (o Opt[T]) IsSet() bool { return o.ok }

// IsZero reports whether nothing is held; it makes the json option "omitzero" work.
func (o Opt[T]) IsZero() bool { return !o.ok }

// Or returns the value, or def when there is none.
func (o Opt[T]) Or(def T) T {
	if o.ok {
		return o.v
	}
	return def
}

// String writes the value as package fmt does, "absent" when there is none: for logs and the output of tests.
func (o Opt[T]) String() string {
	if !o.ok {
		return "absent"
	}
	return fmt.Sprint(o.v)
}

// MarshalJSON writes the value, or null when there is none.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.ok {
		return []byte("null"), nil
	}
	return json.Marshal(o.v)
}

// UnmarshalJSON reads a value; null clears.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Opt[T]{}
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
