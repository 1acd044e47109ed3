package hostfiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ManagementValues is what a standalone setup puts into management.json: the
// endpoints word for word from Authentik's discovery document, and the
// accounts. All are needed but ServiceAccount.
type ManagementValues struct {
	ConfigEndpoint        string // of the discovery document itself
	Issuer                string // with its slash at the end
	KeysLocation          string // jwks_uri
	TokenEndpoint         string
	AuthorizationEndpoint string
	DeviceEndpoint        string // device_authorization_endpoint
	ClientID              string
	ServiceAccount        string // "" is Netbird, as documented
	Password              string // the app password; letters and digits only
}

// scopes are those that NetBird's page names.
const scopes = "openid profile email offline_access api"

// want is one value of management.json.
type want struct {
	path   string // dotted
	value  any
	secret bool
	// initial values are written only where nothing stands, or null
	initial bool
}

func (m ManagementValues) wants() []want {
	account := m.ServiceAccount
	if account == "" {
		account = "Netbird"
	}
	const (
		http   = "HttpConfig."
		idp    = "IdpManagerConfig."
		client = idp + "ClientConfig."
		device = "DeviceAuthorizationFlow."
		pkce   = "PKCEAuthorizationFlow.ProviderConfig."
	)
	return []want{
		{path: http + "AuthIssuer", value: m.Issuer},
		{path: http + "AuthAudience", value: m.ClientID},
		{path: http + "AuthKeysLocation", value: m.KeysLocation},
		{path: http + "AuthUserIDClaim", value: ""},
		{path: http + "OIDCConfigEndpoint", value: m.ConfigEndpoint},
		{path: idp + "ManagerType", value: "authentik"},
		{path: client + "Issuer", value: m.Issuer},
		{path: client + "TokenEndpoint", value: m.TokenEndpoint},
		{path: client + "ClientID", value: m.ClientID},
		{path: client + "ClientSecret", value: "", secret: true},
		{path: client + "GrantType", value: "client_credentials"},
		{path: idp + "ExtraConfig.Username", value: account},
		{path: passwordPath, value: m.Password, secret: true},
		{path: device + "Provider", value: "hosted"},
		{path: device + "ProviderConfig.Audience", value: m.ClientID},
		{path: device + "ProviderConfig.ClientID", value: m.ClientID},
		{path: device + "ProviderConfig.ClientSecret", value: "", secret: true},
		{path: device + "ProviderConfig.TokenEndpoint", value: m.TokenEndpoint},
		{path: device + "ProviderConfig.DeviceAuthEndpoint", value: m.DeviceEndpoint},
		{path: device + "ProviderConfig.Scope", value: "openid", initial: true},
		{path: device + "ProviderConfig.UseIDToken", value: false, initial: true},
		{path: pkce + "Audience", value: m.ClientID},
		{path: pkce + "ClientID", value: m.ClientID},
		{path: pkce + "ClientSecret", value: "", secret: true},
		{path: pkce + "AuthorizationEndpoint", value: m.AuthorizationEndpoint},
		{path: pkce + "TokenEndpoint", value: m.TokenEndpoint},
		{path: pkce + "Scope", value: scopes},
		{path: pkce + "RedirectURLs", value: []string{"http://localhost:53000"}, initial: true},
		{path: pkce + "UseIDToken", value: false, initial: true},
		{path: pkce + "DisablePromptLogin", value: true},
	}
}

const passwordPath = "IdpManagerConfig.ExtraConfig.Password"

// check refuses what would not let NetBird start, naming the value and not
// quoting it.
func (m ManagementValues) check() error {
	for _, v := range []struct{ name, text string }{
		{"configuration endpoint", m.ConfigEndpoint}, {"issuer", m.Issuer}, {"keys location", m.KeysLocation},
		{"token endpoint", m.TokenEndpoint}, {"authorization endpoint", m.AuthorizationEndpoint},
		{"device endpoint", m.DeviceEndpoint}, {"client id", m.ClientID}, {"app password", m.Password},
	} {
		if v.text == "" {
			return fmt.Errorf("the %s for management.json is empty", v.name)
		}
	}
	return nil
}

// PatchManagement sets what configure.sh would have set for this setup, at
// the places where it sets it, and nothing else: the order of the keys, the
// layout, DataStoreEncryptionKey, relay and TURN secrets and numbers of any
// size stay as they are. Redirect URLs, the device flow's scope and the use of
// id tokens are a person's where they stand.
//
// It refuses a value with {{ and one that stands as a template, because
// NetBird fills templates in from its environment when it starts; JSON with
// comments; and a file that turns the embedded identity provider on, which
// would overrule all this.
func PatchManagement(existing []byte, m ManagementValues) (patched []byte, changes []Change, err error) {
	if err := m.check(); err != nil {
		return nil, nil, err
	}
	now, err := ReadManagement(existing)
	if err != nil {
		return nil, nil, err
	}
	if now.EmbeddedIdP {
		return nil, nil, errors.New("this management.json turns the embedded identity provider on, which overrules any other; use the connector setup, or set .EmbeddedIdP.Enabled to false first")
	}
	return patch(existing, m.wants())
}

// PatchAppPassword replaces the service account's app password, for a
// rotation, and refuses like PatchManagement. The file must be one that works
// with Authentik already.
func PatchAppPassword(existing []byte, password string) (patched []byte, changes []Change, err error) {
	now, err := ReadManagement(existing)
	if err != nil {
		return nil, nil, err
	}
	if password == "" {
		return nil, nil, errors.New("the app password for management.json is empty")
	}
	if now.ManagerType != "authentik" {
		return nil, nil, fmt.Errorf(".IdpManagerConfig.ManagerType is %q, not authentik", now.ManagerType)
	}
	return patch(existing, []want{{path: passwordPath, value: password, secret: true}})
}

func patch(existing []byte, wants []want) ([]byte, []Change, error) {
	doc, err := parseDocument(existing)
	if err != nil {
		return nil, nil, err
	}
	var changes []Change
	for _, w := range wants {
		change, err := doc.bring(w)
		if err != nil {
			return nil, nil, err
		}
		if change != nil {
			changes = append(changes, *change)
		}
	}
	patched := doc.tree.Pack()
	if !json.Valid(patched) {
		return nil, nil, errors.New("the file cannot be edited safely: what would come out is no JSON")
	}
	return patched, changes, nil
}

// bring sets one value; nil means that it stood already.
func (d *document) bring(w want) (*Change, error) {
	path := strings.Split(w.path, ".")
	source, err := encode(w.value)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(source, []byte("{{")) {
		return nil, fmt.Errorf("the value for .%s holds {{, which NetBird would take for a template when it starts", w.path)
	}
	have, err := d.get(path)
	if err != nil {
		return nil, err
	}
	missing := have == nil || string(have) == "null"
	switch {
	case missing && (string(source) == `""` || string(source) == "false"):
		return nil, nil // what is absent is empty to NetBird
	case !missing && (w.initial || same(have, source)):
		return nil, nil
	case bytes.Contains(have, []byte("{{")):
		return nil, fmt.Errorf(".%s is filled in by a template when NetBird starts; change it where it comes from, or put a plain value there", w.path)
	}
	if err := d.set(path, source); err != nil {
		return nil, err
	}
	change := Change{Key: "." + w.path, Have: text(have), Want: text(source), Missing: missing, Secret: w.secret}.shown()
	return &change, nil
}

// text is a string's value, and other JSON as it stands.
func text(source []byte) string {
	var s string
	if json.Unmarshal(source, &s) == nil {
		return s
	}
	return string(source)
}

// same tells whether two values are equal however they are written.
func same(a, b []byte) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return false
	}
	return a[0] == b[0] && (bytes.Equal(x.Bytes(), y.Bytes()) || a[0] == '"' && text(a) == text(b))
}

// Management is what management.json says, as NetBird reads it. It holds the
// app password: for replaying NetBird's own calls, never to be shown.
type Management struct {
	ManagementValues
	ManagerType        string // "authentik"
	GrantType          string
	Audience           string // HttpConfig.AuthAudience
	UserIDClaim        string
	ManagerIssuer      string // of IdpManagerConfig, where it may differ from HttpConfig's
	KeyRefresh         bool   // signing keys are fetched again when they expire
	DeviceClientID     string
	DeviceAudience     string
	DeviceProvider     string // "hosted", or "none"
	PKCEClientID       string
	PKCEAudience       string
	PKCEScope          string
	RedirectURLs       []string
	DisablePromptLogin bool
	EmbeddedIdP        bool
	EncryptionKey      bool // DataStoreEncryptionKey is there and not empty
}

// managementFile is the part of management.json that we read; field names are found
// without regard to case, as NetBird finds them.
type managementFile struct {
	DataStoreEncryptionKey string
	HttpConfig             struct {
		AuthIssuer, AuthAudience, AuthKeysLocation, AuthUserIDClaim, OIDCConfigEndpoint string
		IdpSignKeyRefreshEnabled                                                        bool
	}
	IdpManagerConfig struct {
		ManagerType  string
		ClientConfig struct{ Issuer, TokenEndpoint, ClientID, GrantType string }
		ExtraConfig  map[string]string
	}
	DeviceAuthorizationFlow struct {
		Provider       string
		ProviderConfig struct{ ClientID, Audience, DeviceAuthEndpoint string }
	}
	PKCEAuthorizationFlow struct {
		ProviderConfig struct {
			ClientID, Audience, AuthorizationEndpoint, Scope string
			RedirectURLs                                     []string
			DisablePromptLogin                               bool
		}
	}
	EmbeddedIdP struct{ Enabled bool }
}

// ReadManagement reads a management.json. Templates in its strings are given
// as they stand.
func ReadManagement(existing []byte) (Management, error) {
	if _, err := parseDocument(existing); err != nil {
		return Management{}, err
	}
	var f managementFile
	if err := json.Unmarshal(existing, &f); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return Management{}, fmt.Errorf("line %d: .%s is a %s", lineAt(existing, min(int(kind.Offset), len(existing))), kind.Field, kind.Value)
		}
		return Management{}, errors.New("no JSON that NetBird could read")
	}
	h, i, p := f.HttpConfig, f.IdpManagerConfig, f.PKCEAuthorizationFlow.ProviderConfig
	d := f.DeviceAuthorizationFlow
	return Management{
		ManagementValues: ManagementValues{
			ConfigEndpoint: h.OIDCConfigEndpoint, Issuer: h.AuthIssuer, KeysLocation: h.AuthKeysLocation,
			TokenEndpoint: i.ClientConfig.TokenEndpoint, AuthorizationEndpoint: p.AuthorizationEndpoint,
			DeviceEndpoint: d.ProviderConfig.DeviceAuthEndpoint, ClientID: i.ClientConfig.ClientID,
			ServiceAccount: i.ExtraConfig["Username"], Password: i.ExtraConfig["Password"],
		},
		ManagerType: i.ManagerType, GrantType: i.ClientConfig.GrantType, ManagerIssuer: i.ClientConfig.Issuer,
		Audience: h.AuthAudience, UserIDClaim: h.AuthUserIDClaim, KeyRefresh: h.IdpSignKeyRefreshEnabled,
		DeviceClientID: d.ProviderConfig.ClientID, DeviceAudience: d.ProviderConfig.Audience, DeviceProvider: d.Provider,
		PKCEClientID: p.ClientID, PKCEAudience: p.Audience, PKCEScope: p.Scope,
		RedirectURLs: p.RedirectURLs, DisablePromptLogin: p.DisablePromptLogin,
		EmbeddedIdP: f.EmbeddedIdP.Enabled, EncryptionKey: f.DataStoreEncryptionKey != "",
	}, nil
}

// Standing is the management.json of a NetBird that is set up already, in a
// folder where setup.env stands or one level below it, as configure.sh puts it;
// "" where there is none.
func Standing(dir string) string {
	for _, name := range []string{filepath.Join("artifacts", "management.json"), "management.json"} {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// EncryptionKeyAtRisk tells what a run of configure.sh in dir, where setup.env
// stands, would do to the key that NetBird's database is encrypted with, and
// how to avoid it; "" means no harm. The script writes artifacts/management.json
// anew and looks for the old key in ./management.json only; without it the key
// becomes empty, and every login and every token is refused from then on.
func EncryptionKeyAtRisk(dir string) (sentence string, err error) {
	path := filepath.Join("artifacts", "management.json")
	key, err := encryptionKey(filepath.Join(dir, path))
	if key == "" || err != nil {
		return "", err
	}
	kept, err := encryptionKey(filepath.Join(dir, "management.json"))
	if err != nil || kept == key {
		return "", err
	}
	what := "blank"
	if kept != "" {
		what = "replace"
	}
	return fmt.Sprintf("configure.sh would %s the key in %s that NetBird's database is encrypted with, and then nobody could log in; before running it, type in %s: cp %s management.json", what, path, dir, path), nil
}

// encryptionKey is DataStoreEncryptionKey of a file, "" where the file or the
// key is absent, or where a failed run has left no JSON.
func encryptionKey(path string) (string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var f struct{ DataStoreEncryptionKey string }
	if json.Unmarshal(data, &f) != nil {
		return "", nil
	}
	return f.DataStoreEncryptionKey, nil
}
