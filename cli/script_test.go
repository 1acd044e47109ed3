package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"authbird/sim"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
)

// Each script is a shell session with authbird in it. servers brings up both
// simulated servers and exports what reaches them; fault and heal order and
// clear faults of one of them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Values[serversKey{}] = new(*sim.Sandbox)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("AUTHBIRD_KEYSTORE", "file")
			// Opens at once, as no passphrase does; a script of the passphrase unsets it.
			e.Setenv("AUTHBIRD_KEYSTORE_IDENTITY", filepath.Join(e.WorkDir, "key"))
			e.Setenv("AUTHBIRD_PASSPHRASE_FILE", filepath.Join(e.WorkDir, "passphrase"))
			key, err := age.GenerateX25519Identity()
			return errors.Join(err,
				os.WriteFile(filepath.Join(e.WorkDir, "key"), []byte(key.String()+"\n"), 0o600),
				os.WriteFile(filepath.Join(e.WorkDir, "passphrase"), []byte(passphrase+"\n"), 0o600))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"servers": scriptServers,
			"fault":   scriptFault,
			"heal":    scriptHeal,
			"member":  scriptMember,
			"mode":    scriptMode,
		},
	})
}

type serversKey struct{}

func scriptServers(ts *testscript.TestScript, _ bool, _ []string) {
	s, err := sim.Start(sim.Options{})
	ts.Check(err)
	ts.Defer(s.Close)
	*ts.Value(serversKey{}).(**sim.Sandbox) = s
	ts.Setenv("AUTHBIRD_AUTHENTIK_URL", s.AuthentikURL)
	ts.Setenv("AUTHBIRD_NETBIRD_URL", s.NetBirdURL)
	ts.Setenv("AUTHENTIK_TOKEN", s.AuthentikToken)
	ts.Setenv("NETBIRD_TOKEN", s.NetBirdToken)
	ts.Setenv("RESTART_URL", s.NetBirdURL+"/_sandbox/restart")
}

// faultsOf are the faults of the server that a script names.
func faultsOf(ts *testscript.TestScript, server string) *fault.Faults {
	s := *ts.Value(serversKey{}).(**sim.Sandbox)
	switch {
	case s == nil:
		ts.Fatalf("there are no servers yet")
	case server == "authentik":
		return s.AuthentikFaults
	case server == "netbird":
		return s.NetBirdFaults
	}
	ts.Fatalf("a server is authentik or netbird")
	return nil
}

func scriptFault(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fault authentik|netbird JSON")
	}
	var order fault.Fault
	ts.Check(json.Unmarshal([]byte(args[1]), &order))
	ts.Check(faultsOf(ts, args[0]).Order(order))
}

// scriptMember puts a user of Authentik into groups; both are made where they
// are missing.
func scriptMember(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: member USER GROUP...")
	}
	s := *ts.Value(serversKey{}).(**sim.Sandbox)
	s.Authentik.AddUser(simauthentik.User{Username: args[0], Name: args[0], Email: args[0] + "@example.com", Password: sim.PersonPassword, Groups: args[1:]})
}

// scriptMode says whether a file has just these rights.
func scriptMode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode RIGHTS FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] && runtime.GOOS != "windows" {
		ts.Fatalf("%s has the rights %s", args[1], got)
	}
}

func scriptHeal(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: heal authentik|netbird")
	}
	faultsOf(ts, args[0]).Clear()
}
