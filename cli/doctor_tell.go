package cli

import (
	"fmt"
	"strings"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
)

// change is one check whose answer is otherwise than at the look before.
type change struct {
	was doctor.Verdict // "": it was not asked then
	now doctor.Result
}

// check is the line of one check.
func (v *jsonVoice) check(setup string, c doctor.Result) checkLine {
	return checkLine{
		header: v.head("check", setup), ID: c.ID, Title: clients.Clean(c.Title), Group: c.Group, Verdict: c.Verdict,
		Evidence: clients.Clean(c.Evidence), Cause: clients.Clean(c.Cause), Repair: clients.Clean(c.Repair),
		Hits: clients.Clean(c.Hits), Advice: clients.Clean(c.Advice),
	}
}

// diagnosisLine sums up one connection after its checks.
type diagnosisLine struct {
	header
	Verdict          doctor.Verdict         `json:"verdict"` // "unknown" where it could not look
	Mode             string                 `json:"mode,omitempty"`
	AuthentikURL     string                 `json:"authentik_url,omitempty"`
	NetBirdURL       string                 `json:"netbird_url,omitempty"`
	AuthentikVersion string                 `json:"authentik_version,omitempty"`
	NetBirdVersion   string                 `json:"netbird_version,omitempty"`
	Checks           map[doctor.Verdict]int `json:"checks"`
	Requests         int                    `json:"requests"`
	Error            string                 `json:"error,omitempty"` // why it could not look
}

func (v *jsonVoice) diagnosis(d *flows.Diagnosis) {
	for _, c := range doctor.Sorted(d.Results) {
		v.write(v.check(d.Setup, c))
	}
	v.write(v.summary(d))
}

func (v *jsonVoice) summary(d *flows.Diagnosis) diagnosisLine {
	n := doctor.Count(d.Results)
	line := diagnosisLine{
		header: v.head("diagnosis", d.Setup), Verdict: n.Verdict(), Mode: string(d.Answers.Mode),
		AuthentikURL: d.Answers.AuthentikURL, NetBirdURL: netBirdOf(d.Answers),
		AuthentikVersion: clients.Clean(d.AuthentikVersion), NetBirdVersion: clients.Clean(d.NetBirdVersion),
		Checks: n, Requests: d.Requests,
	}
	if d.CouldNotLook != nil {
		line.Verdict, line.Error = doctor.Unknown, clients.Clean(d.CouldNotLook.Error())
	}
	return line
}

func (v *jsonVoice) changed(d *flows.Diagnosis, changes []change) {
	for _, c := range changes {
		line := v.check(d.Setup, c.now)
		line.Was = c.was
		v.write(line)
	}
	v.write(v.summary(d))
}

// diagnosis lists by place what is not well, with all that is known of it; what
// is well is counted.
func (v *plainVoice) diagnosis(d *flows.Diagnosis) {
	v.printf("%s", diagnosisTitle(d))
	if d.CouldNotLook != nil {
		v.printf("  could not look: %s", clients.Clean(d.CouldNotLook.Error()))
	}
	for _, g := range doctor.Groups() {
		v.group(g, doctor.Sorted(d.Results))
	}
}

// diagnosisTitle names a connection and what runs at its ends.
func diagnosisTitle(d *flows.Diagnosis) string {
	words := []string{diagnosed(d)}
	if d.Answers.Mode != "" {
		words = append(words, string(d.Answers.Mode))
	}
	for _, s := range [][2]string{{"Authentik", d.AuthentikVersion}, {"NetBird", d.NetBirdVersion}} {
		if s[1] != "" {
			words = append(words, s[0]+" "+clients.Clean(s[1]))
		}
	}
	return strings.Join(words, "  ")
}

// diagnosed names what was looked at.
func diagnosed(d *flows.Diagnosis) string {
	if d.Setup != "" {
		return clients.Clean(d.Setup)
	}
	return clients.Clean(d.Answers.AuthentikURL + " and " + netBirdOf(d.Answers))
}

func (v *plainVoice) group(g doctor.Group, sorted []doctor.Result) {
	well, begun, unseen := 0, false, reasons{}
	begin := func() {
		if !begun {
			v.printf("%s", strings.ToUpper(string(g[:1]))+string(g[1:]))
		}
		begun = true
	}
	for _, c := range sorted {
		switch {
		case c.Group != g:
		case c.Verdict == doctor.OK:
			well++
		case c.Verdict == doctor.Unknown && c.Cause == "" && c.Advice == "":
			unseen.add(c)
		default:
			begin()
			for _, line := range foundLines(c) {
				printLine(v.out, line)
			}
		}
	}
	for _, why := range unseen.order {
		begin()
		v.printf("  %-8s %s", doctor.Unknown.Words(), strings.Join(unseen.titles[why], "; "))
		if why != "" {
			v.printf("    %-7s %s", "why", why)
		}
	}
	if well > 0 {
		begin()
		v.printf("  %-8s %s", doctor.OK.Words(), count(well, "check"))
	}
}

// reasons are checks that could not be judged, by why: of what one failure hides
// nobody reads more than its names.
type reasons struct {
	order  []string
	titles map[string][]string
}

func (r *reasons) add(c doctor.Result) {
	if r.titles == nil {
		r.titles = map[string][]string{}
	}
	why := clients.Clean(c.Evidence)
	if r.titles[why] == nil {
		r.order = append(r.order, why)
	}
	r.titles[why] = append(r.titles[why], clients.Clean(c.Title))
}

// foundLines words what is not well: the question, and below it what was seen,
// why it is so, who is hit, and what to do.
func foundLines(c doctor.Result) []string {
	lines := []string{fmt.Sprintf("  %-8s %s", c.Verdict.Words(), clients.Clean(c.Title))}
	for _, part := range [][2]string{
		{"cause", c.Cause}, {"seen", c.Seen()}, {"hits", c.Hits}, {"repair", repairWords(c)}, {"to do", c.Advice},
	} {
		if part[1] != "" {
			lines = append(lines, fmt.Sprintf("    %-7s %s", part[0], clients.Clean(part[1])))
		}
	}
	return lines
}

// repairWords says that a check is repaired from here.
func repairWords(c doctor.Result) string {
	if c.Repair == "" {
		return ""
	}
	return "--fix (" + c.Repair + ")"
}

// changed tells, after the time, each check whose answer is another now.
func (v *plainVoice) changed(d *flows.Diagnosis, changes []change) {
	n := doctor.Count(d.Results).String()
	if d.CouldNotLook != nil {
		n = "could not look: " + clients.Clean(d.CouldNotLook.Error())
	}
	v.printf("%s  %s  %s", v.now().Format("2006-01-02 15:04:05"), diagnosed(d), n)
	for _, c := range changes {
		if c.now.Verdict == doctor.OK {
			v.printf("  %-8s %s  (was %s)", c.now.Verdict.Words(), clients.Clean(c.now.Title), c.was.Words())
			continue
		}
		for _, line := range foundLines(c.now) {
			printLine(v.out, line)
		}
	}
}
