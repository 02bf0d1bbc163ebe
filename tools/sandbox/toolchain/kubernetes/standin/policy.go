// Package standin replaces programs that are not written in Go and so cannot be built here.
package standin

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"
	admissionv1 "k8s.io/api/admission/v1"
)

// PolicyValidator is the command "policy-stand-in". It replaces the admission webhook of Linkerd's policy controller,
// which is written in Rust, and allows every policy object. It accepts the controller's arguments and, like it, reads its
// certificate and its PKCS#8 key from files for each connection.
func PolicyValidator() {
	flags := pflag.NewFlagSet("policy-stand-in", pflag.ExitOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	address := flags.String("server-addr", "", "where to listen")
	certificate := flags.String("server-tls-certs", "", "the file of the certificate")
	key := flags.String("server-tls-key", "", "the file of its key")
	_ = flags.Parse(os.Args[1:]) // ExitOnError
	server := newServer(*certificate, *key)
	server.Addr = *address
	fmt.Fprintln(os.Stderr, "policy-stand-in:", server.ListenAndServeTLS("", ""))
	os.Exit(1)
}

func newServer(certificateFile, keyFile string) *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(allow),
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return read(certificateFile, keyFile)
		}},
	}
}

func read(certificateFile, keyFile string) (*tls.Certificate, error) {
	certificate, err := os.ReadFile(certificateFile)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(key); block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("the key is not in PKCS#8")
	}
	pair, err := tls.X509KeyPair(certificate, key)
	return &pair, err
}

func allow(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "expected an AdmissionReview with a request", http.StatusBadRequest)
		return
	}
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review) // fails only if the caller is gone
}
