// Package standin has what is needed of programs that cannot be built here.
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

// PolicyValidator is the command "policy-stand-in": it answers in place of Linkerd's policy controller, which is written
// in Rust, when the API server asks whether a policy object is valid, and allows every one. It takes the real one's
// arguments, and its certificate as the real one does: from files that it reads again for each connection, with a key in
// PKCS#8.
func PolicyValidator() {
	flags := pflag.NewFlagSet("policy-stand-in", pflag.ExitOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	address := flags.String("server-addr", "", "where to listen")
	certificate := flags.String("server-tls-certs", "", "the file of the certificate")
	key := flags.String("server-tls-key", "", "the file of its key")
	_ = flags.Parse(os.Args[1:]) // ExitOnError
	server := &http.Server{
		Addr:              *address,
		Handler:           http.HandlerFunc(allow),
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return read(*certificate, *key)
		}},
	}
	fmt.Fprintln(os.Stderr, "policy-stand-in:", server.ListenAndServeTLS("", ""))
	os.Exit(1)
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
	_ = json.NewEncoder(w).Encode(review) // the caller has gone away: nobody is left to tell
}
