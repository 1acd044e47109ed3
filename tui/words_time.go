package tui

import (
	"fmt"
	"time"
)

// within tells a stretch of time in its largest unit: "29 minutes".
func within(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// since tells when something was, as a person would: "2 minutes ago",
// "yesterday 18:02", "3 March 2026".
func since(now, then time.Time) string {
	then = then.In(now.Location())
	d := now.Sub(then)
	day := func(t time.Time) int { return t.YearDay() + 1000*t.Year() }
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute") + " ago"
	case day(now) == day(then):
		return "today " + then.Format("15:04")
	case day(now.AddDate(0, 0, -1)) == day(then):
		return "yesterday " + then.Format("15:04")
	case d < 14*24*time.Hour:
		return count(int(d.Hours()/24), "day") + " ago"
	}
	return then.Format("2 January 2006")
}

// until tells when something will be: "in 29 minutes", "on 3 March 2027".
func until(now, then time.Time) string {
	d := then.Sub(now)
	if d < 14*24*time.Hour {
		return "in " + within(d)
	}
	return "on " + then.In(now.Location()).Format("2 January 2006")
}

// left is a countdown: "4 min 12 s".
func left(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
}

// took is how long a step needed: "12 ms", "0.4 s".
func took(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return left(d)
}
