import com.google.common.eventbus.Subscribe;
import com.google.inject.Injector;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.somda.sdc.biceps.common.MdibEntity;
import org.somda.sdc.biceps.common.access.MdibAccess;
import org.somda.sdc.biceps.common.access.MdibAccessObserver;
import org.somda.sdc.biceps.common.event.DescriptionModificationMessage;
import org.somda.sdc.biceps.common.event.StateModificationMessage;
import org.somda.sdc.biceps.model.message.*;
import org.somda.sdc.biceps.model.participant.*;
import org.somda.sdc.dpws.client.Client;
import org.somda.sdc.dpws.client.DiscoveredDevice;
import org.somda.sdc.dpws.service.HostingServiceProxy;
import org.somda.sdc.glue.consumer.ConnectConfiguration;
import org.somda.sdc.glue.consumer.SdcRemoteDevice;
import org.somda.sdc.glue.consumer.SdcRemoteDevicesConnector;
import org.somda.sdc.glue.consumer.WatchdogObserver;
import org.somda.sdc.glue.consumer.event.WatchdogMessage;

/** SDCri's consumer: ConsumerPeer EPR XADDR [TLSDIR]. Commands on stdin: operate, dump VERSION, stop. */
public final class ConsumerPeer {
  private static final long PATIENCE = 30;

  /** Notes what kinds of change the device has reported. */
  public static final class Observer implements MdibAccessObserver {
    final Set<String> seen = new ConcurrentSkipListSet<>();

    @Subscribe
    void described(DescriptionModificationMessage message) {
      seen.add("Description");
    }

    @Subscribe
    void changed(StateModificationMessage<?> message) {
      seen.add(message.getClass().getSimpleName().replace("StateModificationMessage", ""));
    }
  }

  /** Tells when the connection is lost. */
  public static final class Watchdog implements WatchdogObserver {
    @Subscribe
    void lost(WatchdogMessage message) {
      Peer.emit("lost", "reason", Peer.text(String.valueOf(message.getReason())));
    }
  }

  public static void main(String[] args) throws Exception {
    String epr = args[0];
    Injector stack = Peer.stack(args.length > 2 ? args[2] : null);
    Peer.start(stack);
    Client client = stack.getInstance(Client.class);
    client.startAsync().awaitRunning();
    DiscoveredDevice found = client.resolve(epr).get(PATIENCE, TimeUnit.SECONDS);
    int probed = client.directedProbe(args[1]).get(PATIENCE, TimeUnit.SECONDS).getProbeMatch().size();
    HostingServiceProxy host = client.connect(found).get(PATIENCE, TimeUnit.SECONDS);
    Observer observer = new Observer();
    SdcRemoteDevicesConnector connector = stack.getInstance(SdcRemoteDevicesConnector.class);
    SdcRemoteDevice device =
        connector.connect(host, ConnectConfiguration.create(ConnectConfiguration.ALL_EPISODIC_AND_WAVEFORM_REPORTS), observer).get(PATIENCE, TimeUnit.SECONDS);
    device.registerWatchdogObserver(new Watchdog());
    Peer.emit("connected", "xaddrs", Peer.list(found.getXAddrs()), "scopes", Peer.list(found.getScopes()), "probed", String.valueOf(probed),
        "services", Peer.list(new ArrayList<>(new TreeSet<>(host.getHostedServices().keySet()))));

    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.trim().split(" ");
      switch (words[0]) {
        case "seen":
          Peer.emit("seen", "kinds", Peer.list(new ArrayList<>(observer.seen)));
          break;
        case "operate":
          operate(device);
          break;
        case "dump":
          await(device.getMdibAccess(), new BigInteger(words[1]));
          Peer.dump(device.getMdibAccess());
          break;
        case "stop":
          connector.disconnect(epr).get(PATIENCE, TimeUnit.SECONDS);
          Peer.emit("stopped");
          System.exit(0);
          break;
        default:
          Peer.emit("error", "unknown", Peer.text(line));
      }
    }
    System.exit(0);
  }

  private static void await(MdibAccess mdib, BigInteger version) throws InterruptedException {
    for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE); mdib.getMdibVersion().getVersion().compareTo(version) < 0 && System.nanoTime() < end; ) {
      Thread.sleep(20);
    }
  }

  /** Invokes each operation that it can make a request for. */
  private static void operate(SdcRemoteDevice device) throws Exception {
    MdibAccess mdib = device.getMdibAccess();
    for (MdibEntity entity : mdib.findEntitiesByType(AbstractOperationDescriptor.class)) {
      AbstractOperationDescriptor operation = (AbstractOperationDescriptor) entity.getDescriptor();
      String target = operation.getOperationTarget();
      if (operation instanceof SetValueOperationDescriptor) {
        SetValue request = new SetValue();
        request.setRequestedNumericValue(BigDecimal.TEN);
        invoke(device, operation, request, SetValueResponse.class);
      } else if (operation instanceof SetStringOperationDescriptor) {
        SetString request = new SetString();
        request.setRequestedStringValue(
            mdib.getDescriptor(target, EnumStringMetricDescriptor.class).map(d -> d.getAllowedValue().get(0).getValue()).orElse("interop"));
        invoke(device, operation, request, SetStringResponse.class);
      } else if (operation instanceof ActivateOperationDescriptor) {
        Map<String, Object> examples = Map.of("string", "a", "decimal", new BigDecimal("1.5"), "anyURI", "urn:a");
        List<Activate.Argument> arguments = new ArrayList<>();
        for (ActivateOperationDescriptor.Argument declared : ((ActivateOperationDescriptor) operation).getArgument()) {
          Activate.Argument argument = new Activate.Argument();
          argument.setArgValue(examples.get(declared.getArg().getLocalPart()));
          arguments.add(argument);
        }
        Activate request = new Activate();
        request.setArgument(arguments);
        invoke(device, operation, request, ActivateResponse.class);
      } else if (operation instanceof SetContextStateOperationDescriptor) {
        PatientContextState patient = new PatientContextState();
        patient.setDescriptorHandle(target);
        patient.setHandle(target); // which asks for a new one
        patient.setContextAssociation(ContextAssociation.ASSOC);
        SetContextState request = new SetContextState();
        request.setProposedContextState(new ArrayList<>(List.of(patient)));
        invoke(device, operation, request, SetContextStateResponse.class);
      } else if (operation instanceof SetComponentStateOperationDescriptor) {
        SetComponentState request = new SetComponentState();
        request.setProposedComponentState(new ArrayList<>(List.of(mdib.getState(target, AbstractDeviceComponentState.class).orElseThrow())));
        invoke(device, operation, request, SetComponentStateResponse.class);
      } else if (operation instanceof SetAlertStateOperationDescriptor) {
        SetAlertState request = new SetAlertState();
        request.setProposedAlertState(mdib.getState(target, AbstractAlertState.class).orElseThrow());
        invoke(device, operation, request, SetAlertStateResponse.class);
      }
    }
    Peer.emit("operations");
  }

  private static <T extends org.somda.sdc.biceps.model.message.AbstractSet, V extends AbstractSetResponse> void invoke(
      SdcRemoteDevice device, AbstractOperationDescriptor operation, T request, Class<V> response) throws Exception {
    request.setOperationHandleRef(operation.getHandle());
    var transaction = device.getSetServiceAccess().invoke(request, response).get(PATIENCE, TimeUnit.SECONDS);
    var reports = transaction.waitForFinalReport(Duration.ofSeconds(PATIENCE));
    Peer.emit("operated", "handle", Peer.text(operation.getHandle()), "kind", Peer.text(request.getClass().getSimpleName()),
        "response", Peer.text(transaction.getResponse().getInvocationInfo().getInvocationState().value()),
        "reports", Peer.list(reports.stream().map(r -> r.getLeft().getInvocationInfo().getInvocationState().value()).collect(Collectors.toList())));
  }
}
