//go:build unix

package overssh

import (
	"io"
	"regexp"
	"sync"
)

// replies is how a terminal answers queries.
type replies int

const (
	prompt replies = iota // at once
	late                  // when release is called
	never
)

// query is one thing that programs ask terminals, and a terminal's answer.
var queries = []struct {
	asked  *regexp.Regexp
	answer string
}{
	{regexp.MustCompile(`\x1b\[0?c`), "\x1b[?62;22c"},                                  // DA1
	{regexp.MustCompile(`\x1b\]10;\?(\x07|\x1b\\)`), "\x1b]10;rgb:d0d0/d0d0/d0d0\x07"}, // foreground
	{regexp.MustCompile(`\x1b\]11;\?(\x07|\x1b\\)`), "\x1b]11;rgb:1010/1010/1010\x07"}, // background
	{regexp.MustCompile(`\x1b\[\?u`), "\x1b[?0u"},                                      // kitty's keyboard
	{regexp.MustCompile(`\x1b\[\?2026\$p`), "\x1b[?2026;2$y"},                          // synchronised output
	{regexp.MustCompile(`\x1b\[\?2027\$p`), "\x1b[?2027;2$y"},                          // grapheme clusters
	{regexp.MustCompile(`\x1b\[6n`), "\x1b[1;1R"},                                      // the cursor's place
}

// answerer answers the queries in what comes, in their order.
type answerer struct {
	how  replies
	to   io.Writer
	mu   sync.Mutex
	rest []byte   // what may be the beginning of a query
	kept []string // answers that are held back
	seen map[string]int
	wake chan struct{} // closed and replaced when a query came
}

func newAnswerer(how replies, to io.Writer) *answerer {
	return &answerer{how: how, to: to, seen: map[string]int{}, wake: make(chan struct{})}
}

func (a *answerer) see(p []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rest = append(a.rest, p...)
	for {
		first, end, answer := -1, 0, ""
		for _, q := range queries {
			if at := q.asked.FindIndex(a.rest); at != nil && (first < 0 || at[0] < first) {
				first, end, answer = at[0], at[1], q.answer
			}
		}
		if first < 0 {
			break
		}
		a.rest = a.rest[end:]
		a.seen[answer]++
		close(a.wake)
		a.wake = make(chan struct{})
		switch a.how {
		case prompt:
			_, _ = io.WriteString(a.to, answer) // a line that is gone needs none
		case late:
			a.kept = append(a.kept, answer)
		}
	}
	if n := len(a.rest); n > 32 {
		a.rest = append([]byte(nil), a.rest[n-32:]...)
	}
}

// release sends what was held back, and answers at once from now on.
func (a *answerer) release() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.how = prompt
	for _, answer := range a.kept {
		_, _ = io.WriteString(a.to, answer)
	}
	n := len(a.kept)
	a.kept = nil
	return n
}
