package soap

import "bytes"

// plainRequest is the header of a request that is as plain as those of a [Line].
type plainRequest struct {
	size                            int // of the header, in bytes
	path, host, contentType, prefer []byte
	length                          int // of the body, at least 1
}

// maxPlainBody is the size in bytes up to which a body is plain. So much net/http, too, reads of one that was refused to keep its connection.
const maxPlainBody = 256 << 10

// shape is what parsePlain finds.
type shape uint8

const (
	plain   shape = iota
	partial       // plain so far, but more has to come
	foreign       // wrong or unusual
)

// parsePlain reads the header at the beginning of b. It knows few shapes, in all of which net/http sees the same, and leaves the rest to it.
func parsePlain(b []byte) (p plainRequest, s shape) {
	var length, agent []byte
	for {
		i := bytes.IndexByte(b[p.size:], '\n')
		if i < 0 {
			return p, partial
		}
		line, ok := bytes.CutSuffix(b[p.size:p.size+i], []byte("\r"))
		p.size += i + 1
		switch {
		case !ok:
			return p, foreign
		case p.path == nil:
			line, post := bytes.CutPrefix(line, []byte("POST "))
			path, http11 := bytes.CutSuffix(line, []byte(" HTTP/1.1"))
			if !post || !http11 || !plainPath(path) {
				return p, foreign
			}
			p.path = path
			continue
		case len(line) == 0:
			if p.length = plainLength(length); p.length == 0 || p.host == nil {
				return p, foreign
			}
			return p, plain
		}
		name, value, ok := bytes.Cut(line, []byte(": "))
		if !ok || len(value) == 0 || !plainText(value) || len(bytes.TrimSpace(value)) != len(value) {
			return p, foreign
		}
		var field *[]byte
		switch {
		case bytes.EqualFold(name, []byte("Host")):
			field = &p.host
		case bytes.EqualFold(name, []byte("Content-Type")):
			field = &p.contentType
		case bytes.EqualFold(name, []byte("Content-Length")):
			field = &length
		case bytes.EqualFold(name, []byte("Prefer")):
			field = &p.prefer
		case bytes.EqualFold(name, []byte("User-Agent")):
			field = &agent
		}
		if field == nil || *field != nil {
			return p, foreign
		}
		*field = value
	}
}

// plainLength reads a length; 0 if it is not plain.
func plainLength(text []byte) int {
	n := 0
	for _, c := range text {
		if !digit(c) || n > maxPlainBody {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	if n > maxPlainBody {
		return 0
	}
	return n
}

// plainPath tells whether a request's target is a path, without anything that has to be unescaped or has a meaning of its own.
func plainPath(target []byte) bool {
	for _, c := range target {
		if !digit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && bytes.IndexByte([]byte("/-._~:"), c) < 0 {
			return false
		}
	}
	return len(target) > 0 && target[0] == '/' && !bytes.HasPrefix(target, []byte("//"))
}
