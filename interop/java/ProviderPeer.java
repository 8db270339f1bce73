import com.google.inject.Injector;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.NetworkInterface;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.somda.sdc.biceps.common.MdibDescriptionModifications;
import org.somda.sdc.biceps.common.MdibStateModifications;
import org.somda.sdc.biceps.common.Pair;
import org.somda.sdc.biceps.model.message.*;
import org.somda.sdc.biceps.model.participant.*;
import org.somda.sdc.biceps.provider.access.LocalMdibAccess;
import org.somda.sdc.biceps.provider.access.factory.LocalMdibAccessFactory;
import org.somda.sdc.dpws.DpwsUtil;
import org.somda.sdc.dpws.device.DeviceSettings;
import org.somda.sdc.dpws.soap.wsaddressing.WsAddressingUtil;
import org.somda.sdc.dpws.soap.wsaddressing.model.EndpointReferenceType;
import org.somda.sdc.glue.common.MdibXmlIo;
import org.somda.sdc.glue.common.factory.ModificationsBuilderFactory;
import org.somda.sdc.glue.provider.SdcDevice;
import org.somda.sdc.glue.provider.factory.SdcDeviceFactory;
import org.somda.sdc.glue.provider.plugin.SdcRequiredTypesAndScopes;
import org.somda.sdc.glue.provider.sco.Context;
import org.somda.sdc.glue.provider.sco.InvocationResponse;
import org.somda.sdc.glue.provider.sco.OperationInvocationReceiver;

/** SDCri's provider: ProviderPeer EPR MDIB [TLSDIR]. Commands on stdin: step, dump, stop. */
public final class ProviderPeer {
  private final LocalMdibAccess mdib;
  private int steps;

  private ProviderPeer(LocalMdibAccess mdib) {
    this.mdib = mdib;
  }

  public static void main(String[] args) throws Exception {
    Injector stack = Peer.stack(args.length > 2 ? args[2] : null);
    LocalMdibAccess mdib = stack.getInstance(LocalMdibAccessFactory.class).createLocalMdibAccess();
    NetworkInterface loopback = Peer.loopback();
    DeviceSettings settings = new DeviceSettings() {
      @Override
      public EndpointReferenceType getEndpointReference() {
        return stack.getInstance(WsAddressingUtil.class).createEprWithAddress(args[0]);
      }

      @Override
      public NetworkInterface getNetworkInterface() {
        return loopback;
      }
    };
    SdcDevice device = stack.getInstance(SdcDeviceFactory.class)
        .createSdcDevice(settings, mdib, new Operations(mdib), Collections.singleton(stack.getInstance(SdcRequiredTypesAndScopes.class)));
    DpwsUtil util = stack.getInstance(DpwsUtil.class);
    device.getHostingServiceAccess().setThisDevice(
        util.createDeviceBuilder().setFriendlyName(util.createLocalizedStrings("en", "SDCri provider").get()).setFirmwareVersion("1").setSerialNumber("1").get());
    device.getHostingServiceAccess().setThisModel(
        util.createModelBuilder().setManufacturer(util.createLocalizedStrings("en", "interop").get()).setModelName(util.createLocalizedStrings("en", "peer").get())
            .setModelNumber("1").get());
    try (FileInputStream file = new FileInputStream(args[1])) {
      Mdib initial = stack.getInstance(MdibXmlIo.class).readMdib(file);
      mdib.writeDescription(stack.getInstance(ModificationsBuilderFactory.class).createModificationsBuilder(initial).get());
    }
    Peer.start(stack);
    device.startAsync().awaitRunning();
    Peer.emit("ready");

    ProviderPeer peer = new ProviderPeer(mdib);
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      switch (line.trim()) {
        case "step":
          peer.step();
          Peer.emit("stepped");
          break;
        case "dump":
          Peer.dump(mdib);
          break;
        case "stop":
          device.stopAsync().awaitTerminated();
          Peer.emit("stopped");
          System.exit(0);
          break;
        default:
          Peer.emit("error", "unknown", Peer.text(line));
      }
    }
    System.exit(0);
  }

  /** Changes one entry of each kind, describes one anew, and inserts or removes a metric. */
  private void step() throws Exception {
    steps++;
    NumericMetricDescriptor number = first(NumericMetricDescriptor.class);
    NumericMetricState measured = mdib.getState(number.getHandle(), NumericMetricState.class).orElseThrow();
    NumericMetricValue value = new NumericMetricValue();
    value.setValue(BigDecimal.valueOf(steps));
    value.setDeterminationTime(Instant.now());
    value.setMetricQuality(valid());
    measured.setMetricValue(value);
    mdib.writeStates(new MdibStateModifications.Metric(List.of(measured)));

    RealTimeSampleArrayMetricState wave = mdib.getState(first(RealTimeSampleArrayMetricDescriptor.class).getHandle(), RealTimeSampleArrayMetricState.class).orElseThrow();
    SampleArrayValue samples = new SampleArrayValue();
    samples.setSamples(new ArrayList<>(List.of(BigDecimal.valueOf(steps), new BigDecimal("2.50"))));
    samples.setDeterminationTime(Instant.now());
    samples.setMetricQuality(valid());
    wave.setMetricValue(samples);
    mdib.writeStates(new MdibStateModifications.Waveform(List.of(wave)));

    AlertConditionState condition = mdib.getState(first(AlertConditionDescriptor.class).getHandle(), AlertConditionState.class).orElseThrow();
    condition.setPresence(steps % 2 == 0);
    condition.setDeterminationTime(Instant.now());
    mdib.writeStates(new MdibStateModifications.Alert(List.of(condition)));

    number.setResolution(BigDecimal.valueOf(steps));
    mdib.writeDescription(new MdibDescriptionModifications().update(Pair.tryFromThrowing(number, mdib.getState(number.getHandle()).orElseThrow())));

    if (steps % 2 == 1) {
      CodedValue code = new CodedValue();
      code.setCode("184353");
      StringMetricDescriptor added = new StringMetricDescriptor();
      added.setHandle("added." + steps);
      added.setType(code);
      added.setUnit(code);
      added.setMetricCategory(MetricCategory.MSRMT);
      added.setMetricAvailability(MetricAvailability.INTR);
      StringMetricState state = new StringMetricState();
      state.setDescriptorHandle(added.getHandle());
      mdib.writeDescription(new MdibDescriptionModifications().insert(Pair.tryFromThrowing(added, state), first(ChannelDescriptor.class).getHandle()));
    } else {
      mdib.writeDescription(new MdibDescriptionModifications().delete("added." + (steps - 1)));
    }
  }

  private <T extends AbstractDescriptor> T first(Class<T> type) {
    return mdib.findEntitiesByType(type).iterator().next().getDescriptor(type).orElseThrow();
  }

  private static AbstractMetricValue.MetricQuality valid() {
    AbstractMetricValue.MetricQuality quality = new AbstractMetricValue.MetricQuality();
    quality.setValidity(MeasurementValidity.VLD);
    return quality;
  }

  /** Values are set at once, texts later; the patient is made; anything else is refused by the stack. */
  private static final class Operations implements OperationInvocationReceiver {
    private final LocalMdibAccess mdib;

    Operations(LocalMdibAccess mdib) {
      this.mdib = mdib;
    }

    private String target(String operation) {
      return mdib.getDescriptor(operation, AbstractOperationDescriptor.class).orElseThrow().getOperationTarget();
    }

    @Override
    public InvocationResponse handleSetValue(Context context, String operation, SetValue request) throws Exception {
      NumericMetricState state = mdib.getState(target(operation), NumericMetricState.class).orElseThrow();
      NumericMetricValue value = new NumericMetricValue();
      value.setValue(request.getRequestedNumericValue());
      value.setDeterminationTime(Instant.now());
      value.setMetricQuality(valid());
      state.setMetricValue(value);
      mdib.writeStates(new MdibStateModifications.Metric(List.of(state)));
      context.sendSuccessfulReport(InvocationState.FIN, state.getDescriptorHandle());
      return context.createSuccessfulResponse(InvocationState.FIN);
    }

    @Override
    public InvocationResponse handleSetString(Context context, String operation, SetString request) {
      context.sendSuccessfulReport(InvocationState.WAIT);
      Thread later = new Thread(() -> {
        try {
          Thread.sleep(100);
          context.sendSuccessfulReport(InvocationState.START);
          StringMetricState state = mdib.getState(target(operation), StringMetricState.class).orElseThrow();
          StringMetricValue value = new StringMetricValue();
          value.setValue(request.getRequestedStringValue());
          value.setDeterminationTime(Instant.now());
          value.setMetricQuality(valid());
          state.setMetricValue(value);
          mdib.writeStates(new MdibStateModifications.Metric(List.of(state)));
          context.sendSuccessfulReport(InvocationState.FIN, state.getDescriptorHandle());
        } catch (Exception e) {
          Peer.emit("error", "cause", Peer.text(e.toString()));
        }
      });
      later.setDaemon(true);
      later.start();
      return context.createSuccessfulResponse(InvocationState.WAIT);
    }

    @Override
    public InvocationResponse handleSetContextState(Context context, String operation, SetContextState request) throws Exception {
      AbstractContextState proposed = request.getProposedContextState().get(0);
      proposed.setHandle("patient.made");
      proposed.setStateVersion(BigInteger.ZERO);
      proposed.setBindingMdibVersion(mdib.getMdibVersion().getVersion().add(BigInteger.ONE));
      proposed.setBindingStartTime(Instant.now());
      mdib.writeStates(new MdibStateModifications.Context(List.of(proposed)));
      context.sendSuccessfulReport(InvocationState.FIN, proposed.getHandle());
      return context.createSuccessfulResponse(InvocationState.FIN);
    }
  }
}
