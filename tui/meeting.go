package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"authbird/clients"
)

// The parts that the screens of both servers share: an address that is checked
// as soon as it is left, a token, and what was seen.

// stage is how far one check is.
type stage int

const (
	unasked stage = iota
	asking
	met
	failed
)

// check is one question to a server, of which only the latest answer counts.
type check struct {
	stage stage
	seq   int
	of    string // what was asked about
	err   error
	stop  context.CancelFunc
}

// ask begins anew, and lets an older question go.
func (c check) ask(ctx context.Context, of string) (check, context.Context) {
	if c.stop != nil {
		c.stop()
	}
	ctx, stop := context.WithCancel(ctx)
	return check{stage: asking, seq: c.seq + 1, of: of, stop: stop}, ctx
}

// drop forgets the answer, and the question if it is still under way.
func (c check) drop() check {
	if c.stop != nil {
		c.stop()
	}
	return check{seq: c.seq + 1}
}

func (c check) settle(err error) check {
	if c.stop != nil {
		c.stop()
	}
	c.stop, c.err, c.stage = nil, err, met
	if err != nil {
		c.stage = failed
	}
	return c
}

// The rows that both screens have.
const (
	rowURL    = "url"
	rowHTTP   = "http"
	rowCA     = "ca"
	rowSecret = "token"
	rowGo     = "go"
)

// addressRows are the rows of an address.
func addressRows(url, hint, caFile string, allowHTTP bool) []row {
	http := choice(rowHTTP, wordsHTTP, wordsHTTPWhy, yesNo(allowHTTP), "no", wordsHTTPNo, "yes", wordsHTTPYes)
	http.hidden = !insecure(url)
	return []row{
		{id: rowURL, label: wordsAddress, field: newField(url, hint)},
		http,
		{id: rowCA, label: wordsCAFile, field: newField(caFile, "such as /etc/ssl/my-ca.pem"), why: wordsCAWhy, hidden: caFile == ""},
	}
}

func insecure(url string) bool {
	clean, err := clients.BaseURL(url)
	return err == nil && clients.InsecureBeyondLoopback(clean)
}

// address reads the rows of an address: the address in its short form, or what
// is wrong with it.
func address(f *form) (url string, problem string) {
	typed := f.row(rowURL).field.Value()
	if typed == "" {
		return "", wordsAddressMissing
	}
	clean, err := clients.BaseURL(typed)
	if err != nil {
		return "", wordsAddressWrong + said(err.Error())
	}
	if clients.InsecureBeyondLoopback(clean) && f.row(rowHTTP).value() != "yes" {
		return "", wordsHTTPRefused
	}
	return clean, ""
}

// The differences of clock that aren't worth telling, and those that are told as
// trouble: NetBird takes no token that was issued in its future.
const (
	clockSame = 100 * time.Millisecond
	clockFar  = 5 * time.Second
)

// answersNote says who answers at an address, in one line.
func answersNote(now time.Time, name, version string, clock time.Duration, cert time.Time) []note {
	words := []string{strings.TrimSpace(name + " " + said(version))}
	var more []note
	switch {
	case clock.Abs() < clockSame:
		words = append(words, wordsClockSame)
	case clock.Abs() < clockFar:
		words = append(words, fmt.Sprintf(wordsClock, within(clock)))
	default:
		more = append(more, note{sign: signWarn, tone: toneTrouble, words: fmt.Sprintf(wordsClockFar, within(clock))})
	}
	switch {
	case cert.IsZero():
	case cert.Sub(now) < 14*24*time.Hour:
		more = append(more, note{sign: signWarn, tone: toneTrouble, words: fmt.Sprintf(wordsCertSoon, until(now, cert))})
	default:
		words = append(words, fmt.Sprintf(wordsCertUntil, cert.In(now.Location()).Format("2 January 2006")))
	}
	return append([]note{{sign: signGood, tone: toneGood, words: strings.Join(words, " · ")}}, more...)
}

func note1(sign string, tone tone, words string) []note {
	return []note{{sign: sign, tone: tone, words: words}}
}
