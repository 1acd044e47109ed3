package tui

// Renewing credentials.
const (
	wordsVerbRotate     = "rotate"
	wordsVerbRotateMore = "Show the age of every secret, and renew one."

	wordsRotateTitle      = "Credentials"
	wordsRotateNone       = "There is no setup yet, and so no credential."
	wordsRotateNothingDue = "nothing is due"
	wordsRotateDue        = "%d due"
	wordsRotateRenew      = "what renewing means"
	wordsRotateRenewMore  = "Show what renewing it means. Nothing is done before you say so."
	wordsRotateLeak       = "leaked: renew all"
	wordsRotateLeakMore   = "The secrets of this setup are in wrong hands: renew all of them, and end the old ones first."
	wordsRotateNotHere    = "not from here"
	wordsRotateStopped    = "stopped"
	wordsRotateOverdue    = "due"
	wordsRotateNever      = "never"
	wordsRotateUnknown    = "not known"
	wordsRotateDays       = "%d days"
	wordsRotateUsedBy     = "used by"
	wordsRotateProof      = "last proof"
	wordsRotateNoProof    = "none yet"
	wordsRotateEnds       = "ends"
	wordsRotateNext       = "next due"

	wordsRenewTitle      = "Renew the %s of %s"
	wordsRenewReading    = "looking at both servers…"
	wordsRenewFails      = "Fails meanwhile"
	wordsRenewFailsNone  = "nothing"
	wordsRenewMust       = "You must"
	wordsRenewRuns       = "Will be run"
	wordsRenewAsk        = "Renew it now?"
	wordsRenewYes        = "Renew it"
	wordsRenewNo         = "Not now"
	wordsRenewGoing      = "renewing…"
	wordsRenewType       = "Type on NetBird's host:"
	wordsRenewCompose    = "docker compose restart"
	wordsRenewSystemd    = "systemctl restart netbird-management"
	wordsRenewRestarted  = "it has restarted"
	wordsRenewWordMore   = "Say that NetBird has restarted, where authbird can't see it."
	wordsRenewStopping   = "Leaving before the restart: everything is put back. Ctrl-C again gives up at once."
	wordsRenewStoppingOn = "Leaving: what was begun is finished, and going on with the setup goes on here. Ctrl-C again gives up at once."
	wordsRenewStop       = "leave, and go on later"
	wordsRenewStopBack   = "leave, and put it back"
	wordsRenewStopNow    = "give up at once"
	wordsRenewAgain      = "Look again and go on"
	wordsRenewDone       = "The %s is renewed."
	wordsRenewWindow     = "logins could fail for %.1f s, from %s to %s"
	wordsRenewAway       = "NetBird was restarting for %.1f s, from %s to %s"
	wordsRenewUnproven   = "NetBird has restarted with it, and no login was seen yet. Sign in by Authentik on any device to prove it:"
	wordsRenewProven     = "%s signed in: proven. The old secret is forgotten."
	wordsRenewLeave      = "Leaving is fine: the old secret stays kept aside until a login has come."
	wordsRenewLeak       = "In wrong hands, %d of %d: the old one ends as soon as the new one is there, whatever fails meanwhile."
	wordsRenewYours      = "The %s was not kept, so it is not renewed from here: delete it at its server yourself."
	wordsRenewNext       = "next: the %s"
	wordsRenewGap        = "its renewal was stopped part-way: a restart of NetBird now would break logins"
	wordsRenewLine       = "%s: the %s is renewed"
)

var helpRotate = help{title: "Credentials", text: []string{
	"Every secret of every setup, with its age, its end and when it should be renewed: after 180 days, and 30 days before it ends, unless the setup says otherwise.",
	"A client secret needs a restart of NetBird. authbird says so before it does anything, and puts everything back where no restart comes.",
}}

var helpRenew = help{title: "Renewing", text: []string{
	"The old one goes only when the new one works. If this is interrupted, going on with the setup goes on here.",
	"NetBird uses a new client secret from its restart on. authbird looks for the restart four times a second, and changes Authentik in that moment.",
}}
