package keystore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// The tests in this file run against real D-Bus daemons and a real gnome-keyring,
// in sessions of their own below a temporary folder. What talks to the keyring is a
// child process with an environment made from nothing, so that nobody's own session
// or keyring can be met.
//
// They run where AUTHBIRD_KEYRING_TEST=1 and need dbus-daemon and
// gnome-keyring-daemon.

const scenarioVariable = "AUTHBIRD_KEYRING_SCENARIO"

// TestMain lets the test binary be the child that talks to the keyring.
func TestMain(m *testing.M) {
	name := os.Getenv(scenarioVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := scenarios[name](context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// sessionOptions are what the program itself would use in the child, with more
// patience: a busy machine is no locked keyring.
func sessionOptions(said *[]string) Options {
	return Options{Dir: os.Getenv("HOME"), Getenv: os.Getenv, logN: 2, Timeout: time.Minute,
		Say:        func(text string) { *said = append(*said, text) },
		Passphrase: func(context.Context, Question) (string, error) { return "open sesame", nil },
	}
}

// scenarios are what the child does, and what it then holds to be wrong.
var scenarios = map[string]func(context.Context) error{
	"unlocked": func(ctx context.Context) error {
		var said []string
		s, err := Open(ctx, sessionOptions(&said))
		if err != nil || s.Kind() != Keyring || len(said) != 0 {
			return fmt.Errorf("Open: %v, said %q", err, said)
		}
		if n, err := countItems(ctx); err != nil || n != 0 {
			return fmt.Errorf("probing left %d items, %v", n, err)
		}
		if _, err := s.Get(ctx, setup, ClientSecret); !errors.Is(err, ErrAbsent) {
			return fmt.Errorf("Get of nothing: %v", err)
		}
		for _, name := range []string{ClientSecret, AppPassword, ClientSecret} {
			if err := s.Set(ctx, setup, name, hush+name); err != nil {
				return err
			}
		}
		if n, err := countItems(ctx); err != nil || n != 2 {
			return fmt.Errorf("two secrets are %d items, %v", n, err)
		}
		again, err := Open(ctx, sessionOptions(&said))
		if err != nil {
			return err
		}
		for _, name := range []string{ClientSecret, AppPassword} {
			if got, err := again.Get(ctx, setup, name); err != nil || got != hush+name {
				return fmt.Errorf("Get: %q, %v", got, err)
			}
			if err := again.Delete(ctx, setup, name); err != nil {
				return err
			}
			if err := again.Delete(ctx, setup, name); err != nil {
				return fmt.Errorf("Delete of nothing: %v", err)
			}
		}
		if n, err := countItems(ctx); err != nil || n != 0 {
			return fmt.Errorf("%d items were left, %v", n, err)
		}
		return nil
	},
	"locked": func(ctx context.Context) error {
		var said []string
		s, err := Open(ctx, sessionOptions(&said))
		if err != nil {
			return err
		}
		if err := s.Set(ctx, setup, ClientSecret, hush); err != nil {
			return err
		}
		if err := lockLogin(ctx); err != nil {
			return err
		}
		_, getErr := s.Get(ctx, setup, ClientSecret)
		setErr := s.Set(ctx, setup, AppPassword, hush)
		_, openErr := Open(ctx, sessionOptions(&said))
		for _, err := range []error{getErr, setErr, openErr} {
			if !errors.Is(err, ErrLocked) {
				return fmt.Errorf("with the keyring locked: %v", err)
			}
		}
		return nil
	},
	"silent": func(ctx context.Context) error {
		var said []string
		o := sessionOptions(&said)
		o.Timeout = 2 * time.Second
		began := time.Now()
		// That it ends at all is the point: what never answers would be waited for
		// until the child's own end.
		_, err := Open(ctx, o)
		if took := time.Since(began); !errors.Is(err, ErrLocked) || took < o.Timeout {
			return fmt.Errorf("after %v: %v", took, err)
		}
		return nil
	},
	"absent": func(ctx context.Context) error {
		var said []string
		s, err := Open(ctx, sessionOptions(&said))
		if err != nil || s.Kind() != File || len(said) != 1 || !strings.Contains(said[0], filepath.Join(os.Getenv("HOME"), "keys")) {
			return fmt.Errorf("Open: %v, said %q", err, said)
		}
		fmt.Println(said[0])
		if err := s.Set(ctx, setup, ClientSecret, hush); err != nil {
			return err
		}
		if got, err := s.Get(ctx, setup, ClientSecret); err != nil || got != hush {
			return fmt.Errorf("Get: %q, %v", got, err)
		}
		o := sessionOptions(&said)
		o.Kind = Keyring
		if _, err := Open(ctx, o); !errors.Is(err, ErrUnavailable) {
			return fmt.Errorf("Open of the keyring: %v", err)
		}
		return nil
	},
}

func countItems(ctx context.Context) (int, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := errors.Join(conn.Auth(nil), conn.Hello()); err != nil {
		return 0, err
	}
	items, err := property[[]dbus.ObjectPath](ctx, conn.Object(secretsName, loginPath), "org.freedesktop.Secret.Collection", "Items")
	return len(items), err
}

func lockLogin(ctx context.Context) error {
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		return err
	}
	defer conn.Close()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err = conn.Object(secretsName, secretsPath).CallWithContext(ctx, "org.freedesktop.Secret.Service.Lock", 0, []dbus.ObjectPath{loginPath}).Store(&locked, &prompt)
	if err == nil && !slices.Contains(locked, loginPath) {
		err = fmt.Errorf("locked only %v", locked)
	}
	return err
}

// session is a bus of a test's own, and a home.
type session struct {
	t       *testing.T
	home    string
	address string
	conn    *dbus.Conn
}

func needPrograms(t *testing.T) {
	t.Helper()
	if os.Getenv("AUTHBIRD_KEYRING_TEST") != "1" {
		t.Skip("AUTHBIRD_KEYRING_TEST is not 1")
	}
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal(err)
		}
	}
}

// newSession starts a bus on which nothing is started by being called.
func newSession(t *testing.T) *session {
	t.Helper()
	needPrograms(t)
	s := &session{t: t, home: t.TempDir()}
	must(t, os.Chmod(s.home, 0o700)) // or gnome-keyring refuses it
	config := filepath.Join(s.home, "bus.conf")
	must(t, os.WriteFile(config, []byte(`<busconfig><type>session</type><listen>unix:dir=`+s.home+`</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`), 0o600))
	cmd := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address=1")
	out, err := cmd.StdoutPipe()
	must(t, err)
	s.start(cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	s.address = strings.TrimSpace(line)
	s.conn = s.connect()
	return s
}

// longest is more than anything here takes, on however busy a machine.
const longest = 5 * time.Minute

// connect is a connection to the session's bus, until the test ends.
func (s *session) connect() *dbus.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), longest)
	s.t.Cleanup(cancel)
	conn, err := dbus.Connect(s.address, dbus.WithContext(ctx))
	must(s.t, err)
	return conn
}

// env is the whole environment of what runs in the session.
func (s *session) env() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_DATA_HOME=" + s.home, "XDG_RUNTIME_DIR=" + s.home, "LC_ALL=C"}
	if s.address != "" {
		env = append(env, "DBUS_SESSION_BUS_ADDRESS="+s.address)
	}
	return env
}

// start runs a program until the test ends.
func (s *session) start(cmd *exec.Cmd) {
	s.t.Helper()
	cmd.Env = s.env()
	must(s.t, cmd.Start())
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// keyring starts gnome-keyring and waits until it is the Secret Service. A password
// makes a login keyring and unlocks it.
func (s *session) keyring(password string) {
	s.t.Helper()
	must(s.t, s.conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, secretsName)))
	owners := make(chan *dbus.Signal, 8)
	s.conn.Signal(owners)
	args := []string{"--foreground", "--components=secrets", "--control-directory=" + s.home}
	if password != "" {
		args = append(args, "--unlock")
	}
	cmd := exec.Command("gnome-keyring-daemon", args...)
	cmd.Stdin = strings.NewReader(password)
	s.start(cmd)
	for {
		select {
		case signal := <-owners:
			if len(signal.Body) == 3 && signal.Body[0] == secretsName && signal.Body[2] != "" {
				return
			}
		case <-time.After(longest):
			s.t.Fatal("gnome-keyring-daemon does not start")
		}
	}
}

// play runs a scenario in a child.
func (s *session) play(scenario string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(s.env(), scenarioVariable+"="+scenario)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Errorf("%s: %v\n%s", scenario, err, out)
	}
	if strings.Contains(string(out), hush) {
		s.t.Error("a secret was told")
	}
	return string(out)
}

func TestGnomeKeyringUnlocked(t *testing.T) {
	s := newSession(t)
	s.keyring("password")
	s.play("unlocked")
}

func TestGnomeKeyringLocked(t *testing.T) {
	s := newSession(t)
	s.keyring("password")
	s.play("locked")
}

func TestGnomeKeyringWithoutAKeyring(t *testing.T) {
	s := newSession(t)
	s.keyring("")
	if out := s.play("absent"); !strings.Contains(out, "the Secret Service holds no keyring") {
		t.Errorf("said %q", out)
	}
}

func TestASecretServiceThatNeverAnswers(t *testing.T) {
	s := newSession(t)
	owner := s.connect()
	_, err := owner.RequestName(secretsName, dbus.NameFlagDoNotQueue)
	must(t, err)
	// Calls go to a channel that nobody answers from.
	owner.Eavesdrop(make(chan *dbus.Message, 64))
	s.play("silent")
}

func TestABusThatNeverAnswers(t *testing.T) {
	needPrograms(t)
	s := &session{t: t, home: t.TempDir()}
	l, err := net.Listen("unix", filepath.Join(s.home, "bus"))
	must(t, err)
	defer l.Close()
	s.address = "unix:path=" + filepath.Join(s.home, "bus")
	s.play("silent")
}

func TestABusWithoutASecretService(t *testing.T) {
	if out := newSession(t).play("absent"); !strings.Contains(out, "no Secret Service in the D-Bus session") {
		t.Errorf("said %q", out)
	}
}

func TestNoBus(t *testing.T) {
	s := &session{t: t, home: t.TempDir()}
	// A launcher that leaves a mark: it must not be run.
	must(t, os.Mkdir(filepath.Join(s.home, "bin"), 0o700))
	must(t, os.WriteFile(filepath.Join(s.home, "bin", "dbus-launch"), []byte("#!/bin/sh\n: >"+s.home+"/launched\n"), 0o700))
	t.Setenv("PATH", filepath.Join(s.home, "bin")+":"+os.Getenv("PATH"))
	for _, address := range []string{"", "autolaunch:"} {
		s.address = address
		if out := s.play("absent"); !strings.Contains(out, "On this machine there is no keyring: no D-Bus session.") {
			t.Errorf("said %q", out)
		}
	}
	s.address = "unix:path=" + s.home + "/gone"
	if out := s.play("absent"); !strings.Contains(out, "the D-Bus session does not answer") {
		t.Errorf("said %q", out)
	}
	if _, err := os.Stat(filepath.Join(s.home, "launched")); err == nil {
		t.Error("dbus-launch was run")
	}
}
