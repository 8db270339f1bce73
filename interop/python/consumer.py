"""A consumer built from the independent stack.

It finds one provider by its endpoint reference, connects, subscribes to
everything, mirrors the MDIB and counts what it receives.

Commands: {"do": "wait", "reports": [KIND...], "timeout": S}  answered by "reports"
          {"do": "get"}      every read service once, answered by "got"
          {"do": "operate"}  every operation once, each answered by "operated"; then "operations"
          {"do": "renewed", "timeout": S}  waits until the subscriptions were renewed
          {"do": "dump"}     answered by "mdib"
          {"do": "follow", "handle": H}  notes every value of a metric as the application gets it, answered by "following"
          {"do": "seen", "version": V}  what was noted when the mirror has the version, answered by "seen"
          {"do": "disconnect"} unsubscribes, answered by "disconnected"
          {"do": "stop"}
Events:   connected, reports, got, operated, operations, renewed, mdib, following, seen, disconnected, ended, log, error, stopped
"""
from __future__ import annotations

import collections
import decimal
import threading
import time

import peer
from sdc11073 import observableproperties
from sdc11073.consumer.consumerimpl import SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.mdib import ConsumerMdib
from sdc11073.mdib.consumermdibxtra import ConsumerMdibMethods
from sdc11073.wsdiscovery import WSDiscovery
from sdc11073.xml_types import msg_types, pm_qnames, pm_types

OBSERVED = {
    'WaveformStream': 'waveform_report',
    'EpisodicMetricReport': 'episodic_metric_report',
    'EpisodicAlertReport': 'episodic_alert_report',
    'EpisodicComponentReport': 'episodic_component_report',
    'EpisodicOperationalStateReport': 'episodic_operational_state_report',
    'EpisodicContextReport': 'episodic_context_report',
    'PeriodicMetricReport': 'periodic_metric_report',
    'PeriodicAlertReport': 'periodic_alert_report',
    'PeriodicComponentReport': 'periodic_component_report',
    'PeriodicOperationalStateReport': 'periodic_operational_state_report',
    'PeriodicContextReport': 'periodic_context_report',
    'DescriptionModificationReport': 'description_modification_report',
    'OperationInvokedReport': 'operation_invoked_report',
    'SystemErrorReport': 'system_error_report',
}


class Reports:
    """Counts reports by kind."""

    def __init__(self, consumer):
        self._lock = threading.Lock()
        self._count = collections.Counter()
        self._observers = []  # the stack keeps weak references only
        for kind, name in OBSERVED.items():
            observer = self._observer(kind)
            self._observers.append(observer)
            observableproperties.bind(consumer, **{name: observer})

    def _observer(self, kind):
        def count(_):
            with self._lock:
                self._count[kind] += 1

        return count

    def counts(self):
        with self._lock:
            return dict(self._count)

    def wait(self, kinds, timeout):
        peer.wait_until(lambda: not self.missing(kinds), timeout)
        return self.missing(kinds)

    def missing(self, kinds):
        counts = self.counts()
        return [kind for kind in kinds if not counts.get(kind)]


class Follower:
    """Notes what an application is told of one metric."""

    def __init__(self, mdib, handle):
        self._mdib = mdib
        self._handle = handle
        self._seen = []
        observableproperties.bind(mdib, metrics_by_handle=self._note)

    def _note(self, metrics):
        if self._handle in metrics:
            value = metrics[self._handle].MetricValue
            self._seen.append([self._mdib.mdib_version, str(value.Value)])

    def seen(self):
        return list(self._seen)


def find(discovery, epr, timeout):
    """Return the provider with this endpoint reference."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for service in discovery.search_sdc_services(timeout=1, repeat_probe_interval=1):
            if service.epr == epr and service.x_addrs:
                return service
    raise TimeoutError(f'no provider {epr} within {timeout} s')


class Operator:
    """Invokes every operation of the mirrored MDIB once, with arguments that fit."""

    def __init__(self, consumer, mdib):
        self._consumer = consumer
        self._mdib = mdib

    def all(self, skip):
        done = collections.Counter()
        failed = []
        for handle, entity in list(self._mdib.entities.items()):
            if not entity.descriptor.is_operational_descriptor or handle in skip:
                continue
            if entity.state.OperatingMode != pm_types.OperatingMode.ENABLED:
                continue
            kind = entity.node_type.localname.removesuffix('OperationDescriptor')
            try:
                future = getattr(self, '_' + kind)(handle, entity.descriptor)
                if future is None:
                    peer.emit('operated', kind=kind, handle=handle, state='skipped')
                    continue
                result = future.result(timeout=10)
            except Exception as error:  # noqa: BLE001 becomes part of the result
                peer.emit('operated', kind=kind, handle=handle, state='error', error=repr(error))
                failed.append(handle)
                continue
            info = result.InvocationInfo
            peer.emit(
                'operated',
                kind=kind,
                handle=handle,
                state=str(info.InvocationState),
                error=str(info.InvocationError) if info.InvocationError else None,
                message=[t.text for t in info.InvocationErrorMessage],
                response=str(result.set_response.InvocationInfo.InvocationState),
                reports=[str(p.InvocationInfo.InvocationState) for p in result.report_parts],
                source=_source(result.InvocationSource),
                target=result.OperationTarget,
            )
            if info.InvocationState in (msg_types.InvocationState.FINISHED, msg_types.InvocationState.FINISHED_MOD):
                done[kind] += 1
            else:
                failed.append(handle)
        peer.emit('operations', done=dict(done), failed=failed)

    @property
    def _set(self):
        return self._consumer.set_service_client

    def _target(self, descriptor):
        return self._mdib.entities.by_handle(descriptor.OperationTarget)

    def _SetValue(self, handle, descriptor):
        target = self._target(descriptor)
        current = getattr(target.state, 'MetricValue', None)
        if current is not None and current.Value is not None:
            return self._set.set_numeric_value(handle, current.Value)
        value = decimal.Decimal(1)
        ranges = list(self._mdib.entities.by_handle(handle).state.AllowedRange)
        ranges += list(getattr(target.descriptor, 'TechnicalRange', []))
        if ranges and ranges[0].Lower is not None:
            value = ranges[0].Lower
        return self._set.set_numeric_value(handle, value)

    def _SetString(self, handle, descriptor):
        allowed = self._mdib.entities.by_handle(handle).state.AllowedValues
        values = list(allowed.Value) if allowed is not None else []
        values += [a.Value for a in getattr(self._target(descriptor).descriptor, 'AllowedValue', [])]
        return self._set.set_string(handle, values[0] if values else 'interop')

    def _Activate(self, handle, descriptor):
        samples = {'string': 'a', 'decimal': '1.5', 'anyURI': 'urn:a', 'integer': '1', 'int': '1', 'boolean': 'true'}
        args = []
        for declared in descriptor.Argument:
            arg = msg_types.Argument()
            arg.ArgValue = samples.get(declared.Arg.localname, '1')
            args.append(arg)
        if peer.version() < (2, 4):
            args = [a.ArgValue for a in args]
        return self._set.activate(handle, args)

    def _SetMetricState(self, handle, descriptor):
        target = self._setting_below(descriptor.OperationTarget)
        if target is None:
            return None
        state = self._mdib.xtra.mk_proposed_state(target)
        if state.MetricValue is None:
            state.mk_metric_value()
        if state.MetricValue.Value is not None:
            pass  # what it has is what it may have
        elif state.NODETYPE == pm_qnames.NumericMetricState:
            state.MetricValue.Value = decimal.Decimal(10)
        else:
            allowed = getattr(self._mdib.entities.by_handle(target).descriptor, 'AllowedValue', None)
            state.MetricValue.Value = allowed[0].Value if allowed else 'interop'
        state.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID
        return self._set.set_metric_state(handle, [state])

    def _setting_below(self, handle):
        """Return the handle itself or that of the first setting among its descendants."""
        entity = self._mdib.entities.by_handle(handle)
        if entity.node_type in (pm_qnames.NumericMetricDescriptor, pm_qnames.StringMetricDescriptor):
            return handle if entity.descriptor.MetricCategory != pm_types.MetricCategory.MEASUREMENT else None
        for child in self._mdib.entities.by_parent_handle(handle):
            found = self._setting_below(child.handle)
            if found is not None:
                return found
        return None

    def _SetAlertState(self, handle, descriptor):
        entity = self._target(descriptor)
        if entity.state is None or not entity.state.is_alert_state:
            return None
        state = self._mdib.xtra.mk_proposed_state(descriptor.OperationTarget)
        if state.NODETYPE != pm_qnames.AlertSignalState:  # its activation follows that of the system, which may be paused
            state.ActivationState = pm_types.AlertActivation.ON
        return self._set.set_alert_state(handle, state)

    def _SetComponentState(self, handle, descriptor):
        state = self._mdib.xtra.mk_proposed_state(descriptor.OperationTarget)
        if not descriptor.ModifiableData:
            state.OperatingHours = (state.OperatingHours or 0) + 1
        return self._set.set_component_state(handle, [state])

    def _SetContextState(self, handle, descriptor):
        entity = self._target(descriptor)
        if not entity.descriptor.is_context_descriptor:
            return None
        service = self._consumer.context_service_client
        state = service.mk_proposed_context_object(descriptor.OperationTarget)
        state.ContextAssociation = pm_types.ContextAssociation.ASSOCIATED
        state.Identification = [pm_types.InstanceIdentifier('urn:oid:1.2.3', extension_string='4711')]
        return service.set_context_state(handle, [state])


def _source(source):
    return None if source is None else {'root': source.Root, 'extension': source.Extension}


def read_services(consumer, mdib):
    """Call each read service once; the result counts what came back."""
    out = {}

    def attempt(name, call):
        try:
            out[name] = call()
        except Exception as error:  # noqa: BLE001 becomes part of the result
            out[name] = repr(error)

    get = consumer.get_service_client
    attempt('GetMdib', lambda: len(get.get_mdib().result[0]))
    attempt('GetMdDescription', lambda: len(get.get_md_description().result.MdDescription.Mds))
    attempt('GetMdState', lambda: len(get.get_md_state().result.MdState.State))
    # Not one that the device takes out again before the question arrives.
    one = next(s.DescriptorHandle for s in mdib.states.objects
               if s.is_metric_state and not s.DescriptorHandle.startswith('added.'))
    attempt('GetMdState one', lambda: len(get.get_md_state([one]).result.MdState.State))
    attempt('GetMdState unknown', lambda: len(get.get_md_state(['no.such.handle']).result.MdState.State))
    if consumer.context_service_client is not None:
        attempt('GetContextStates', lambda: len(consumer.context_service_client.get_context_states().result.ContextState))
    if consumer.localization_service_client is not None:
        texts = consumer.localization_service_client
        attempt('GetSupportedLanguages', lambda: list(texts.get_supported_languages().result.Lang))
        attempt('GetLocalizedText', lambda: len(texts.get_localized_texts().result.Text))
    if consumer.containment_tree_service_client is not None:
        tree = consumer.containment_tree_service_client
        attempt('GetContainmentTree', lambda: sum(len(t.Entry) for t in tree.get_containment_tree([one]).result.ContainmentTree))
    if hasattr(consumer, 'transfer_get'):  # since 2.4
        attempt('TransferGet', lambda: consumer.transfer_get() is not None)
    attempt('DirectedProbe', lambda: len(consumer.send_probe().ProbeMatch))
    return out


def main():
    parser = peer.arguments(__doc__.splitlines()[0])
    parser.add_argument('--timeout', type=float, default=20, help='seconds to find the provider')
    options = parser.parse_args()
    peer.start_logging(options.log)

    discovery = WSDiscovery(options.ip, multicast_port=options.discovery_port)
    discovery.start()
    consumer = None
    try:
        try:
            service = find(discovery, options.epr, options.timeout)
            contexts = peer.tls(options.tls)
            consumer = SdcConsumer(
                service.x_addrs[0],
                SdcV1Definitions,
                contexts,
                validate=True,
                force_ssl_connect=contexts is not None,
            )
            reports = Reports(consumer)
            def ended(data):
                peer.emit('ended', status=str(data.request_data.message_data.p_msg.msg_node[1].text))
            observableproperties.bind(consumer, subscription_end_data=ended)
            consumer.start_all()
            # It complains of data a second old. That would show a clock that is wrong, but on a busy machine data may be late.
            ConsumerMdibMethods.DETERMINATIONTIME_WARN_LIMIT = 20.0
            mdib = ConsumerMdib(consumer)
            mdib.init_mdib()
        except Exception:  # noqa: BLE001
            peer.fail('connect')
            return
        peer.emit(
            'connected',
            types=[f'{{{t.namespace}}}{t.localname}' for t in service.types],
            scopes=list(service.scopes.text) if service.scopes is not None else [],
            xaddrs=list(service.x_addrs),
            services=sorted(str(k) for k in consumer.hosted_services),
            friendly_name=[t.text for t in consumer.host_description.this_device.FriendlyName],
            subscribed=consumer.all_subscribed,
            tls=bool(consumer.is_ssl_connection),
        )
        follower = None
        for command in peer.commands():
            try:
                what = command['do']
                if what == 'wait':
                    missing = reports.wait(command['reports'], command['timeout'])
                    peer.emit('reports', counts=reports.counts(), missing=missing)
                elif what == 'get':
                    peer.emit('got', **{'results': read_services(consumer, mdib)})
                elif what == 'operate':
                    Operator(consumer, mdib).all(command.get('skip', []))
                elif what == 'renewed':
                    peer.emit('renewed', renewed=renewed(consumer, command['timeout']), connected=consumer.is_connected)
                elif what == 'dump':
                    peer.wait_until(lambda: mdib.mdib_version >= command.get('version', 0), command.get('timeout', 10))
                    peer.emit('mdib', **peer.describe(mdib))
                elif what == 'follow':
                    follower = Follower(mdib, command['handle'])
                    peer.emit('following', version=mdib.mdib_version)
                elif what == 'seen':
                    reached = peer.wait_until(lambda: mdib.mdib_version >= command['version'], command.get('timeout', 10))
                    peer.emit('seen', seen=follower.seen(), reached=reached, connected=consumer.is_connected)
                elif what == 'disconnect':
                    peer.emit('disconnected', clean=consumer.subscription_mgr.unsubscribe_all())
                else:
                    peer.emit('error', where='command', text=f'unknown: {command}')
            except Exception:  # noqa: BLE001 told to the other side, which decides
                peer.fail(f'command {command}')
    finally:
        if consumer is not None:
            consumer.stop_all(unsubscribe=consumer.is_connected)
        discovery.stop()
        peer.emit('stopped')


def renewed(consumer, timeout):
    """Tell whether every subscription outlives what is left of it now."""
    subscriptions = list(consumer.subscription_mgr.subscriptions.values())
    end = time.monotonic() + max(s.remaining_subscription_seconds for s in subscriptions) + 0.5
    peer.wait_until(lambda: time.monotonic() > end, timeout)
    return all(s.is_subscribed and s.remaining_subscription_seconds > 0 for s in subscriptions)


if __name__ == '__main__':
    main()
