package flows

import (
	"context"
	"crypto/rand"
	"io"
	"math/big"
	"time"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/facts"
	"authbird/state"
)

// Secrets is one setup's part of the keystore.
type Secrets interface {
	Get(ctx context.Context, name string) (string, error)
	Set(ctx context.Context, name, value string) error
	Delete(ctx context.Context, name string) error
}

// Work is everything that one setup's steps work with.
type Work struct {
	Setup     string // its name
	Answers   state.Answers
	Authentik *authentik.Client
	NetBird   *netbird.Client
	Reader    *facts.Reader
	Secrets   Secrets
	Record    Record
	Now       func() time.Time
	Rand      io.Reader
	Docker    func(context.Context) error
	Shared    func() bool // another setup of this machine stands on the same Authentik
	Known     *Known      // of a connection that authbird did not make; nil: the journal knows

	readGroups  bool     // all that there is to know of groups is read, wanted or not
	boundGroups []string // that a person restricted the application to; only where that is repaired
}

// Known is what was found of a connection that authbird did not make.
type Known struct{ ClientID, ConnectorID string }

// Record is the part of the setup's state that steps read and write besides
// the journal.
type Record interface {
	Steps() []string // that the journal knows of
	Append(state.Entry) error
	Last(step string) (state.Receipt, state.Phase)
	SaveCredential(state.Credential) error
	Digest(secret string) string
}

// clientID is the provider's client id as the journal knows it; empty before
// it was made.
func (w *Work) clientID() string {
	if w.Known != nil {
		return w.Known.ClientID
	}
	step := stepClientSecret
	if w.Answers.Mode == state.Standalone {
		step = stepClientID
	}
	receipt, _ := w.Record.Last(step)
	return receipt.Values["client_id"]
}

// connectorID is the connector that the setup stands on; empty before it was
// made.
func (w *Work) connectorID() string {
	if w.Known != nil {
		return w.Known.ConnectorID
	}
	receipt, _ := w.Record.Last(stepConnector)
	return receipt.ObjectID
}

// The ids of the steps: the journal's keys, never to be changed.
const (
	stepClientSecret = "client-secret"
	stepProvider     = "provider"
	stepApplication  = "application"
	stepBinding      = "group-binding"
	stepRedirect     = "redirect-uri"
	stepConnector    = "connector"
	stepGroupSync    = "group-sync"

	stepClientID          = "client-id"
	stepAppPasswordSecret = "app-password-secret"
	stepServiceAccount    = "service-account"
	stepAppPassword       = "app-password"
	stepRights            = "rights"
	stepRole              = "role"
	stepReaderGroup       = "reader-group"
	stepAccess            = "access"
	stepDeviceFlow        = "device-flow"
	stepBrand             = "brand"
	stepSetupEnv          = "setup-env"
	stepManagement        = "management-json"

	// Of repairs alone.
	stepLetIn    = "let-in"
	stepApproval = "approval"
)

// alphabet keeps secrets free of anything that a shell, a URL, a Go template
// or a YAML file could take for something else.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// randomText makes n letters and digits, each as likely as any other.
func randomText(source io.Reader, n int) (string, error) {
	out := make([]byte, n)
	for i := range out {
		k, err := rand.Int(source, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		out[i] = alphabet[k.Int64()]
	}
	return string(out), nil
}
