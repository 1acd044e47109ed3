package tui

import (
	"reflect"

	"authbird/flows"
	"authbird/state"
)

// draft is what is known of the setup that a walk is about. The program owns
// the only one; screens are made from it and hand back edits.
type draft struct {
	name      string // "": flows.SetupName
	answers   state.Answers
	tokens    flows.Tokens
	authentik flows.AuthentikSeen
	netbird   flows.NetBirdSeen
	kept      keptTokens // the keystore has them: nobody need type them
	stands    bool       // the setup was there before this walk
	why       purpose    // what the walk of a setup that stands is about
	renew     string     // the credential to renew, where that is what it is about
	leak      leak
	found     bool                  // authbird didn't make it: only the doctor is asked about it
	folder    string                // where relative paths begin
	unproven  bool                  // its last run did not come to its end
	guest     bool                  // the person does not run authbird here: see guest.go
	others    map[string]state.Mode // the setups that stand already
}

type keptTokens struct{ authentik, netbird bool }

// setup is the name the setup has or will have.
func (d draft) setup() string {
	if d.name != "" {
		return d.name
	}
	return flows.SetupName(d.answers)
}

// freeName is setup, or a name beside it where a setup of another mode has that
// one.
func (d draft) freeName() string {
	name := d.setup()
	if other := d.others[name]; !d.stands && other != "" && other != d.answers.Mode {
		return name + "-" + string(d.answers.Mode)
	}
	return name
}

// edit is what a screen changes in the draft.
type edit interface{ apply(draft) draft }

// noEdit changes nothing.
type noEdit struct{}

func (noEdit) apply(d draft) draft { return d }

// modeChosen is the answer of the mode screen. What only the other mode has is
// dropped.
type modeChosen struct {
	mode     state.Mode
	defaults state.Answers
}

func (e modeChosen) apply(d draft) draft {
	if d.answers.Mode == e.mode {
		return d
	}
	if e.mode == state.Standalone {
		d.answers.ConnectorName, d.answers.ConnectorType = "", ""
	} else {
		a := &d.answers
		a.NetBirdDomain, a.ServiceAccount, a.Rights, a.RedirectMode = "", "", "", ""
		a.EnvFile, a.EnvSecret, a.NetBirdConfig, a.DeviceFlow = "", "", "", ""
	}
	d.answers = overlay(e.defaults, d.answers)
	d.answers.Mode = e.mode
	return d
}

// authentikMet is the answer of the Authentik screen, checked or only typed.
type authentikMet struct {
	url, token, caFile string
	allowHTTP          bool
	seen               flows.AuthentikSeen
}

func (e authentikMet) apply(d draft) draft {
	d.answers.AuthentikURL, d.answers.CAFile, d.answers.AllowHTTP = e.url, e.caFile, e.allowHTTP
	d.tokens.Authentik, d.authentik = e.token, e.seen
	return d
}

// netbirdMet is the answer of the NetBird screen, checked or only typed.
type netbirdMet struct {
	url, token string
	allowHTTP  bool
	caFile     string
	seen       flows.NetBirdSeen
}

func (e netbirdMet) apply(d draft) draft {
	d.answers.NetBirdURL, d.answers.CAFile, d.answers.AllowHTTP = e.url, e.caFile, e.allowHTTP
	d.tokens.NetBird, d.netbird = e.token, e.seen
	return d
}

// optionsGiven is the answer of the options screen.
type optionsGiven struct {
	name    string
	answers state.Answers
}

func (e optionsGiven) apply(d draft) draft {
	d.name, d.answers = e.name, e.answers
	return d
}

// overlay takes each default where nothing was given.
func overlay(defaults, given state.Answers) state.Answers {
	out := reflect.ValueOf(&given).Elem()
	from := reflect.ValueOf(defaults)
	for i := range out.NumField() {
		if out.Field(i).IsZero() {
			out.Field(i).Set(from.Field(i))
		}
	}
	return given
}
