package discovery

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// PriorityGroup orders consumers that see a new device at the same moment: 0 connects
// first, 9 last (GLUE R0076). 0 and 1 are for functions of high, 2 to 6 of normal and 7
// to 9 of low criticality.
type PriorityGroup int

// DefaultPriorityGroup is used where nobody chose: the most critical one, so that
// no function has to wait because of a missing setting (SDPi R0003).
const DefaultPriorityGroup PriorityGroup = 0

// prioritySlot is the time that one group has for itself.
const prioritySlot = 500 * time.Millisecond

// ConnectDelay draws the time to wait before connecting to a newly seen device: a random
// moment of the group's own half second, so that groups come one after the other and the
// members of a group do not come all at once (GLUE R0076, SDPi R0002). random may be nil.
func ConnectDelay(g PriorityGroup, random *rand.Rand) (time.Duration, error) {
	if g < 0 || g > 9 {
		return 0, fmt.Errorf("priority group %d is not within 0 to 9", g)
	}
	n := rand.Int64N
	if random != nil {
		n = random.Int64N
	}
	return time.Duration(g)*prioritySlot + time.Duration(n(int64(prioritySlot))), nil
}
