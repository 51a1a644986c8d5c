import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The three headers that sign a request. Java 8 or newer, nothing to install: SM3 (GB/T 32905) and
 * HMAC (GB/T 15852.2) are below; with BouncyCastle at hand, use its SM3Digest and HMac instead.
 *
 * <p>{@code covered} holds content-type and idempotency-key, in this order and in lower case, where
 * the request has them. The nonce must be new for every request, a retry included.
 */
public final class SignedRequest {
    public static Map<String, String> headers(
            String caller, byte[] secret, String method, String path, String query,
            Map<String, String> covered, byte[] body, long created, String nonce) {
        String digest = "sm3=:" + Base64.getEncoder().encodeToString(sm3(body)) + ":";
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("@method", method);
        lines.put("@path", path);
        lines.put("@query", "?" + query);
        lines.put("content-digest", digest);
        lines.putAll(covered);
        StringBuilder base = new StringBuilder();
        for (Map.Entry<String, String> line : lines.entrySet()) {
            base.append('"').append(line.getKey()).append("\": ").append(line.getValue()).append('\n');
        }
        String signed = "(\"" + String.join("\" \"", lines.keySet()) + "\");created=" + created
                + ";nonce=\"" + nonce + "\";keyid=\"" + caller + "\";alg=\"hmac-sm3\"";
        base.append("\"@signature-params\": ").append(signed);
        byte[] value = hmac(secret, base.toString().getBytes(StandardCharsets.UTF_8));
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Digest", digest);
        headers.put("Signature-Input", "sig1=" + signed);
        headers.put("Signature", "sig1=:" + Base64.getEncoder().encodeToString(value) + ":");
        return headers;
    }

    static byte[] hmac(byte[] key, byte[] message) {
        byte[] padded = Arrays.copyOf(key.length > 64 ? sm3(key) : key, 64);
        byte[] inner = new byte[64 + message.length];
        byte[] outer = new byte[64 + 32];
        for (int i = 0; i < 64; i++) {
            inner[i] = (byte) (padded[i] ^ 0x36);
            outer[i] = (byte) (padded[i] ^ 0x5c);
        }
        System.arraycopy(message, 0, inner, 64, message.length);
        System.arraycopy(sm3(inner), 0, outer, 64, 32);
        return sm3(outer);
    }

    static byte[] sm3(byte[] message) {
        int[] v = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                   0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
        byte[] padded = Arrays.copyOf(message, (message.length + 8) / 64 * 64 + 64);
        padded[message.length] = (byte) 0x80;
        long bits = 8L * message.length;
        for (int i = 0; i < 8; i++) {
            padded[padded.length - 1 - i] = (byte) (bits >>> (8 * i));
        }
        for (int block = 0; block < padded.length; block += 64) {
            compress(v, padded, block);
        }
        byte[] digest = new byte[32];
        for (int i = 0; i < 32; i++) {
            digest[i] = (byte) (v[i / 4] >>> (24 - 8 * (i % 4)));
        }
        return digest;
    }

    private static void compress(int[] v, byte[] in, int at) {
        int[] w = new int[68];
        for (int i = 0; i < 16; i++) {
            int p = at + 4 * i;
            w[i] = (in[p] & 255) << 24 | (in[p + 1] & 255) << 16 | (in[p + 2] & 255) << 8 | in[p + 3] & 255;
        }
        for (int i = 16; i < 68; i++) {
            int x = w[i - 16] ^ w[i - 9] ^ rot(w[i - 3], 15);
            w[i] = x ^ rot(x, 15) ^ rot(x, 23) ^ rot(w[i - 13], 7) ^ w[i - 6];
        }
        int a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
        for (int i = 0; i < 64; i++) {
            int s = rot(rot(a, 12) + e + rot(i < 16 ? 0x79cc4519 : 0x7a879d8a, i), 7);
            int ff = i < 16 ? a ^ b ^ c : a & b | a & c | b & c;
            int gg = i < 16 ? e ^ f ^ g : e & f | ~e & g;
            int t1 = ff + d + (s ^ rot(a, 12)) + (w[i] ^ w[i + 4]);
            int t2 = gg + h + s + w[i];
            d = c; c = rot(b, 9); b = a; a = t1;
            h = g; g = rot(f, 19); f = e; e = t2 ^ rot(t2, 9) ^ rot(t2, 17);
        }
        int[] out = {a, b, c, d, e, f, g, h};
        for (int i = 0; i < 8; i++) {
            v[i] ^= out[i];
        }
    }

    private static int rot(int x, int n) {
        return Integer.rotateLeft(x, n);
    }

    /** Prints the headers of the request in docs/api.md, to compare. */
    public static void main(String[] args) {
        byte[] secret = new byte[32];
        for (int i = 0; i < 32; i++) {
            secret[i] = (byte) i;
        }
        Map<String, String> covered = new LinkedHashMap<>();
        covered.put("content-type", "application/json");
        covered.put("idempotency-key", "case-0001");
        byte[] body = "{\"case_number\": \"YQ-2026-000001\"}".getBytes(StandardCharsets.UTF_8);
        headers("demo", secret, "POST", "/v1/licences", "", covered, body, 1795492800L, "n-0001")
                .forEach((name, value) -> System.out.println(name + ": " + value));
    }
}
