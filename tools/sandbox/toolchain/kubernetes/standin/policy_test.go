package standin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
)

// writePair writes a certificate for 127.0.0.1 with its key, in the given type of PEM block, and returns the certificate.
func writePair(t *testing.T, dir, keyType string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "policy"},
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if keyType == "EC PRIVATE KEY" {
		keyBytes, err = x509.MarshalECPrivateKey(key)
	}
	must(t, err)
	for file, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der},
		"tls.key": {Type: keyType, Bytes: keyBytes},
	} {
		must(t, os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600))
	}
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return certificate
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve starts the stand-in with the files in dir and returns its URL.
func serve(t *testing.T, dir string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := newServer(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	server.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { server.Close() })
	return "https://" + listener.Addr().String()
}

// post asks over a connection of its own that trusts only the given certificate.
func post(url, body string, trusted *x509.Certificate) (*http.Response, string, error) {
	roots := x509.NewCertPool()
	roots.AddCert(trusted)
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	response, err := client.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response, string(answer), err
}

func TestAnswers(t *testing.T) {
	dir := t.TempDir()
	certificate := writePair(t, dir, "PRIVATE KEY")
	url := serve(t, dir)
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"a review":                   {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"42"}}`, 200},
		"a review without a request": {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, 400},
		"anything else":              {"hello", 400},
	} {
		t.Run(name, func(t *testing.T) {
			response, answer, err := post(url, test.body, certificate)
			must(t, err)
			if response.StatusCode != test.status {
				t.Fatalf("status %d, want %d: %s", response.StatusCode, test.status, answer)
			}
			if test.status != http.StatusOK {
				return
			}
			var review admissionv1.AdmissionReview
			must(t, json.Unmarshal([]byte(answer), &review))
			if review.Response == nil || review.Response.UID != "42" || !review.Response.Allowed {
				t.Errorf("the answer is not an allowance of 42: %s", answer)
			}
			if review.Kind != "AdmissionReview" || review.APIVersion != "admission.k8s.io/v1" {
				t.Errorf("the answer has the wrong type: %s", answer)
			}
		})
	}
}

func TestReadsTheCertificateForEachConnection(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir, "PRIVATE KEY")
	url := serve(t, dir)
	rotated := writePair(t, dir, "PRIVATE KEY")
	if _, _, err := post(url, "", rotated); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
}

func TestRefusesOtherKeysThanPKCS8(t *testing.T) {
	dir := t.TempDir()
	certificate := writePair(t, dir, "EC PRIVATE KEY")
	if _, _, err := post(serve(t, dir), "", certificate); err == nil {
		t.Error("served with a key that the policy controller refuses")
	}
	_, err := read(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	if err == nil || err.Error() != "the key is not in PKCS#8" {
		t.Errorf("got %v", err)
	}
}
