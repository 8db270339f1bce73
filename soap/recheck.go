package soap

import (
	"crypto/tls"
	"net/http"
	"sync"
)

// Recheck judges a peer again that was accepted in its handshake: certificates expire, are revoked or land on a list while a connection stays open. It is called once a connection, when the
// handshake is over, and returns what is called before each message. An error closes the connection.
// What it returns must be cheap, and is not called from several goroutines at once.
type Recheck func(cs tls.ConnectionState, remote string) func() error

// standing is what a server knows about the peer of one connection.
type standing struct {
	once  sync.Once
	check func() error
}

// recheck judges the peer of a request again; false when it was refused.
func (s *Server) recheck(w http.ResponseWriter, r *http.Request) bool {
	c := connOf(r)
	if c == nil || r.TLS == nil {
		return true
	}
	st := &c.standing
	st.once.Do(func() { st.check = s.cfg.Recheck(*r.TLS, r.RemoteAddr) })
	err := st.check()
	if err == nil {
		return true
	}
	w.Header().Set("Connection", "close")
	s.refuse(w, r, http.StatusForbidden, err.Error())
	return false
}
