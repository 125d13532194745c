"""The process behind `recordings.workshop.ChildProcess`: reads orders, works, reports; ends with its standard input."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from hotline.log import set_up
from hotline.parent import end_with
from recordings.store_files import RecordingFiles
from recordings.workbench import Workbench
from recordings.workshop import Job, Report, Start, framed

T = TypeVar("T")

AT_ONCE = 2
"""Orders at the same time: a call of hours does not keep short ones waiting."""


def main() -> None:
    """Serve whoever started this process."""
    orders, reports = sys.stdin.buffer, sys.stdout.buffer
    start = _read(orders, Start)
    if start is None:
        return
    end_with(start.parent)
    set_up(is_json=start.log_json)
    bench, lock = Workbench(RecordingFiles(Path(start.root), UTC)), threading.Lock()

    def work(job: Job) -> None:
        report = framed(Report(job.number, bench.do(job.order)))
        with lock:
            reports.write(report)
            reports.flush()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        while (job := _read(orders, Job)) is not None:
            threads.submit(work, job)


def _read(stream: BinaryIO, kind: type[T]) -> T | None:
    """The next message; nothing when there will be none."""
    head = stream.read(4)
    body = stream.read(int.from_bytes(head)) if len(head) == 4 else b""
    return msgspec.json.decode(body, type=kind) if body else None
