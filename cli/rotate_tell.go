package cli

import (
	"strings"
	"time"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
)

func (v *jsonVoice) renewal(r flows.Renewal) {
	line := credentialLine{header: v.head("credential", r.Setup), Name: r.Name, Made: r.Made, Expires: r.Expires, EndUnknown: r.Known && r.Expires.IsZero() && !r.Endless(), Due: r.Due, Proven: r.Proven,
		UsedBy: r.UsedBy, Backend: r.Backend, Kept: r.Kept, Overdue: r.Overdue, Stopped: r.Stopped, Why: r.Why, RestartBreaks: r.RestartBreaks}
	if !r.Made.IsZero() {
		line.AgeDays = days(v.now().Sub(r.Made))
	}
	v.write(line)
}

// meaning is a line of kind plan for the whole and one for each step.
func (v *jsonVoice) meaning(setup string, r *flows.Rotation) {
	note := strings.Join(r.Means.What, "; ")
	if r.Means.Fails != "" {
		note += ". What fails meanwhile: " + r.Means.Fails
	}
	v.write(stepLine{header: v.head("plan", setup), ID: "rotate-" + r.Credential, Title: "renew the " + r.Credential, Note: note, Makes: r.Means.Must})
	v.plan(setup, r.Plan)
}

func windows(all []flows.Window) []window {
	var out []window
	for _, w := range all {
		out = append(out, window{w.From.UTC(), w.To.UTC(), w.Length().Milliseconds()})
	}
	return out
}

// window is a time in which logins could fail.
type window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	MS   int64     `json:"ms"`
}

func renewalWords(r flows.Renewal, now time.Time) string {
	var words []string
	switch {
	case r.Name == keystore.SigningKey && r.Made.IsZero():
	case r.Made.IsZero():
		words = append(words, "age unknown")
	default:
		words = append(words, age(now.Sub(r.Made))+" old")
	}
	switch {
	case r.Endless():
		words = append(words, "never expires")
	case r.Expires.IsZero():
		words = append(words, "end unknown")
	case r.Expires.Before(now):
		words = append(words, "expired "+ago(r.Expires, now))
	default:
		words = append(words, "expires in "+age(r.Expires.Sub(now)))
	}
	switch {
	case r.RestartBreaks:
		words = append(words, "its renewal was stopped part-way: a restart of NetBird now would break logins")
	case r.Stopped:
		words = append(words, "its renewal was stopped part-way")
	case r.Overdue:
		words = append(words, "overdue for renewal since "+r.Due.Format("2 January 2006"))
	case !r.Due.IsZero():
		words = append(words, "due "+r.Due.Format("2 January 2006"))
	}
	if !r.Proven.IsZero() {
		words = append(words, "proven "+ago(r.Proven, now))
	}
	if r.UsedBy != "" {
		words = append(words, "used by "+clients.Clean(r.UsedBy))
	}
	if r.Backend != "" {
		words = append(words, "in the keystore "+r.Backend)
	}
	return strings.Join(words, ", ")
}

func (v *plainVoice) renewal(r flows.Renewal) {
	if r.Why != "" {
		v.tellf("%s  %s: %s", r.Setup, r.Name, r.Why)
		return
	}
	v.tellf("%s  %s: %s", r.Setup, r.Name, renewalWords(r, v.now()))
}

func (v *plainVoice) meaning(setup string, r *flows.Rotation) {
	v.tellf("Renewing the %s of %s means:", r.Credential, setup)
	for i, what := range r.Means.What {
		v.tellf("  %d  %s", i+1, clients.Clean(what))
	}
	fails := r.Means.Fails
	if fails == "" {
		fails = "nothing"
	}
	v.tellf("  fails meanwhile: %s", fails)
	for _, line := range [][2]string{{"you must", r.Means.Must}, {"will be run", r.Means.Runs}, {"careful", r.Means.Warn}} {
		if line[1] != "" {
			v.tellf("  %s: %s", line[0], line[1])
		}
	}
}
