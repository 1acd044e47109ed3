package cli_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/sim/fault"
)

// What a run may cost: every request, and those that wait for one another.
const (
	freshRequests, freshChain = 28, 5
	againRequests, againChain = 22, 2
)

// latency makes what overlaps plain to see: far longer than a request takes
// here without it.
const latency = 50 * time.Millisecond

func TestASetupCostsFewRequests(t *testing.T) {
	d := newDesk(t)
	d.sim.AuthentikFaults.SetLatency(latency)
	d.sim.NetBirdFaults.SetLatency(latency)
	d.costs("a fresh setup", freshRequests, freshChain)
	d.costs("a run with nothing to do", againRequests, againChain)
}

// costs runs a setup and counts. The trace tells the requests; what the servers
// saw tells that the trace holds them all.
func (d *desk) costs(what string, most, chain int) {
	d.t.Helper()
	before := len(d.seen())
	trace := filepath.Join(d.dir, "trace.jsonl")
	d.authbird("setup", "connector", "--yes", "--trace", trace).want(0)
	requests := readTrace(d.t, trace)
	longest := longestChain(requests)
	d.t.Logf("%s: %d requests, %d in sequence", what, len(requests), len(longest))
	if len(requests) > most {
		d.t.Errorf("%s took %d requests, more than %d:\n%s", what, len(requests), most, listed(requests))
	}
	if len(longest) > chain {
		d.t.Errorf("%s had %d requests wait for one another, more than %d:\n%s\nof\n%s", what, len(longest), chain, listed(longest), listed(requests))
	}
	if len(requests) == 0 {
		d.t.Errorf("%s was not seen to ask anything", what)
	}
	for _, x := range untold(d.seen()[before:], requests) {
		if !strings.HasSuffix(x, "/.well-known/openid-configuration") { // NetBird's own look at Authentik
			d.t.Errorf("%s made a request that is not in the trace: %s", what, x)
		}
	}
}

// seen are the requests that reached either server, by their start.
func (d *desk) seen() []fault.Request {
	all := append(d.sim.AuthentikFaults.Requests(), d.sim.NetBirdFaults.Requests()...)
	slices.SortFunc(all, func(x, y fault.Request) int { return x.Start.Compare(y.Start) })
	return all
}

// untold lists what the servers saw beyond the trace.
func untold(seen, traced []fault.Request) []string {
	told := map[string]int{}
	for _, r := range traced {
		told[r.Method+" "+r.Path]++
	}
	var out []string
	for _, r := range seen {
		name := r.Method + " " + r.Path
		if told[name]--; told[name] < 0 {
			out = append(out, name)
		}
	}
	return out
}

func readTrace(t *testing.T, path string) []fault.Request {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []fault.Request
	for line := range strings.Lines(string(content)) {
		var x struct {
			Time        time.Time
			MS          float64
			Method, URL string
			Status      int
		}
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("a line of the trace: %q: %v", line, err)
		}
		at, err := url.Parse(x.URL)
		if err != nil {
			t.Fatal(err)
		}
		end := x.Time.Add(time.Duration(x.MS * float64(time.Millisecond)))
		all = append(all, fault.Request{Method: x.Method, Path: at.Path, Status: x.Status, Start: x.Time, End: end})
	}
	return all
}

// longestChain is the most requests of which each began after the one before
// had ended: taking always what ends first is the longest.
func longestChain(requests []fault.Request) []fault.Request {
	byEnd := slices.Clone(requests)
	slices.SortFunc(byEnd, func(x, y fault.Request) int { return x.End.Compare(y.End) })
	var chain []fault.Request
	for _, r := range byEnd {
		if len(chain) == 0 || !r.Start.Before(chain[len(chain)-1].End) {
			chain = append(chain, r)
		}
	}
	return chain
}

func listed(requests []fault.Request) string {
	out := ""
	for _, r := range requests {
		out += r.Start.Format("05.000") + " " + r.End.Format("05.000") + " " + r.Method + " " + r.Path + "\n"
	}
	return out
}

func TestLongestChain(t *testing.T) {
	at := func(from, to int64) fault.Request {
		return fault.Request{Start: time.UnixMilli(from), End: time.UnixMilli(to)}
	}
	for _, c := range []struct {
		name string
		in   []fault.Request
		want int
	}{
		{"none", nil, 0},
		{"side by side", []fault.Request{at(0, 5), at(1, 6), at(2, 4)}, 1},
		{"one after the other", []fault.Request{at(0, 5), at(5, 6), at(7, 9)}, 3},
		{"a wave, and one after it", []fault.Request{at(0, 5), at(0, 7), at(7, 9)}, 2},
	} {
		if got := len(longestChain(c.in)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
