package tui

// What home offers for a setup besides its most likely key.
const (
	wordsVerbLookOnly     = "plan"
	wordsVerbLookOnlyMore = "Show what stands and what is missing. Nothing is done before you say so."
)
