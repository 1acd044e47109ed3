package keystore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var names = []string{ClientSecret, AppPassword, NetBirdToken}

// cutting is a backend that stops working after so many calls, as a run that is
// killed does.
type cutting struct {
	backend
	calls *int
}

var errCut = errors.New("cut")

func (c cutting) step() error {
	if *c.calls--; *c.calls < 0 {
		return errCut
	}
	return nil
}

func (c cutting) get(ctx context.Context, e entry) (string, error) {
	if err := c.step(); err != nil {
		return "", err
	}
	return c.backend.get(ctx, e)
}

func (c cutting) set(ctx context.Context, e entry, v string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.backend.set(ctx, e, v)
}

func (c cutting) delete(ctx context.Context, e entry) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.backend.delete(ctx, e)
}

// Wherever a move is cut, every secret can still be read from one of the two, and
// running it again brings all of them over.
func TestMoveCutAnywhere(t *testing.T) {
	for _, back := range []bool{false, true} {
		for calls := 0; ; calls++ {
			dir := t.TempDir()
			from := mustOpen(t, ringOptions(dir, &fakeRing{}))
			to := mustOpen(t, fileOptions(dir, &person{answers: []string{"open sesame"}}))
			if back {
				from, to = to, from
			}
			must(t, from.Set(t.Context(), setup, ClientSecret, "s1"))
			must(t, from.Set(t.Context(), setup, NetBirdToken, "s3"))
			left := calls
			err := Move(t.Context(), &Store{from.kind, cutting{from.backend, &left}}, &Store{to.kind, cutting{to.backend, &left}}, setup, names)
			for name, want := range map[string]string{ClientSecret: "s1", NetBirdToken: "s3"} {
				one, _ := from.Get(t.Context(), setup, name)
				two, _ := to.Get(t.Context(), setup, name)
				if one != want && two != want {
					t.Errorf("cut after %d calls, %s is lost", calls, name)
				}
			}
			must(t, Move(t.Context(), from, to, setup, names))
			mustGet(t, to, ClientSecret, "s1")
			mustGet(t, to, NetBirdToken, "s3")
			for _, name := range names {
				if _, err := from.Get(t.Context(), setup, name); !errors.Is(err, ErrAbsent) {
					t.Errorf("left behind: %v", err)
				}
			}
			if err == nil {
				if calls < 9 { // 3 reads, 2 writes, 2 read back, 2 deletes
					t.Errorf("moved with %d calls", calls)
				}
				break
			}
			if !errors.Is(err, errCut) {
				t.Fatal(err)
			}
		}
	}
}

// forgetful is a backend that does not give back what it was given.
type forgetful struct{ backend }

func (f forgetful) set(ctx context.Context, e entry, v string) error {
	return f.backend.set(ctx, e, v[:len(v)-1])
}

func TestMoveDeletesNothingThatIsNotSafe(t *testing.T) {
	dir := t.TempDir()
	from := mustOpen(t, ringOptions(dir, &fakeRing{}))
	to := mustOpen(t, fileOptions(dir, &person{answers: []string{"open sesame"}}))
	must(t, from.Set(t.Context(), setup, ClientSecret, hush))
	err := Move(t.Context(), from, &Store{File, forgetful{to.backend}}, setup, names)
	if err == nil || !strings.HasSuffix(err.Error(), "nothing was deleted") || strings.Contains(err.Error(), hush[:5]) {
		t.Errorf("Move = %v", err)
	}
	mustGet(t, from, ClientSecret, hush)

	memory := mustOpen(t, Options{Kind: Env})
	if err := Move(t.Context(), from, memory, setup, names); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Move to the environment = %v", err)
	}
	mustGet(t, from, ClientSecret, hush)

	must(t, Move(t.Context(), mustOpen(t, Options{Kind: Env, Getenv: env("AUTHBIRD_APP_PASSWORD", "e")}), from, setup, []string{AppPassword}))
	mustGet(t, from, AppPassword, "e")
}

func TestMoveToTheSamePlace(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	f := &fakeRing{}
	for i, open := range []func(dir string) *Store{
		func(dir string) *Store { return mustOpen(t, ringOptions(dir, f)) },
		func(dir string) *Store {
			return mustOpen(t, fileOptions(dir, &person{answers: []string{"open sesame"}}))
		},
	} {
		for _, other := range []string{dir, link} {
			from, to := open(dir), open(other)
			value := fmt.Sprint(hush, i)
			must(t, from.Set(t.Context(), setup, ClientSecret, value))
			must(t, Move(t.Context(), from, to, setup, names))
			mustGet(t, from, ClientSecret, value)
		}
	}
}
