package tui

import "authbird/flows"

// The run.
const (
	wordsRunTitle     = "Setting up %s"
	wordsRunDone      = "Everything is made and checked."
	wordsRunUnsure    = "Everything is made. %s could not be made."
	wordsRunNext      = "Go on to the first sign-in"
	wordsRunStopping  = "Stopping after this step. Ctrl-C again gives up at once; the next look then settles what became of the request that is under way."
	wordsRunGivingUp  = "Giving up. What became of the last request is settled at the next look."
	wordsRunLooking   = "looking again…"
	wordsRunLost      = "no answer came; looking what became of it"
	wordsRunWith      = "with the %s"
	wordsRunAlong     = "done on the way"
	wordsRunFound     = "found again"
	wordsRunInPlace   = "in place"
	wordsTroubleTitle = "It stopped"
	wordsStoppedByYou = "Stopped between two steps, as you asked"
	wordsStands       = "Stands: "
	wordsStandsNone   = "Stands: nothing was made."
	wordsLookedOnly   = "Nothing was changed."
	wordsItSaid       = "It said: "
	wordsHits         = "It means: "
	wordsToDo         = "To do: "

	wordsRetry        = "Try again"
	wordsLookAgain    = "Look again and go on"
	wordsGoOnRun      = "Go on"
	wordsChangeAnswer = "Change an answer"
	wordsOtherNames   = "Choose other names"
	wordsOtherToken   = "Give another token for %s"
	wordsOtherAddress = "Change the address of %s"
	wordsOtherStore   = "Keep the secrets elsewhere"
	wordsStopHere     = "Stop here"
)

// The proof.
const (
	wordsProofTitle    = "The first sign-in"
	wordsProofOpen     = "Open this on any device and sign in through Authentik:"
	wordsProofWaiting  = "waiting for somebody to sign in"
	wordsProofSkip     = "You may skip this: what was made stands either way."
	wordsSawAuthorised = "Authentik saw %s authorise NetBird"
	wordsSawPending    = "NetBird knows %s, who waits for approval"
	wordsSawLetIn      = "NetBird let %s in"
	wordsSawBlocked    = "NetBird blocks %s"
	wordsProven        = "Proven: sign-ins through Authentik work."
	wordsApproving     = "approving %s…"
	wordsApproved      = "%s is approved, and gets in at the next sign-in or reload"
	wordsSimulating    = "a simulated person signs in…"
	wordsSomebody      = "somebody"
	wordsWatchLost     = "Sign-ins can't be watched from here: "
	wordsDoneTitle     = "Done"
	wordsDoneWhole     = "%s is set up."
	wordsDoneSame      = "%s is in place, as it was."
	wordsDoneLogin     = "%s signed in through Authentik."
	wordsDoneWaits     = "%s signed in through Authentik, and waits for approval in NetBird's dashboard, under Team."
	wordsDoneNoLogin   = "Nobody has signed in yet. The link is still good:"
	wordsDoneMade      = "Made or changed"
	wordsDoneCommand   = "The same without these screens"
	wordsDoneBack      = "Come back with: authbird"
	wordsDoneBackAll   = "It lists your setups, and looks again whether all stands."
	wordsLineDone      = "%s is set up."
	wordsLineSame      = "%s is in place; nothing was to do."
	wordsLineStopped   = "%s stopped: %s"
	wordsLineAsked     = "as you asked"
	wordsLineResume    = "Go on with: authbird resume %s"
	wordsLineNothing   = "Nothing was changed."
	wordsLineLogin     = "First sign-in: %s"
	wordsLineCommand   = "The same as a command: %s"
	wordsPassTitle     = "The passphrase"
	wordsPassNewTitle  = "A new passphrase"
	wordsPassFor       = "It opens the file that keeps the secrets:"
	wordsPassNewFor    = "There is no keyring here that authbird can use, so the secrets are kept in an encrypted file:"
	wordsPassNewWhy    = "Choose a passphrase for it. authbird asks for it once a run. Without it the secrets are lost, and have to be made anew."
	wordsPass          = "Passphrase"
	wordsPassOK        = "Open"
	wordsPassNewOK     = "Use it"
	wordsPassEmpty     = "An empty passphrase protects nothing."
	wordsPassShort     = "Fewer than 8 characters are soon guessed. Take a longer one."
	wordsPassAgain     = "That passphrase doesn't open it."
	wordsPassNotGiven  = "no passphrase was given"
)

// wordsAt is where something was made.
var wordsAt = map[flows.Place]string{flows.AtAuthentik: "in Authentik", flows.AtNetBird: "in NetBird", flows.Here: "here"}

var (
	helpRun = help{title: "The run", text: []string{
		"Each line ticks when it has been checked, not when it was sent. What has begun is finished before the run stops.",
		"When it stops, what was made stands. Running again goes on from there; there is nothing to clean up.",
	}}
	helpProof = help{title: "The first sign-in", text: []string{
		"Open the link on any device and choose Authentik. This screen watches both servers and tells what they see.",
		"On a new NetBird, people who come for the first time wait for approval. You can approve them here.",
	}}
	helpDone = help{title: "Done", text: []string{
		"The command does the same as these screens did, for another machine or for your notes. It holds no secrets.",
	}}
	helpPass = help{title: "The passphrase", text: []string{
		"The secrets are in a file that is encrypted with age. The passphrase opens it, is asked for once a run, and is kept nowhere.",
	}}
)
