// Package bridge carries TCP connections into and out of a network namespace by
// way of a Unix socket, which is a file and so is there on both sides. It is
// how the journeys reach a real Authentik that listens on this machine's
// loopback, while the NetBird servers stay in a namespace that has no other
// network. It refuses addresses that aren't loopback.
package bridge

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
)

// Address is the loopback host and port of an http URL. An https URL or a
// remote host is an error that says what to do instead.
func Address(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	host, err := netip.ParseAddrPort(u.Host)
	if err != nil || !host.Addr().IsLoopback() || u.Scheme != "http" {
		return "", fmt.Errorf("%s is not http on a loopback address with a port; bring a remote Authentik here first, as with ssh -L 9000:localhost:9000, and give http://127.0.0.1:9000", address)
	}
	return u.Host, nil
}

// Carry accepts connections until the listener is closed and joins each to a
// new one from dial.
func Carry(l net.Listener, dial func() (net.Conn, error)) error {
	for {
		near, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer near.Close()
			far, err := dial()
			if err != nil {
				return // closing near says it
			}
			defer far.Close()
			join(near, far)
		}()
	}
}

// join copies both ways until both sides have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	oneWay := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // an error ends the connection like its end does
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}
	both.Go(func() { oneWay(a, b) })
	both.Go(func() { oneWay(b, a) })
	both.Wait()
}
