// Package export writes what stands of a setup as somebody else's
// configuration, so that nobody needs authbird to keep it: Terraform or
// OpenTofu with import blocks, an Authentik blueprint, or environment lines.
//
// It promises that every field that a server told is in the text: as a setting
// where the target has one, and as a comment that says so where it has none.
// It refuses to hold a secret: where one belongs there is a variable. It reads
// nothing itself, so the text is of what the caller read just before.
package export

import (
	"fmt"
	"strings"

	"authbird/clients"
	"authbird/facts"
)

// Format is a kind of configuration.
type Format string

const (
	Terraform Format = "terraform" // for OpenTofu as well
	Blueprint Format = "blueprint" // of Authentik
	Env       Format = "env"       // lines for a POSIX shell
)

// Formats are all of them, the most complete first.
var Formats = []Format{Terraform, Blueprint, Env}

// Text is what stands in that format. It ends in a newline.
func Text(f Format, s facts.Standing) (string, error) {
	all := resources(s)
	switch f {
	case Terraform:
		return terraform(s, all), nil
	case Blueprint:
		return blueprint(s, all)
	case Env:
		return env(s, all), nil
	}
	return "", fmt.Errorf("there is no format %q", f)
}

// heading is what each text begins with.
func heading(s facts.Standing, more ...string) string {
	lines := append([]string{
		"What stands at " + s.AuthentikURL + " and " + s.NetBirdURL + " for this setup, as authbird read it.",
	}, more...)
	return comment(lines...)
}

// comment makes lines of comment, which nothing that a server said can end.
func comment(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		if line = clients.Clean(line); line == "" {
			b.WriteString("#\n")
			continue
		}
		b.WriteString("# " + line + "\n")
	}
	return b.String()
}
