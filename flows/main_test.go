package flows_test

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(inMemory(m.Run)) }

// inMemory has run's folders in memory, where the system has a place for that:
// what takes longest in these tests is the disk, which every line of a journal
// waits for.
func inMemory(run func() int) int {
	dir, err := os.MkdirTemp("/dev/shm", "authbird-")
	if err != nil {
		return run()
	}
	defer os.RemoveAll(dir)
	os.Setenv("TMPDIR", dir)
	return run()
}
