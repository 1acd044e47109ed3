package tui

// The options.
const (
	wordsOptionsTitle   = "Choose, or take what is proposed"
	wordsSeePlan        = "See the plan"
	wordsHere           = "Here"
	wordsLoading        = "reading the lists from Authentik…"
	wordsListsFailed    = "The lists can't be read, so these are the usual values. "
	wordsListsAgain     = "Read the lists again"
	wordsOptName        = "Provider and application"
	wordsOptNameWhy     = "The name people see in Authentik, for both."
	wordsOptSlug        = "Slug"
	wordsOptSlugWhy     = "Part of the address that NetBird asks: …/application/o/%s/"
	wordsOptFlow        = "Authorization flow"
	wordsOptFlowWhy     = "What people see at their first sign-in: asked for consent, or let through."
	wordsOptKey         = "Signing key"
	wordsOptKeyWhy      = "NetBird needs an RSA key; only those are listed."
	wordsOptKeyAny      = "the first RSA key"
	wordsOptGroups      = "Who may sign in"
	wordsOptGroupsWhy   = "Limited to groups, everybody else is refused by Authentik, superusers too."
	wordsEverybody      = "everyone"
	wordsOptConn        = "Button on the login page"
	wordsOptConnWhy     = "NetBird's name for the connector."
	wordsOptType        = "Connector type"
	wordsOptTypeWhy     = "NetBird knows Authentik by name; generic OIDC is for versions that don't."
	wordsOptTypeOwn     = "authentik"
	wordsOptTypeOIDC    = "generic OIDC"
	wordsOptSync        = "Group sync"
	wordsOptSyncWhy     = "NetBird can take a person's groups over from Authentik with each login."
	wordsOptSyncLeave   = "leave as it is"
	wordsOptSyncOn      = "on"
	wordsOptSyncOff     = "off"
	wordsOptLetIn       = "NetBird lets in"
	wordsOptLetInWhy    = "Whoever is in none of these gets \"token invalid\". A list that would lock every administrator out is refused."
	wordsOptSetup       = "Name of this setup"
	wordsOptSetupWhy    = "How authbird calls it, by default NetBird's host."
	wordsOptKeep        = "Keep the two tokens"
	wordsOptKeepWhy     = "Kept, they let authbird renew secrets and check later without asking. Not kept, they are forgotten after this run."
	wordsOptKeepNo      = "no, forget them after this run"
	wordsOptKeepYes     = "yes, with the other secrets"
	wordsOptRestart     = "NetBird is restarted by"
	wordsOptRestartHint = "you, when it is asked"
	wordsOptRestartWhy  = "Only for renewing the client secret, which NetBird takes up when it restarts. A command, such as docker compose restart."
	wordsOptEvery       = "Secrets are due after"
	wordsOptEveryWhy    = "Days. The servers let them live on; authbird reminds you, and renews them on a word."
	wordsOptEveryBad    = "A number of days, from 1 to 3650."
	wordsOptStore       = "Secrets are kept in"
	wordsOptStoreWhy    = "On a server there is often no keyring; then a file that a passphrase opens."
	wordsOptStoreAny    = "the keyring if there is one, else an encrypted file"
	wordsOptStoreRing   = "the keyring of this login"
	wordsOptStoreFile   = "an encrypted file"
	wordsOptStoreEnv    = "nowhere: they come from environment variables"
	wordsNeedsText      = "Something must stand here."
	wordsSlugBad        = "Letters, digits, - and _ only."
	wordsPickFilter     = "type to narrow"
	wordsPickNone       = "Nothing fits."
	wordsPickMore       = "Authentik has more groups than are listed here. Type the name to take one that isn't."
	wordsPickUnread     = "The list can't be read. Type the name, exactly as Authentik has it."
	wordsPickTyped      = "take %q as typed"
)

// The plan.
const (
	wordsPlanTitle       = "What will happen"
	wordsPlanDoneTitle   = "Everything is in place"
	wordsPlanReading     = "reading both servers…"
	wordsNothingToDo     = "Nothing is missing and nothing differs, so there is nothing to do."
	wordsNothingButProof = "Nothing is missing and nothing differs. The last run stopped before it was proven; that is left to do."
	wordsOursChanged     = "made by authbird, and changed by someone since"
	wordsForeign         = "stands there already, not made by authbird"
	wordsSettled         = "made by an earlier run whose answer was lost; it will be taken up"
	wordsCommandTitle    = "The same as a command"
	wordsCommandTokens   = "The tokens come from AUTHENTIK_TOKEN and NETBIRD_TOKEN, never from the command line."
)

// The question before something that stood there is changed.
const (
	wordsAdoptTitle   = "It stands there already"
	wordsAdoptForeign = "The %s %q stands in %s already, and authbird didn't make it. To use it, this would change:"
	wordsAdoptOurs    = "The %s %q in %s was made by authbird and changed by someone since. This would change it back:"
	wordsAdoptYes     = "Take it over and change this"
	wordsAdoptBack    = "Change it back"
	wordsAdoptName    = "Choose other names"
	wordsAdoptStop    = "Stop here, and leave it as it is"
	wordsAdoptNothing = "Nothing else of it is touched."
)

var (
	helpOptions = help{title: "The options", text: []string{
		"Every line has a value that serves most people. The lists come from your Authentik.",
		"Nothing is made before you have seen the plan and said yes.",
	}}
	helpPick = help{title: "Choosing from a list", text: []string{
		"Type to narrow the list down.",
	}}
	helpPlan = help{title: "The plan", text: []string{
		"Both servers were read just now. + will be made, ~ will be changed (what stands there → what is wanted), = is in place, ! is something to know before you go on.",
		"NetBird was asked whether it reaches Authentik, by a request that it must refuse. Nothing is changed on either server yet.",
	}}
	helpAdopt = help{title: "An object that stands in the way", text: []string{
		"authbird changes nothing that it didn't make without a yes. Taken over, the object is authbird's to keep in order; taking the setup back later restores what it had.",
	}}
)
