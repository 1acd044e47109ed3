package doctor

import "strings"

// Seen is the evidence where it adds to what the cause and the title say
// already, else "": no person wants to read the same words twice.
func (r Result) Seen() string {
	evidence := words(r.Evidence)
	for _, told := range []string{r.Cause, r.Title} {
		if evidence == "" || strings.Contains(words(told), evidence) {
			return ""
		}
	}
	return r.Evidence
}

func words(s string) string {
	return strings.ToLower(strings.Trim(strings.Join(strings.Fields(s), " "), ". "))
}
