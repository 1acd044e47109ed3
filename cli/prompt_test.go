package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func prompter(input string) (*lines, *bytes.Buffer) {
	var out bytes.Buffer
	return newLines(strings.NewReader(input), &out, nil), &out
}

func TestQuestionsShareOneBuffer(t *testing.T) {
	l, _ := prompter("one\n\ntwo\r\n2\nyes\nthree")
	ctx := context.Background()
	if got, err := l.ask(ctx, "First?", "", nil); got != "one" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := l.ask(ctx, "Second?", "what stands", nil); got != "what stands" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := l.askHidden(ctx, "Third?", anything); got != "two" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := l.choose(ctx, "Fourth?", []option{{"a", "A"}, {"b", "B"}}, 0); got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := l.confirm(ctx, "Fifth?", false); !got || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := l.ask(ctx, "Sixth, without a newline at its end?", "", nil); got != "three" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := l.ask(ctx, "After the end?", "a default", nil); !errors.Is(err, errEnd) {
		t.Errorf("got %v, want the end of the input", err)
	}
}

func TestAWrongAnswerIsSaidAndAskedAgain(t *testing.T) {
	l, out := prompter("7\nx\n2\n")
	got, err := l.choose(context.Background(), "Which?", []option{{"a", "A"}, {"b", "B"}}, 0)
	if got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if n := strings.Count(out.String(), "That does not do: type a number from 1 to 2"); n != 2 {
		t.Errorf("said %d times:\n%s", n, out)
	}
}

func TestAQuestionSaysItsDefaultInWordsAndMovesNoCursor(t *testing.T) {
	l, out := prompter("\n")
	if _, err := l.confirm(context.Background(), "Do it?", true); err != nil {
		t.Fatal(err)
	}
	if want := "Do it? Answer yes or no. Enter alone means yes.\n"; out.String() != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestQLeaves(t *testing.T) {
	l, _ := prompter("q\n")
	if _, err := l.ask(context.Background(), "What?", "", nil); !errors.Is(err, errLeft) {
		t.Errorf("got %v", err)
	}
}

// A Ctrl-C at a question must not wait for the line to end, and the terminal
// must show again what is typed.
func TestAnInterruptedQuestionShowsTheTerminalAgain(t *testing.T) {
	in, keys := io.Pipe()
	defer keys.Close()
	ctx, cancel := context.WithCancel(context.Background())
	shown := false
	l := newLines(in, io.Discard, func() (func(), error) {
		cancel()
		return func() { shown = true }, nil
	})
	if _, err := l.askHidden(ctx, "Passphrase?", anything); !errors.Is(err, errInterrupted) || !shown {
		t.Errorf("got %v, shown %v", err, shown)
	}
}

func TestAnEmptySecretIsAskedAgain(t *testing.T) {
	l, out := prompter("\n spaces count \n")
	got, err := l.askHidden(context.Background(), "Passphrase?", anything)
	if got != " spaces count " || err != nil || !strings.Contains(out.String(), "An answer is needed here") {
		t.Errorf("got %q, %v\n%s", got, err, out)
	}
}
