// Verify a callback: with the webhook's secret, or with the service's public keys alone. Go 1.19 and newer, no module.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

const toleranceSeconds = 300

var (
	number = regexp.MustCompile(`^\d{1,12}$`)
	input  = regexp.MustCompile(`^webhook=(\("@method" "@target-uri" "content-digest" "content-type" "webhook-id" "webhook-timestamp"\);created=(\d{1,12});keyid="([^"]+)";alg="ecdsa-p256-sha256";tag="webhook")$`)
	sent   = regexp.MustCompile(`^webhook=:([A-Za-z0-9+/]{86}==):$`)
)

// JWKS is the document of /.well-known/jwks.json.
type JWKS struct {
	Keys []struct{ Kid, X, Y string }
}

// VerifyWithSecret checks the HMAC. secret: whsec_...; headers: by lower-case name; body: as received; now: Unix seconds.
func VerifyWithSecret(secret string, headers map[string]string, body []byte, now int64) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || !isRecent(headers["webhook-timestamp"], now) {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(headers["webhook-id"] + "." + headers["webhook-timestamp"] + "."))
	mac.Write(body)
	wanted := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	// Two tokens while a secret is rotated: one that holds is enough.
	for _, token := range strings.Split(headers["webhook-signature"], " ") {
		if hmac.Equal([]byte(token), wanted) {
			return true
		}
	}
	return false
}

// VerifyWithJWKS checks the HTTP message signature. url: the endpoint's, as registered; now: Unix seconds.
func VerifyWithJWKS(jwks JWKS, url string, headers map[string]string, body []byte, now int64) bool {
	sum := sha256.Sum256(body)
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	found := input.FindStringSubmatch(headers["signature-input"])
	signed := sent.FindStringSubmatch(headers["signature"])
	if headers["content-digest"] != digest || found == nil || signed == nil || !isRecent(found[2], now) {
		return false
	}
	var base bytes.Buffer
	base.WriteString("\"@method\": POST\n\"@target-uri\": " + url + "\n")
	for _, name := range []string{"content-digest", "content-type", "webhook-id", "webhook-timestamp"} {
		base.WriteString("\"" + name + "\": " + headers[name] + "\n")
	}
	base.WriteString("\"@signature-params\": " + found[1])
	hash := sha256.Sum256(base.Bytes())
	raw, _ := base64.StdEncoding.DecodeString(signed[1]) // 64 bytes, by its pattern
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	for _, key := range jwks.Keys {
		x, errX := base64.RawURLEncoding.DecodeString(key.X)
		y, errY := base64.RawURLEncoding.DecodeString(key.Y)
		if key.Kid != found[3] || errX != nil || errY != nil {
			continue
		}
		public := ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
		return ecdsa.Verify(&public, hash[:], r, s)
	}
	return false
}

// isRecent tells whether a time lies within five minutes of now: an old callback may be a repeated one.
func isRecent(seconds string, now int64) bool {
	if !number.MatchString(seconds) {
		return false
	}
	distance, _ := strconv.ParseInt(seconds, 10, 64)
	distance -= now
	return distance <= toleranceSeconds && distance >= -toleranceSeconds
}
