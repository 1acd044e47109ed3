package bridge

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"authbird/e2e/web"
)

func TestBothEndsCarryARequest(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "asked for "+r.Host+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	socket := filepath.Join(t.TempDir(), "s")
	outer := listen(t, "unix", socket)
	inner := listen(t, "tcp", "127.0.0.1:0")
	go Carry(outer, func() (net.Conn, error) { return net.Dial("tcp", server.Listener.Addr().String()) })
	go Carry(inner, func() (net.Conn, error) { return net.Dial("unix", socket) })

	address := inner.Addr().String()
	answer, err := web.Call(t.Context(), http.MethodGet, "http://"+address+"/path", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(answer.Body), "asked for "+address+"/path"; got != want {
		t.Fatalf("the server says %q, want %q", got, want)
	}
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestOnlyLoopbackIsCarried(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:9000":     "127.0.0.1:9000",
		"http://[::1]:9000":         "[::1]:9000",
		"https://127.0.0.1:9443":    "",
		"http://127.0.0.1":          "",
		"http://192.0.2.7:9000":     "",
		"http://auth.example.com":   "",
		"http://auth.example.com:1": "",
	} {
		got, err := Address(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Address(%q) = %q, %v, want %q", address, got, err, want)
		}
	}
}
