package flows

import (
	"authbird/facts"
	"authbird/state"
)

// Next is what a person types after a standalone setup, in the folder of
// setup.env: the commands of NetBird's guide. Where NetBird is set up already
// its configuration goes first to where configure.sh looks for the key of the
// database, which it would else make anew. f may be nil.
func Next(a state.Answers, setup string, f *facts.Facts) []string {
	if a.NetBirdConfig != "" {
		return []string{"docker compose restart management"}
	}
	var out []string
	if f != nil && f.Local.AtRisk.Value != "" {
		out = append(out, "cp artifacts/management.json management.json")
	}
	if a.EnvSecret == EnvSecretOmit {
		out = append(out, `set -a; eval "$(authbird env `+quoted(setup)+`)"; set +a`)
	}
	return append(out, "./configure.sh", "cd artifacts", "docker compose up -d")
}
