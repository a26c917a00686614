<?php
// Verify a callback: with the webhook's secret, or with the service's public keys alone. PHP 8 with its openssl extension.
declare(strict_types=1);

const TOLERANCE_SECONDS = 300;
const INPUT = '~^webhook=(\("@method" "@target-uri" "content-digest" "content-type" "webhook-id" "webhook-timestamp"\)'
    . ';created=(\d{1,12});keyid="([^"]+)";alg="ecdsa-p256-sha256";tag="webhook")$~D';

/** Check the HMAC. $secret: whsec_...; $headers: by lower-case name; $body: as received. */
function verify_with_secret(string $secret, array $headers, string $body, ?int $now = null): bool
{
    if (!is_recent($headers['webhook-timestamp'] ?? '', $now)) {
        return false;
    }
    $key = base64_decode(preg_replace('~^whsec_~', '', $secret));
    $content = ($headers['webhook-id'] ?? '') . ".{$headers['webhook-timestamp']}.$body";
    $wanted = 'v1,' . base64_encode(hash_hmac('sha256', $content, $key, true));
    $holds = false;
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $token) {
        // Two tokens while a secret is rotated: one that holds is enough.
        $holds = hash_equals($wanted, $token) || $holds;
    }
    return $holds;
}

/** Check the HTTP message signature. $jwks: of /.well-known/jwks.json; $url: the endpoint's, as registered. */
function verify_with_jwks(array $jwks, string $url, array $headers, string $body, ?int $now = null): bool
{
    $digest = 'sha-256=:' . base64_encode(hash('sha256', $body, true)) . ':';
    if (
        ($headers['content-digest'] ?? '') !== $digest
        || !preg_match(INPUT, $headers['signature-input'] ?? '', $input)
        || !preg_match('~^webhook=:([A-Za-z0-9+/]{86}==):$~D', $headers['signature'] ?? '', $sent)
        || !is_recent($input[2], $now)
    ) {
        return false;
    }
    $base = "\"@method\": POST\n\"@target-uri\": $url\n";
    foreach (['content-digest', 'content-type', 'webhook-id', 'webhook-timestamp'] as $name) {
        $base .= "\"$name\": " . ($headers[$name] ?? '') . "\n";
    }
    $base .= "\"@signature-params\": {$input[1]}";
    $raw = base64_decode($sent[1]);
    foreach ($jwks['keys'] as $key) {
        if ($key['kid'] === $input[3]) {
            return openssl_verify($base, der($raw), pem($key), OPENSSL_ALGO_SHA256) === 1;
        }
    }
    return false;
}

/** Write a P-256 key of the JWKS as openssl reads it. */
function pem(array $key): string
{
    $point = base64_decode(strtr($key['x'], '-_', '+/')) . base64_decode(strtr($key['y'], '-_', '+/'));
    $der = hex2bin('3059301306072a8648ce3d020106082a8648ce3d03010703420004') . $point;
    return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($der), 64, "\n") . "-----END PUBLIC KEY-----\n";
}

/** Write a signature of two numbers of 32 bytes as openssl reads it. */
function der(string $raw): string
{
    $numbers = '';
    foreach (str_split($raw, 32) as $number) {
        $number = ltrim($number, "\0");
        if ($number === '' || ord($number[0]) > 127) {
            $number = "\0$number";
        }
        $numbers .= "\x02" . chr(strlen($number)) . $number;
    }
    return "\x30" . chr(strlen($numbers)) . $numbers;
}

/** Tell whether a time lies within five minutes of now: an old callback may be a repeated one. */
function is_recent(string $seconds, ?int $now): bool
{
    return preg_match('~^\d{1,12}$~D', $seconds) === 1 && abs(($now ?? time()) - (int) $seconds) <= TOLERANCE_SECONDS;
}
