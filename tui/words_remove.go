package tui

// Taking a setup back.
const (
	wordsRemoveTitle    = "Take back %s"
	wordsRemoveReading  = "reading what stands…"
	wordsRemoveGoes     = "Goes"
	wordsRemoveRestored = "Is put back"
	wordsRemoveStays    = "Stays"
	wordsRemoveUnknown  = "Whose it is can't be told"
	wordsRemoveGone     = "Is gone already"
	wordsRemoveField    = "%s: have %s, authbird left %s"
	wordsRemoveHere     = "The setup's secrets are forgotten here, and its journal is kept as an archive."
	wordsRemoveNothing  = "Nothing of it stands on the servers. Only its records here go."
	wordsRemoveNetBird  = "NetBird itself is not touched. While it runs with these values, nobody can sign in to it: set it up with another login first."
	wordsRemoveAsk      = "Take it back?"
	wordsRemoveYes      = "Take it back"
	wordsRemoveNo       = "Leave it as it is"
	wordsRemoveReason   = "It is locked. To do it all the same, type why; the journal keeps it."
	wordsRemoveEmpty    = "without a reason it isn't done"
	wordsRemoveGoing    = "taking back…"
	wordsRemoveStopping = "Stopping after this object. Ctrl-C again gives up at once; the next look then settles what became of it."
	wordsRemoveDone     = "%s is taken back."
	wordsRemoveArchive  = "Its journal is kept in:"
	wordsRemoveAgain    = "Look again and go on taking back"
	wordsTakeBack       = "Take back what was made"
	wordsNothingStands  = "nothing was made yet"
	wordsVerbGoOn       = "go on"
	wordsVerbGoOnMore   = "Look at both servers and do what is missing, after you have seen it."
	wordsVerbLook       = "look again"
	wordsVerbLookMore   = "Look at both servers and show whether all still stands."
	wordsVerbPlan       = "set up again"
	wordsVerbPlanMore   = "Show what would be made anew."
	wordsVerbRemove     = "take back"
	wordsVerbRemoveMore = "Show what authbird made here and would remove or put back, and ask."
	wordsStoppedBack    = "stopped while taking back"
	wordsStoppedBackAt  = "stopped while taking back at %s, %s"
	wordsLineTaken      = "%s is taken back; the journal is kept in %s"
)

var helpRemove = help{title: "Taking a setup back", text: []string{
	"Only what authbird made is removed, last object first. What stood there before is put back as it was, and what was only used stays.",
	"It stops between two objects, and goes on when it is begun again.",
}}
