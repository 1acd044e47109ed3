package hostfiles

import (
	"errors"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Combined is what the config.yaml of NetBird's combined server says of logins.
// It holds no secret.
type Combined struct {
	Issuer       string // of the embedded IdP; "": NetBird makes it of its address
	LocalAuthOff bool
	CLIRedirects []string // where NetBird's own clients may receive a login; empty: NetBird's default
}

// IsCombined says that a file is that of the combined server, by its name: the
// management server's is management.json.
func IsCombined(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// ReadCombined reads it. Errors never quote the text: secrets stand in it.
func ReadCombined(data []byte) (Combined, error) {
	var file struct {
		Server *struct {
			Auth struct {
				Issuer            string   `yaml:"issuer"`
				LocalAuthDisabled bool     `yaml:"localAuthDisabled"`
				CLIRedirectURIs   []string `yaml:"cliRedirectURIs"`
			} `yaml:"auth"`
		} `yaml:"server"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return Combined{}, errors.New("no YAML that NetBird could read")
	}
	if file.Server == nil {
		return Combined{}, errors.New(`it has no "server"`)
	}
	a := file.Server.Auth
	return Combined{Issuer: a.Issuer, LocalAuthOff: a.LocalAuthDisabled, CLIRedirects: a.CLIRedirectURIs}, nil
}
