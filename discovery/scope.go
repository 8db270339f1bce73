package discovery

import "strings"

// MatchScope reports whether a scope of an endpoint matches a scope looked for by the
// rule rfc3986 (WS-Discovery 1.1, 5.1; SDPi R7000): same scheme and authority, without
// regard to case, and the path segments of probe are the first segments of those of
// scope. Equal is a prefix, and so is no path at all. Segments are compared after
// decoding %XX, with regard to case; a "." or ".." segment on either side never
// matches. Query and fragment do not count. What is no URI never matches.
func MatchScope(probe, scope string) bool {
	p, ok := splitScope(probe)
	if !ok {
		return false
	}
	s, ok := splitScope(scope)
	return ok && p.precedes(s)
}

// precedes reports whether what is looked for matches a scope.
func (p scopeParts) precedes(s scopeParts) bool {
	if !strings.EqualFold(p.scheme, s.scheme) || !strings.EqualFold(p.authority, s.authority) {
		return false
	}
	if len(p.segments) == 0 {
		return true
	}
	if p.rooted != s.rooted || len(p.segments) > len(s.segments) {
		return false
	}
	for i, seg := range p.segments {
		if seg != s.segments[i] {
			return false
		}
	}
	return true
}

type scopeParts struct {
	scheme, authority string
	rooted            bool     // the path begins with "/"
	segments          []string // decoded; none for "" and "/"
}

// splitScope takes a URI apart and brings it into canonical form. It is not net/url,
// which refuses some URIs that are scopes, such as those with a colon in the first
// segment, and decodes the path before it can be split.
func splitScope(uri string) (scopeParts, bool) {
	var p scopeParts
	rest, _, _ := strings.Cut(uri, "#")
	rest, _, _ = strings.Cut(rest, "?")
	scheme, rest, found := strings.Cut(rest, ":")
	if !found || !isScheme(scheme) {
		return p, false
	}
	p.scheme = scheme
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		i := strings.IndexByte(after, '/')
		if i < 0 {
			i = len(after)
		}
		if p.authority, ok = unescape(after[:i]); !ok {
			return p, false
		}
		rest = after[i:]
	}
	rest, p.rooted = strings.CutPrefix(rest, "/")
	if rest == "" {
		return p, true
	}
	for seg := range strings.SplitSeq(rest, "/") {
		seg, ok := unescape(seg)
		if !ok || seg == "." || seg == ".." {
			return p, false
		}
		p.segments = append(p.segments, seg)
	}
	return p, true
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// unescape decodes %XX; ok is false when a % is not followed by two hexadecimal digits.
func unescape(s string) (_ string, ok bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, okHi := unhex(s[i+1])
		lo, okLo := unhex(s[i+2])
		if !okHi || !okLo {
			return "", false
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), true
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
