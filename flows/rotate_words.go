package flows

import (
	"fmt"

	"authbird/clients"
	"authbird/keystore"
	"authbird/state"
)

// meaning says what the renewal means for people, before it is begun.
func (r *Rotation) meaning() Meaning {
	var m Meaning
	switch r.Credential {
	case keystore.ClientSecret:
		m = r.secretMeaning()
	case keystore.AppPassword:
		m = r.passwordMeaning()
	case keystore.AuthentikToken:
		m.What = []string{"the kept API token makes another one with the same rights, without an end at Authentik", "the new one is tried and kept", "the old one is deleted at Authentik"}
	case keystore.NetBirdToken:
		m.What = []string{fmt.Sprintf("the kept access token makes another one, for %d days", patDays), "the new one is tried and kept", "the old one is deleted at NetBird"}
	case keystore.SigningKey:
		m.What = []string{"Authentik generates another RSA certificate", "the provider signs with it from then on; the old certificate stays in Authentik"}
		if r.s.Answers.Mode == state.Standalone {
			m.Fails = "people's sign-ins from before, until NetBird has read the new key: it reads it when it starts, or by itself where NETBIRD_MGMT_IDP_SIGNKEY_REFRESH is true"
			m.Must = "restart NetBird, unless it refreshes its keys"
		}
	}
	if r.run.tail {
		m = Meaning{What: []string{"the new one is in force already; what is left is to prove it"}}
	}
	return m
}

func (r *Rotation) secretMeaning() Meaning {
	m := Meaning{
		What: []string{
			"a new client secret is made and kept beside the old one",
			"NetBird gets it; it goes on with the old one until it restarts",
			"NetBird restarts, and in that moment Authentik gets the new one",
			"the new one is checked; the old one is kept aside until a login has proven it",
		},
		Fails: "logins through Authentik, from NetBird going down until it answers again" + r.lastTime() + "; who is logged in stays so",
		Must:  "restart NetBird when authbird says so; if you leave before, everything is put back",
	}
	if r.run.o.Leak {
		m.What = []string{
			"a new client secret is made and kept",
			"Authentik gets it at once, which ends the old one",
			"NetBird gets it, and uses it from its restart on",
		}
		m.Fails = "all logins through Authentik, from now until NetBird has restarted"
		m.Must = "restart NetBird as soon as authbird says so"
	}
	if inGap(r.s.setup) && !r.run.o.Leak {
		m.Warn = "an earlier run left NetBird with a client secret that Authentik doesn't have: a restart of NetBird now would break logins. That is put right first"
	}
	return r.commanded(m)
}

func (r *Rotation) passwordMeaning() Meaning {
	m := Meaning{
		What: []string{
			"a new app password is made, kept, and added beside the old one",
			"it is tried with NetBird's own calls",
		},
		Fails: "nothing but what NetBird's restart itself interrupts" + r.lastTime() + ": both app passwords are good until NetBird uses the new one",
		Must:  "restart NetBird when authbird says so",
	}
	switch {
	case r.run.o.NetBirdConfig != "":
		m.What = append(m.What, "it is written into "+r.run.o.NetBirdConfig)
	default:
		m.Must = "bring it from setup.env into NetBird's management.json (./configure.sh, run where its management.json is, or name the file with --netbird-config), and restart NetBird"
	}
	if r.s.Answers.EnvSecret != EnvSecretOmit && r.s.Answers.EnvFile != "" {
		m.What = append(m.What, "it is written into "+r.s.Answers.EnvFile)
	}
	m.What = append(m.What, "NetBird restarts", "once Authentik has seen NetBird sign in with the new one, the old one is deleted")
	if r.run.o.Leak {
		m.What = append(m.What[:len(m.What)-2], "the old one is deleted", "NetBird restarts")
		m.Fails = "NetBird's calls to Authentik, and with them logins of people whom it doesn't know yet, until it has restarted"
	}
	return r.commanded(m)
}

// commanded is a meaning where the restart is done by the person's command.
func (r *Rotation) commanded(m Meaning) Meaning {
	if r.run.shell != nil {
		m.Runs = clients.Clean(r.s.Answers.RestartCommand)
		if r.Credential == keystore.ClientSecret || r.run.o.NetBirdConfig != "" {
			m.Must = ""
		}
	}
	return m
}
