package tui

import "authbird/flows"

// Standalone: NetBird's domain, the options that only this way has, and the end.
const (
	wordsDomainTitle        = "NetBird's domain"
	wordsDomain             = "Domain"
	wordsDomainHint         = "netbird.example.com"
	wordsDomainWhy          = "Where people reach NetBird. An address will do. NetBird itself is not asked: it need not run yet."
	wordsDomainMissing      = "Type NetBird's domain first."
	wordsDomainWrong        = "That is no domain: "
	wordsDomainTaken        = "NetBird will be at https://%s"
	wordsOptAccount         = "Service account"
	wordsOptAccountWhy      = "NetBird reads Authentik's users as this account, with an app password that authbird makes."
	wordsOptRights          = "Its rights"
	wordsOptRedirects       = "Redirect URIs"
	wordsOptFlowSet         = "Device code flow"
	wordsOptFound           = "NetBird runs here"
	wordsOptEnvFile         = "setup.env"
	wordsOptEnvFileWhy      = "What NetBird's configure.sh reads. Other lines in it stay, and the old file is kept beside it."
	wordsOptEnvSecret       = "The app password in it"
	wordsOptConfig          = "management.json"
	wordsOptConfigHint      = "none: configure.sh makes it"
	wordsOptConfigWhy       = "Only where NetBird runs already: the file is patched in place, so that configure.sh need not run again. Empty: it is left alone."
	wordsOptKeepOne         = "Keep Authentik's token"
	wordsOptKeepOneWhy      = "Kept, it lets authbird renew the app password and check later without asking. Not kept, it is forgotten after this run."
	wordsOptRestartPassword = "Only for renewing the app password, which NetBird takes up when it restarts. A command, such as docker compose restart."
	wordsOptTaken           = "A %s setup has this name already. Choose another."
	wordsOptKeepNoOne       = "no, forget it after this run"
	wordsPathHome           = "Type the whole path; ~ is only known to a shell."
	wordsEnvToken           = "The token comes from AUTHENTIK_TOKEN, never from the command line."
	wordsRunNextEnv         = "Go on to what NetBird's machine needs next"
	wordsPlanReadOne        = "reading Authentik…"
	wordsDoneReady          = "Authentik is ready to be NetBird's only login."
	wordsDoneProven         = "Proven, with NetBird's own calls"
	wordsDoneValues         = "NetBird's values are in"
	wordsDoneNext           = "Next, on NetBird's machine"
	wordsDoneInFolder       = "In the folder of setup.env:"
	wordsDonePatched        = "management.json is patched. Restart NetBird's management server:"
	wordsDoneOmitted        = "The app password was left out of the file; the first line gives it to the script from the keystore."
	wordsLineEnvFile        = "NetBird's values are in %s"
	wordsLineGuide          = "Go on with NetBird's guide, in %s: %s"
	wordsLinePatched        = "management.json is patched: restart NetBird's management server, in %s: %s"
)

// wordsRights, wordsRedirects and wordsEnvSecrets say what each choice is called
// and in one sentence what it means.
var (
	wordsRights = []choiceWords{
		{flows.RightsAdmins, "administrator, as documented", "A member of \"authentik Admins\": NetBird's account could change everything in Authentik."},
		{flows.RightsLeast, "reading users only", "A role that may read users and nothing else, which is all that NetBird does with it."},
	}
	wordsRedirects = []choiceWords{
		{flows.RedirectsDocumented, "everything below the domain, as documented", "A pattern: any page of NetBird's domain may receive a sign-in."},
		{flows.RedirectsStrict, "only NetBird's own addresses (safer)", "Exactly the four addresses that NetBird's dashboard and clients use; nothing else on the domain can receive a sign-in."},
	}
	wordsEnvSecrets = []choiceWords{
		{flows.EnvSecretWrite, "written, as documented", "The file holds it in clear, readable for its owner only."},
		{flows.EnvSecretOmit, "left out", "It stays in the keystore; `authbird env` gives it to configure.sh."},
	}
	wordsFlowSets = []choiceWords{
		{flows.DeviceFlowKeep, "keep one that the brand has", "A flow for codes that Authentik's brand has already stays; without one it gets default-device-code-flow."},
		{flows.DeviceFlowReplace, "always default-device-code-flow", "The brand gets default-device-code-flow, whatever it has now; taking back gives it its old flow."},
	}
	wordsFounds = []choiceWords{
		{foundLeave, "set it up again by configure.sh", "NetBird's configuration stands at %s. authbird says what keeps the key of its database when configure.sh runs again."},
		{foundPatch, "patch its management.json", "%s gets the values of the identity provider and keeps all else; configure.sh need not run again."},
	}
	helpDomain = help{title: "NetBird's domain", text: []string{
		"In this mode authbird works with Authentik and with NetBird's setup.env. NetBird itself is not asked for anything, so it need not run yet.",
		"The domain goes into the redirect URIs, so it must be the one that people type.",
	}}
)

// What becomes of a management.json that was found.
const foundLeave, foundPatch = "leave", "patch"

// choiceWords is one value of a choice, its name and its meaning.
type choiceWords struct{ value, name, why string }

// choiceOf is a row of such values; explain keeps its sentence up to date.
func choiceOf(id, label, value string, words []choiceWords) row {
	var pairs []string
	for _, w := range words {
		pairs = append(pairs, w.value, w.name)
	}
	r := choice(id, label, "", value, pairs...)
	r.explain(words)
	return r
}

func (r *row) explain(words []choiceWords) {
	for _, w := range words {
		if w.value == r.value() {
			r.why = w.why
		}
	}
}
