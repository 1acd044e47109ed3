package cli_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"authbird/sim/fault"
)

// never is a delay beyond any test's end, in milliseconds.
const never = 3600_000

// at sends signals once authbird says this.
func (d *desk) at(said string, signals ...os.Signal) {
	d.hears = func(s string) {
		if strings.Contains(s, said) {
			for _, x := range signals {
				d.signals <- x
			}
		}
	}
}

// A signal between began and done waits for the step's end; what stands is
// said, and resume goes on.
func TestOneSignalStopsAfterTheStepAndResumeGoesOn(t *testing.T) {
	for s, why := range map[os.Signal]string{os.Interrupt: "as you asked", syscall.SIGTERM: "told to end", syscall.SIGHUP: "SSH line"} {
		t.Run(s.String(), func(t *testing.T) {
			d := newDesk(t)
			// The answer comes once the signal was heard.
			order := fault.Fault{Method: "PUT", Path: "/api/v3/core/transactional/applications/", Kind: fault.Slow, DelayMS: never}
			if err := d.sim.AuthentikFaults.Order(order); err != nil {
				t.Fatal(err)
			}
			d.hears = func(said string) {
				if strings.Contains(said, "doing    provider") {
					d.signals <- s
				}
				if strings.Contains(said, "stopping after what has begun") {
					d.sim.AuthentikFaults.Clear()
				}
			}
			o := d.authbird("setup", "connector", "--yes", "--setup", "home").want(130)
			for _, want := range []string{`provider "NetBird" at Authentik`, "to go on: authbird resume home"} {
				if !strings.Contains(o.human, want) {
					t.Errorf("does not say %q:\n%s", want, o.human)
				}
			}
			d.hears = nil
			if o := d.authbird("status").want(0); !strings.Contains(o.out, why) {
				t.Errorf("status does not say %q:\n%s", why, o.out)
			}
			d.authbird("resume", "--yes").want(0)
		})
	}
}

// A second Ctrl-C does not wait: what became of the request is unknown until
// the next look.
func TestTwoCtrlCGiveUpAtOnce(t *testing.T) {
	d := newDesk(t)
	order := fault.Fault{Method: "PUT", Path: "/api/v3/core/transactional/applications/", Kind: fault.Hang}
	if err := d.sim.AuthentikFaults.Order(order); err != nil {
		t.Fatal(err)
	}
	d.at(`doing    provider`, os.Interrupt, os.Interrupt)
	o := d.authbird("setup", "connector", "--yes", "--setup", "home").want(130)
	for _, want := range []string{"unknown", "authbird resume home"} {
		if !strings.Contains(o.human, want) {
			t.Errorf("does not say %q:\n%s", want, o.human)
		}
	}
	d.hears = nil
	d.sim.AuthentikFaults.Clear()
	d.authbird("resume", "--yes").want(0)
}

// A signal while the finished setup is being checked makes no failed checks.
func TestASignalDuringTheChecks(t *testing.T) {
	d := newDesk(t)
	order := fault.Fault{Path: "/application/o/netbird/jwks/", Kind: fault.Slow, DelayMS: never}
	if err := d.sim.AuthentikFaults.Order(order); err != nil {
		t.Fatal(err)
	}
	d.at("done     connector", os.Interrupt)
	o := d.authbird("setup", "connector", "--yes", "--setup", "home", "--timeout", "1h").want(130)
	for _, want := range []string{"authbird: interrupted; what had begun is finished", "authbird resume home"} {
		if !strings.Contains(o.human, want) {
			t.Errorf("does not say %q:\n%s", want, o.human)
		}
	}
	d.hears = nil
	d.authbird("resume", "--yes").want(0)
}

// A signal before anything was begun leaves nothing.
func TestASignalBeforeTheFirstStep(t *testing.T) {
	d := newDesk(t)
	if err := d.sim.NetBirdFaults.Order(fault.Fault{Kind: fault.Hang, Times: -1}); err != nil {
		t.Fatal(err)
	}
	d.signals <- os.Interrupt
	o := d.authbird("setup", "connector", "--json").want(130)
	if o.result()["exit"] != 130.0 {
		t.Errorf("the result says %v", o.result())
	}
	d.authbird("status").want(0)
}

// The sandbox's good end is a signal, and it says how it is reached before.
func TestTheSandboxStaysUntilASignal(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		d := &desk{t: t, dir: t.TempDir(), env: map[string]string{}, stdin: strings.NewReader(""), signals: make(chan os.Signal, 4)}
		d.outHears = func(said string) {
			if strings.Contains(said, "NETBIRD_TOKEN") {
				d.signals <- s
			}
		}
		o := d.authbird("sandbox").want(0)
		var names []string
		for line := range strings.Lines(o.out) {
			name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
			if value == "" || !strings.HasPrefix(line, "export ") {
				t.Errorf("a line that exports nothing: %q", line)
			}
			names = append(names, name)
		}
		if got := strings.Join(names, " "); got != "AUTHBIRD_AUTHENTIK_URL AUTHBIRD_NETBIRD_URL AUTHENTIK_TOKEN NETBIRD_TOKEN" {
			t.Errorf("exports %s", got)
		}
	}
}
