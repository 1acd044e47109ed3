// Out is the outer end of the bridge: it listens on a Unix socket and carries
// each connection to a server on this machine's loopback. e2e/run starts it
// where a real Authentik is given, and ends it.
package main

import (
	"fmt"
	"net"
	"os"

	"authbird/e2e/bridge"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bridge:", err)
		os.Exit(1)
	}
}

// run takes the socket's path and the URL of the server.
func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want SOCKET URL, got %d arguments", len(args))
	}
	address, err := bridge.Address(args[1])
	if err != nil {
		return err
	}
	l, err := net.Listen("unix", args[0])
	if err != nil {
		return err
	}
	return bridge.Carry(l, func() (net.Conn, error) { return net.Dial("tcp", address) })
}
