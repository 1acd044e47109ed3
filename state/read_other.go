//go:build !unix

package state

import "os"

func readFile(path string) ([]byte, error) { return os.ReadFile(path) }
