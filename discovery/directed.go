package discovery

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// DirectedProbe asks one HTTP(S) endpoint what it is (MDPWS R0015). The EPR of the answer
// may be empty: peers are known to leave it out. An endpoint that is not what is looked for
// gives no endpoints and no error; an unsupported matching rule comes back as a
// *soap.Fault.
func DirectedProbe(ctx context.Context, c *soap.Client, url string, f Filter) ([]Endpoint, error) {
	h := &soap.Header{To: To, Action: ActionProbe, MessageID: soap.NewMessageID()}
	env, err := c.Exchange(ctx, url, h, body{kind: kindProbe, filter: f})
	if err != nil {
		return nil, err
	}
	m, err := soap.DecodeAnswer(env, wsd("ProbeMatches"), func(s *xmlscan.Scanner) (body, error) {
		m := body{kind: kindProbeMatches}
		err := decodeBody(s, &m)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("directed probe of %s: %w", url, err)
	}
	return m.endpoints, nil
}
