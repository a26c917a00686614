package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), "\t")
		kind, key, url := parts[0], parts[1], parts[2]
		now, _ := strconv.ParseInt(parts[3], 10, 64)
		body, _ := base64.StdEncoding.DecodeString(parts[4])
		headers := map[string]string{}
		for _, each := range strings.Split(parts[5], ",") {
			if name, value, found := strings.Cut(each, ":"); found {
				text, _ := base64.StdEncoding.DecodeString(value)
				headers[name] = string(text)
			}
		}
		if kind == "secret" {
			fmt.Println(VerifyWithSecret(key, headers, body, now))
			continue
		}
		var jwks JWKS
		for _, each := range strings.Split(key, "|") {
			members := strings.Split(each, " ")
			jwks.Keys = append(jwks.Keys, struct{ Kid, X, Y string }{members[0], members[1], members[2]})
		}
		fmt.Println(VerifyWithJWKS(jwks, url, headers, body, now))
	}
}
