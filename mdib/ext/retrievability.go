package ext

import (
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

func retrievability() pm.QName { return pm.QName{Space: msg.Namespace, Local: "Retrievability"} }

// Retrievability returns by which ways a descriptor's states can be had (msg:Retrievability), from the extension
// of the descriptor.
func Retrievability(x pm.Extension) (msg.Retrievability, bool, error) {
	return get[msg.Retrievability](x, retrievability())
}

// SetRetrievability puts it there.
func SetRetrievability(x *pm.Extension, v msg.Retrievability) {
	set(x, retrievability(), v.AppendElement(nil, "msg:Retrievability", ""))
}
