// Netbird-management is NetBird's management server alone, the one that a
// standalone installation runs with the management.json of configure.sh.
// Nothing is added and nothing is left out. It is a test tool and is never
// shipped.
package main

import (
	"os"

	"github.com/netbirdio/netbird/management/cmd"
)

func main() {
	// The command prints its own errors.
	if err := cmd.Execute(); err != nil {
		os.Exit(1)
	}
}
