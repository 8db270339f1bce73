"""What both peer programs share: JSON lines in and out, logging, TLS.

A peer is driven by its standard input, one JSON object a line with the key "do",
and answers on its standard output, one JSON object a line with the key "event".
Nothing else is written to standard output. The end of the input ends the peer.
"""
from __future__ import annotations

import argparse
import decimal
import importlib.metadata
import json
import logging
import pathlib
import queue
import sys
import threading
import time
import traceback

from sdc11073.certloader import SSLContextContainer, mk_ssl_contexts

_write_lock = threading.Lock()


def emit(event: str, **fields) -> None:
    """Write one event."""
    line = json.dumps({'event': event, **fields}, default=str)
    with _write_lock:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()


class _LogEvents(logging.Handler):
    """Turns the stack's warnings and errors into events.

    An error in its log is how the stack tells that it refused something.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 its log calls do not always fit their format
            text = f'{record.msg} {record.args}'
        if record.exc_info and record.exc_info[1] is not None:
            text += ': ' + ''.join(traceback.format_exception_only(record.exc_info[0], record.exc_info[1])).strip()
        emit('log', level=record.levelname, logger=record.name, text=text)


def start_logging(level: str) -> None:
    """Report what the stack logs at level or above."""
    root = logging.getLogger()
    root.handlers[:] = [_LogEvents(level=level)]
    root.setLevel(level)
    logging.getLogger('sdc').setLevel(level)


def version() -> tuple[int, int]:
    """Return the major and minor version of the stack: its interfaces differ."""
    major, minor = importlib.metadata.version('sdc11073').split('.')[:2]
    return int(major), int(minor)


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options both peers have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--epr', required=True, help='endpoint reference of the provider')
    parser.add_argument('--ip', default='127.0.0.1', help='address to bind to')
    parser.add_argument('--discovery-port', type=int, default=3702)
    parser.add_argument('--tls', help='folder with ca.pem, cert.pem and key.pem; without it plain HTTP')
    parser.add_argument('--log', default='WARNING')
    return parser


def tls(folder: str | None) -> SSLContextContainer | None:
    """Return the contexts for both directions, peers verified by the CA."""
    if folder is None:
        return None
    path = pathlib.Path(folder)
    return mk_ssl_contexts(path / 'key.pem', path / 'cert.pem', path / 'ca.pem')


def commands():
    """Yield the commands from standard input until its end or the command stop."""
    for line in sys.stdin:
        line = line.strip()
        if not line:
            continue
        command = json.loads(line)
        if command.get('do') == 'stop':
            return
        yield command


def wait_until(condition, timeout: float) -> bool:
    """Wait for a condition."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def fail(where: str) -> None:
    """Report the current exception."""
    emit('error', where=where, text=traceback.format_exc())


def describe(mdib) -> dict:
    """Return versions and types of everything in an MDIB, to be compared with the other side's."""
    with mdib.mdib_lock:
        descriptors = {
            d.Handle: {
                'type': d.NODETYPE.localname,
                'parent': d.parent_handle,
                'version': d.DescriptorVersion,
            }
            for d in mdib.descriptions.objects
        }
        states = {}
        for s in mdib.states.objects:
            states[s.DescriptorHandle] = _state(s)
        for s in mdib.context_states.objects:
            states[s.Handle] = {**_state(s), 'association': str(s.ContextAssociation)}
        return {
            'version': mdib.mdib_version,
            'sequence': mdib.sequence_id,
            'descriptors': descriptors,
            'states': states,
        }


def _state(state) -> dict:
    out = {
        'type': state.NODETYPE.localname,
        'descriptor': state.DescriptorHandle,
        'version': state.StateVersion,
        'descriptor_version': state.DescriptorVersion,
    }
    value = getattr(state, 'MetricValue', None)
    if value is not None:
        if getattr(value, 'Samples', None) is not None:
            out['samples'] = [_plain(v) for v in value.Samples]
        elif value.Value is not None:
            out['value'] = _plain(value.Value)
    for name in ('Presence', 'ActivationState', 'OperatingMode'):
        member = getattr(state, name, None)
        if member is not None:
            out[name] = str(member)
    return out


def _plain(value) -> str:
    """Return a number without its trailing zeros, a text as it is."""
    if isinstance(value, str):
        return value
    number = decimal.Decimal(str(value))
    return f'{number.normalize():f}' if number else '0'


class Worker(threading.Thread):
    """Runs a function again and again until stopped."""

    def __init__(self, interval: float, step):
        super().__init__(daemon=True)
        self._interval = interval
        self._step = step
        self._stopped = threading.Event()
        self.failures: queue.Queue = queue.Queue()

    def run(self):
        while not self._stopped.wait(self._interval):
            try:
                self._step()
            except Exception:  # noqa: BLE001 reported, and the next step may work
                fail('worker')

    def stop(self):
        self._stopped.set()
        self.join(timeout=5)
