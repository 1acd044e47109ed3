//go:build linux && amd64

package matrix

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	steps "authbird/flows"
	"authbird/state"
)

// flow is one thing that a person has authbird do.
type flow struct {
	name    string
	verb    []string
	consent []string              // flags of the verb that resume needs too
	furnish func(*world)          // what else stands there before
	before  []string              // a run that comes first, undisturbed
	undo    bool                  // once stopped, it is not resumed but removed
	gone    bool                  // it ends as if authbird had never come
	needs   func(*testing.T) bool // verbs that it needs
	rotates bool                  // put back, it is begun anew rather than resumed
	keeps   bool                  // the admin tokens are in the keystore alone, and are what is renewed
	leaves  bool                  // taken back, something new is left at a server
	// How much happens to it, unless AUTHBIRD_MATRIX is all: everything at each
	// change on disk, or to a variant something at each and at each request
	// that changes something.
	thorough, few bool
}

var (
	setupConnector  = []string{"setup", "connector", "--yes"}
	setupStandalone = []string{"setup", "standalone", "--yes", "--netbird-domain", domain, "--env-file", "setup.env"}
	leastRights     = []string{"--service-account-rights", "least", "--redirect-mode", "strict", "--allow-group", "staff", "--netbird-config", "management.json"}
	remove          = []string{"remove", "--yes"}
	keepTokens      = "--keep-admin-tokens"
)

// rotate is the renewal of a credential, alone and with NetBird's restart in
// authbird's hands.
func rotate(credential string) []string {
	return []string{"rotate", credential, "--yes", "--wait", "30s", "--restart-command", `bash "$RESTART_NETBIRD"`}
}

// restartNetBird is the command that has the simulated NetBird restart. Where it
// has a setup.env, it signs in at Authentik, as a real one does when it starts.
const restartNetBird = `set -e
ask() { exec 3<>/dev/tcp/127.0.0.1/$1; printf "%s" "$2" >&3; grep -q "$3" <&3; }
ask "$NETBIRD_PORT" $'POST /_sandbox/restart HTTP/1.0\r\n\r\n' restarted
[ -e setup.env ] || exit 0
. ./setup.env
form="grant_type=client_credentials&scope=goauthentik.io/api&client_id=$NETBIRD_AUTH_CLIENT_ID"
form="$form&username=$NETBIRD_IDP_MGMT_EXTRA_USERNAME&password=$NETBIRD_IDP_MGMT_EXTRA_PASSWORD"
head=$'POST /application/o/token/ HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: '
ask "$AUTHENTIK_PORT" "$head${#form}"$'\r\n\r\n'"$form" access_token
`

func with(verb []string, flags ...string) []string { return slices.Concat(verb, flags) }

var flows = []flow{
	{name: "connector", verb: setupConnector, thorough: true},
	{name: "connector for a group", verb: with(setupConnector, "--allow-group", "staff"), few: true},
	{name: "connector over what stood there", verb: with(setupConnector, "--adopt"), consent: []string{"--adopt"}, furnish: (*world).others, few: true},
	{name: "standalone", verb: setupStandalone, needs: standaloneVerb},
	{name: "standalone with least rights", verb: with(setupStandalone, leastRights...), furnish: (*world).netbirdStands, few: true, needs: standaloneVerb},
	{name: "standalone over what stood there", verb: with(setupStandalone, "--adopt"), consent: []string{"--adopt"}, furnish: (*world).othersOfStandalone, few: true, needs: standaloneVerb},
	{name: "connector, stopped and removed", verb: setupConnector, undo: true, gone: true, few: true, needs: removeVerb},
	{name: "standalone, stopped and removed", verb: with(setupStandalone, "--service-account-rights", "least"), undo: true, gone: true, few: true, needs: both},
	{name: "connector over what stood there, stopped and removed", verb: with(setupConnector, "--adopt"), furnish: (*world).others, undo: true, gone: true, few: true, needs: removeVerb},
	{name: "standalone over what stood there, stopped and removed", verb: with(setupStandalone, "--adopt"), furnish: (*world).othersOfStandalone, undo: true, gone: true, few: true, needs: both},
	{name: "rotate the client secret", before: setupConnector, verb: rotate("client-secret"), rotates: true, needs: rotateVerb},
	{name: "rotate the app password", before: setupStandalone, verb: rotate("app-password"), rotates: true, few: true, needs: rotateVerb},
	{name: "rotate Authentik's token", before: with(setupConnector, keepTokens), verb: rotate("authentik-token"), rotates: true, keeps: true, leaves: true, few: true, needs: rotateVerb},
	{name: "rotate NetBird's token", before: with(setupConnector, keepTokens), verb: rotate("netbird-token"), rotates: true, keeps: true, leaves: true, few: true, needs: rotateVerb},
	{name: "rotate the signing key", before: setupConnector, verb: rotate("signing-key"), rotates: true, leaves: true, few: true, needs: rotateVerb},
	{name: "remove connector", before: setupConnector, verb: remove, gone: true, needs: removeVerb},
	{name: "remove connector over what stood there", before: with(setupConnector, "--adopt"), furnish: (*world).others, verb: remove, gone: true, few: true, needs: removeVerb},
	{name: "remove standalone", before: with(setupStandalone, "--service-account-rights", "least"), verb: remove, gone: true, needs: both},
	{name: "remove standalone over what stood there", before: with(setupStandalone, "--adopt"), furnish: (*world).othersOfStandalone, verb: remove, gone: true, few: true, needs: both},
}

func standaloneVerb(t *testing.T) bool { return has(t, "setup", "standalone") }
func rotateVerb(t *testing.T) bool     { return has(t, "rotate") }
func removeVerb(t *testing.T) bool     { return has(t, "remove") }
func both(t *testing.T) bool           { return standaloneVerb(t) && removeVerb(t) }

// begin makes a flow's world, up to the run that is to be disturbed.
func (f flow) begin(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	if f.furnish != nil {
		f.furnish(w)
	}
	w.start = w.snapshot()
	w.hostStart = contents(t, w.host)
	if f.before != nil {
		w.undisturbed(f.before...)
	}
	w.tokenless = f.keeps
	w.forget()
	return w
}

// again is how a person goes on after a run of the flow that did not end well:
// resume where there is something to resume, else the same once more.
func (f flow) again(w *world) []string {
	w.t.Helper()
	switch {
	case f.undo:
		return remove
	case f.gone, w.nothingThere(), f.rotates && !w.rotating():
		return f.verb
	}
	return with([]string{"resume", "--yes"}, f.consent...)
}

// rotating says that a rotation was begun and has not come to its end.
func (w *world) rotating() bool {
	w.t.Helper()
	dir, err := state.Open(w.state)
	must(w.t, err)
	setup, err := dir.Load(setupName)
	must(w.t, err)
	_, open := steps.PendingRotation(setup)
	return open
}

// nothingThere says that there is no setup, so nothing to go on with.
func (w *world) nothingThere() bool {
	w.t.Helper()
	dir, err := state.Open(w.state)
	must(w.t, err)
	_, err = dir.Load(setupName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	return err != nil
}

// skipWithout leaves out a flow whose verb this authbird has not.
func (f flow) skipWithout(t *testing.T) {
	t.Helper()
	if f.needs != nil && !f.needs(t) {
		t.Skip("this authbird has no such verb")
	}
}
