package sdc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// The limits of a server follow from who is expected; whoever expects more behind one certificate leaves as much to the others as before.
func TestCrowd(t *testing.T) {
	for _, tt := range []struct {
		crowd         sdc.Crowd
		server        soap.ServerConfig
		subscriptions [2]int
	}{
		{sdc.Crowd{}, soap.ServerConfig{MaxConns: 512, MaxConnsPerPeer: 256, MaxUnproven: 128, MaxRequests: 256, MaxRequestsPerPeer: 128}, [2]int{1024, 128}},
		{sdc.Crowd{All: 10}, soap.ServerConfig{MaxConns: 512, MaxConnsPerPeer: 256, MaxUnproven: 128, MaxRequests: 256, MaxRequestsPerPeer: 128}, [2]int{1024, 128}},
		{sdc.Crowd{All: 1000}, soap.ServerConfig{MaxConns: 2000, MaxConnsPerPeer: 256, MaxUnproven: 500, MaxRequests: 1000, MaxRequestsPerPeer: 128}, [2]int{4000, 128}},
		{sdc.Crowd{BehindOne: 200}, soap.ServerConfig{MaxConns: 1600, MaxConnsPerPeer: 800, MaxUnproven: 400, MaxRequests: 800, MaxRequestsPerPeer: 400}, [2]int{3200, 400}},
		{sdc.Crowd{BehindOne: 1}, soap.ServerConfig{MaxConns: 512, MaxConnsPerPeer: 4, MaxUnproven: 128, MaxRequests: 256, MaxRequestsPerPeer: 2}, [2]int{1024, 2}},
	} {
		var cfg soap.ServerConfig
		tt.crowd.Server(&cfg)
		require.Equal(t, tt.server, cfg, "%+v", tt.crowd)
		all, ofOne := tt.crowd.Subscriptions()
		require.Equal(t, tt.subscriptions, [2]int{all, ofOne}, "%+v", tt.crowd)
		require.NoError(t, tt.crowd.Validate())
		require.LessOrEqual(t, cfg.MaxRequestsPerPeer, cfg.MaxRequests/2)
	}
	require.Error(t, sdc.Crowd{All: -1}.Validate())
	require.Error(t, sdc.Crowd{BehindOne: -1}.Validate())
}
