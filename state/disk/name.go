package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSafe is the most bytes that SafeName gives back: short enough for every file
// system with a suffix of the caller's own.
const maxSafe = 120

// SafeName spells a name as a file name of [a-z0-9._-] only, never empty, never
// "." or "..", never beginning or ending with a dot, never a device name of
// Windows. Different names get different file names, also where the file system
// does not tell upper from lower case.
//
// Lower-case letters, digits, "-" and inner dots stand for themselves, every other
// byte is "_" and two hex digits. A name that would grow too long keeps its
// beginning, then "__" and a digest of the whole: [NameOf] cannot read it back.
//
// An empty name, invalid UTF-8 and control characters are refused: nobody could
// tell such names apart on a screen.
func SafeName(name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("a name can't be empty")
	case !utf8.ValidString(name):
		return "", fmt.Errorf("%q is not a name: invalid UTF-8", name)
	case strings.ContainsFunc(name, unsayable):
		return "", fmt.Errorf("%q is not a name: it holds control characters", name)
	}
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		dot := c == '.' && i > 0 && i < len(name)-1
		if 'a' <= c && c <= 'z' && !(i == 0 && device(name)) || '0' <= c && c <= '9' || c == '-' || dot {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	safe := b.String()
	if len(safe) > maxSafe {
		sum := sha256.Sum256([]byte(name))
		// The cut may fall into an escape; nobody reads it back.
		safe = safe[:maxSafe-34] + "__" + hex.EncodeToString(sum[:16])
	}
	return safe, nil
}

// NameOf reads a name back from what SafeName made of it. It says false of
// anything that SafeName does not make, and of names that it had to cut.
func NameOf(safe string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(safe); i++ {
		if safe[i] != '_' {
			b.WriteByte(safe[i])
			continue
		}
		if i+2 >= len(safe) {
			return "", false
		}
		c, err := hex.DecodeString(safe[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.Write(c)
		i += 2
	}
	name := b.String()
	again, err := SafeName(name)
	return name, err == nil && again == safe
}

// unsayable are characters that hide, or change what stands beside them.
func unsayable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

// device says whether Windows takes the name for a device, whatever its extension.
func device(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	switch base {
	case "con", "prn", "aux", "nul":
		return true
	}
	stem := strings.TrimRight(base, "0123456789")
	return len(base) == 4 && (stem == "com" || stem == "lpt")
}
