//go:build linux

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/sim"
)

// TestThePageHasEveryFigure: the page's table is one that this program prints,
// with no row missing.
func TestThePageHasEveryFigure(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), tableBegins)
	text, _, ends := strings.Cut(rest, tableEnds)
	if !ends {
		t.Fatal("the page has no place for the table")
	}
	var rows [][]string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|-") && !strings.HasPrefix(line, "| -") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 || !slices.Equal(rows[0], columns) {
		t.Fatalf("the table's head is not %q", columns)
	}
	var have []string
	for _, row := range rows[1:] {
		have = append(have, row[0])
		if filled := len(slices.DeleteFunc(row[1:], func(s string) bool { return s == "" })); filled == 0 {
			t.Errorf("%s has no figure", row[0])
		}
	}
	var want []string
	for _, m := range (&bench{}).measurements() {
		want = append(want, m.rows...)
	}
	if !slices.Equal(have, want) {
		t.Errorf("the page has the rows\n%s\nand the program prints\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

// ask sends one request and returns the decoded answer.
func ask(t *testing.T, method, url, token, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sandbox(t *testing.T) (*sim.Sandbox, *recorder) {
	t.Helper()
	r := &recorder{}
	s, err := sim.Start(sim.Options{Front: r.front})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, r
}

// TestARecordedRunGoesTheSameWayOnFreshServers: ids that the servers made up are
// replaced by those that fresh ones make up.
func TestARecordedRunGoesTheSameWayOnFreshServers(t *testing.T) {
	s, r := sandbox(t)
	all, err := r.record(func() error {
		group := ask(t, "POST", s.AuthentikURL+"/api/v3/core/groups/", s.AuthentikToken, `{"name":"staff"}`)
		pk, _ := group["pk"].(string)
		ask(t, "PATCH", s.AuthentikURL+"/api/v3/core/groups/"+pk+"/", s.AuthentikToken, `{"name":"crew"}`)
		return nil
	})
	if err != nil || len(all) != 2 || all[1].status != http.StatusOK {
		t.Fatalf("%d requests were recorded, %v", len(all), err)
	}
	fresh, _ := sandbox(t)
	if _, err := replay(all, moved(s, fresh), true); err != nil {
		t.Error(err)
	}
	found := ask(t, "GET", fresh.AuthentikURL+"/api/v3/core/groups/?name=crew", fresh.AuthentikToken, "")
	if results, _ := found["results"].([]any); len(results) != 1 {
		t.Errorf("the fresh server has %d groups of that name", len(results))
	}
	another, _ := sandbox(t)
	if _, err := replay(all, moved(s, another), false); err == nil {
		t.Error("a request that is answered otherwise is not noticed")
	}
}

func TestChain(t *testing.T) {
	at := func(from, to int64) *exchange {
		return &exchange{start: time.UnixMilli(from), end: time.UnixMilli(to)}
	}
	for _, c := range []struct {
		name string
		in   []*exchange
		want int
	}{
		{"none", nil, 0},
		{"side by side", []*exchange{at(0, 5), at(1, 6), at(2, 4)}, 1},
		{"one after the other", []*exchange{at(0, 5), at(5, 6), at(7, 9)}, 3},
		{"a wave, and one after it", []*exchange{at(0, 5), at(0, 7), at(7, 9)}, 2},
	} {
		if got := chain(c.in); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestNothingIsSentBeforeWhatItWaitedFor: what a request waits for is all that
// had been answered when it was sent.
func TestNothingIsSentBeforeWhatItWaitedFor(t *testing.T) {
	at := func(from, to int64) *exchange {
		return &exchange{start: time.UnixMilli(from), end: time.UnixMilli(to)}
	}
	all := []*exchange{at(0, 5), at(0, 7), at(5, 9), at(8, 12)}
	answered := map[*exchange]chan struct{}{}
	for _, x := range all {
		answered[x] = make(chan struct{})
	}
	first := firstAnswered(all, answered)
	<-first(all[0].start) // nothing
	close(answered[all[0]])
	<-first(all[2].start) // the first alone
	select {
	case <-first(all[3].start):
		t.Error("it does not wait for the second")
	default:
	}
	close(answered[all[1]])
	<-first(all[3].start)
}

func TestATableIsInLine(t *testing.T) {
	var made table
	made.add("short", cells{requests: "1"})
	made.add("with × in it", cells{ssh: "3 KB"})
	lengths := map[int]bool{}
	for line := range strings.Lines(made.markdown()) {
		lengths[len([]rune(line))] = true
	}
	if len(lengths) != 1 {
		t.Errorf("its lines differ in length:\n%s", made.markdown())
	}
}
