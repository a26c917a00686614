import { readFileSync } from "node:fs";
const { verifyWithSecret, verifyWithJwks } = await import(process.argv[2]);

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [kind, key, url, now, body, headers] = line.split("\t");
  const text = (base64) => Buffer.from(base64, "base64").toString();
  const given = Object.fromEntries(
    headers.split(",").filter(Boolean).map((each) => [each.split(":")[0], text(each.split(":")[1])]),
  );
  const bytes = Buffer.from(body, "base64");
  const keys = key.split("|").map((each) => {
    const [kid, x, y] = each.split(" ");
    return { kty: "EC", crv: "P-256", kid, x, y };
  });
  console.log(
    kind === "secret"
      ? verifyWithSecret(key, given, bytes, Number(now))
      : verifyWithJwks({ keys }, url, given, bytes, Number(now)),
  );
}
