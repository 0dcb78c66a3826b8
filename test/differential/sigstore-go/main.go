// Command sigstore-go judges bundles for the differential test. It reads JSON lines on standard input and writes one JSON line for each bundle:
//
//	{"subject":"NAME","trustedRoot":"<base64>","artifact":"<base64>","identity":"SAN","issuer":"URL"}   defines what bundles are about; no answer
//	{"subject":"NAME","trustedRoot":"<base64>","artifact":"<base64>","key":"<PEM>"}                     the same, for a key
//	{"of":"NAME","bundle":"<base64>"}                                                                    answered {"accepted":true} or {"error":"…"}
//
// Log entry, signed certificate timestamp and a time by any trusted authority are required, as in the other judges; for a key, a log entry.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

type line struct {
	Subject     string `json:"subject"`
	TrustedRoot []byte `json:"trustedRoot"`
	Artifact    []byte `json:"artifact"`
	Identity    string `json:"identity"`
	Issuer      string `json:"issuer"`
	Key         string `json:"key"`

	Of     string `json:"of"`
	Bundle []byte `json:"bundle"`
}

type verdict struct {
	Accepted bool   `json:"accepted,omitempty"`
	Error    string `json:"error,omitempty"`
}

type subject struct {
	verifier *verify.Verifier
	artifact []byte
	policy   verify.PolicyOption
}

func newSubject(of line) (*subject, error) {
	trusted, err := root.NewTrustedRootFromJSON(of.TrustedRoot)
	if err != nil {
		return nil, err
	}
	if of.Key == "" {
		identity, err := verify.NewShortCertificateIdentity(of.Issuer, "", of.Identity, "")
		if err != nil {
			return nil, err
		}
		verifier, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
		return &subject{verifier, of.Artifact, verify.WithCertificateIdentity(identity)}, err
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(of.Key))
	if err != nil {
		return nil, err
	}
	keys := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		verifier, err := signature.LoadDefaultVerifier(public)
		if err != nil {
			return nil, err
		}
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	})
	verifier, err := verify.NewVerifier(root.TrustedMaterialCollection{keys, trusted}, verify.WithTransparencyLog(1), verify.WithNoObserverTimestamps())
	return &subject{verifier, of.Artifact, verify.WithKey()}, err
}

func (s *subject) judge(raw []byte) (given verdict) {
	defer func() {
		if fault := recover(); fault != nil {
			given = verdict{Error: fmt.Sprintf("panic: %v", fault)}
		}
	}()
	var parsed bundle.Bundle
	if err := parsed.UnmarshalJSON(raw); err != nil {
		return verdict{Error: "bundle: " + err.Error()}
	}
	if _, err := s.verifier.Verify(&parsed, verify.NewPolicy(verify.WithArtifact(bytes.NewReader(s.artifact)), s.policy)); err != nil {
		return verdict{Error: err.Error()}
	}
	return verdict{Accepted: true}
}

func main() {
	subjects := map[string]*subject{}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	decoder := json.NewDecoder(in)
	out := json.NewEncoder(os.Stdout)
	for {
		var next line
		if err := decoder.Decode(&next); err != nil {
			return
		}
		if next.Subject != "" {
			made, err := newSubject(next)
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", next.Subject, err)
				os.Exit(1)
			}
			subjects[next.Subject] = made
			continue
		}
		if err := out.Encode(subjects[next.Of].judge(next.Bundle)); err != nil {
			os.Exit(1)
		}
	}
}
