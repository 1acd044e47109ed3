package tui

// The doctor and its repairs.
const (
	wordsDoctorTitle      = "Doctor: %s"
	wordsDoctorBlind      = "The doctor could not look"
	wordsDoctorLooking    = "looking at both servers… %d answered"
	wordsDoctorWell       = "All is well: %d checks."
	wordsDoctorMended     = "Repaired, and looked again just now."
	wordsDoctorMendedNote = "repaired"
	wordsDoctorRepairs    = "%s can be done from here."
	wordsDoctorOf         = "%d of %d"
	wordsDoctorCheck      = "Check"
	wordsDoctorSeen       = "Seen"
	wordsDoctorHits       = "Hits"
	wordsDoctorRepair     = "Repair"
	wordsDoctorFix        = "f puts the %s right, after you have seen what changes"
	wordsDoctorToDo       = "To do"
	wordsReportTitle      = "Report"
	wordsReportNote       = "no secrets, no names of people"
	wordsReportSent       = "Sent to your terminal's clipboard, if it takes it. Made to be pasted into an issue:"
	wordsReportSaved      = "Written, readable for you only:"
	wordsMendTitle        = "Repair %s"
	wordsMendReading      = "reading what would be changed…"
	wordsMendNothing      = "There is nothing to change: what this repair would make stands already."
	wordsMendAsk          = "Repair it so?"
	wordsMendYes          = "Repair it"
	wordsMendNo           = "Leave it as it is"
	wordsMendGoing        = "repairing…"
	wordsMendChanged      = "it was changed by someone meanwhile; look again"
	wordsVerbDoctor       = "doctor"
	wordsVerbDoctorMore   = "Look for what is wrong, why, and what repairs it."
	wordsAskDoctor        = "Ask the doctor what is wrong"
)

var (
	helpDoctor = help{title: "The doctor", text: []string{
		"It asks both servers what their own logs and the login would tell, and changes nothing. ✗ is wrong, ! is worth knowing, ? could not be seen, ✓ is well.",
		"A repair shows what it would change before it asks. It is written down like a setup's steps, and can be taken back with it.",
	}}
	helpMend = help{title: "The repair", text: []string{
		"Only what is listed is changed, from what it is to what it should be. Afterwards the doctor looks again.",
		"It stops between two objects, and goes on when it is begun again.",
	}}
)
