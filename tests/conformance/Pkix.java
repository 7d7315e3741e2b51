import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Reads questions, one a line: WAY ROOT CERTIFICATE [ISSUER..]; answers each with one line. WAY is `none`, `ocsp` (from
 * the responder that the certificates name) or `crl` (from the distribution points that they name), for every
 * certificate of the path and without falling back on the other.
 */
public class Pkix {
    static final CertificateFactory X509;

    static {
        try {
            X509 = CertificateFactory.getInstance("X.509");
        } catch (CertificateException error) {
            throw new AssertionError(error);
        }
    }

    static X509Certificate certificate(String file) throws Exception {
        try (InputStream in = new FileInputStream(file)) {
            return (X509Certificate) X509.generateCertificate(in);
        }
    }

    static String judged(String[] words) throws Exception {
        List<X509Certificate> certificates = new ArrayList<>();
        for (int i = 2; i < words.length; i++) {
            certificates.add(certificate(words[i]));
        }
        CertPath path = X509.generateCertPath(certificates);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(certificate(words[1]), null)));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        if (words[0].equals("none")) {
            parameters.setRevocationEnabled(false);
        } else {
            PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
            EnumSet<Option> options = EnumSet.of(Option.NO_FALLBACK);
            if (words[0].equals("crl")) {
                options.add(Option.PREFER_CRLS);
            }
            checker.setOptions(options);
            parameters.addCertPathChecker(checker);
        }
        try {
            validator.validate(path, parameters);
            return "good";
        } catch (CertPathValidatorException error) {
            if (error.getCause() instanceof CertificateRevokedException revoked) {
                return "revoked " + error.getIndex() + " " + revoked.getRevocationReason();
            }
            return "bad " + error.getIndex() + " " + error.getReason() + " " + error.getMessage();
        }
    }

    public static void main(String[] words) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            System.out.println(judged(line.trim().split(" ")));
        }
    }
}
