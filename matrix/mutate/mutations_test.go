package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The mutations themselves take minutes. That each still has its place in the
// text is seen at once.
func TestEachMutationApplies(t *testing.T) {
	for _, m := range mutations {
		t.Run(m.rule, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m.file)))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := m.broken(string(data)); err != nil || text == string(data) {
				t.Errorf("it changes nothing, or does not apply: %v", err)
			}
		})
	}
}
