package flows_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/flows"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
	"authbird/state"
)

var newOwner = flows.Owner{Email: "owner@example.com", Name: "Owner", Password: "correct horse battery"}

// freshLab has a NetBird without an owner.
func freshLab(t *testing.T) *lab {
	return newLab(t, labOptions{schemas: true, fresh: true})
}

// The account must have its domain afterwards: everybody who comes by the
// connector lands in an account of his own otherwise.
func TestTheOwnerOfAFreshNetBirdHasAnAccountWithADomain(t *testing.T) {
	l := freshLab(t)
	token, err := l.bench.CreateOwner(t.Context(), l.answers, newOwner)
	l.must(err)
	accounts, err := l.netbirdClient().WithToken(token).Accounts(t.Context())
	l.must(err)
	if len(accounts) != 1 || accounts[0].Domain == "" || accounts[0].DomainCategory != "private" {
		t.Errorf("accounts %+v", accounts)
	}
	l.tokens.NetBird = token
	l.mustRun()
}

func TestALostAnswerLosesNoOwner(t *testing.T) {
	l := freshLab(t)
	l.must(l.faults["netbird"].Order(fault.Fault{Method: http.MethodPost, Path: "/api/setup", Kind: fault.CutAfter}))
	if token, err := l.bench.CreateOwner(t.Context(), l.answers, newOwner); err != nil || token == "" {
		t.Errorf("%v", err)
	}
}

func TestAnOwnerWhoCouldNotBeSignedInIsSignedInByTheNextTry(t *testing.T) {
	l := freshLab(t)
	l.must(l.faults["netbird"].Order(fault.Fault{Path: "/oauth2/**", Kind: fault.Status, Status: 500, Times: -1}))
	_, err := l.bench.CreateOwner(t.Context(), l.answers, newOwner)
	if err == nil || !strings.Contains(err.Error(), "the owner was made") {
		t.Errorf("got %v: want what stands", err)
	}
	l.faults["netbird"].Clear()
	if token, err := l.bench.CreateOwner(t.Context(), l.answers, newOwner); err != nil || token == "" {
		t.Errorf("again: %v", err)
	}
	other := newOwner
	other.Password = "somebody else's"
	if _, err := l.bench.CreateOwner(t.Context(), l.answers, other); err == nil || !strings.Contains(err.Error(), "already completed") {
		t.Errorf("another owner: %v", err)
	}
}

func TestATokenWhoseAnswerWasLostDoesNotStay(t *testing.T) {
	l := newLab(t, labOptions{})
	_, err := l.bench.MakeNetBirdToken(t.Context(), l.answers, ownerToken, "authbird x", 30)
	l.must(err)
	l.must(l.faults["netbird"].Order(fault.Fault{Method: http.MethodPost, Path: "/api/users/*/tokens", Kind: fault.CutAfter}))
	if _, err = l.bench.MakeNetBirdToken(t.Context(), l.answers, ownerToken, "authbird x", 30); err == nil {
		t.Fatal("a lost answer brought a token")
	}
	c := l.netbirdClient()
	me, err := c.CurrentUser(t.Context())
	l.must(err)
	tokens, err := c.Tokens(t.Context(), me.ID)
	l.must(err)
	n := 0
	for _, tok := range tokens {
		if tok.Name == "authbird x" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d tokens of that name, want the one that was given", n)
	}
}

// An administrator sees everybody's tokens. On a big server they are not read
// page by page, and the own one is found all the same.
func TestManyTokensOfOthersCostOneRequest(t *testing.T) {
	l := newLab(t, labOptions{})
	for i := range 1200 {
		_, err := l.authentik.AddToken(simauthentik.Token{User: "akadmin", Identifier: fmt.Sprintf("a-%04d", i), Intent: "app_password"})
		l.must(err)
	}
	l.authentik.AddUser(simauthentik.User{Username: "somebody"})
	for i := range 1200 {
		_, err := l.authentik.AddToken(simauthentik.Token{User: "somebody", Identifier: fmt.Sprintf("b-%04d", i)})
		l.must(err)
	}
	l.authentik.AddUser(simauthentik.User{Username: "zoe", Groups: []string{"authentik Admins"}})
	key, err := l.authentik.AddToken(simauthentik.Token{User: "zoe", Identifier: "z", Expires: time.Now().Add(time.Minute)})
	l.must(err)
	l.tokens.Authentik = key
	s, err := l.bench.Look(t.Context(), setupName, l.answers, l.tokens)
	l.must(err)
	defer s.Close()
	p, err := s.Plan(t.Context())
	l.must(err)
	asked := 0
	for _, x := range l.sent {
		if strings.Contains(x.URL, "/core/tokens/") {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("%d requests for tokens, want two", asked)
	}
	for _, c := range p.Checks {
		if c.ID == "authentik-token-end" && !strings.Contains(c.Cause, "ends in 1m") {
			t.Errorf("the own token's end is not known: %+v", c)
		}
	}
}

// A state folder that can't be written is told with what to do, and nothing
// was sent.
func TestAStateFolderThatCannotBeWrittenIsTold(t *testing.T) {
	l := newLab(t, labOptions{})
	l.must(os.WriteFile(l.bench.State.Path(), nil, 0o600)) // a file in its place
	_, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
	var stopped *flows.Stopped
	if !errors.As(err, &stopped) || stopped.Reason != flows.NotWritten || !strings.Contains(strings.Join(stopped.Hints, " "), "--state-dir") {
		t.Errorf("got %v", err)
	}
	if n := l.requests(); n != 0 {
		t.Errorf("%d requests went out", n)
	}
}

func TestNamesThatNoScreenShowsAreRefused(t *testing.T) {
	bad := []string{"", " ", "a\x1b[31m", "a\a", "a\u202eb", "a\u200bb", "a\tb", "a\xffb", strings.Repeat("n", 201)}
	good := []string{"NetBird", "Net Bird", "Ünïcödé 鳥", " x ", strings.Repeat("n", 200)}
	for _, name := range slices.Concat(bad, good) {
		l := newLab(t, labOptions{})
		for _, change := range []func(*state.Answers){
			func(a *state.Answers) { a.Name = name }, func(a *state.Answers) { a.ConnectorName = name },
		} {
			a := l.answers
			change(&a)
			if err := flows.ValidAnswers(a); (err == nil) != slices.Contains(good, name) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}
