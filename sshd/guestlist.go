package sshd

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// guestList says whose keys are let in. The file is read again when it has
// changed, so that a line taken out of it closes the door to the next login; a
// file that can no longer be read, or has a line that is wrong, lets nobody in
// by it until it is mended.
type guestList struct {
	file  string // "": none
	fixed []key  // by --allow-key
	loc   *time.Location
	say   func(string)

	mu    sync.Mutex
	stamp string // of the file as it was read
	read  []key
	wrong error
}

// largestKeys bounds the keys file, in bytes: some thousand keys.
const largestKeys = 1 << 20

// newGuestList reads all keys. No key at all is an error.
func newGuestList(file string, allow []string, loc *time.Location, say func(string)) (*guestList, error) {
	g := &guestList{file: file, loc: loc, say: say}
	for i, line := range allow {
		keys, err := parseKeys([]byte(line), loc)
		switch {
		case err != nil:
			return nil, wrongf("--allow-key (number %d): %v", i+1, err)
		case len(keys) != 1:
			return nil, wrongf("--allow-key (number %d) is to be one public key, as in id_ed25519.pub", i+1)
		}
		g.fixed = append(g.fixed, keys...)
	}
	if file != "" {
		if g.stamp, g.read, g.wrong = g.load(); g.wrong != nil {
			return nil, wrongf("--authorized-keys: %v", g.wrong)
		}
	}
	if len(g.fixed)+len(g.read) == 0 {
		e := wrongf("there is no key, so nobody could log in")
		if file != "" {
			e = wrongf("there is no key in %s, so nobody could log in", file)
		}
		return nil, e.hint("--authorized-keys FILE names a file of public keys, such as ~/.ssh/authorized_keys").
			hint(`--allow-key "$(cat id_ed25519.pub)" lets one key in`)
	}
	return g, nil
}

// count is how many keys are let in.
func (g *guestList) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.fixed) + len(g.read)
}

// admits says whether that key may log in from there now.
func (g *guestList) admits(public gossh.PublicKey, from netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refresh()
	wire := public.Marshal()
	for _, keys := range [][]key{g.fixed, g.read} {
		for _, k := range keys {
			if bytes.Equal(k.public.Marshal(), wire) && k.admits(from, now) {
				return true
			}
		}
	}
	return false
}

// refresh reads the file again where it is another than the one that was read.
func (g *guestList) refresh() {
	if g.file == "" {
		return
	}
	if stamp := stampOf(g.file); stamp == g.stamp && stamp != "" {
		return
	}
	stamp, keys, err := g.load()
	if err != nil {
		if g.wrong == nil || g.wrong.Error() != err.Error() {
			g.say(fmt.Sprintf("%v; until it is mended nobody is let in by it", err))
		}
		g.stamp, g.read, g.wrong = stamp, nil, err
		return
	}
	g.say(fmt.Sprintf("%s has changed and was read again: %d keys", g.file, len(keys)))
	g.stamp, g.read, g.wrong = stamp, keys, nil
}

// stampOf tells one state of a file from another; "": it can't be looked at.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d %v", info.ModTime().UnixNano(), info.Size(), info.Mode())
}

func (g *guestList) load() (stamp string, keys []key, err error) {
	stamp = stampOf(g.file)
	f, err := os.Open(g.file)
	if err != nil {
		return stamp, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return stamp, nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return stamp, nil, fmt.Errorf("%s can be written by others (mode %04o); chmod go-w %s", g.file, info.Mode().Perm(), g.file)
	}
	data, err := io.ReadAll(io.LimitReader(f, largestKeys+1))
	if err == nil && len(data) > largestKeys {
		err = fmt.Errorf("it is too large to be a file of keys")
	}
	if err != nil {
		return stamp, nil, fmt.Errorf("%s: %w", g.file, err)
	}
	if keys, err = parseKeys(data, g.loc); err != nil {
		return stamp, nil, fmt.Errorf("%s, %w", g.file, err)
	}
	return stamp, keys, nil
}
