package authentik

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// lister is one list of the API.
type lister[T any] struct {
	// rows are all objects, in the order of the list.
	rows []*T
	// order has the fields that ?ordering= may name.
	order map[string]func(a, b *T) int
	// search gives the texts that ?search= looks into.
	search func(*T) []string
	// filters has the parameters that narrow the list. Any other parameter is
	// ignored without a word, as on the real server.
	filters map[string]func(*T, string) bool
	// models is the list's "autocomplete", from 2025.6 on.
	models map[string]any
	show   func(*T) any
}

// list answers a GET of a list.
func list[T any](c *call, l lister[T]) reply {
	rows := narrow(c, l)
	p, out, ok := c.paginate(len(rows))
	if !ok {
		return out
	}
	results := make([]any, 0, p.to-p.from)
	for _, row := range rows[p.from:p.to] {
		results = append(results, l.show(row))
	}
	return c.paged(p, results, l.models)
}

// narrow applies filters, search and ordering.
func narrow[T any](c *call, l lister[T]) []*T {
	rows, owned := l.rows, false
	keep := func(fits func(*T) bool) {
		var out []*T
		for _, row := range rows {
			if fits(row) {
				out = append(out, row)
			}
		}
		rows, owned = out, true
	}
	for name, fits := range l.filters {
		if v := c.last(name); v != "" {
			keep(func(row *T) bool { return fits(row, v) })
		}
	}
	for _, term := range strings.Fields(strings.ToLower(c.last("search"))) {
		if l.search != nil {
			keep(func(row *T) bool {
				return slices.ContainsFunc(l.search(row), func(s string) bool { return strings.Contains(strings.ToLower(s), term) })
			})
		}
	}
	if !owned {
		rows = slices.Clip(rows)
	}
	return order(c, l, rows)
}

func order[T any](c *call, l lister[T], rows []*T) []*T {
	var by []func(a, b *T) int
	for field := range strings.SplitSeq(c.last("ordering"), ",") {
		name, down := strings.CutPrefix(strings.TrimSpace(field), "-")
		less, ok := l.order[name]
		if !ok {
			continue
		}
		if down {
			by = append(by, func(a, b *T) int { return less(b, a) })
		} else {
			by = append(by, less)
		}
	}
	if len(by) == 0 {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b *T) int {
		for _, less := range by {
			if n := less(a, b); n != 0 {
				return n
			}
		}
		return 0
	})
	return rows
}

// last is a parameter's value; of several the last one counts.
func (c *call) last(name string) string {
	if v := c.q[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

type pageOf struct{ from, to, count, current, pages int }

// paginate finds the page that is asked for among count objects.
func (c *call) paginate(count int) (pageOf, reply, bool) {
	size, out, ok := c.pageSize()
	if !ok {
		return pageOf{}, out, false
	}
	p := pageOf{count: count, pages: max(1, (count+size-1)/size), current: 1}
	if text := c.last("page"); text == "last" {
		p.current = p.pages
	} else if text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > p.pages {
			return p, detail(http.StatusNotFound, "Invalid page."), false
		}
		p.current = n
	}
	p.from = (p.current - 1) * size
	p.to = min(p.from+size, count)
	return p, reply{}, true
}

// pageSize reads ?page_size=. The default and the bound came to the tenant's
// settings in 2025.12, and with them zero became a server error for a while.
func (c *call) pageSize() (int, reply, bool) {
	size, most := 100, 1<<30
	if c.s.version.from(2025, 12) {
		size, most = 20, 100
	}
	if text := c.last("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err == nil && n > 0:
			size = min(n, most)
		case c.s.version.from(2025, 12) && !c.s.version.from(2026, 2):
			return 0, page(http.StatusInternalServerError, "authentik", "Server Error"), false
		}
	}
	return size, reply{}, true
}

// paged wraps the results of one page.
func (c *call) paged(p pageOf, results []any, models map[string]any) reply {
	at := map[string]any{"next": 0, "previous": p.current - 1, "count": p.count, "current": p.current,
		"total_pages": p.pages, "start_index": min(p.from+1, p.count), "end_index": p.to}
	if p.current < p.pages {
		at["next"] = p.current + 1
	}
	body := map[string]any{"pagination": at, "results": results}
	if c.s.version.from(2025, 6) {
		if models == nil {
			models = map[string]any{}
		}
		body["autocomplete"] = models
	}
	return reply{status: http.StatusOK, body: body}
}

// by compares by a field.
func by[T any, K cmp.Ordered](field func(*T) K) func(a, b *T) int {
	return func(a, b *T) int { return cmp.Compare(field(a), field(b)) }
}

// sorted is a sorted copy.
func sorted[T any](rows []*T, less ...func(a, b *T) int) []*T {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b *T) int {
		for _, l := range less {
			if n := l(a, b); n != 0 {
				return n
			}
		}
		return 0
	})
	return rows
}

// same is the filter for a text that must be equal.
func same[T any](field func(*T) string) func(*T, string) bool {
	return func(row *T, v string) bool { return field(row) == v }
}

// flag is the filter for a truth value; what is none doesn't filter.
func flag[T any](field func(*T) bool) func(*T, string) bool {
	return func(row *T, v string) bool {
		switch strings.ToLower(v) {
		case "true", "1":
			return field(row)
		case "false", "0":
			return !field(row)
		}
		return true
	}
}

// badChoice is the refusal of a filter's value; what is "That choice" for
// objects and the value otherwise.
func badChoice(filter, what string) reply {
	return wrong(filter, "Select a valid choice. "+what+" is not one of the available choices.")
}
