//go:build unix

package cli_test

import (
	"strings"
	"testing"
)

const left = "\x1b[D"

// A person finds what is wrong, sees its repair, agrees, and copies the report,
// against both simulated servers.
func TestTheDoctorsScreenFindsAndRepairs(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	w := d.watch()
	x := d.start("doctor", "home")
	x.sees("Doctor: home", "1 wrong", "▸ ✗ The provider has no signing key", "f fix this").types(enter)
	x.sees("Check ", "logins are signed with RSA: wrong", "f puts the provider right").types("f")
	x.sees("Repair home", "signing key:", "▸ Leave it as it is", "nothing is changed yet").types(left)
	x.sees("▸ Repair it").types(enter)
	x.sees("All is well", "Repaired, and looked again just now.").types("c")
	x.sees("Report", "if it takes it", "# authbird doctor").types("\x1b")
	x.sees("All is well").types("q")
	x.ends(0)
	if !strings.Contains(x.written(), "\x1b]52;c;") {
		t.Error("the report was not sent to the clipboard")
	}
	w.said.WriteString(x.written())
	w.nothingFound()
}

// Who leaves the screen while something is wrong is told so on the normal one,
// and by the exit code.
func TestTheDoctorsScreenEndsLikeTheVerb(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	x := d.start("doctor")
	x.sees("1 wrong", "↵ details").types("q")
	x.ends(1)
	if !strings.Contains(x.written(), "to go on: authbird doctor home --fix") {
		t.Errorf("the normal screen tells:\n%s", x.screen())
	}
}
