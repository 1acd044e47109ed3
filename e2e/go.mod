module authbird/e2e

go 1.26.8

require (
	authbird v0.0.0
	github.com/google/go-cmp v0.7.0
)

replace authbird => ../
