package soap

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzConfirmation: what is taken for a plain confirmation is one for net/http too, of the same length.
func FuzzConfirmation(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\nServer: x\r\ncontent-length:0 \r\nDate: a:b\r\n\r\nHTTP",
		"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n folded: x\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\nContent-Length : 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 \r\nContent-Length: 0\n\r\n\r\n",
		"HTTP/1.1 2x2 ok\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 \r\n\r\n",
		"HTTP/1.1 200 \r\nContent-length:0\r\n0:\x01\r\n\r\n",
		"HTTP/1.1 200 \n0\r\nContent-Length:0\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := confirmation(b)
		if !ok {
			return
		}
		in := bytes.NewReader(b)
		br := bufio.NewReader(in)
		resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodPost})
		require.NoError(t, err)
		require.Equal(t, 2, resp.StatusCode/100)
		require.False(t, resp.Close)
		require.Zero(t, resp.ContentLength)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Empty(t, body)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, len(b)-n, br.Buffered()+in.Len())
	})
}

func TestConfirmation(t *testing.T) {
	const good = "HTTP/1.1 202 Accepted\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
	n, ok := confirmation([]byte(good + "HTTP/1.1"))
	require.True(t, ok)
	require.Len(t, good, n)
	_, ok = confirmation([]byte(good[:len(good)-1]))
	require.False(t, ok)
}
