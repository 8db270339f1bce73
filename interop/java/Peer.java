import com.google.inject.Guice;
import com.google.inject.Injector;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.net.ssl.HostnameVerifier;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.DefaultConfiguration;
import org.somda.sdc.biceps.common.MdibEntity;
import org.somda.sdc.biceps.common.access.MdibAccess;
import org.somda.sdc.biceps.guice.DefaultBicepsConfigModule;
import org.somda.sdc.biceps.guice.DefaultBicepsModule;
import org.somda.sdc.biceps.model.participant.AbstractDescriptor;
import org.somda.sdc.biceps.model.participant.AbstractMultiState;
import org.somda.sdc.biceps.model.participant.AbstractState;
import org.somda.sdc.biceps.model.participant.NumericMetricState;
import org.somda.sdc.biceps.model.participant.RealTimeSampleArrayMetricState;
import org.somda.sdc.biceps.model.participant.StringMetricState;
import org.somda.sdc.common.guice.DefaultCommonConfigModule;
import org.somda.sdc.common.guice.DefaultCommonModule;
import org.somda.sdc.dpws.DpwsConfig;
import org.somda.sdc.dpws.DpwsFramework;
import org.somda.sdc.dpws.crypto.CryptoConfig;
import org.somda.sdc.dpws.crypto.CryptoSettings;
import org.somda.sdc.dpws.guice.DefaultDpwsModule;
import org.somda.sdc.glue.guice.DefaultGlueConfigModule;
import org.somda.sdc.glue.guice.DefaultGlueModule;
import org.somda.sdc.glue.guice.GlueDpwsConfigModule;

/** What the two peers have in common: SDCri on the loopback interface, and events as lines of JSON. */
final class Peer {
  private static final char[] PASSWORD = "interop".toCharArray();

  private Peer() {}

  /** Makes the stack, over TLS with ca.pem, cert.pem and key.pem of a folder, or over plain HTTP if that is null. */
  static Injector stack(String tlsDir) throws Exception {
    Configurator.initialize(new DefaultConfiguration());
    Configurator.setRootLevel(Level.WARN);
    CryptoSettings crypto = tlsDir == null ? null : crypto(Path.of(tlsDir));
    return Guice.createInjector(
        new DefaultGlueModule(), new DefaultGlueConfigModule(), new DefaultBicepsModule(), new DefaultBicepsConfigModule(),
        new DefaultCommonModule(), new DefaultCommonConfigModule(), new DefaultDpwsModule(),
        new GlueDpwsConfigModule() {
          @Override
          protected void customConfigure() {
            super.customConfigure();
            bind(DpwsConfig.HTTPS_SUPPORT, Boolean.class, crypto != null);
            bind(DpwsConfig.HTTP_SUPPORT, Boolean.class, crypto == null);
            // The requests of its test tool are always chunked (DPWS R0001).
            bind(DpwsConfig.ENFORCE_HTTP_CHUNKED_TRANSFER, Boolean.class, true);
            if (crypto != null) {
              HostnameVerifier anyHost = (host, session) -> true; // trust rests on the authority
              bind(CryptoConfig.CRYPTO_SETTINGS, CryptoSettings.class, crypto);
              bind(CryptoConfig.CRYPTO_CLIENT_HOSTNAME_VERIFIER, HostnameVerifier.class, anyHost);
              bind(CryptoConfig.CRYPTO_DEVICE_HOSTNAME_VERIFIER, HostnameVerifier.class, anyHost);
            }
          }
        });
  }

  static NetworkInterface loopback() throws Exception {
    return NetworkInterface.getByInetAddress(java.net.InetAddress.getLoopbackAddress());
  }

  static void start(Injector stack) throws Exception {
    DpwsFramework framework = stack.getInstance(DpwsFramework.class);
    framework.setNetworkInterface(loopback());
    framework.startAsync().awaitRunning();
  }

  private static CryptoSettings crypto(Path dir) throws Exception {
    CertificateFactory x509 = CertificateFactory.getInstance("X.509");
    KeyStore trust = empty();
    Certificate authority = read(x509, dir.resolve("ca.pem"));
    trust.setCertificateEntry("ca", authority);
    String pem = Files.readString(dir.resolve("key.pem")).replaceAll("-----[A-Z ]+-----|\\s", "");
    KeyStore own = empty();
    own.setKeyEntry(
        "own", KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem))), PASSWORD,
        new Certificate[] {read(x509, dir.resolve("cert.pem")), authority});
    byte[] ownBytes = store(own);
    byte[] trustBytes = store(trust);
    return new CryptoSettings() {
      @Override
      public Optional<InputStream> getKeyStoreStream() {
        return Optional.of(new ByteArrayInputStream(ownBytes));
      }

      @Override
      public String getKeyStorePassword() {
        return new String(PASSWORD);
      }

      @Override
      public Optional<InputStream> getTrustStoreStream() {
        return Optional.of(new ByteArrayInputStream(trustBytes));
      }

      @Override
      public String getTrustStorePassword() {
        return new String(PASSWORD);
      }
    };
  }

  private static KeyStore empty() throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static Certificate read(CertificateFactory x509, Path file) throws Exception {
    try (InputStream in = Files.newInputStream(file)) {
      return x509.generateCertificate(in);
    }
  }

  private static byte[] store(KeyStore store) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    store.store(out, PASSWORD);
    return out.toByteArray();
  }

  /** Prints an event; fields are names and JSON values in turn. */
  static synchronized void emit(String event, String... fields) {
    StringBuilder line = new StringBuilder("{\"event\":").append(text(event));
    for (int i = 0; i < fields.length; i += 2) {
      line.append(',').append(text(fields[i])).append(':').append(fields[i + 1]);
    }
    System.out.println(line.append('}'));
    System.out.flush();
  }

  static String text(String s) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : s.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  static String list(List<String> items) {
    return items.stream().map(Peer::text).collect(Collectors.joining(",", "[", "]"));
  }

  /** Prints the MDIB with every descriptor and state, their versions and values. */
  static void dump(MdibAccess mdib) {
    List<String> descriptors = new ArrayList<>();
    List<String> states = new ArrayList<>();
    for (MdibEntity entity : mdib.findEntitiesByType(AbstractDescriptor.class)) {
      AbstractDescriptor d = entity.getDescriptor();
      descriptors.add(text(d.getHandle()) + ":{\"type\":" + text(d.getClass().getSimpleName()) + ",\"parent\":" + text(entity.getParent().orElse(""))
          + ",\"version\":" + count(d.getDescriptorVersion()) + "}");
      for (AbstractState s : entity.getStates()) {
        String handle = s instanceof AbstractMultiState ? ((AbstractMultiState) s).getHandle() : s.getDescriptorHandle();
        states.add(text(handle) + ":{\"type\":" + text(s.getClass().getSimpleName()) + ",\"descriptor\":" + text(s.getDescriptorHandle())
            + ",\"version\":" + count(s.getStateVersion()) + ",\"descriptor_version\":" + count(s.getDescriptorVersion()) + value(s) + "}");
      }
    }
    emit("mdib", "version", count(mdib.getMdibVersion().getVersion()), "sequence", text(mdib.getMdibVersion().getSequenceId()),
        "descriptors", "{" + String.join(",", descriptors) + "}", "states", "{" + String.join(",", states) + "}");
  }

  private static String count(BigInteger version) {
    return version == null ? "0" : version.toString();
  }

  private static String value(AbstractState s) {
    if (s instanceof NumericMetricState && ((NumericMetricState) s).getMetricValue() != null && ((NumericMetricState) s).getMetricValue().getValue() != null) {
      return ",\"value\":" + text(plain(((NumericMetricState) s).getMetricValue().getValue()));
    }
    if (s instanceof StringMetricState && ((StringMetricState) s).getMetricValue() != null && ((StringMetricState) s).getMetricValue().getValue() != null) {
      return ",\"value\":" + text(((StringMetricState) s).getMetricValue().getValue());
    }
    if (s instanceof RealTimeSampleArrayMetricState && ((RealTimeSampleArrayMetricState) s).getMetricValue() != null) {
      return ",\"samples\":" + list(((RealTimeSampleArrayMetricState) s).getMetricValue().getSamples().stream().map(Peer::plain).collect(Collectors.toList()));
    }
    return "";
  }

  /** A number without trailing zeros. */
  private static String plain(BigDecimal d) {
    return d.signum() == 0 ? "0" : d.stripTrailingZeros().toPlainString();
  }
}
