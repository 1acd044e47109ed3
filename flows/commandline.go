package flows

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"authbird/state"
)

// CommandLine is the command that does the same without the screens. It holds
// no secret; values are quoted for bash.
func CommandLine(a state.Answers, setup string) string {
	words := []string{"authbird", "setup", string(a.Mode)}
	flag := func(name, value, byDefault string) {
		if value != byDefault {
			words = append(words, "--"+name, quoted(value))
		}
	}
	flag("authentik-url", a.AuthentikURL, "")
	flag("netbird-url", a.NetBirdURL, "")
	flag("setup", setup, SetupName(a))
	flag("ca-file", a.CAFile, "")
	byDefault := (&Bench{}).Defaults(a.Mode)
	flag("name", a.Name, byDefault.Name)
	flag("slug", a.Slug, byDefault.Slug)
	flag("authorization-flow", a.AuthorizationFlow, byDefault.AuthorizationFlow)
	flag("signing-key", a.SigningKey, byDefault.SigningKey)
	for _, g := range a.AllowGroups {
		flag("allow-group", g, "")
	}
	flag("group-sync", a.GroupSync, "")
	for _, g := range a.LetIn {
		flag("netbird-allow-group", g, "")
	}
	flag("connector-name", a.ConnectorName, byDefault.ConnectorName)
	flag("connector-type", a.ConnectorType, byDefault.ConnectorType)
	flag("netbird-domain", a.NetBirdDomain, "")
	flag("service-account", a.ServiceAccount, byDefault.ServiceAccount)
	flag("service-account-rights", a.Rights, byDefault.Rights)
	flag("redirect-mode", a.RedirectMode, byDefault.RedirectMode)
	flag("env-file", a.EnvFile, byDefault.EnvFile)
	flag("env-secret", a.EnvSecret, byDefault.EnvSecret)
	flag("device-flow", a.DeviceFlow, byDefault.DeviceFlow)
	flag("netbird-config", a.NetBirdConfig, "")
	flag("restart-command", a.RestartCommand, "")
	if a.RotateEvery != 0 {
		flag("rotate-every", strconv.Itoa(a.RotateEvery), strconv.Itoa(RotateEvery))
	}
	flag("keystore", a.Keystore, "")
	flag("keystore-identity", a.KeystoreIdentity, "")
	if a.AllowHTTP {
		words = append(words, "--allow-http")
	}
	if a.KeepAdminTokens {
		words = append(words, "--keep-admin-tokens")
	}
	return strings.Join(append(words, "--yes"), " ")
}

// DoctorCommand is the command that asks the doctor about the connection of a
// diagnosis.
func DoctorCommand(d *Diagnosis) string {
	command := "authbird doctor"
	flag := func(name, value string) {
		if value != "" {
			command += " --" + name + " " + quoted(value)
		}
	}
	if d.Setup != "" {
		command += " " + quoted(d.Setup)
	} else {
		flag("authentik-url", d.Answers.AuthentikURL)
		flag("netbird-url", netBirdURL(d.Answers))
		flag("slug", d.given.Slug)
		flag("service-account", d.given.ServiceAccount)
		flag("netbird-domain", d.given.NetBirdDomain)
	}
	flag("netbird-config", d.options.NetBirdConfig)
	flag("env-file", d.options.EnvFile)
	return command
}

func quoted(s string) string {
	q, err := syntax.Quote(s, syntax.LangBash)
	if err != nil { // a NUL byte: no shell can hold it
		return "''"
	}
	return q
}
