package lint

import (
	"strconv"

	"github.com/semeco/go-sdc/mdib/pm"
)

func codeRules() []Rule {
	return []Rule{
		{ID: "SDPi R8119", Profile: sdpi, Title: "A privately coded concept has exactly one translation with the same code.", check: privateCodes},
	}
}

// private reports whether a code of the default coding system (IEEE 11073-10101) is one of those left to makers: term codes from 0xF000 on in any
// partition, and all of partition 1024.
func private(c *pm.CodedValue) bool {
	if c.CodingSystemOrDefault() != pm.DefaultCodingSystem {
		return false
	}
	code, err := strconv.ParseUint(c.Code, 10, 32)
	return err == nil && (code&0xFFFF >= 0xF000 || code>>16 == 1024)
}

func privateCodes(p *pass) {
	for v, c := range all[*pm.CodedValue](p) {
		if !private(c) {
			continue
		}
		same := 0
		for i := range c.Translation {
			if c.Translation[i].Code == c.Code {
				same++
			}
		}
		if same != 1 {
			p.errorf(v.handle, "%s has the private code %s and %d translations with that code instead of one", v.field, c.Code, same)
		}
	}
}
