package flows

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"authbird/clients/netbird"
)

const (
	pollPause = 250 * time.Millisecond // between two looks at NetBird
	pollTime  = 5 * time.Second        // longest wait for one look's answer
	// afterCommand is how long a restart is looked for once the command for it
	// has ended well.
	afterCommand = time.Minute
)

// sight is what one look at NetBird shows of a restart.
type sight int

const (
	sameRun    sight = iota // the process that was told of the change still answers
	otherRun                // another one answers: it has restarted
	isDown                  // nothing answers, or a proxy says so
	outOfSight              // it answers, and which process it is can't be seen
)

// sightOf reads a look. A server that answers with an error of its own is not
// down: only what a proxy says in its place is.
func sightOf(told netbird.Process, justNow bool, now netbird.Instance, err error) sight {
	if err != nil {
		switch now.Meta.Status {
		case 0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return isDown
		}
		return outOfSight
	}
	same, known := now.Process.SameRun(told)
	if justNow {
		same, known = now.Process.SameRunAtOnce(told)
	}
	switch {
	case !known:
		return outOfSight
	case same:
		return sameRun
	}
	return otherRun
}

// Window is a time in which logins could fail. Zero: there was none.
type Window struct{ From, To time.Time }

// Length is how long it was open.
func (w Window) Length() time.Duration { return w.To.Sub(w.From) }

// restartWatch looks out for the one restart of NetBird after which a change
// counts, and does at that moment what must be done then.
type restartWatch struct {
	netbird *netbird.Client
	now     func() time.Time
	pause   func(context.Context, time.Duration) error
	wait    time.Duration
	leave   context.Context // the person's Ctrl-C
	told    netbird.Process // which was told of the change, as last seen
	blind   bool            // NetBird is not reached from here at all
	command func(context.Context) error
	word    <-chan struct{} // a person's word that it has restarted
	say     func(note string)
	// ready says whether logins can begin again; nil: as soon as it answers.
	ready func(context.Context) error
	// atOnce is called when the restart is seen, until it returns nil, and back
	// where what was seen turns out to be none. Either may be nil.
	atOnce, back func(context.Context) error

	since      time.Time  // from when on logins fail whatever the restart does; zero: from the restart on
	lastGood   time.Time  // when the old process was last known to answer
	justNow    bool       // told is of the look before
	acted      bool       // atOnce has returned nil
	byWord     bool       // a person said, or the command's end says, that it has restarted
	wasDown    bool       // and the old process has not been seen since
	restarted  bool       // another process was seen: there is no way back
	ended      time.Time  // when the command ended well
	commandEnd chan error // gives the command's error once
	windows    []Window   // in which logins could fail
	instance   netbird.Instance
}

// errNotRestarted is the end of a watch that saw no restart.
var errNotRestarted = errors.New("NetBird was not restarted")

// watch returns nil once NetBird answers after its restart and atOnce was done.
// Otherwise seen says whether the restart was seen, so that there is no way back.
func (w *restartWatch) watch(ctx context.Context) (seen bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.start(ctx)
	until := w.now().Add(w.wait)
	for {
		s, now := w.look(ctx)
		done, err := w.take(ctx, s, now)
		switch {
		case done:
			w.letEnd(ctx)
			return true, nil
		case errors.Is(err, errNotRestarted):
			return w.giveUp(ctx, err)
		}
		if why := w.over(until, err); why != nil {
			return w.giveUp(ctx, why)
		}
		if err := w.pause(ctx, pollPause); err != nil {
			return w.giveUp(ctx, err)
		}
	}
}

func (w *restartWatch) start(ctx context.Context) {
	w.lastGood = w.now()
	if !w.since.IsZero() {
		w.lastGood = w.since
	}
	if w.command == nil {
		return
	}
	w.commandEnd = make(chan error, 1)
	go func() { w.commandEnd <- w.command(ctx) }()
}

// letEnd waits for the command, which may still have other things to start.
func (w *restartWatch) letEnd(ctx context.Context) {
	if w.commandEnd == nil || !w.ended.IsZero() {
		return
	}
	select {
	case <-w.commandEnd:
	case <-ctx.Done():
	}
}

// over says why the watch ends without having seen the restart through.
func (w *restartWatch) over(until time.Time, last error) error {
	switch {
	case w.leave.Err() != nil:
		return fmt.Errorf("%w: you left before", errNotRestarted)
	case !w.ended.IsZero() && !w.wasDown && w.now().After(w.ended.Add(afterCommand)):
		return fmt.Errorf("%w: the command for it ended, and the same process still answers", errNotRestarted)
	case w.now().After(until):
		if last != nil {
			return last
		}
		return fmt.Errorf("%w within %s", errNotRestarted, w.wait)
	}
	return nil
}

// look asks once; a failed look is made sure of by another at once.
func (w *restartWatch) look(ctx context.Context) (sight, netbird.Instance) {
	if w.blind {
		return outOfSight, netbird.Instance{}
	}
	var s sight
	var now netbird.Instance
	for range 2 {
		begun := w.now()
		once, cancel := context.WithTimeout(ctx, pollTime)
		var err error
		now, err = w.netbird.Glance(once)
		cancel()
		s = sightOf(w.told, w.justNow, now, err)
		if s == isDown {
			continue
		}
		if s == sameRun {
			w.told, w.justNow = now.Process, true
			if !w.acted && w.since.IsZero() {
				w.lastGood = begun
			}
		}
		break
	}
	return s, now
}

// take draws the conclusion of one look. done: it has restarted, answers, and
// all that had to be done then is done.
func (w *restartWatch) take(ctx context.Context, s sight, now netbird.Instance) (done bool, err error) {
	if err := w.hear(s); err != nil {
		return false, err
	}
	switch s {
	case isDown:
		if !w.wasDown {
			w.wasDown = true
			w.say(RestartBegins)
		}
		return false, w.act(ctx)
	case sameRun:
		return false, w.blip(ctx)
	case outOfSight:
		if !w.byWord || !w.blind && now.Meta.Status != http.StatusOK {
			return false, nil
		}
	}
	w.restarted = true
	if err := w.act(ctx); err != nil {
		return false, err
	}
	if w.ready != nil {
		if err := w.ready(ctx); err != nil {
			return false, err // it answers, but logins can't begin yet
		}
	}
	if !w.blind {
		w.windows = append(w.windows, Window{w.lastGood, w.now()})
	}
	w.instance = now
	return true, nil
}

// hear takes what the command and the person say.
func (w *restartWatch) hear(s sight) error {
	select {
	case err := <-w.commandEnd:
		if err != nil {
			return fmt.Errorf("%w: the command for it failed: %w", errNotRestarted, err)
		}
		w.ended, w.byWord = w.now(), true
	default:
	}
	select {
	case <-w.word:
		if w.byWord = s != sameRun; !w.byWord {
			w.say("the same NetBird process still answers, so it has not restarted")
		}
	default:
	}
	return nil
}

func (w *restartWatch) act(ctx context.Context) error {
	if w.acted || w.atOnce == nil {
		w.acted = true
		return nil
	}
	err := w.atOnce(ctx)
	w.acted = err == nil
	return err
}

// blip takes back what was done where the process that was told of the change
// answers again: only something in front of it was gone.
func (w *restartWatch) blip(ctx context.Context) error {
	if w.wasDown {
		w.say("the same NetBird process answers again: it was not restarted")
	}
	w.wasDown = false
	if !w.acted {
		return nil
	}
	if w.back != nil {
		if err := w.back(ctx); err != nil {
			return err
		}
		w.windows = append(w.windows, Window{w.lastGood, w.now()})
	}
	if w.acted = false; w.since.IsZero() {
		w.lastGood = w.now()
	}
	return nil
}

// giveUp ends the watch. Where NetBird went down and hasn't come back, what was
// done stays done: it has the change and will run on it.
func (w *restartWatch) giveUp(ctx context.Context, err error) (seen bool, _ error) {
	if w.restarted {
		return true, err
	}
	if s, _ := w.look(ctx); s == otherRun || s == isDown && w.wasDown {
		return true, err
	}
	if w.acted && w.back != nil {
		if backErr := w.back(context.WithoutCancel(ctx)); backErr != nil {
			return true, errors.Join(err, backErr)
		}
	}
	return false, err
}
