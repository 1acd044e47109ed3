package clients_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authbird/clients"
)

// secure is a TLS server with a certificate of its own making, and the file that holds it.
func secure(t *testing.T, c x509.Certificate) (url, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.IsCA, c.BasicConstraintsValid = big.NewInt(1), true, true
	c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign
	c.Subject = pkix.Name{CommonName: "a private authority"}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(good))
	server.Config.ErrorLog = nil
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, caFile
}

func TestCertificates(t *testing.T) {
	now := time.Now()
	loopback := []net.IP{net.ParseIP("127.0.0.1")}
	rows := map[string]struct {
		cert    x509.Certificate
		trusted bool
		says    string // "": it is fine
	}{
		"a private authority that was named is trusted": {x509.Certificate{IPAddresses: loopback, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}, true, ""},
		"one that was not named is self-signed":         {x509.Certificate{IPAddresses: loopback, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}, false, "is self-signed"},
		"another host's is named": {x509.Certificate{DNSNames: []string{"auth.example.com"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}, true,
			"is for auth.example.com only"},
		"one that has ended says when":  {x509.Certificate{IPAddresses: loopback, NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-24 * time.Hour)}, true, "ended on " + now.Add(-24*time.Hour).UTC().Format(time.DateOnly)},
		"one that hasn't begun says so": {x509.Certificate{IPAddresses: loopback, NotBefore: now.Add(24 * time.Hour), NotAfter: now.Add(48 * time.Hour)}, true, "begins on"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			url, caFile := secure(t, row.cert)
			w := serve(t, clients.Options{}, good)
			o := clients.Options{}
			if row.trusted {
				o.CAFile = caFile
			}
			call := w.call("POST")
			call.URL = url
			a, err := w.transport(o).Do(t.Context(), call)
			if row.says == "" {
				if err != nil || a.CertNotAfter.Sub(row.cert.NotAfter).Abs() > time.Second {
					t.Errorf("%v, certificate until %v", err, a.CertNotAfter)
				}
				return
			}
			if clients.KindOf(err) != clients.Unreachable || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %q", err, row.says)
			}
			if _, _, x := w.seen(); len(x) != 1 {
				t.Errorf("a bad certificate was tried %d times", len(x))
			}
		})
	}
}

func TestHTTPSToAnHTTPPort(t *testing.T) {
	w := serve(t, clients.Options{}, good)
	call := w.call("GET")
	call.URL = strings.Replace(call.URL, "http://", "https://", 1)
	_, err := w.tr.Do(t.Context(), call)
	if clients.KindOf(err) != clients.Unreachable || !strings.Contains(err.Error(), "https") {
		t.Errorf("%v", err)
	}
}

func TestCAFiles(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(dir, "absent.pem")} {
		if _, err := clients.New(clients.Options{CAFile: file}); err == nil || !strings.Contains(err.Error(), "CA file") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
