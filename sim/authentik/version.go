package authentik

import (
	"strconv"
	"strings"
)

// DefaultVersion is what a server reports that was told no version.
const DefaultVersion = "2025.12.0-rc1"

// version is a release as far as behaviour depends on it.
type version struct {
	text        string
	year, month int
}

// parseVersion reads "2025.12.0-rc1". What it can't read counts as the oldest
// version known, and is still reported as given.
func parseVersion(text string) version {
	if text == "" {
		text = DefaultVersion
	}
	v := version{text: text, year: 2024, month: 12}
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return v
	}
	year, err1 := strconv.Atoi(parts[0])
	month, err2 := strconv.Atoi(parts[1])
	if err1 == nil && err2 == nil {
		v.year, v.month = year, month
	}
	return v
}

// from tells whether this version is that release or a later one.
func (v version) from(year, month int) bool {
	return v.year > year || v.year == year && v.month >= month
}
