// Command linkerd-chains says what Linkerd thinks of certificate chains: its identity service loads each and certifies a
// proxy with it, and the rules of `linkerd check` are applied.
//
// It reads a JSON list of chains on standard input and writes a JSON list of verdicts.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	pb "github.com/linkerd/linkerd2-proxy-api/go/identity"
	"github.com/linkerd/linkerd2/pkg/identity"
	"github.com/linkerd/linkerd2/pkg/issuercerts"
	"github.com/linkerd/linkerd2/pkg/tls"
	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/runtime"
)

// chain is what a control plane is installed with, all of it PEM.
type chain struct {
	Name        string `json:"name"`
	Anchors     string `json:"anchors"`
	Issuer      string `json:"issuerCertificate"`
	Key         string `json:"issuerKey"`
	TrustDomain string `json:"trustDomain"`
}

// verdict has the error of each of three judges; empty where it accepts the chain.
type verdict struct {
	Name string `json:"name"`
	// Identity is the identity service, when it starts.
	Identity string `json:"identity"`
	// Check has the rules of `linkerd check` and `linkerd install`.
	Check string `json:"check"`
	// Proxy is a peer of a proxy that the identity service has certified.
	Proxy string `json:"proxy"`
}

func main() {
	logrus.SetOutput(io.Discard)
	if err := judgeAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judgeAll(in io.Reader, out io.Writer) error {
	var chains []chain
	if err := json.NewDecoder(in).Decode(&chains); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "linkerd-chains-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	verdicts := make([]verdict, 0, len(chains))
	for _, c := range chains {
		service, err := c.service(folder)
		verdict := verdict{Name: c.Name, Identity: text(err), Check: text(c.check())}
		if err == nil {
			verdict.Proxy = text(c.certify(service))
		}
		verdicts = append(verdicts, verdict)
	}
	return json.NewEncoder(out).Encode(verdicts)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// service starts the identity service as its command does, with files in the folder.
func (c chain) service(folder string) (*identity.Service, error) {
	anchors, err := tls.DecodePEMCertPool(c.Anchors)
	if err != nil {
		return nil, fmt.Errorf("failed to read trust anchors: %w", err)
	}
	crt, key := filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	for file, contents := range map[string]string{crt: c.Issuer, key: c.Key} {
		if err := os.WriteFile(file, []byte(contents), 0o600); err != nil {
			return nil, err
		}
	}
	validity := tls.Validity{
		ClockSkewAllowance: tls.DefaultClockSkewAllowance,
		Lifetime:           identity.DefaultIssuanceLifetime,
	}
	ignore := func(runtime.Object, string, string, string) {}
	service := identity.NewService(validator(c.proxyName()), anchors, &validity, ignore, c.issuerName(), crt, key)
	return service, service.Initialize()
}

// check applies the rules for the issuer and, one by one, for the trust anchors.
func (c chain) check() error {
	data := issuercerts.IssuerCertData{TrustAnchors: c.Anchors, IssuerCrt: c.Issuer, IssuerKey: c.Key}
	if _, err := data.VerifyAndBuildCreds(); err != nil {
		return err
	}
	anchors, err := tls.DecodePEMCertificates(c.Anchors)
	if err != nil {
		return err
	}
	for _, anchor := range anchors {
		if err := issuercerts.CheckTrustAnchorAlgoRequirements(anchor); err != nil {
			return err
		}
		if err := issuercerts.CheckCertValidityPeriod(anchor); err != nil {
			return err
		}
	}
	return nil
}

// certify has a proxy certified and verifies its certificate as a peer does, as that of a server and of a client.
func (c chain) certify(service *identity.Service) error {
	name := c.proxyName()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{name}}, key)
	if err != nil {
		return err
	}
	response, err := service.Certify(context.Background(), &pb.CertifyRequest{
		Identity:                  name,
		Token:                     []byte("token"),
		CertificateSigningRequest: request,
	})
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(response.LeafCertificate)
	if err != nil {
		return err
	}
	roots, err := tls.DecodePEMCertPool(c.Anchors)
	if err != nil {
		return err
	}
	between := x509.NewCertPool()
	for _, der := range response.IntermediateCertificates {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(certificate)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots:         roots,
			Intermediates: between,
			DNSName:       name,
			KeyUsages:     []x509.ExtKeyUsage{usage},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c chain) issuerName() string { return "identity.linkerd." + c.TrustDomain }

// proxyName is the name of a proxy in the mesh.
func (c chain) proxyName() string { return "default.shop.serviceaccount." + c.issuerName() }

// validator takes every token for that of one proxy.
type validator string

func (v validator) Validate(context.Context, []byte) (string, error) { return string(v), nil }
