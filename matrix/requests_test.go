//go:build linux && amd64

package matrix

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// call is one request of a flow, told apart from others like it by its count.
type call struct {
	place, method, path string
	nth                 int // how many like it came before
}

func (c call) String() string {
	return fmt.Sprintf("%s %s %s #%d", c.place, c.method, c.path, c.nth+1)
}

// stable is a path in which parts that differ from run to run are left out.
func stable(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.ContainsAny(p, "0123456789") && p != "v3" && p != "oauth2" || strings.HasPrefix(p, "authentik-") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// trap is a mishap that waits for its request.
type trap struct {
	at     call
	mishap mishap
	sprung bool
	caught *child // the process it sprang for
}

// gate stands before a simulator: it counts authbird's requests and springs
// the trap. What the servers ask each other passes.
func (w *world) gate(place string, handle http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probe {
			return
		}
		if !strings.HasPrefix(r.UserAgent(), "authbird/") {
			handle.ServeHTTP(rw, r)
			return
		}
		if happen, c := w.note(place, r); happen != nil {
			happen(w, c, handle, rw, r)
			return
		}
		handle.ServeHTTP(rw, r)
	})
}

// note counts a request and returns what happens to it, if anything.
func (w *world) note(place string, r *http.Request) (happen, *child) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.Join([]string{place, r.Method, stable(r.URL.Path)}, " ")
	c := call{place, r.Method, stable(r.URL.Path), w.seen[key]}
	w.seen[key]++
	w.calls = append(w.calls, c)
	t := w.trap
	switch {
	case t == nil || w.child == nil:
		return nil, nil
	case t.sprung && t.caught == w.child && t.at.place == place:
		return t.mishap.onward, w.child
	case t.sprung || t.at != c:
		return nil, nil
	}
	t.sprung, t.caught = true, w.child
	return t.mishap.happen, w.child
}

// forget begins the counting of requests anew.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen, w.calls = map[string]int{}, nil
}

// suffers says whether a mishap happens to a request of the flow: all of them to
// a thorough flow; to its sisters too, but for reads a fourth of them in turn; to
// a variant some, where something changes.
func (f flow) suffers(c call, m mishap, turn int) bool {
	reads := c.method == http.MethodGet
	switch {
	case f.rotates && c.path == "/api/instance" && c.nth > 2: // how often a restart is looked for is chance
		return false
	case whole(), f.thorough:
		return true
	case f.few:
		return m.few && !reads
	}
	return !reads || turn%4 == 0
}

func TestEveryRequest(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			f.skipWithout(t)
			want := f.ending(t)
			if len(want.calls) < 5 {
				t.Fatalf("an undisturbed run makes %d requests only: %v", len(want.calls), want.calls)
			}
			for k, c := range want.calls {
				for n, m := range mishaps {
					if !f.suffers(c, m, k+n) {
						continue
					}
					t.Run(c.String()+" "+m.name, func(t *testing.T) {
						t.Parallel()
						f.suffer(t, want, func(w *world) bool {
							w.trap = &trap{at: c, mishap: m}
							first := w.run(with(f.verb, m.flags(w)...)...)
							if !w.trap.sprung && m.hasty && w.patience < mostPatience {
								w.missed = true
								return false
							}
							if m.mend != nil && w.trap.sprung {
								m.mend(w)
							}
							if !w.trap.sprung {
								t.Errorf("the request never came\n%s", first.out.String())
							}
							over := first.exit == 0 && c.method == http.MethodGet // a last look that did not come to pass
							if !w.obey(first) && !over && !slices.Contains(m.exits, first.exit) {
								t.Errorf("exit %d, want one of %v\n%s", first.exit, m.exits, first.out.String())
							}
							return first.exit == 0
						})
					})
				}
			}
		})
	}
}
