"""A provider built from the independent stack, for any MDIB file.

It offers every operation of the file, changes entries of every kind, found by
their type, and can be stepped kind by kind.

Commands: {"do": "step", "what": KIND}   one change, answered by "stepped"
          {"do": "animate", "interval": S}  all kinds in turn from now on; 0 stops
          {"do": "count", "times": N, "interval": S}  sets the first numeric metric to 1 to N, each in a
                                          transaction of its own, answered by "counting" and at the end by "counted"
          {"do": "mode", "handle": H, "delayed": B} an operation answers at once or not
          {"do": "dump"}                  answered by "mdib"
          {"do": "stop"}
Events:   ready, stepped, counting, counted, mdib, operation, log, error, stopped
"""
from __future__ import annotations

import decimal
import math
import pathlib
import threading
import time

import peer
from sdc11073.location import SdcLocation
from sdc11073.mdib import ProviderMdib
from sdc11073.provider import SdcProvider
from sdc11073.provider.operations import ExecuteResult
from sdc11073.wsdiscovery import WSDiscovery
from sdc11073.xml_types import msg_types, pm_qnames, pm_types
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType

try:
    from sdc11073.provider.providerimpl import RoleProviderComponents

    def execute_with(operations) -> dict:
        """Return the arguments that make a provider execute operations with this class."""
        return {'role_provider_components': RoleProviderComponents(role_provider_class=operations)}

    def finished(mdib, target) -> ExecuteResult:
        """Return the result of an operation that has changed its target."""
        return ExecuteResult(msg_types.InvocationState.FINISHED, mdib.mdib_version_group, target)

except ImportError:  # before 3.0
    from sdc11073.provider.components import SdcProviderComponents

    def execute_with(operations) -> dict:
        """Return the arguments that make a provider execute operations with this class."""
        return {'specific_components': SdcProviderComponents(role_provider_class=operations)}

    def finished(mdib, target) -> ExecuteResult:
        """Return the result of an operation that has changed its target."""
        return ExecuteResult(target, msg_types.InvocationState.FINISHED)


KINDS = (
    'metric',
    'string',
    'alert',
    'component',
    'context',
    'operational',
    'waveform',
    'description',
    'insert',
    'delete',
)


class Operations:
    """Executes every operation of one SCO. The provider makes one for each."""

    def __init__(self, mdib, sco, log_prefix=None):
        self._mdib = mdib
        self._sco = sco

    def init_operations(self):
        for entity in self._mdib.entities.by_parent_handle(self._sco.sco_descriptor_container.Handle):
            descriptor = entity.descriptor
            if not descriptor.is_operational_descriptor:
                continue
            operation_class = self._sco.operation_cls_getter(descriptor.NODETYPE)
            self._sco.register_operation(
                operation_class(descriptor.Handle, descriptor.OperationTarget, self._execute),
            )

    def make_operation_instance(self, operation_descriptor_container, operation_cls_getter):
        return None

    def stop(self):
        pass

    def _execute(self, params) -> ExecuteResult:
        request = params.operation_request
        kind = request.NODETYPE.localname
        target = params.operation_instance.operation_target_handle
        peer.emit('operation', kind=kind, handle=params.operation_instance.handle, target=target)
        target = getattr(self, f'_{kind}')(request, target) or target
        return finished(self._mdib, target)

    def _SetValue(self, request, target):
        self._write_metric(target, request.RequestedNumericValue)

    def _SetString(self, request, target):
        self._write_metric(target, request.RequestedStringValue)

    def _Activate(self, request, target):
        entity = self._mdib.entities.by_handle(target)
        if entity.node_type == pm_qnames.StringMetricDescriptor:
            self._write_metric(target, ''.join(a.ArgValue or '' for a in request.Argument))

    def _write_metric(self, target, value):
        entity = self._mdib.entities.by_handle(target)
        if not hasattr(entity.state, 'MetricValue'):
            return
        _set_value(entity.state, value)
        with self._mdib.metric_state_transaction() as tx:
            tx.write_entity(entity)

    def _SetMetricState(self, request, target):
        with self._mdib.metric_state_transaction() as tx:
            for proposed in request.ProposedMetricState:
                tx.write_entity(self._updated(proposed))

    def _SetAlertState(self, request, target):
        with self._mdib.alert_state_transaction() as tx:
            tx.write_entity(self._updated(request.ProposedAlertState))

    def _SetComponentState(self, request, target):
        with self._mdib.component_state_transaction() as tx:
            for proposed in request.ProposedComponentState:
                tx.write_entity(self._updated(proposed))

    def _SetContextState(self, request, target):
        handle = target
        with self._mdib.context_state_transaction() as tx:
            for proposed in request.ProposedContextState:
                entity = self._mdib.entities.by_handle(proposed.DescriptorHandle)
                changed = []
                if proposed.Handle == proposed.DescriptorHandle:
                    state = entity.new_state()
                else:
                    state = entity.states[proposed.Handle]
                binds = proposed.ContextAssociation == pm_types.ContextAssociation.ASSOCIATED
                proposed.Handle = state.Handle
                skipped = [
                    'StateVersion',
                    'DescriptorVersion',
                    'BindingMdibVersion',
                    'UnbindingMdibVersion',
                    'BindingStartTime',
                    'BindingEndTime',
                ]
                state.update_from_other_container(proposed, skipped_properties=skipped)
                if binds:
                    version = self._mdib.mdib_version + 1
                    changed += self._mdib.xtra.disassociate_all(entity, version, state.Handle)
                    state.BindingMdibVersion = version
                    state.BindingStartTime = time.time()
                changed.append(state.Handle)
                tx.write_entity(entity, changed)
                handle = state.Handle
        return handle

    def _updated(self, proposed):
        entity = self._mdib.entities.by_handle(proposed.DescriptorHandle)
        entity.state.update_from_other_container(proposed, skipped_properties=['StateVersion', 'DescriptorVersion'])
        return entity


def _set_value(state, value):
    if state.MetricValue is None:
        state.mk_metric_value()
    state.MetricValue.Value = value
    state.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID


class Animation:
    """Changes the MDIB, one kind at a time."""

    def __init__(self, mdib):
        self._mdib = mdib
        self._n = 0
        self._inserted = []

    def step(self, kind: str) -> bool:
        """Change something of this kind; False if the MDIB has nothing of it."""
        self._n += 1
        return getattr(self, '_' + kind)()

    def count(self, times: int, interval: float):
        """Number changes in the data itself; tell which version was which number."""
        handle = self._of(pm_qnames.NumericMetricDescriptor)[0].handle
        history = []
        for n in range(1, times + 1):
            entity = self._mdib.entities.by_handle(handle)
            _set_value(entity.state, decimal.Decimal(n))
            with self._mdib.metric_state_transaction() as tx:
                tx.write_entity(entity)
            history.append([self._mdib.mdib_version, n])
            time.sleep(interval)
        peer.emit('counted', handle=handle, history=history)

    def all(self):
        """Change something of every kind."""
        for kind in KINDS:
            self.step(kind)

    def _of(self, *types):
        found = []
        for t in types:
            found += [self._mdib.entities.by_handle(e.handle) for e in self._mdib.entities.by_node_type(t)]
        return found

    def _metric(self):
        entities = self._of(pm_qnames.NumericMetricDescriptor)
        if not entities:
            return False
        with self._mdib.metric_state_transaction() as tx:
            for entity in entities[:5]:
                _set_value(entity.state, decimal.Decimal(self._n))
                tx.write_entity(entity)
        return True

    def _string(self):
        entities = self._of(pm_qnames.StringMetricDescriptor)
        entities += self._of(pm_qnames.EnumStringMetricDescriptor)
        # What was added lives for one round: periodic reports would tell of it when it is gone.
        entities = [e for e in entities if not e.handle.startswith('added.')]
        if not entities:
            return False
        with self._mdib.metric_state_transaction() as tx:
            for entity in entities:
                allowed = getattr(entity.descriptor, 'AllowedValue', None)
                _set_value(entity.state, allowed[self._n % len(allowed)].Value if allowed else f'text {self._n}')
                tx.write_entity(entity)
        return True

    def _alert(self):
        conditions = self._of(pm_qnames.AlertConditionDescriptor, pm_qnames.LimitAlertConditionDescriptor)
        signals = self._of(pm_qnames.AlertSignalDescriptor)
        systems = self._of(pm_qnames.AlertSystemDescriptor)
        if not conditions and not signals and not systems:
            return False
        present = self._n % 2 == 1
        with self._mdib.alert_state_transaction() as tx:
            for entity in conditions:
                entity.state.Presence = present
                entity.state.DeterminationTime = time.time()
                tx.write_entity(entity)
            for entity in signals:
                on = pm_types.AlertSignalPresence.ON if present else pm_types.AlertSignalPresence.OFF
                entity.state.Presence = on
                tx.write_entity(entity)
            for entity in systems:
                entity.state.LastSelfCheck = time.time()
                entity.state.SelfCheckCount = (entity.state.SelfCheckCount or 0) + 1
                tx.write_entity(entity)
        return True

    def _component(self):
        entities = self._of(pm_qnames.ClockDescriptor, pm_qnames.MdsDescriptor, pm_qnames.VmdDescriptor)
        with self._mdib.component_state_transaction() as tx:
            for entity in entities:
                entity.state.OperatingHours = self._n
                tx.write_entity(entity)
        return bool(entities)

    def _context(self):
        entities = self._of(pm_qnames.LocationContextDescriptor)
        if not entities:
            return False
        self._mdib.xtra.set_location(
            SdcLocation(fac='fac1', poc='poc1', bed=f'bed{self._n}'),
            location_context_descriptor_handle=entities[0].handle,
        )
        return True

    def _operational(self):
        entities = self._of(
            pm_qnames.SetValueOperationDescriptor,
            pm_qnames.SetStringOperationDescriptor,
            pm_qnames.ActivateOperationDescriptor,
        )
        if not entities:
            return False
        entity = entities[-1]
        mode = pm_types.OperatingMode
        for state_mode in (mode.DISABLED, mode.ENABLED):
            entity = self._mdib.entities.by_handle(entity.handle)
            entity.state.OperatingMode = state_mode
            with self._mdib.operational_state_transaction() as tx:
                tx.write_entity(entity)
        return True

    def _waveform(self):
        entities = self._of(pm_qnames.RealTimeSampleArrayMetricDescriptor)
        if not entities:
            return False
        with self._mdib.rt_sample_state_transaction() as tx:
            for entity in entities[:3]:
                if entity.state.MetricValue is None:
                    entity.state.mk_metric_value()
                value = entity.state.MetricValue
                value.Samples = [
                    decimal.Decimal(f'{math.sin((self._n * 100 + i) / 20):.2f}') for i in range(100)
                ]
                value.DeterminationTime = time.time()
                value.MetricQuality.Validity = pm_types.MeasurementValidity.VALID
                entity.state.ActivationState = pm_types.ComponentActivation.ON
                tx.write_entity(entity)
        return True

    def _description(self):
        entities = self._of(pm_qnames.NumericMetricDescriptor, pm_qnames.AlertConditionDescriptor)
        if not entities:
            return False
        with self._mdib.descriptor_transaction() as tx:
            entity = entities[0]
            entity.descriptor.Type.ConceptDescription = [pm_types.LocalizedText(f'changed {self._n}', lang='en')]
            tx.write_entity(entity)
        return True

    def _insert(self):
        mds = self._of(pm_qnames.MdsDescriptor)[0]
        vmd = self._new(pm_qnames.VmdDescriptor, 'vmd', mds.handle, '70001')
        channel = self._new(pm_qnames.ChannelDescriptor, 'channel', vmd.Handle, '70002')
        metric = self._new(pm_qnames.StringMetricDescriptor, 'metric', channel.Handle, '70003')
        metric.Unit = pm_types.CodedValue('262656')
        metric.MetricCategory = pm_types.MetricCategory.MEASUREMENT
        metric.MetricAvailability = pm_types.MetricAvailability.INTERMITTENT
        with self._mdib.descriptor_transaction() as tx:
            for descriptor in (vmd, channel, metric):
                tx.add_descriptor(descriptor, state_container=self._mdib.data_model.mk_state_container(descriptor))
        self._inserted.append(vmd.Handle)
        return True

    def _new(self, node_type, name, parent, code):
        cls = self._mdib.data_model.get_descriptor_container_class(node_type)
        descriptor = cls(f'added.{name}.{self._n}', parent)
        descriptor.Type = pm_types.CodedValue(code)
        return descriptor

    def _delete(self):
        if not self._inserted:
            return False
        with self._mdib.descriptor_transaction() as tx:
            tx.remove_entity(self._mdib.entities.by_handle(self._inserted.pop(0)))
        return True


def main():
    parser = peer.arguments(__doc__.splitlines()[0])
    parser.add_argument('--mdib', required=True)
    parser.add_argument('--max-subscription', type=int, default=15)
    parser.add_argument('--periodic', type=float, help='seconds between periodic reports')
    options = parser.parse_args()
    peer.start_logging(options.log)

    mdib = ProviderMdib.from_mdib_file(pathlib.Path(options.mdib))
    mdib.xtra.mk_state_containers_for_all_descriptors()
    mdib.xtra.set_states_initial_values()
    discovery = WSDiscovery(options.ip, multicast_port=options.discovery_port)
    discovery.start()
    provider = SdcProvider(
        discovery,
        ThisModelType(
            model_name='Interop',
            manufacturer='Interop',
            manufacturer_url='http://localhost',
            model_number='1',
            model_url='http://localhost',
            presentation_url='http://localhost',
        ),
        ThisDeviceType(friendly_name='Interop provider', firmware_version='1', serial_number='1'),
        mdib,
        epr=options.epr,
        validate=True,
        ssl_context_container=peer.tls(options.tls),
        max_subscription_duration=options.max_subscription,
        **execute_with(Operations),
    )
    provider.localization_storage.add(
        *(
            pm_types.LocalizedText(f'text {ref} {lang}', lang=lang, ref=ref, version=1)
            for ref in ('ref1', 'ref2')
            for lang in ('en-US', 'de')
        ),
    )
    provider.start_all(start_rtsample_loop=False, periodic_reports_interval=options.periodic)
    locations = mdib.entities.by_node_type(pm_qnames.LocationContextDescriptor)
    if locations:
        location = SdcLocation(fac='fac1', poc='poc1', bed='bed1')
        provider.set_location(location, location_context_descriptor_handle=locations[0].handle)
    else:
        provider.publish()
    peer.emit('ready', epr=provider.epr_urn, xaddrs=provider.get_xaddrs())

    animation = Animation(mdib)
    worker = None
    try:
        for command in peer.commands():
            try:
                what = command['do']
                if what == 'step':
                    peer.emit('stepped', what=command['what'], done=animation.step(command['what']), version=mdib.mdib_version)
                elif what == 'count':
                    threading.Thread(target=animation.count, args=(command['times'], command['interval']), daemon=True).start()
                    peer.emit('counting')
                elif what == 'dump':
                    peer.emit('mdib', **peer.describe(mdib))
                elif what == 'mode':
                    provider.get_operation_by_handle(command['handle']).delayed_processing = command['delayed']
                    peer.emit('mode', handle=command['handle'])
                elif what == 'animate':
                    if worker is not None:
                        worker.stop()
                        worker = None
                    if command['interval'] > 0:
                        worker = peer.Worker(command['interval'], animation.all)
                        worker.start()
                    peer.emit('animate', interval=command['interval'])
                else:
                    peer.emit('error', where='command', text=f'unknown: {command}')
            except Exception:  # noqa: BLE001 told to the other side, which decides
                peer.fail(f'command {command}')
    finally:
        if worker is not None:
            worker.stop()
        provider.stop_all()
        discovery.stop()
        peer.emit('stopped')


if __name__ == '__main__':
    main()
