//go:build linux && amd64

package matrix

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// between is one thing that can happen to the machine after a run was killed
// and before the next.
type between struct {
	name string
	// happen does it. What it returns, if anything, puts it right again, as a
	// person would whom the run in between told what is wrong.
	happen func(w *world) (mend func())
	// disk is what the next run finds at each change on disk; nil: a disk.
	disk func(int, write) fate
	// setups: taking back is not concerned, it needs no keys.
	setups bool
}

var betweens = []between{
	{name: "the disk read-only", disk: func(_ int, x write) fate { return readOnly(x) }, happen: func(*world) func() { return func() {} }},
	{name: "the disk full", disk: func(_ int, x write) fate { return full(x) }, happen: func(*world) func() { return func() {} }},
	{name: "the keys away", setups: true, happen: func(w *world) func() {
		keys, away := filepath.Join(w.state, "keys"), filepath.Join(w.state, "away")
		must(w.t, os.Rename(keys, away))
		return func() {
			must(w.t, os.RemoveAll(keys))
			must(w.t, os.Rename(away, keys))
		}
	}},
	{name: "the key file away", happen: func(w *world) func() {
		must(w.t, os.Rename(w.identity, w.identity+".away"))
		return func() { must(w.t, os.Rename(w.identity+".away", w.identity)) }
	}},
	{name: "the secrets damaged", happen: func(w *world) func() {
		kept := map[string][]byte{}
		for _, path := range w.secretFiles() {
			data, err := os.ReadFile(path)
			must(w.t, err)
			kept[path] = data
			must(w.t, os.WriteFile(path, append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1), 0o600))
		}
		return func() {
			for path, data := range kept {
				must(w.t, os.WriteFile(path, data, 0o600))
			}
		}
	}},
	{name: "the secrets gone", happen: func(w *world) func() {
		for _, path := range w.secretFiles() {
			must(w.t, os.Remove(path))
		}
		return nil
	}},
}

// secretFiles are the keystore's entries.
func (w *world) secretFiles() []string {
	w.t.Helper()
	all, err := filepath.Glob(filepath.Join(w.state, "keys", "*@*.age"))
	must(w.t, err)
	return all
}

// TestBetweenTwoRuns kills a run at each request that changes something, lets
// something happen to the machine, and runs authbird on it: that run must leave
// the servers alone and say that it did not end well. Once all is put right,
// running again ends as ever. Secrets that are gone for good are made anew.
func TestBetweenTwoRuns(t *testing.T) {
	kills := mishaps[:2] // before it arrived, and after it took effect
	for _, f := range flows {
		if f.few || f.undo {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			f.skipWithout(t)
			want := f.ending(t)
			for _, c := range want.calls {
				if c.method == http.MethodGet || strings.HasPrefix(c.path, "/application/") {
					continue
				}
				for _, kill := range kills {
					for _, b := range betweens {
						if b.setups && f.gone {
							continue
						}
						t.Run(c.String()+" "+kill.name+", "+b.name, func(t *testing.T) {
							t.Parallel()
							f.suffer(t, want, func(w *world) bool {
								w.trap = &trap{at: c, mishap: kill}
								w.run(f.verb...)
								return w.meet(f, b)
							})
						})
					}
				}
			}
		})
	}
}

// meet runs authbird on a machine to which something happened. Only taking back
// may come to its end on it: what is deleted need not be read.
func (w *world) meet(f flow, b between) (done bool) {
	w.t.Helper()
	if len(w.secretFiles()) == 0 {
		return false // killed before anything was kept
	}
	mend := b.happen(w)
	if mend == nil {
		return false
	}
	saw := w.snapshot()
	args := f.again(w)
	var c *child
	if b.disk != nil {
		c = w.tamper(b.disk, args...)
	} else {
		c = w.run(args...)
	}
	if c.exit == 0 && f.gone && b.disk == nil {
		return true
	}
	if c.exit == 0 {
		w.t.Errorf("authbird %s says that it is done\n%s", strings.Join(args, " "), c.out.String())
	}
	if diff := cmp.Diff(saw, w.snapshot()); diff != "" && !f.gone {
		w.t.Errorf("it changed something at the servers (-before +after):\n%s", diff)
	}
	mend()
	return false
}

// TestATornLineOfTheJournal tears the line that tells of the last deed after
// each of its bytes. Half of the times zeros follow, as some file systems leave
// them after a power cut.
func TestATornLineOfTheJournal(t *testing.T) {
	for _, f := range flows {
		if !f.thorough && !whole() || f.undo {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			f.skipWithout(t)
			want := f.ending(t)
			k := f.lastDeed(want)
			line := want.writes[k].size
			for n := 0; n < line-10; n++ { // a moment's fraction may be some digits shorter in another run
				if !whole() && n > 8 && n < line-18 && n%4 != 0 {
					continue
				}
				t.Run(fmt.Sprintf("after %d of %d bytes", n, line), func(t *testing.T) {
					t.Parallel()
					f.suffer(t, want, func(w *world) bool {
						c := w.tamper(once(func(x write) fate { return fate{short: n + 1, kill: after} })(k), f.verb...)
						if c.exit != -1 {
							t.Errorf("exit %d\n%s", c.exit, c.out.String())
						}
						if n%2 == 1 {
							w.zeros(line - n)
						}
						return false
					})
				})
			}
		})
	}
}

// lastDeed is the change on disk that tells of the last step's end: the last
// write of the journal but one, which tells of the run's.
func (f flow) lastDeed(want ending) int {
	seen := 0
	for k := len(want.writes) - 1; k >= 0; k-- {
		if x := want.writes[k]; x.name == "write" && strings.HasSuffix(x.path, "journal.jsonl") {
			if seen++; seen == 2 {
				return k
			}
		}
	}
	return 0
}

// zeros adds zeros to the journal.
func (w *world) zeros(n int) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.state, "setups", setupName, "journal.jsonl"), os.O_WRONLY|os.O_APPEND, 0)
	must(w.t, err)
	_, err = f.Write(make([]byte, n))
	must(w.t, err)
	must(w.t, f.Close())
}
