package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// defaultJobs is how many setups of a list are worked on at once: enough that
// waiting for answers costs little, few enough for an Authentik that they share.
const defaultJobs = 4

// listBase are the flags that a command line may give for all setups of a list.
var listBase = []string{"authentik-url", "authentik-token-file", "ca-file", "allow-http", "keystore", "keystore-identity"}

// listed is setup or plan with --from: every setup of a list. do is what is
// done with each.
func (a *app) listed(ctx context.Context, do func(context.Context, *entry) outcome) error {
	if err := a.checkList(); err != nil {
		return err
	}
	entries, err := readList(a.opts.from, a.listBase())
	if err != nil {
		return err
	}
	if err := a.prepareList(entries); err != nil {
		return err
	}
	if err := a.unlockList(ctx, entries); err != nil {
		return err
	}
	outcomes := a.eachOf(ctx, entries, do)
	a.last = lastOf(outcomes)
	return nil
}

func (a *app) checkList() error {
	if a.opts.sandbox {
		return usagef("--from does not go with --sandbox; authbird sandbox gives addresses that a list can name")
	}
	if a.opts.jobs < 1 {
		return usagef("%s must be 1 or more", flagOr("jobs", a.given))
	}
	for _, flag := range append([]string{"setup", "netbird-url", "netbird-token-file"}, setupOnly...) {
		if a.given[flag] == byFlag {
			return usagef("--%s does not go with --from; it stands in the list, under a setup or under defaults", flag)
		}
	}
	return nil
}

// listBase is what the command line says for all.
func (a *app) listBase() map[string]string {
	all := map[string]string{
		"authentik-url": a.opts.authentikURL, "authentik-token-file": a.opts.authentikToken, "ca-file": a.opts.caFile,
		"allow-http": strconv.FormatBool(a.opts.allowHTTP), "keystore": a.opts.keystore, "keystore-identity": a.opts.keystoreIdentity,
	}
	out := map[string]string{}
	for _, flag := range listBase {
		if a.given[flag] != "" {
			out[flag] = all[flag]
		}
	}
	return out
}

// prepareList makes a job of each entry, and says all that is wrong before
// anything is begun.
func (a *app) prepareList(entries []*entry) error {
	ask := asker(nil)
	if a.lineAsks() == askLines {
		ask = a.askPassphrase
	}
	bench, err := a.bench(ask)
	if err != nil {
		return err
	}
	problems := listError{file: a.opts.from}
	for _, e := range entries {
		if err := a.prepareEntry(e, bench); err != nil {
			problems.addf(e.line, "%v", err)
		}
	}
	if err := problems.usage(); err != nil {
		return err
	}
	if err := oneOfAKind(a.opts.from, entries); err != nil {
		return err
	}
	a.lendToken(entries)
	for _, e := range entries {
		if err := e.job.complete(); err != nil {
			text := err.Error()
			if missing := e.job.missing(); len(missing) > 0 {
				text = e.job.name + ": missing: " + strings.ReplaceAll(strings.Join(missing, ", "), "--", "")
			}
			problems.addf(e.line, "%s", text)
		}
	}
	return problems.usage()
}

func (a *app) prepareEntry(e *entry, bench *flows.Bench) (err error) {
	e.job = &job{bench: bench, asks: askNobody, name: e.opts.setup, answers: bench.Defaults(e.mode)}
	if e.job.tokens.Authentik, err = a.tokenOf(e, "authentik"); err != nil {
		return err
	}
	if e.job.tokens.NetBird, err = a.tokenOf(e, "netbird"); err != nil {
		return err
	}
	e.opts.overlay(&e.job.answers, e.given)
	if e.job.name == "" {
		e.job.name = flows.SetupName(e.job.answers)
	}
	stored, err := bench.State.Load(e.job.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && stored.Answers.Mode == "" {
		return nil
	}
	if err != nil {
		return err
	}
	if stored.Answers.Mode != e.mode {
		return fmt.Errorf("the setup %s is %s already", stored.Name, stored.Answers.Mode)
	}
	e.job.answers, e.job.kept = stored.Answers, stored.Credentials
	e.opts.overlay(&e.job.answers, e.given)
	return nil
}

// lendToken gives AUTHENTIK_TOKEN to those who name none, if all of them are
// at one Authentik: a token is never shown to a server that it isn't for.
// NETBIRD_TOKEN is lent to nobody, because each setup has a NetBird of its own.
func (a *app) lendToken(entries []*entry) {
	var without []*entry
	at := map[string]bool{}
	for _, e := range entries {
		if e.job.tokens.Authentik == "" && !e.job.keeps(keystore.AuthentikToken) {
			without = append(without, e)
			at[e.job.answers.AuthentikURL] = true
		}
	}
	token, err := cleanToken("AUTHENTIK_TOKEN", a.Getenv("AUTHENTIK_TOKEN"))
	if err != nil || token == "" || len(at) != 1 {
		return
	}
	for _, e := range without {
		e.job.tokens.Authentik = token
	}
}

// unlockList opens each keystore that is needed once, before there are several
// who would ask.
func (a *app) unlockList(ctx context.Context, entries []*entry) error {
	opened := map[string]bool{}
	for _, e := range entries {
		kind := e.job.answers.Keystore
		if opened[kind] {
			continue
		}
		opened[kind] = true
		keys, err := e.job.bench.OpenKeys(ctx, keystore.Kind(kind))
		if err == nil {
			err = keys.Unlock(ctx)
		}
		if err != nil {
			return fmt.Errorf("open the keystore: %w", err)
		}
	}
	return nil
}

// eachOf does the entries, some at a time, and tells how each ended in the
// list's order. One that fails stops none of the others; a person's Ctrl-C
// stops those that have not begun.
func (a *app) eachOf(ctx context.Context, entries []*entry, do func(context.Context, *entry) outcome) []outcome {
	done := make([]chan outcome, len(entries))
	for i := range done {
		done[i] = make(chan outcome, 1)
	}
	var g errgroup.Group
	g.SetLimit(a.opts.jobs)
	go func() {
		for i, e := range entries {
			g.Go(func() error {
				if ctx.Err() != nil {
					done[i] <- outcome{Setup: e.job.name, Exit: exitInterrupted, Message: errInterrupted.Error()}
					return nil
				}
				done[i] <- do(ctx, e)
				return nil
			})
		}
	}()
	var all []outcome
	for i := range entries {
		out := <-done[i]
		out.Next = a.withState(out.Next)
		a.say.outcome(out)
		all = append(all, out)
	}
	return all
}

// setUpEntry brings one setup of a list to its end.
func (a *app) setUpEntry(ctx context.Context, e *entry) outcome {
	changed, results, err := a.carryEntry(ctx, e)
	if err != nil {
		return explain(ofSetup(e.job.name, a.left(err)))
	}
	out := outcome{Setup: e.job.name, Message: "nothing to do: everything is in place, and the checks are well", Hints: results}
	if changed {
		out.Message = "Authentik and NetBird are connected, and the checks are well"
		if e.mode == state.Standalone {
			out.Message = "Authentik is ready to be NetBird's only login; NetBird's values are in " + e.job.answers.EnvFile
		}
	}
	return out
}

func (a *app) carryEntry(ctx context.Context, e *entry) (changed bool, notes []string, err error) {
	s, err := a.openEntry(ctx, e)
	if err != nil {
		return false, nil, err
	}
	defer s.Close()
	p, err := s.Plan(ctx)
	if err != nil {
		return false, nil, err
	}
	results, err := s.Carry(ctx, p)
	return p.Changes(), remarks(results), err
}

func (a *app) openEntry(ctx context.Context, e *entry) (*flows.Session, error) {
	s, err := e.job.bench.Open(ctx, e.job.name, e.job.answers, e.job.tokens)
	if err != nil {
		return nil, err
	}
	if a.opts.json { // plain lines of several at once would tell nothing
		s.Watch = func(ev flows.Event) { a.say.event(e.job.name, ev) }
	}
	s.GiveUp = a.stop.giveUp
	if e.opts.adopt {
		s.Adopt = func(context.Context, flows.About, flows.Finding) error { return nil }
	}
	return s, nil
}

// planEntry says what setUpEntry would do.
func (a *app) planEntry(ctx context.Context, e *entry) outcome {
	s, err := a.openEntry(ctx, e)
	if err != nil {
		return explain(ofSetup(e.job.name, err))
	}
	defer s.Close()
	p, err := s.Plan(ctx)
	if p != nil && a.opts.json {
		a.say.plan(e.job.name, p)
	}
	if err != nil {
		return explain(ofSetup(e.job.name, a.left(err)))
	}
	out := planOutcome(e.job, p)
	out.Next, out.Hints = "", nil
	if !a.opts.json {
		for _, line := range planLines(p) {
			out.Hints = append(out.Hints, clients.Clean(line))
		}
	}
	return out
}

// gravity orders exit codes from the least to the worst: something to decide,
// a server or a token, part-way, failed, interrupted.
var gravity = []int{exitDone, exitPerson, exitUsage, exitReach, exitAuth, exitPartWay, exitFailed, exitInterrupted}

// worse is the graver of two exit codes.
func worse(a, b int) int {
	rank := func(code int) int {
		for i, c := range gravity {
			if c == code {
				return i
			}
		}
		return len(gravity)
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// lastOf is the last word about several setups.
func lastOf(all []outcome) outcome {
	out := outcome{}
	well := 0
	for _, o := range all {
		out.Exit = worse(out.Exit, o.Exit)
		if o.Exit == exitDone {
			well++
			continue
		}
		out.Hints = append(out.Hints, o.Setup+": "+o.Message)
	}
	out.Message = fmt.Sprintf("all is well in %s", count(len(all), "setup"))
	if well < len(all) {
		out.Message = fmt.Sprintf("%d of %s came to a good end", well, count(len(all), "setup"))
	}
	return out
}
