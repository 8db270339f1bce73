package codec

// Append appends to a list of pointers or interfaces. It has room for 4, then 16, then 64, so that the
// usual report is read with few allocations; beyond, append decides.
func Append[T any](list []T, x T) []T {
	if n := len(list); n == cap(list) && n < 64 {
		list = append(make([]T, 0, max(4, 4*n)), list...)
	}
	return append(list, x)
}

// EqualList compares lists of structs.
func EqualList[T any](a, b []T, equal func(x, y *T) bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(&a[i], &b[i]) {
			return false
		}
	}
	return true
}

// Enum reads a value of an enumeration.
func Enum[T interface {
	~string
	Valid() bool
}](d *Decoder, b []byte) (T, error) {
	if v := T(d.S.Intern(b)); v.Valid() {
		return v, nil
	}
	return "", Quote(ErrEnum, b)
}
