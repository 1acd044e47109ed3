package cli

import (
	"context"
	"fmt"

	"authbird/flows"
	"authbird/state"
)

// modes are the ways to set up, as a question has them.
var modes = []option{
	{string(state.Connector), "Authentik beside NetBird's own login, recommended"},
	{string(state.Standalone), "Authentik as NetBird's only login, for people who know Authentik well"},
}

// homeLines is the home screen in words: the setups, and what can be done with
// each.
func (a *app) homeLines(ctx context.Context, j *job) error {
	all, err := j.bench.State.List()
	if err != nil {
		return err
	}
	var options []option
	for _, s := range all {
		st := a.standingOf(j.bench.State, s)
		options = append(options, option{s.Name, fmt.Sprintf("%s, %s", s.Name, stateWords(st, a.Now()))})
	}
	for _, m := range modes {
		options = append(options, option{m.value, "a new setup: " + m.label})
	}
	a.lines.say("authbird connects Authentik and NetBird. Here: %s. The answer q leaves.", count(len(all), "setup"))
	i, err := a.lines.choose(ctx, "Which one?", options, 0)
	if err != nil {
		return err
	}
	if i < len(all) {
		return a.homeSetup(ctx, j, all[i])
	}
	return a.walkNew(ctx, j, state.Mode(options[i].value))
}

// walkNew begins a new setup of that mode.
func (a *app) walkNew(ctx context.Context, j *job, mode state.Mode) error {
	j.answers = j.bench.Defaults(mode)
	a.opts.overlay(&j.answers, a.given)
	return a.walk(ctx, j)
}

// homeSetup asks what is to be done with a setup, the most likely first.
func (a *app) homeSetup(ctx context.Context, j *job, s *state.Setup) error {
	removing, first := flows.BeingRemoved(s), "look again whether all of it stands"
	if _, _, _, _, stopped := s.Interrupted(); stopped {
		first = "go on where it stopped"
	}
	if removing {
		first = "go on taking it back"
	}
	what := []option{{"open", first}, {"doctor", "ask the doctor what is wrong"}, {"rotate", "renew a secret"}, {"remove", "take back what authbird made"}}
	if removing {
		what = what[:1]
	}
	i, err := a.lines.choose(ctx, "What is to be done with "+s.Name+"?", what, 0)
	if err != nil {
		return err
	}
	switch what[i].value {
	case "doctor":
		return a.consultLines(ctx, j, s)
	case "rotate":
		return a.rotate(ctx, []string{s.Name})
	case "remove":
		return a.removeStored(ctx, s)
	}
	if removing {
		return a.removeStored(ctx, s)
	}
	j.answers = j.bench.Defaults(s.Answers.Mode)
	if err := a.take(j, s); err != nil {
		return err
	}
	return a.walk(ctx, j)
}

// askMode asks which way a new setup goes.
func (a *app) askMode(ctx context.Context) error {
	j, err := a.begin(askLines, state.Connector, &state.Setup{})
	if err != nil {
		return err
	}
	i, err := a.lines.choose(ctx, "How shall they be joined?", modes, 0)
	if err != nil {
		return err
	}
	return a.walkNew(ctx, j, state.Mode(modes[i].value))
}
