package tui

// What every screen may say.
const (
	wordsTooSmall    = "This window is %d×%d. authbird needs %d×%d. Make it larger; nothing is lost."
	wordsSandbox     = "sandbox"
	wordsActor       = "In the sandbox that is %s."
	wordsSandboxEnds = "This was the sandbox: its servers and all that was made end with authbird."
	wordsNothingDone = "nothing is changed yet"
	wordsSent        = "Sent to your terminal's clipboard. If yours doesn't take it, copy it from here:"
	wordsCopied      = "sent to your terminal's clipboard, if it takes it"
	wordsScanWith    = "Scan it with a phone. Any key goes back."
	wordsQRTooLarge  = "This window is too small for the code. Make it larger, or go back and copy the link."
	wordsKeys        = "Keys"
	wordsCtrlC       = "Leave; while a run is going, stop after this step."
	wordsScroll      = "Scroll."
)

// home, mode and the help that leads there.
const (
	wordsHomeTitle   = "authbird"
	wordsHomeNote    = "Authentik + NetBird"
	wordsNewSetup    = "new setup"
	wordsEmptyHome   = "authbird connects an Authentik and a NetBird, so that people sign in to NetBird with their Authentik account, and keeps them connected."
	wordsEmptyHome2  = "Nothing is set up here yet. You need an administrator's account at both."
	wordsDamaged     = "its files can't be read"
	wordsBusy        = "another run works on it"
	wordsStoppedAt   = "stopped %s"
	wordsStoppedIn   = "stopped at %s, %s"
	wordsNotBegun    = "nothing is made yet"
	wordsTakenBack   = "taken back %s"
	wordsCheckedAt   = "stands, checked %s"
	wordsSetUpAt     = "set up %s"
	wordsSecretAge   = "secret %s old"
	wordsOld         = "%s old"
	wordsEnds        = "ends %s"
	wordsModeTitle   = "How shall they be joined?"
	wordsModeNote    = "new setup"
	wordsConnector   = "Connector"
	wordsRecommended = "recommended"
	wordsStandalone  = "Standalone"
	wordsAdvanced    = "for people who know Authentik well"
)

var (
	wordsConnectorCosts = []string{
		"Adds Authentik beside NetBird's own login.",
		"Nothing to restart. Undo it any time.",
		"Works with every NetBird that has its own identity provider on (the usual since 0.62).",
	}
	wordsStandaloneCosts = []string{
		"Authentik is the only login.",
		"NetBird's setup.env changes, and NetBird is set up again.",
		"Users that NetBird has now don't carry over.",
	}
	helpHome = help{title: "The list of setups", text: []string{
		"A setup is one Authentik joined to one NetBird. Each line is one, with its state: ● all of it stands, ◐ it stopped part-way, ○ nothing is made yet.",
		"A setup that stopped is gone on with by running it again: authbird looks at both servers and does what is missing.",
	}}
	helpMode = help{title: "The two ways", text: []string{
		"As a connector, Authentik becomes one more button on NetBird's login page. NetBird keeps its own users, and its own login as a way in when Authentik is down.",
		"Standalone, NetBird has no login of its own: every user is an Authentik user, and NetBird must reach Authentik to start.",
	}}
)
