package codec

import "github.com/semeco/go-sdc/internal/xmlscan"

// Open appends the beginning of a start tag, with xsi:type unless that is "".
func Open(b []byte, name, xsiType string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	if xsiType != "" {
		b = append(b, ` xsi:type="`...)
		b = append(b, xsiType...)
		b = append(b, '"')
	}
	return b
}

// Close ends an element whose content began at mark, right behind the '>' of its start tag; an element without
// content becomes an empty-element tag.
func Close(b []byte, mark int, name string) []byte {
	if len(b) == mark {
		b[mark-1] = '/'
		return append(b, '>')
	}
	b = append(b, '<', '/')
	b = append(b, name...)
	return append(b, '>')
}

// AppendStrings appends words separated by spaces, escaped for an attribute.
func AppendStrings(b []byte, v []string) []byte {
	for i, s := range v {
		if i > 0 {
			b = append(b, ' ')
		}
		b = xmlscan.AppendEscapedAttr(b, s)
	}
	return b
}

// AppendQNameAttr appends an attribute holding a qualified name, and a declaration for its prefix where
// the prefixes every message declares do not do.
func AppendQNameAttr(b []byte, name string, v xmlscan.Name) []byte {
	prefix, known := prefixOf(v.Space)
	if !known {
		b = xmlscan.AppendNS(b, prefix, v.Space)
	}
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	b = appendQName(b, prefix, v.Local)
	return append(b, '"')
}

// AppendQNameElem appends an element holding a qualified name.
func AppendQNameElem(b []byte, name string, v xmlscan.Name) []byte {
	prefix, known := prefixOf(v.Space)
	b = append(b, '<')
	b = append(b, name...)
	if !known {
		b = xmlscan.AppendNS(b, prefix, v.Space)
	}
	b = append(b, '>')
	b = appendQName(b, prefix, v.Local)
	return xmlscan.AppendEnd(b, name)
}

func appendQName(b []byte, prefix, local string) []byte {
	if prefix != "" {
		b = append(b, prefix...)
		b = append(b, ':')
	}
	return xmlscan.AppendEscapedAttr(b, local)
}

// prefixOf returns the prefix a namespace is written with and whether every message declares it.
func prefixOf(space string) (prefix string, known bool) {
	switch space {
	case "":
		return "", true // messages declare no default namespace
	case xmlscan.NsPM:
		return "pm", true
	case xmlscan.NsMsg:
		return "msg", true
	case xmlscan.NsExt:
		return "ext", true
	case xmlscan.NsXSI:
		return "xsi", true
	case xmlscan.NsXSD:
		return "xsd", false
	}
	return "q", false
}

// TypeUnless returns xsiType unless it is the declared type, which needs no xsi:type.
func TypeUnless(xsiType, declared string) string {
	if xsiType == declared {
		return ""
	}
	return xsiType
}
