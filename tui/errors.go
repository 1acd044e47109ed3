package tui

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// said is text that came from a server or a file, fit for the screen.
func said(s string) string { return clients.Clean(s) }

// saidAt is said, cut to a length.
func saidAt(s string, most int) string { return clients.CleanN(s, most) }

// sentence is a text of this program's own, begun with a capital and ended with
// a full stop.
func sentence(s string) string {
	s = saidAt(s, longestSaid)
	if s == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[n:]
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

// longestSaid is the most characters of one server text that are shown.
const longestSaid = 300

// errorWords is an error in one or two sentences: what is wrong, and where the
// kind tells it, what to do about it.
func errorWords(err error) (what, advice string) {
	var e *clients.Error
	if !errors.As(err, &e) {
		return saidAt(plainError(err), longestSaid), ""
	}
	what = saidAt(e.Message, longestSaid)
	if what == "" {
		what = saidAt(e.Error(), longestSaid)
	}
	return what, kindAdvice(e)
}

func plainError(err error) string {
	var stopped *flows.Stopped
	var busy *state.BusyError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return wordsTooLong
	case errors.Is(err, keystore.ErrPassphrase):
		return wordsPassWrong
	case errors.Is(err, keystore.ErrLocked):
		return wordsKeyringLocked
	case errors.As(err, &busy):
		return busy.Error()
	case errors.As(err, &stopped):
		return stopped.Err.Error()
	}
	return err.Error()
}

func kindAdvice(e *clients.Error) string {
	switch e.Kind {
	case clients.Unreachable:
		return wordsAdviceUnreachable
	case clients.WrongServer:
		return wordsAdviceWrongServer
	case clients.Unauthorised:
		return wordsAdviceToken
	case clients.Forbidden:
		return wordsAdviceRights
	case clients.NotNow:
		return wordsAdviceLater
	case clients.Unsupported:
		return wordsAdviceVersion
	case clients.Unknown:
		return wordsAdviceUnknown
	}
	return ""
}

// errorNotes is errorWords as notes below a row.
func errorNotes(err error) []note {
	what, advice := errorWords(err)
	out := []note{{sign: signBad, tone: toneTrouble, words: what}}
	if advice != "" {
		out = append(out, note{words: advice})
	}
	return out
}

// untrusted says that the server's certificate is the trouble.
func untrusted(err error) bool {
	var unknown x509.UnknownAuthorityError
	var bad *tls.CertificateVerificationError
	return errors.As(err, &unknown) || errors.As(err, &bad)
}
