//go:build linux || freebsd || netbsd || openbsd || dragonfly

package keystore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/godbus/dbus/v5"
)

const keyringName = "the login keyring"

const (
	secretsName = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath   = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
)

// lookForKeyring asks the session bus, and the Secret Service on it, whether the
// keyring that go-keyring would use is there and unlocked. It writes nothing, raises
// no prompt and starts no bus: go-keyring alone would run dbus-launch where the
// environment names none.
func lookForKeyring(ctx context.Context, getenv func(string) string) error {
	address, err := busAddress(getenv)
	if err != nil {
		return err
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return absent(ctx, "the D-Bus session does not answer", err)
	}
	defer conn.Close()
	if err := findService(ctx, conn.BusObject()); err != nil {
		return err
	}

	collection, err := findCollection(ctx, conn)
	if err != nil {
		return err
	}
	locked, err := property[bool](ctx, conn.Object(secretsName, collection), "org.freedesktop.Secret.Collection", "Locked")
	if err != nil {
		return absent(ctx, "the Secret Service does not know its own keyring", err)
	}
	if locked {
		return ErrLocked
	}
	return nil
}

// busAddress is the session bus as the environment names it. go-keyring reads the
// process's own environment and, without an address there, tries the user's bus and
// then starts one; so only what it would find without starting anything counts.
func busAddress(getenv func(string) string) (string, error) {
	address := getenv("DBUS_SESSION_BUS_ADDRESS")
	if address != "" && address != "autolaunch:" {
		return address, nil
	}
	usual := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	if filepath.Clean(getenv("XDG_RUNTIME_DIR")) == usual {
		bus := filepath.Join(usual, "bus")
		if _, err := os.Stat(bus); err == nil {
			return "unix:path=" + dbus.EscapeBusAddressValue(bus), nil
		}
	}
	return "", fmt.Errorf("%w: no D-Bus session", ErrUnavailable)
}

// findService asks whether somebody is, or would be started as, the Secret Service.
func findService(ctx context.Context, bus dbus.BusObject) error {
	var owned bool
	if err := bus.CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, secretsName).Store(&owned); err != nil {
		return absent(ctx, "the D-Bus session does not answer", err)
	}
	if owned {
		return nil
	}
	var startable []string
	if err := bus.CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&startable); err != nil {
		return absent(ctx, "the D-Bus session does not answer", err)
	}
	if !slices.Contains(startable, secretsName) {
		return fmt.Errorf("%w: no Secret Service in the D-Bus session", ErrUnavailable)
	}
	return nil
}

// findCollection is the keyring that go-keyring uses: the one named login, else the
// default one.
func findCollection(ctx context.Context, conn *dbus.Conn) (dbus.ObjectPath, error) {
	secrets := conn.Object(secretsName, secretsPath)
	all, err := property[[]dbus.ObjectPath](ctx, secrets, "org.freedesktop.Secret.Service", "Collections")
	if err != nil {
		return "", absent(ctx, "the Secret Service does not start", err)
	}
	if slices.Contains(all, loginPath) {
		return loginPath, nil
	}
	var standard dbus.ObjectPath
	err = secrets.CallWithContext(ctx, "org.freedesktop.Secret.Service.ReadAlias", 0, "default").Store(&standard)
	if err != nil {
		return "", absent(ctx, "the Secret Service has no default keyring", err)
	}
	if standard == "/" || standard == "" {
		return "", fmt.Errorf("%w: the Secret Service holds no keyring", ErrUnavailable)
	}
	return standard, nil
}

func property[T any](ctx context.Context, o dbus.BusObject, iface, name string) (T, error) {
	var value T
	var v dbus.Variant
	err := o.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, iface, name).Store(&v)
	if err == nil {
		err = v.Store(&value)
	}
	return value, err
}

// absent is ErrUnavailable with its reason, unless it was the time that ran out.
func absent(ctx context.Context, reason string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var noReply dbus.Error
	if errors.As(err, &noReply) && noReply.Name == "org.freedesktop.DBus.Error.NoReply" {
		return fmt.Errorf("%w (%s)", ErrLocked, reason)
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, reason)
}

// refusal is an error of a keyring that was looked at and found unlocked: it means
// what it says.
func refusal(err error) error { return fmt.Errorf("the keyring refuses: %w", err) }
