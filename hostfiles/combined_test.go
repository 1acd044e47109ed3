package hostfiles

import (
	"strings"
	"testing"
)

func TestTheCombinedServersFileIsRead(t *testing.T) {
	got, err := ReadCombined([]byte("server:\n  listenAddress: \":443\"\n  authSecret: s3cret\n  auth:\n    issuer: https://netbird.example.com/oauth2\n    localAuthDisabled: true\n    cliRedirectURIs:\n      - \"http://localhost:53000/\"\n"))
	if err != nil || got.Issuer != "https://netbird.example.com/oauth2" || !got.LocalAuthOff || len(got.CLIRedirects) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"{\"HttpConfig\": {}}", "server: [", "authSecret: s3cret", ""} {
		if _, err := ReadCombined([]byte(text)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for path, want := range map[string]bool{"/etc/netbird/config.yaml": true, "config.YML": true, "management.json": false, "": false} {
		if IsCombined(path) != want {
			t.Errorf("%q is taken for the other server's file", path)
		}
	}
}
