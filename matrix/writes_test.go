//go:build linux && amd64

package matrix

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// localWrites are the changes on disk that an undisturbed run makes.
func (f flow) localWrites(t *testing.T) []write {
	t.Helper()
	w := f.begin(t)
	var all []write
	c := w.tamper(func(_ int, x write) fate { all = append(all, x); return fate{} }, f.verb...)
	if c.exit != 0 && !w.obey(c) {
		t.Fatalf("exit %d\n%s", c.exit, c.out.String())
	}
	return all
}

// damage is one thing that can become of the k-th change on disk.
type damage struct {
	name string
	of   func(x write) bool
	do   func(k int) func(n int, x write) fate
}

func every(write) bool     { return true }
func isWrite(x write) bool { return x.size > 0 }
func takesRoom(x write) bool {
	return slices.Contains([]string{"openat", "write", "mkdirat", "renameat", "fsync"}, x.name)
}

// once lets something happen to the k-th change only.
func once(f func(write) fate) func(k int) func(int, write) fate {
	return func(k int) func(int, write) fate {
		return func(n int, x write) fate {
			if n == k {
				return f(x)
			}
			return fate{}
		}
	}
}

// since lets something happen to the k-th change and to all after it.
func since(first, then func(write) fate) func(k int) func(int, write) fate {
	return func(k int) func(int, write) fate {
		return func(n int, x write) fate {
			switch {
			case n == k:
				return first(x)
			case n > k:
				return then(x)
			}
			return fate{}
		}
	}
}

func fails(e syscall.Errno) func(write) fate { return func(write) fate { return fate{fail: e} } }

// full is a disk without room: what needs none works.
func full(x write) fate {
	if takesRoom(x) {
		return fate{fail: syscall.ENOSPC}
	}
	return fate{}
}

// readOnly is a disk that takes nothing any more. A file that is there can
// still be opened for reading.
func readOnly(x write) fate {
	if x.only || x.name == "fsync" {
		return fate{}
	}
	return fate{fail: syscall.EROFS}
}

// half lets a write take half of its bytes.
func half(kill when) func(write) fate {
	return func(x write) fate { return fate{short: x.size/2 + 1, kill: kill} }
}

var damages = []damage{
	{"killed before", every, once(func(write) fate { return fate{kill: before} })},
	{"killed after", every, once(func(write) fate { return fate{kill: after} })},
	{"torn and killed", isWrite, once(half(after))},
	{"cut short by a full disk", isWrite, since(half(never), full)},
	{"the disk full for a moment", takesRoom, once(fails(syscall.ENOSPC))},
	{"the disk full from here on", takesRoom, since(fails(syscall.ENOSPC), full)},
	{"the disk fails", every, once(fails(syscall.EIO))},
	{"the disk read-only from here on", every, since(readOnly, readOnly)},
	{"interrupted", every, once(func(write) fate { return fate{hears: syscall.SIGINT} })},
	{"line dropped", every, once(func(write) fate { return fate{hears: syscall.SIGHUP} })},
}

// damagesOf are those that the flow suffers at its k-th change: all of them in
// a thorough flow, the kill and one other in turn in its sisters, one in turn in
// a variant; in one that renews the kill, since what is old must not be lost.
func (f flow) damagesOf(k int, x write) []damage {
	all := slices.DeleteFunc(slices.Clone(damages), func(d damage) bool { return !d.of(x) })
	turn := k + k/5 // not in step with the few calls that each file takes
	switch {
	case f.thorough || whole():
		return all
	case f.few && f.rotates:
		return all[:1]
	case f.few:
		return all[turn%len(all):][:1]
	}
	return []damage{all[0], all[1+turn%(len(all)-1)]}
}

func TestEveryLocalWrite(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			f.skipWithout(t)
			want := f.ending(t)
			if len(want.writes) < 10 {
				t.Fatalf("an undisturbed run changes %d things on disk only: %v", len(want.writes), want.writes)
			}
			for k, x := range want.writes {
				for _, d := range f.damagesOf(k, x) {
					t.Run(fmt.Sprintf("%d %s %s", k, x, d.name), func(t *testing.T) {
						t.Parallel()
						f.suffer(t, want, func(w *world) bool { return w.damaged(f, k, x, d) })
					})
				}
			}
		})
	}
}

// damaged runs the flow with one change on disk disturbed.
func (w *world) damaged(f flow, k int, x write, d damage) (done bool) {
	w.t.Helper()
	hit := false
	judge := d.do(k)
	c := w.tamper(func(n int, now write) fate {
		if n == k {
			hit = true
			if now.String() != x.String() {
				w.t.Errorf("the change is %s, in the undisturbed run it was %s", now, x)
			}
		}
		return judge(n, now)
	}, f.verb...)
	if !hit {
		w.t.Errorf("the change never came\n%s", c.out.String())
	}
	if strings.Contains(d.name, "killed") != (c.exit == -1) {
		w.t.Errorf("exit %d\n%s", c.exit, c.out.String())
	}
	w.obey(c)
	return c.exit == 0
}
