package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"authbird/clients"
)

// errEnd says that the input ended while a question stood open.
var errEnd = errors.New("the input ended at a question")

// errLeft says that the person typed q.
var errLeft = errors.New("left at your word; nothing was begun")

// lines asks questions one line each and reads answers with one buffer for all
// of them, so that no question swallows the answer to the next. It never moves
// the cursor, draws no box and repeats nothing by itself.
type lines struct {
	in    *bufio.Reader
	out   io.Writer
	hide  func() (show func(), err error)
	asked chan answer // the line being read; nil: none
}

type answer struct {
	text string
	err  error
}

func newLines(in io.Reader, out io.Writer, hide func() (func(), error)) *lines {
	return &lines{in: bufio.NewReader(in), out: out, hide: hide}
}

// rest reads what is left of the input, at most max bytes and one.
func (l *lines) rest(max int64) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(l.in, max+1))
	return string(raw), err
}

func (l *lines) say(format string, args ...any) {
	printLine(l.out, fmt.Sprintf(format, args...))
}

// next is the line that is being read. A read that nobody waited for to its end
// goes on, and its line answers the next question; taken says that it was used.
func (l *lines) next() <-chan answer {
	if l.asked == nil {
		l.asked = make(chan answer, 1)
		go func(to chan<- answer) {
			text, err := l.in.ReadString('\n')
			if err != nil && text == "" {
				to <- answer{err: errEnd}
				return
			}
			to <- answer{text: strings.TrimRight(text, "\r\n")}
		}(l.asked)
	}
	return l.asked
}

func (l *lines) taken() { l.asked = nil }

// read waits for a line or for the end of ctx.
func (l *lines) read(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", errInterrupted
	case got := <-l.next():
		l.taken()
		return got.text, got.err
	}
}

// ask puts a question until valid takes the answer. An empty answer is
// standing, which is said in words.
func (l *lines) ask(ctx context.Context, question, standing string, valid func(string) error) (string, error) {
	text, err := l.exactly(ctx, question, standing, func(s string) error {
		if valid == nil {
			return nil
		}
		return valid(strings.TrimSpace(s))
	})
	return strings.TrimSpace(text), err
}

// exactly is ask without trimming: a passphrase may begin with a space.
func (l *lines) exactly(ctx context.Context, question, standing string, valid func(string) error) (string, error) {
	for {
		if standing == "" {
			l.say("%s", question)
		} else {
			l.say("%s Enter alone means %s.", question, standing)
		}
		text, err := l.read(ctx)
		if err != nil {
			return "", err
		}
		switch strings.TrimSpace(text) {
		case "q":
			return "", errLeft
		case "":
			text = standing
		}
		if text == "" {
			l.say("An answer is needed here; q leaves.")
			continue
		}
		if err := valid(text); err != nil {
			l.say("That does not do: %s", clients.Clean(err.Error()))
			continue
		}
		return text, nil
	}
}

// askHidden puts a question whose answer is not shown while it is typed, and
// returns it exactly as it was typed.
func (l *lines) askHidden(ctx context.Context, question string, valid func(string) error) (string, error) {
	if l.hide != nil {
		show, err := l.hide()
		if err != nil {
			return "", fmt.Errorf("hide what is typed: %w", err)
		}
		defer show()
		question += " What you type is not shown."
	}
	return l.exactly(ctx, question, "", valid)
}

// anything is good.
func anything(string) error { return nil }

// confirm asks for a yes or a no.
func (l *lines) confirm(ctx context.Context, question string, standing bool) (bool, error) {
	words := map[bool]string{true: "yes", false: "no"}
	text, err := l.ask(ctx, question+" Answer yes or no.", words[standing], func(s string) error {
		if _, ok := yesOrNo(s); !ok {
			return errors.New("answer yes or no")
		}
		return nil
	})
	yes, _ := yesOrNo(text)
	return yes, err
}

func yesOrNo(s string) (yes, ok bool) {
	switch strings.ToLower(s) {
	case "y", "yes":
		return true, true
	case "n", "no":
		return false, true
	}
	return false, false
}

// option is one of the numbered choices of a question.
type option struct{ value, label string }

// choose reads out numbered choices and returns the index of the chosen one.
func (l *lines) choose(ctx context.Context, question string, options []option, standing int) (int, error) {
	for i, o := range options {
		l.say("  %d  %s", i+1, clients.Clean(o.label))
	}
	text, err := l.ask(ctx, fmt.Sprintf("%s Type a number from 1 to %d.", question, len(options)), strconv.Itoa(standing+1), func(s string) error {
		if n, err := strconv.Atoi(s); err != nil || n < 1 || n > len(options) {
			return fmt.Errorf("type a number from 1 to %d", len(options))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	return n - 1, err
}

// printLine writes one line; what a dead terminal does with it is not ours to
// know.
func printLine(w io.Writer, s string) { _, _ = io.WriteString(w, s+"\n") }
