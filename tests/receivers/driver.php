<?php
require $argv[1];

while (($line = fgets(STDIN)) !== false) {
    [$kind, $key, $url, $now, $body, $given] = explode("\t", rtrim($line, "\n"));
    $headers = [];
    foreach (array_filter(explode(',', $given)) as $each) {
        [$name, $value] = explode(':', $each);
        $headers[$name] = base64_decode($value);
    }
    $body = base64_decode($body);
    $keys = [];
    foreach ($kind === 'jwks' ? explode('|', $key) : [] as $each) {
        [$kid, $x, $y] = explode(' ', $each);
        $keys[] = ['kid' => $kid, 'x' => $x, 'y' => $y];
    }
    $holds = $kind === 'secret'
        ? verify_with_secret($key, $headers, $body, (int) $now)
        : verify_with_jwks(['keys' => $keys], $url, $headers, $body, (int) $now);
    echo $holds ? "true\n" : "false\n";
}
