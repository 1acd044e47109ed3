module authbird/e2e

go 1.26.8

require (
	authbird v0.0.0
	github.com/google/go-cmp v0.7.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/coreos/go-oidc/v3 v3.21.0 // indirect
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/netbirdio/netbird v0.77.1 // indirect
	github.com/oapi-codegen/runtime v1.1.2 // indirect
	github.com/rs/xid v1.6.0 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
)

replace authbird => ../
