package discovery

import (
	"context"

	"github.com/semeco/go-sdc/soap"
)

// DirectedProbe asks one HTTP(S) endpoint what it is (MDPWS R0015). The EPR of the answer
// may be empty: peers are known to leave it out. An endpoint that is not what is looked for
// gives no endpoints and no error; an unsupported matching rule comes back as a
// *soap.Fault.
func DirectedProbe(ctx context.Context, c *soap.Client, url string, f Filter) ([]Endpoint, error) {
	return exchange(ctx, c, url, body{kind: kindProbe, filter: f}, kindProbeMatches)
}
