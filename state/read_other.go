//go:build !unix

package state

import "os"

func readFile(path string, _ []byte) ([]byte, error) { return os.ReadFile(path) }
