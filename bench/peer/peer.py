"""One side of a pair of the independent Python stack, driven for measurements.

Reads one JSON object a line from standard input, answers one JSON object a line
on standard output. The stall of its HTTP server (Nagle's algorithm against delayed
acknowledgements) is switched off, so that it is compared at its best.

Provider commands: {"do": "metrics", "per_report": N, "seconds": S}       tight loop
                   {"do": "waveforms", "samples": N, "seconds": S}        tight loop, all waveforms in each message
                   {"do": "paced", "rate": R, "count": N}                 one metric per report
Consumer commands: {"do": "reset"}, {"do": "result"}                      what arrived since, by kind, with latencies
                   {"do": "get_mdib", "count": N}                         round trips including the mirror's containers
"""
from __future__ import annotations

import argparse
import decimal
import gc
import json
import logging
import pathlib
import sys
import time
import uuid

from sdc11073.certloader import mk_ssl_contexts
from sdc11073.consumer.consumerimpl import SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.httpserver.httprequesthandler import DispatchingRequestHandler
from sdc11073.mdib import ConsumerMdib, ProviderMdib
from sdc11073.provider import SdcProvider
from sdc11073.wsdiscovery import WSDiscovery
from sdc11073.xml_types import pm_qnames, pm_types
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType
from sdc11073 import observableproperties

DispatchingRequestHandler.disable_nagle_algorithm = True
logging.disable(logging.CRITICAL)


def emit(event, **fields):
    sys.stdout.write(json.dumps({'event': event, **fields}) + '\n')
    sys.stdout.flush()


def commands():
    for line in sys.stdin:
        command = json.loads(line)
        if command['do'] == 'stop':
            return
        yield command


def now():
    """Microseconds since 1970, as the value of a metric."""
    return decimal.Decimal(time.time_ns() // 1000)


def provider(options, contexts):
    mdib = ProviderMdib.from_mdib_file(pathlib.Path(options.mdib))
    mdib.xtra.mk_state_containers_for_all_descriptors()
    mdib.xtra.set_states_initial_values()
    discovery = WSDiscovery('127.0.0.1', multicast_port=options.port)
    discovery.start()
    device = SdcProvider(
        discovery,
        ThisModelType(manufacturer='Bench', manufacturer_url='http://localhost', model_name='Bench',
                      model_number='1', model_url='http://localhost', presentation_url='http://localhost'),
        ThisDeviceType(friendly_name='Bench', firmware_version='1', serial_number='1'),
        mdib,
        epr=uuid.uuid4(),
        validate=False,
        ssl_context_container=contexts,
        max_subscription_duration=120,
    )
    device.start_all(start_rtsample_loop=False)
    handles = {
        name: sorted(d.Handle for d in mdib.descriptions.NODETYPE.get(node, []))
        for name, node in (('metrics', pm_qnames.NumericMetricDescriptor),
                           ('waveforms', pm_qnames.RealTimeSampleArrayMetricDescriptor))
    }
    emit('ready', xaddr=device.get_xaddrs()[0])

    def metrics(first, count):
        with mdib.metric_state_transaction() as tx:
            for i in range(count):
                state = tx.get_state(handles['metrics'][(first + i) % len(handles['metrics'])])
                if state.MetricValue is None:
                    state.mk_metric_value()
                state.MetricValue.Value = now() + i
                state.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID

    def waveforms(samples):
        with mdib.rt_sample_state_transaction() as tx:
            for handle in handles['waveforms']:
                state = tx.get_state(handle)
                if state.MetricValue is None:
                    state.mk_metric_value()
                state.MetricValue.Samples = samples
                state.MetricValue.DeterminationTime = time.time()
                state.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID

    for command in commands():
        begin, n = time.monotonic(), 0
        if command['do'] == 'metrics':
            while time.monotonic() - begin < command['seconds']:
                metrics(n * command['per_report'], command['per_report'])
                n += 1
        elif command['do'] == 'waveforms':
            samples = [decimal.Decimal(i) / 100 for i in range(command['samples'])]
            while time.monotonic() - begin < command['seconds']:
                waveforms(samples)
                n += 1
        elif command['do'] == 'paced':
            for n in range(command['count']):
                time.sleep(max(0, begin + n / command['rate'] - time.monotonic()))
                metrics(n, 1)
            n += 1
        emit('sent', count=n, seconds=time.monotonic() - begin, cpu=time.process_time())
    device.stop_all()
    discovery.stop()


def consumer(options, contexts):
    client = SdcConsumer(options.xaddr, SdcV1Definitions, contexts, validate=False, force_ssl_connect=contexts is not None)
    client.start_all()
    mdib = ConsumerMdib(client)
    mdib.init_mdib()
    counts = {'metrics': 0, 'waveforms': 0}
    latencies = []

    def on_metrics(states):
        if states:
            arrived = time.time_ns() // 1000
            counts['metrics'] += 1
            latencies.append(arrived - int(next(iter(states.values())).MetricValue.Value))

    def on_waveforms(states):
        if states:
            counts['waveforms'] += 1

    observableproperties.bind(mdib, metrics_by_handle=on_metrics, waveform_by_handle=on_waveforms)
    emit('connected')
    for command in commands():
        if command['do'] == 'reset':
            counts.update(metrics=0, waveforms=0)
            latencies.clear()
            emit('reset')
        elif command['do'] == 'result':
            emit('result', latencies=latencies, **counts)
        elif command['do'] == 'get_mdib':
            took = []
            for _ in range(command['count']):
                begin = time.perf_counter_ns()
                mdib.reload_all()
                took.append((time.perf_counter_ns() - begin) // 1000)
            emit('result', latencies=took)
    client.stop_all(unsubscribe=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('role', choices=('provider', 'consumer'))
    parser.add_argument('--mdib')
    parser.add_argument('--xaddr')
    parser.add_argument('--tls')
    parser.add_argument('--port', type=int, default=33702)
    options = parser.parse_args()
    contexts = None
    if options.tls:
        folder = pathlib.Path(options.tls)
        contexts = mk_ssl_contexts(folder / 'key.pem', folder / 'cert.pem', folder / 'ca.pem')
    {'provider': provider, 'consumer': consumer}[options.role](options, contexts)
    emit('stopped')


if __name__ == '__main__':
    main()
