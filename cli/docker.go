package cli

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// dockerTime bounds a look for a command that only tells its version.
const dockerTime = 5 * time.Second

// lacksDocker says what this machine lacks of what NetBird's guide needs. Compose
// is a plugin of docker, wherever that was put, or a command of its own: only
// running it tells.
func lacksDocker(ctx context.Context) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return errors.New("there is no docker command")
	}
	ctx, cancel := context.WithTimeout(ctx, dockerTime)
	defer cancel()
	for _, compose := range []*exec.Cmd{
		exec.CommandContext(ctx, "docker", "compose", "version"), exec.CommandContext(ctx, "docker-compose", "version"),
	} {
		if compose.Run() == nil {
			return nil
		}
	}
	return errors.New("docker has no compose")
}
