package cli

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/sim"
	"authbird/state"
)

// jsonVoice writes one object a line, each with time, kind and setup. The
// fields are a contract: they may grow and don't change meaning.
type jsonVoice struct {
	out io.Writer
	now func() time.Time
}

// header is what every line begins with.
type header struct {
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"`
	Setup string    `json:"setup"`
}

// stepLine is a line of kind plan (what a step would do) or step (what it did).
type stepLine struct {
	header
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Phase    string        `json:"phase,omitempty"`
	Verdict  flows.Verdict `json:"verdict,omitempty"`
	ObjectID string        `json:"object_id,omitempty"`
	Fields   []flows.Field `json:"fields,omitempty"`
	Note     string        `json:"note,omitempty"`
	Where    flows.Place   `json:"where,omitempty"`
	Object   string        `json:"object,omitempty"`
	Makes    string        `json:"makes,omitempty"`
	MS       int64         `json:"ms,omitempty"`
	Error    string        `json:"error,omitempty"`
}

type checkLine struct {
	header
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Group    doctor.Group   `json:"group,omitempty"`
	Verdict  doctor.Verdict `json:"verdict"`
	Evidence string         `json:"evidence"`
	Cause    string         `json:"cause"`
	Repair   string         `json:"repair"`
	Hits     string         `json:"hits,omitempty"`
	Advice   string         `json:"advice,omitempty"`
	Was      doctor.Verdict `json:"was,omitempty"` // with --watch: at the look before
}

type setupLine struct {
	header
	Mode         state.Mode `json:"mode"`
	AuthentikURL string     `json:"authentik_url"`
	NetBirdURL   string     `json:"netbird_url"`
	State        string     `json:"state"`
	StoppedAt    string     `json:"stopped_at,omitempty"`
	Why          string     `json:"why,omitempty"`
	Since        time.Time  `json:"since,omitzero"`
	Stands       []string   `json:"stands"`
	Keystore     string     `json:"keystore,omitempty"`
	LoginSeen    time.Time  `json:"login_seen,omitzero"`
	Damage       string     `json:"damage,omitempty"`
	PID          int        `json:"pid,omitempty"`
	NotRotatable []string   `json:"not_rotatable,omitempty"`
	Next         string     `json:"next,omitempty"`
}

type credentialLine struct {
	header
	Name       string    `json:"name"`
	Made       time.Time `json:"made,omitzero"`
	AgeDays    int       `json:"age_days"`
	Expires    time.Time `json:"expires,omitzero"`
	EndUnknown bool      `json:"end_unknown,omitempty"` // nothing tells when it expires
	Due        time.Time `json:"due,omitzero"`
	Proven     time.Time `json:"proven,omitzero"`
	UsedBy     string    `json:"used_by,omitempty"`
	Backend    string    `json:"backend,omitempty"`
	Kept       bool      `json:"kept"`
	Overdue    bool      `json:"overdue"`
	Stopped    bool      `json:"stopped,omitempty"` // a renewal was begun and has not come to its end
	Why        string    `json:"why,omitempty"`     // why it can't be renewed from here
	// RestartBreaks says that NetBird has a new one that Authentik doesn't have.
	RestartBreaks bool `json:"restart_breaks,omitempty"`
}

type resultLine struct {
	header
	OK      bool     `json:"ok"`
	Exit    int      `json:"exit"`
	Message string   `json:"message"`
	Hints   []string `json:"hints"`
	Next    string   `json:"next"`
	Login   string   `json:"login,omitempty"`
	Command string   `json:"command,omitempty"`
	Proven  *bool    `json:"proven,omitempty"`
	Windows []window `json:"windows,omitempty"`
}

func (v *jsonVoice) head(kind, setup string) header {
	return header{Time: v.now().UTC(), Kind: kind, Setup: setup}
}

// write is one Write a line, so that lines never mix.
func (v *jsonVoice) write(line any) {
	raw, err := json.Marshal(line)
	if err != nil {
		return
	}
	_, _ = v.out.Write(append(raw, '\n'))
}

func (v *jsonVoice) plan(setup string, p *flows.Plan) {
	for _, s := range p.Steps {
		v.write(v.step("plan", setup, s.Step.About(), s.Finding))
	}
}

func (v *jsonVoice) step(kind, setup string, a flows.About, f flows.Finding) stepLine {
	return stepLine{
		header: v.head(kind, setup), ID: a.ID, Title: a.Title, Where: a.Where, Object: a.Object, Makes: a.Makes,
		Verdict: f.Verdict, ObjectID: f.ObjectID, Fields: f.Fields, Note: f.Note,
	}
}

func (v *jsonVoice) event(setup string, e flows.Event) {
	if e.Phase == flows.Checked {
		v.write(v.check(setup, e.Check))
		return
	}
	line := v.step("step", setup, e.Step, e.Finding)
	line.Phase, line.MS, line.Makes = string(e.Phase), e.Elapsed.Milliseconds(), ""
	if e.Err != nil {
		line.Error = clients.Clean(e.Err.Error())
	}
	v.write(line)
}

func (v *jsonVoice) standing(s standing) {
	stands := s.Stands
	if stands == nil {
		stands = []string{}
	}
	v.write(setupLine{
		header: v.head("setup", s.Setup), Mode: s.Mode, AuthentikURL: s.AuthentikURL, NetBirdURL: s.NetBirdURL,
		State: s.State, StoppedAt: s.StoppedAt, Why: s.Why, Since: s.Since, Stands: stands, Keystore: s.Keystore,
		LoginSeen: s.LoginSeen, Damage: s.Damage, PID: s.RunningPID, NotRotatable: s.NotRotatable, Next: s.CommandToType,
	})
	for _, r := range s.Renewals {
		if r.Known {
			v.renewal(r)
		}
	}
}

// groupsLine is what stands of a setup's groups.
type groupsLine struct {
	header
	Application   string   `json:"application"`
	AllowGroups   []string `json:"allow_groups"`   // empty, with no other bindings: everyone
	OtherBindings int      `json:"other_bindings"` // of users, policies, or switched off
	GroupSync     string   `json:"group_sync"`     // on, off, or unknown
	Claim         string   `json:"claim"`
	NetBirdAllow  []string `json:"netbird_allow_groups"`
}

func (v *jsonVoice) groups(setup string, g flows.GroupsSeen) {
	sync := flows.GroupSyncOff
	switch {
	case !g.SyncRead:
		sync = "unknown"
	case g.Sync:
		sync = flows.GroupSyncOn
	}
	v.write(groupsLine{
		header: v.head("groups", setup), Application: g.Application, AllowGroups: append([]string{}, g.Allowed...),
		OtherBindings: g.Others, GroupSync: sync, Claim: g.Claim, NetBirdAllow: append([]string{}, g.NetBirdOnly...),
	})
}

// exportLine is a whole configuration of another tool.
type exportLine struct {
	header
	Format string `json:"format"`
	Text   string `json:"text"`
}

// outcome is a result of one of several setups; the run's own comes last.
func (v *jsonVoice) outcome(out outcome) { v.write(v.resultOf("outcome", out)) }

func (v *jsonVoice) exported(setup, format, text string) {
	v.write(exportLine{header: v.head("export", setup), Format: format, Text: text})
}

func (v *jsonVoice) removal(setup string, r flows.Removal) {
	v.write(stepLine{header: v.head("plan", setup), ID: r.Step.ID, Title: r.Step.Title, ObjectID: r.ObjectID,
		Where: r.Step.Where, Object: clients.Clean(r.Step.Object), Fields: r.Fields, Note: strings.Join(append([]string{r.Will + ": " + r.Why}, r.Beside...), "; ")})
}

func (v *jsonVoice) result(out outcome) { v.write(v.resultOf("result", out)) }

func (v *jsonVoice) resultOf(kind string, out outcome) resultLine {
	hints := make([]string, 0, len(out.Hints))
	for _, h := range out.Hints {
		hints = append(hints, clients.Clean(h))
	}
	return resultLine{
		header: v.head(kind, out.Setup), OK: out.Exit == exitDone, Exit: out.Exit, Message: clients.Clean(out.Message),
		Hints: hints, Next: out.Next, Login: out.Login, Command: out.Command, Proven: out.Proven, Windows: windows(out.Windows),
	}
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

type sandboxLine struct {
	header
	AuthentikURL   string `json:"authentik_url"`
	NetBirdURL     string `json:"netbird_url"`
	AuthentikToken string `json:"authentik_token"`
	NetBirdToken   string `json:"netbird_token"`
}

// sandbox tells how to reach simulated servers. Their tokens are no secrets.
func (v *jsonVoice) sandbox(s *sim.Sandbox) {
	v.write(sandboxLine{
		header: v.head("sandbox", ""), AuthentikURL: s.AuthentikURL, NetBirdURL: s.NetBirdURL,
		AuthentikToken: s.AuthentikToken, NetBirdToken: s.NetBirdToken,
	})
}
