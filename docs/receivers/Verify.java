import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Verify a callback: with the webhook's secret, or with the service's public keys alone. Java 17 and newer, no library. */
public final class Verify {
  private static final long TOLERANCE_SECONDS = 300;
  private static final List<String> NAMES =
      List.of("content-digest", "content-type", "webhook-id", "webhook-timestamp");
  private static final Pattern INPUT =
      Pattern.compile(
          "webhook=(\\(\"@method\" \"@target-uri\" \"content-digest\" \"content-type\" \"webhook-id\""
              + " \"webhook-timestamp\"\\);created=(\\d{1,12});keyid=\"([^\"]+)\""
              + ";alg=\"ecdsa-p256-sha256\";tag=\"webhook\")");
  private static final Pattern SENT = Pattern.compile("webhook=:([A-Za-z0-9+/]{86}==):");

  private Verify() {}

  /** A key of /.well-known/jwks.json: its members kid, x and y. */
  public record Key(String kid, String x, String y) {}

  /** Checks the HMAC. secret: whsec_...; headers: by lower-case name; body: as received; now: Unix seconds. */
  public static boolean withSecret(String secret, Map<String, String> headers, byte[] body, long now)
      throws GeneralSecurityException {
    if (!isRecent(headers.getOrDefault("webhook-timestamp", ""), now)) return false;
    byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    mac.update(utf8(headers.get("webhook-id") + "." + headers.get("webhook-timestamp") + "."));
    byte[] wanted = utf8("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body)));
    boolean holds = false;
    // Two tokens while a secret is rotated: one that holds is enough.
    for (String token : headers.getOrDefault("webhook-signature", "").split(" "))
      holds |= MessageDigest.isEqual(utf8(token), wanted);
    return holds;
  }

  /** Checks the HTTP message signature. url: the endpoint's, as registered; now: Unix seconds. */
  public static boolean withJwks(List<Key> keys, String url, Map<String, String> headers, byte[] body, long now)
      throws GeneralSecurityException {
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(body);
    String digest = "sha-256=:" + Base64.getEncoder().encodeToString(hash) + ":";
    Matcher input = INPUT.matcher(headers.getOrDefault("signature-input", ""));
    Matcher sent = SENT.matcher(headers.getOrDefault("signature", ""));
    if (!digest.equals(headers.get("content-digest")) || !input.matches() || !sent.matches()) return false;
    if (!isRecent(input.group(2), now)) return false;
    StringBuilder base = new StringBuilder("\"@method\": POST\n\"@target-uri\": " + url + "\n");
    for (String name : NAMES) base.append('"' + name + "\": " + headers.get(name) + "\n");
    base.append("\"@signature-params\": " + input.group(1));
    for (Key key : keys) {
      if (!key.kid().equals(input.group(3))) continue;
      Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
      signature.initVerify(publicKey(key));
      signature.update(utf8(base.toString()));
      return signature.verify(Base64.getDecoder().decode(sent.group(1)));
    }
    return false;
  }

  private static PublicKey publicKey(Key key) throws GeneralSecurityException {
    AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
    curve.init(new ECGenParameterSpec("secp256r1"));
    ECPoint point = new ECPoint(number(key.x()), number(key.y()));
    ECParameterSpec parameters = curve.getParameterSpec(ECParameterSpec.class);
    return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, parameters));
  }

  private static BigInteger number(String text) {
    return new BigInteger(1, Base64.getUrlDecoder().decode(text));
  }

  /** Tells whether a time lies within five minutes of now: an old callback may be a repeated one. */
  private static boolean isRecent(String seconds, long now) {
    return seconds.matches("\\d{1,12}") && Math.abs(now - Long.parseLong(seconds)) <= TOLERANCE_SECONDS;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
