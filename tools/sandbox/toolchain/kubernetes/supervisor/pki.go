package supervisor

import (
	"crypto"
	"crypto/x509"
	"net"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/kubeconfig"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/pkiutil"
)

// pkiValidity is longer than the life of any sandbox.
const pkiValidity = 365 * 24 * time.Hour

// authority signs the certificates of one purpose.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// writePKI creates the keys, certificates and kubeconfigs of the control plane, new ones at each start.
func writePKI(l layout, n network) error {
	cluster, err := newAuthority(l, "ca", "sandbox")
	if err != nil {
		return err
	}
	frontProxy, err := newAuthority(l, "front-proxy-ca", "sandbox-front-proxy")
	if err != nil {
		return err
	}
	server := certutil.Config{
		CommonName: "kube-apiserver",
		AltNames: certutil.AltNames{
			DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
			IPs:      []net.IP{net.ParseIP(n.host()), net.ParseIP(serviceIP)},
		},
		Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if _, _, err := cluster.issue(l, "apiserver", server); err != nil {
		return err
	}
	// etcd serves with it; the API server and etcd itself are clients with it.
	etcd := certutil.Config{
		CommonName: "etcd",
		AltNames:   certutil.AltNames{IPs: []net.IP{net.ParseIP(n.host())}},
		Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if _, _, err := cluster.issue(l, "etcd", etcd); err != nil {
		return err
	}
	kubelet := certutil.Config{
		CommonName: "system:node:" + nodeName,
		AltNames:   certutil.AltNames{IPs: []net.IP{net.ParseIP(nodeIP)}},
		Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if _, _, err := cluster.issue(l, "kubelet", kubelet); err != nil {
		return err
	}
	if _, _, err := frontProxy.issue(l, "front-proxy-client", client("front-proxy-client")); err != nil {
		return err
	}
	for file, config := range map[string]certutil.Config{
		l.kubeconfig():                      client("sandbox-admin", "system:masters"),
		l.config("kube-controller-manager"): client("system:kube-controller-manager"),
		l.config("kube-scheduler"):          client("system:kube-scheduler"),
		l.config("kwok"):                    client("kwok", "system:masters"),
	} {
		cert, key, err := cluster.issue(l, config.CommonName, config)
		if err != nil {
			return err
		}
		keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
		if err != nil {
			return err
		}
		contents := kubeconfig.CreateWithCerts(n.apiServer(), "linkerd-mtls-sandbox", config.CommonName,
			pkiutil.EncodeCertPEM(cluster.cert), keyPEM, pkiutil.EncodeCertPEM(cert))
		if err := kubeconfig.WriteToDisk(file, contents); err != nil {
			return err
		}
	}
	return writeServiceAccountKey(l)
}

// client is the certificate of a user of the API server.
func client(name string, groups ...string) certutil.Config {
	return certutil.Config{
		CommonName: name, Organization: groups, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func newAuthority(l layout, file, name string) (authority, error) {
	cert, key, err := pkiutil.NewCertificateAuthority(certConfig(certutil.Config{CommonName: name}))
	if err != nil {
		return authority{}, err
	}
	// The authority's key is not written: only this start issues certificates with it.
	return authority{cert, key}, pkiutil.WriteCert(l.pki(), file, cert)
}

// issue writes a certificate and its key to NAME.crt and NAME.key.
func (a authority) issue(l layout, name string, config certutil.Config) (*x509.Certificate, crypto.Signer, error) {
	cert, key, err := pkiutil.NewCertAndKey(a.cert, a.key, certConfig(config))
	if err != nil {
		return nil, nil, err
	}
	return cert, key, pkiutil.WriteCertAndKey(l.pki(), name, cert, key)
}

func certConfig(config certutil.Config) *pkiutil.CertConfig {
	return &pkiutil.CertConfig{
		Config:              config,
		NotAfter:            time.Now().Add(pkiValidity),
		EncryptionAlgorithm: kubeadm.EncryptionAlgorithmECDSAP256,
	}
}

func writeServiceAccountKey(l layout) error {
	key, err := pkiutil.GeneratePrivateKey(kubeadm.EncryptionAlgorithmECDSAP256)
	if err != nil {
		return err
	}
	if err := pkiutil.WriteKey(l.pki(), "service-account", key); err != nil {
		return err
	}
	return pkiutil.WritePublicKey(l.pki(), "service-account", key.Public())
}
