// Netbird-server is NetBird's combined server (management, signal, relay and
// the embedded identity provider in one process), as its own release builds
// it. Nothing is added and nothing is left out: what the journeys of this
// module prove, they prove against the published code. It is a test tool and
// is never shipped.
package main

import (
	"fmt"
	"os"

	"github.com/netbirdio/netbird/combined/cmd"
)

func main() {
	if err := cmd.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
