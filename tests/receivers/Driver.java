import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public final class Driver {
  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split("\t", -1);
      long now = Long.parseLong(parts[3]);
      byte[] body = Base64.getDecoder().decode(parts[4]);
      Map<String, String> headers = new HashMap<>();
      for (String each : parts[5].split(","))
        if (each.contains(":"))
          headers.put(each.split(":")[0], new String(Base64.getDecoder().decode(each.split(":", 2)[1])));
      if (parts[0].equals("secret")) {
        System.out.println(Verify.withSecret(parts[1], headers, body, now));
        continue;
      }
      List<Verify.Key> keys = new ArrayList<>();
      for (String each : parts[1].split("\\|")) {
        String[] members = each.split(" ");
        keys.add(new Verify.Key(members[0], members[1], members[2]));
      }
      System.out.println(Verify.withJwks(keys, parts[2], headers, body, now));
    }
  }
}
