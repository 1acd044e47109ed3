package tui

// The screens that meet the servers.
const (
	wordsAuthentikTitle = "Connect to Authentik"
	wordsNetBirdTitle   = "Connect to NetBird"
	wordsAddress        = "Address"
	wordsToken          = "API token"
	wordsAccessToken    = "Access token"
	wordsCAFile         = "CA file"
	wordsCAWhy          = "The certificate isn't signed by an authority that this machine knows. Name a PEM file with yours."
	wordsHTTP           = "Over plain http"
	wordsHTTPWhy        = "Everybody on the way can read the token. Only for a network you trust."
	wordsHTTPNo         = "no"
	wordsHTTPYes        = "yes, I trust the network"
	wordsHTTPRefused    = "http is only taken for this machine itself. Use https, or say yes below."
	wordsChecking       = "asking…"
	wordsCheck          = "Check"
	wordsGoOn           = "Go on"
	wordsURLHint        = "such as https://auth.example.com"
	wordsNBURLHint      = "such as https://netbird.example.com"
	wordsTokenHint      = "paste it here"
	wordsTokenKept      = "kept in the keystore; leave it empty to use that one"
	wordsTokenWhere     = "Make one as an administrator, with the intent \"API Token\":"
	wordsPATWhere       = "Or make an access token of your own user in NetBird's dashboard:"
	wordsAddressWrong   = "That is no address of a server: "
	wordsAddressMissing = "Type the address first."
	wordsTokenMissing   = "Paste a token first."
	wordsNoSuperuser    = "not a superuser: this works only if the account may add providers and applications"
	wordsNeverExpires   = "the token doesn't expire"
	wordsExpiresSoon    = "the token expires %s: enough for this, not for renewing secrets later"
	wordsExpires        = "the token expires %s"
	wordsExpired        = "the token has expired"
	wordsSuperuser      = "superuser"
	wordsClockFar       = "the clocks are %s apart: NetBird refuses sign-ins from the future. Set the time on both machines."
	wordsClockSame      = "clocks agree"
	wordsClock          = "clock %s apart"
	wordsCertUntil      = "certificate good until %s"
	wordsCertSoon       = "the certificate ends %s"
	wordsNoIdP          = "NetBird's own identity provider is off here, so a connector can't be added. Turn it on (NetBird's guide: migrate to the embedded identity provider), or use standalone."
	wordsMayNotWrite    = "may not change identity providers: sign in as an admin or the owner"
	wordsMayWrite       = "may change identity providers"
	wordsFresh          = "A fresh NetBird: nobody is its owner yet."
	wordsByCode         = "Sign in with a code"
	wordsByCodeWhy      = "Opens on any device with a browser. Nothing to paste, and nothing to store."
	wordsOwner          = "Create the owner"
	wordsOwnerWhy       = "Makes the first account of this NetBird, with every right."
	wordsHowIn          = "How do you sign in, as an admin?"
	wordsSignedInCode   = "signed in by code, good for a day"
	wordsSignedInOwner  = "the owner is made and signed in, good for a day"
	wordsLasting        = "Keep access for later"
	wordsLastingWhy     = "An access token of your user lets authbird renew secrets later without a sign-in, if it is also kept (next screen)."
	wordsLastingNone    = "no, this sign-in is enough"
	wordsLastingDays    = "an access token for %d days"
	wordsMakingToken    = "making the access token…"
)

// The screen of a sign-in with a code.
const (
	wordsDeviceTitle   = "Sign in to NetBird with a code"
	wordsDeviceOpen    = "Open this on any device and sign in as an admin:"
	wordsDeviceCode    = "The code, if it asks:"
	wordsDeviceStart   = "asking NetBird for a code…"
	wordsDeviceWaiting = "waiting for you to sign in · %s left"
	wordsDeviceAgain   = "new code"
)

// The screen of the first owner.
const (
	wordsOwnerTitle    = "Create NetBird's owner"
	wordsOwnerMail     = "Email"
	wordsOwnerName     = "Name"
	wordsOwnerPass     = "Password"
	wordsOwnerPass2    = "Once more"
	wordsOwnerMaking   = "making the owner…"
	wordsOwnerBadMail  = "An email address is needed: people sign in with it."
	wordsOwnerBadName  = "A name is needed."
	wordsOwnerBadPass  = "NetBird takes 8 to 72 characters."
	wordsOwnerUnequal  = "The two are not the same."
	wordsOwnerPassNote = "8 to 72 characters. authbird doesn't keep it."
)

var (
	helpAuthentik = help{title: "Connecting to Authentik", text: []string{
		"The address is checked as soon as you leave it: whether an Authentik answers there, how far its clock is from the one here, and how long its certificate is good.",
		"The token is an administrator's API token. It is used for this run and forgotten, unless you choose to keep it. A token made without \"expiring\" off lives for 30 minutes, which is enough.",
	}}
	helpNetBird = help{title: "Connecting to NetBird", text: []string{
		"Sign in with a code to use your own account without pasting anything: open the link on any device, and this screen goes on by itself.",
		"An access token works as well. authbird needs an account that may change identity providers: an admin or the owner.",
	}}
	helpDevice = help{title: "Signing in with a code", text: []string{
		"The link may be opened on a phone or another computer. As soon as you have signed in there, this screen goes on; there is nothing to press here.",
		"A code lives for a few minutes. When it is too old, ask for a new one.",
	}}
	helpOwner = help{title: "The owner of a fresh NetBird", text: []string{
		"A NetBird that nobody has used yet takes its first account from here. authbird then signs in as the owner, so that NetBird knows its domain before Authentik's users come.",
	}}
)
