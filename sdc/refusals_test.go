package sdc_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/sparing"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

// Who has no certificate at all can come as often as he likes, with names as long as he likes. That must not fill the disk with the log.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	long := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: strings.Repeat("ü", 20_000)}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, long, long, key.Public(), key)
	require.NoError(t, err)
	stranger, err := x509.ParseCertificate(der)
	require.NoError(t, err)

	device := identity(t, authority(t), pki.Request{Name: "device", Role: sdc.RoleProvider})
	var log bytes.Buffer
	device.Logger = slog.New(slog.NewTextHandler(&log, nil))
	told := 0
	device.Refused = func(*sdc.PeerError) { told++ }
	verify := device.ServerTLS(sdc.RoleConsumer).VerifyConnection
	const n = 2000
	start := time.Now()
	for range n {
		err = verify(tls.ConnectionState{PeerCertificates: []*x509.Certificate{stranger}})
	}
	var refused *sdc.PeerError
	require.ErrorAs(t, err, &refused)
	require.Less(t, len(refused.Subject), 300)
	require.True(t, strings.HasSuffix(refused.Subject, "ü..."), "cut between characters")
	most := sparing.Burst + int(time.Since(start)/sparing.Every) + 1
	require.LessOrEqual(t, strings.Count(log.String(), "\n"), most)
	require.Less(t, log.Len(), most*2000)
	require.Equal(t, n, told)
	require.EqualValues(t, n, device.Refusals()[sdc.Untrusted], "all are counted")
}
