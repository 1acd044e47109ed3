package doctor

import "authbird/facts"

// mendable leaves repairs away that a connection which authbird did not make
// doesn't get from here: what is gone as a whole is a setup's work, and a new
// app password is of no use before NetBird has it.
func (c Case) mendable(questions []Question) []Question {
	if !c.Found {
		return questions
	}
	for i := range questions {
		judge := questions[i].Judge
		questions[i].Judge = func(f *facts.Facts) Outcome { return c.advised(judge(f), f) }
	}
	return questions
}

func (c Case) advised(o Outcome, f *facts.Facts) Outcome {
	mode := "connector"
	if c.Standalone {
		mode = "standalone"
	}
	switch {
	case o.Repair == "provider":
		o.Repair, o.Advice = "", "authbird setup "+mode+" connects the two anew"
	case c.Here.Management != "" || c.Here.EnvFile != "":
	case o.Repair == "app-password", o.Repair == "service-account" && f.Authentik.Account.Absent():
		o.Repair, o.Advice = "", "make an app password of that account in Authentik and give it to NetBird, or name management.json with --netbird-config: then --fix does both"
	}
	return o
}
