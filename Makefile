.PHONY: test ci bench

test:
	go test ./...

ci:
	.ci/run

bench:
	go run ./bench
