// Command authbird connects Authentik and NetBird and keeps them connected.
package main

import (
	"context"
	"os"

	"authbird/cli"
)

// version is set by the release build.
var version = ""

func main() {
	os.Exit(cli.Run(context.Background(), cli.OS(version)))
}
