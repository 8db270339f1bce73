package xmlscan

// Limits bounds what a scanner accepts. A zero (or negative) field stands for
// the default named beside it.
type Limits struct {
	MaxBytes      int // size of the document in bytes; default 16 MiB
	MaxDepth      int // elements open at one time; default 64
	MaxAttrs      int // attributes of one element, namespace declarations included; default 128
	MaxNameLen    int // bytes of one name, prefix and colon included; default 256
	MaxTextLen    int // bytes of one run of text or of one attribute value; default 4 MiB
	MaxNamespaces int // namespace declarations in scope at one time; default 64
	MaxElements   int // elements in the document; default 1 048 576
	MaxMemory     int // bytes of what is made of the document, as told by [Scanner.Spend]; default 4 times MaxBytes, real messages take up to 1.7 times their size
}

// The defaults of [Limits].
const (
	DefaultMaxBytes      = 16 << 20
	DefaultMaxDepth      = 64
	DefaultMaxAttrs      = 128
	DefaultMaxNameLen    = 256
	DefaultMaxTextLen    = 4 << 20
	DefaultMaxNamespaces = 64
	DefaultMaxElements   = 1 << 20
)

// memoryFactor is how many times the bytes of a document may be taken by what is made of it.
const memoryFactor = 4

// withDefaults fills the fields that say nothing.
func (l Limits) withDefaults() Limits {
	or := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	or(&l.MaxBytes, DefaultMaxBytes)
	or(&l.MaxDepth, DefaultMaxDepth)
	or(&l.MaxAttrs, DefaultMaxAttrs)
	or(&l.MaxNameLen, DefaultMaxNameLen)
	or(&l.MaxTextLen, DefaultMaxTextLen)
	or(&l.MaxNamespaces, DefaultMaxNamespaces)
	or(&l.MaxElements, DefaultMaxElements)
	or(&l.MaxMemory, memoryFactor*l.MaxBytes)
	return l
}
