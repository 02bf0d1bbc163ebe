#!/usr/bin/env bash
# Linkerd with certificates from openssl, then applications: the commands that installation guides put together.
#
# CHARTS        folder of Linkerd's charts
# APPLICATIONS  file of the namespaces and Deployments
# NAMESPACES    names of the namespaces, separated by spaces
# WAIT          yes: wait for each step before the next one; no: only at the end
# RESTART       yes: restart every Deployment, so that pods that missed the injector get their proxy
set -euo pipefail

keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

wait=()
if [[ $WAIT == yes ]]; then
  wait=(--wait)
fi

openssl ecparam -name prime256v1 -genkey -noout -out "$keys/ca.key"
openssl req -x509 -new -sha256 -key "$keys/ca.key" -subj /CN=root.linkerd.cluster.local -days 3650 \
  -addext keyUsage=critical,keyCertSign,cRLSign -out "$keys/ca.crt"
openssl ecparam -name prime256v1 -genkey -noout -out "$keys/issuer.key"
openssl req -new -key "$keys/issuer.key" -subj /CN=identity.linkerd.cluster.local -out "$keys/issuer.csr"
openssl x509 -req -sha256 -in "$keys/issuer.csr" -CA "$keys/ca.crt" -CAkey "$keys/ca.key" -CAcreateserial -days 365 \
  -extfile <(printf '%s\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign) \
  -out "$keys/issuer.crt"

helm install linkerd-crds "$CHARTS/linkerd-crds" --namespace linkerd --create-namespace "${wait[@]}"
helm install linkerd-control-plane "$CHARTS/linkerd-control-plane" --namespace linkerd "${wait[@]}" \
  --set-file identityTrustAnchorsPEM="$keys/ca.crt" \
  --set-file identity.issuer.tls.crtPEM="$keys/issuer.crt" \
  --set-file identity.issuer.tls.keyPEM="$keys/issuer.key"

kubectl apply --filename "$APPLICATIONS"
if [[ $WAIT == yes ]]; then
  kubectl wait --for=condition=Available deployment --all --all-namespaces --timeout=20m
fi
if [[ $RESTART == yes ]]; then
  for namespace in $NAMESPACES; do
    kubectl rollout restart deployment --namespace "$namespace"
  done
fi
for namespace in $NAMESPACES; do
  kubectl rollout status deployment --namespace "$namespace" --timeout=20m
done
