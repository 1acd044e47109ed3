package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rooms are the folders of the program in the order in which they may import
// each other: a room imports rooms below it and none above.
var rooms = []string{"", "docs", "bench", "matrix", "overssh", "cli", "sshd", "tui", "flows", "export", "doctor", "facts", "hostfiles", "clients", "keystore", "state", "sim"}

func level(pkg string) (int, bool) {
	room, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(pkg, "authbird"), "/"), "/")
	for i, r := range rooms {
		if r == room {
			return i, true
		}
	}
	return 0, false
}

func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "authbird/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; seen++ {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		here, known := level(pkg.ImportPath)
		if !known {
			t.Errorf("%s is in no room that this test knows", pkg.ImportPath)
		}
		for _, other := range pkg.Imports {
			// What reads management.json as NetBird does is called by tests alone.
			if other == "html/template" || other == "text/template" && pkg.ImportPath != "authbird/sim/netbird" {
				t.Errorf("%s imports %s, with which the linker keeps every method of the Authentik client", pkg.ImportPath, other)
			}
			if other != "authbird" && !strings.HasPrefix(other, "authbird/") {
				continue
			}
			there, _ := level(other)
			if there < here {
				t.Errorf("%s imports %s, which is above it", pkg.ImportPath, other)
			}
			if there == len(rooms)-1 && here != there && !simUser(pkg.ImportPath) {
				t.Errorf("%s imports %s: only the sandbox and tests run on simulators", pkg.ImportPath, other)
			}
		}
	}
	if seen < 8 {
		t.Fatalf("looked at %d packages only", seen)
	}
}

// simUser says who may run simulators outside of tests.
func simUser(pkg string) bool {
	return strings.HasPrefix(pkg, "authbird/cli") || strings.HasPrefix(pkg, "authbird/bench") || pkg == "authbird/docs/pictures"
}
