package flows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/keystore"
	"authbird/state"
)

// Whether setup.env gets the app password.
const (
	EnvSecretWrite = "write"
	EnvSecretOmit  = "omit" // left out, for `authbird env` to give
)

// readFile is a file as a fact; one that isn't there is absent by its error.
func readFile(path string) facts.Fact[[]byte] {
	return facts.Of(os.ReadFile(path))
}

// setupEnv writes the values into the setup.env that NetBird's configure.sh
// reads. What else stands in it stays; the old file is kept beside it.
type setupEnv struct{ *Work }

func (s setupEnv) About() About {
	return About{ID: stepSetupEnv, Title: "setup.env", Where: Here, Object: s.Answers.EnvFile,
		Why:   "NetBird's configure.sh makes its configuration of it; not one value has to be copied by hand",
		Makes: "the keys of NetBird's documentation; other lines stay, and the old file is kept beside it"}
}

// EnvLines are the lines of setup.env, with the app password where it is known.
func (w *Work) EnvLines(f *facts.Facts) []hostfiles.Line {
	return hostfiles.Standalone(hostfiles.Values{
		Authentik: w.Answers.AuthentikURL, Slug: w.Answers.Slug, ClientID: w.clientID(),
		ServiceAccount: w.Answers.ServiceAccount, Password: f.Local.AppPassword.Value,
		OmitPassword: w.Answers.EnvSecret == EnvSecretOmit, Domain: w.Answers.NetBirdDomain,
	})
}

func (s setupEnv) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.Local.EnvFile.Err; err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Finding{Verdict: Blocked, Note: s.Answers.EnvFile + " can't be read: " + pathReason(err)}
	}
	_, changes, err := hostfiles.Merge(f.Local.EnvFile.Value, s.EnvLines(f))
	if err != nil {
		return Finding{Verdict: Blocked, Note: s.Answers.EnvFile + ": " + clients.Clean(err.Error())}
	}
	if len(changes) == 0 {
		return Finding{Verdict: InPlace, ObjectID: s.Answers.EnvFile}
	}
	found := Finding{Verdict: Missing, Fields: changedFields(changes), Note: s.warning(f), Intent: envIntent(changes, past, f.Local.EnvFile.OK())}
	if f.Local.EnvFile.OK() {
		found.ObjectID = s.Answers.EnvFile
		if past.ObjectID != "" { // written by us, and edited since
			found.Verdict, found.Ours = Differs, true
		}
	}
	return found
}

// fileKey is the receipt's value that says whether the file stood before.
const fileKey = "file"

// The receipt's values that name the backup of the file as it stood before the
// first change, and the keys whose former value is nowhere else.
const (
	backupKey = "backup"
	lostKey   = "lost"
)

// beforeKey begins the receipt's values of lines that stood there before.
const beforeKey = "env:"

// envIntent adds these changes to those of earlier runs: the keys that are ours
// now, what stood there before the first of them, and whether the file did.
func envIntent(changes []hostfiles.Change, past state.Receipt, stands bool) state.Receipt {
	out := state.Receipt{Before: map[string]string{fileKey: "absent"}, Values: map[string]string{}}
	if stands {
		out.Before[fileKey] = "stood"
	}
	if was := past.Before[fileKey]; was != "" {
		out.Before[fileKey] = was
	}
	keys := strings.Fields(past.Values["keys"])
	for _, c := range changes {
		if !slices.Contains(keys, c.Key) {
			keys = append(keys, c.Key)
		}
	}
	out.Values["keys"] = strings.Join(keys, " ")
	before := hostfiles.Before(changes)
	lost := strings.Fields(past.Values[lostKey])
	for _, c := range changes {
		_, kept := before[c.Key]
		if !c.Missing && !kept && !slices.Contains(strings.Fields(past.Values["keys"]), c.Key) {
			lost = append(lost, c.Key)
		}
	}
	if len(lost) > 0 {
		out.Values[lostKey] = strings.Join(lost, " ")
	}
	for key, value := range before {
		if !slices.Contains(strings.Fields(past.Values["keys"]), key) {
			out.Before[beforeKey+key] = value
		}
	}
	return out
}

// warning is what a person should know before configure.sh is run.
func (s setupEnv) warning(f *facts.Facts) string {
	return strings.Join(hostfiles.Warnings(f.Local.EnvFile.Value, s.EnvLines(f)), " ")
}

func changedFields(changes []hostfiles.Change) []Field {
	var out []Field
	for _, c := range changes {
		want := clients.Clean(c.Want)
		if want == "" { // a client id or a secret that is made before the file is written
			want = "what is made here"
		}
		out = append(out, Field{Name: c.Key, Have: clients.Clean(c.Have), Want: want})
	}
	return out
}

func (s setupEnv) Do(_ context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	if s.Answers.EnvSecret != EnvSecretOmit && !f.Local.AppPassword.OK() {
		return state.Receipt{}, fmt.Errorf("the app password is not in the keystore: %w", f.Local.AppPassword.Err)
	}
	merged, _, err := hostfiles.Merge(f.Local.EnvFile.Value, s.EnvLines(f))
	if err != nil {
		return state.Receipt{}, err
	}
	backup, err := hostfiles.Write(s.Answers.EnvFile, merged, hostfiles.WriteOptions{Now: s.Now()})
	if err != nil {
		return state.Receipt{}, written(err)
	}
	f.Local.EnvFile = readFile(s.Answers.EnvFile)
	receipt := found.Intent
	receipt.ObjectID, receipt.Made = s.Answers.EnvFile, found.ObjectID == ""
	past, _ := s.Record.Last(stepSetupEnv)
	if receipt.Values[backupKey] = past.Values[backupKey]; receipt.Values[backupKey] == "" {
		receipt.Values[backupKey] = backup
	}
	return receipt, f.Local.EnvFile.Err
}

// written leaves the entry open where a file was written all the same.
func written(err error) error {
	if errors.Is(err, hostfiles.ErrUnconfirmed) {
		return unseen(err)
	}
	return err
}

// Undo takes our lines out again, each only where it still holds our value. A
// file that authbird made and that is empty then goes as a whole, and so does
// each backup that holds the app password.
func (s setupEnv) Undo(ctx context.Context, r state.Receipt) error {
	password, err := s.Secrets.Get(ctx, keystore.AppPassword)
	if err != nil && !errors.Is(err, keystore.ErrAbsent) {
		return err // without it, its line would not be known for ours and stay
	}
	if err := s.takeOut(r, password); err != nil {
		return err
	}
	// Also of the patched management.json, whose own step takes nothing back.
	for _, file := range s.hostFiles() {
		if _, err := hostfiles.Forget(file, password); err != nil {
			return fmt.Errorf("forget the backups of %s: %w", file, err)
		}
	}
	return nil
}

func (s setupEnv) takeOut(r state.Receipt, password string) error {
	path := s.Answers.EnvFile
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	known := &facts.Facts{}
	known.Local.AppPassword.Value = password
	rest, _, _, err := hostfiles.Remove(data, ourLines(s.EnvLines(known), r.Values["keys"]), beforeValues(r))
	if err != nil {
		return err
	}
	if r.Before[fileKey] == "absent" && len(bytes.TrimSpace(rest)) == 0 {
		return os.Remove(path)
	}
	_, err = hostfiles.Write(path, rest, hostfiles.WriteOptions{Now: s.Now()})
	return err
}

func ourLines(lines []hostfiles.Line, keys string) []hostfiles.Line {
	var out []hostfiles.Line
	for _, l := range lines {
		for key := range strings.FieldsSeq(keys) {
			if l.Key == key {
				out = append(out, l)
			}
		}
	}
	return out
}

func beforeValues(r state.Receipt) map[string]string {
	out := map[string]string{}
	for key, value := range r.Before {
		if name, ok := strings.CutPrefix(key, beforeKey); ok {
			out[name] = value
		}
	}
	return out
}

// pathReason is why a file could not be used, without its name.
func pathReason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
