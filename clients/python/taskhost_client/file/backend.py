"""The Celery result backend: results, saved groups and announced chords in the file."""
import time

from celery import states
from celery.backends.base import BaseBackend
from celery.exceptions import TimeoutError
from celery.result import GroupResult, result_from_tuple
from celery.utils.functional import _regen

from taskhost_client.errors import BrokerUnavailable
from taskhost_client.file import address, chords, file, results


class FileBackend(BaseBackend):
    """Waits by looking whether somebody has written, every millisecond at first and every 20 ms in the end."""

    supports_autoexpire = True
    supports_native_join = True

    SHORTEST_NAP, LONGEST_NAP = 0.001, 0.02
    # Ids in one statement; SQLite takes no more than 999 everywhere.
    MOST_IDS = 500
    # What a saved group is stored under, beside the results of tasks.
    GROUP_PREFIX = "celery-taskset-meta-"

    def __init__(self, app, url=None, **kwargs):
        super().__init__(app, url=url, **kwargs)
        self._address = address.parse(url or "sqlite://")

    def __reduce__(self, args=(), kwargs=None):
        return super().__reduce__(args, {**(kwargs or {}), "url": self.url})

    def as_uri(self, include_password=False):
        return str(self._address)

    @property
    def file(self):
        return file.opened(self._address)

    def exception_safe_to_retry(self, exc):
        return isinstance(exc, BrokerUnavailable)

    # ---- one result ----

    def _get_task_meta_for(self, task_id):
        document = self.file.read(lambda db: results.fetch(db, str(task_id)))
        if document is None:
            return {"status": states.PENDING, "result": None}
        return self.decode_result(document)

    def _store_result(self, task_id, result, state, traceback=None, request=None, **kwargs):
        meta = self._get_result_meta(result=result, state=state, traceback=traceback, request=request)
        meta["task_id"] = str(task_id)
        self._write(str(task_id), state, meta)
        return result

    def _forget(self, task_id):
        self.file.write(lambda db: results.forget(db, str(task_id)))

    def cleanup(self):
        self.file.write(results.sweep)

    # ---- saved groups ----

    def _save_group(self, group_id, result):
        self._write(self.GROUP_PREFIX + group_id, "GROUP", {"result": result.as_tuple()})
        return result

    def _restore_group(self, group_id):
        document = self.file.read(lambda db: results.fetch(db, self.GROUP_PREFIX + group_id))
        if document is None:
            return None
        meta = self.decode(document)
        return {**meta, "result": result_from_tuple(meta["result"], self.app)}

    def _delete_group(self, group_id):
        self.file.write(lambda db: results.forget(db, self.GROUP_PREFIX + group_id))

    def _write(self, name, state, meta):
        document = self._bytes(meta)
        # Celery: 0 is never, as None.
        expires = self.expires or None
        self.file.announced_write(lambda db: results.store(db, name, state, document, expires))

    def _bytes(self, meta):
        document = self.encode(meta)
        return document.encode() if isinstance(document, str) else bytes(document)

    # ---- chords ----

    def apply_chord(self, header_result_args, body, **kwargs):
        """Before the header is sent. The parts of a header with groups within groups are put together from its results,
        as Celery's Redis backend has it."""
        saved = None
        if not isinstance(header_result_args[1], _regen):
            header = self.app.GroupResult(*header_result_args)
            if any(isinstance(member, GroupResult) for member in header.results):
                saved = self._bytes({"result": header.as_tuple()})
        group_id = header_result_args[0]
        self.file.write(lambda db: chords.begin(db, group_id, saved))

    def set_chord_size(self, group_id, chord_size):
        self.file.write(lambda db: chords.set_size(db, group_id, chord_size))

    # ---- waiting ----

    def wait_for_pending(self, result, timeout=None, interval=0.5, no_ack=True, on_message=None, on_interval=None,
                         callback=None, propagate=True):
        self._ensure_not_eager()
        for _, meta in self.get_many([result.id], timeout, interval, no_ack, on_message, on_interval):
            result._maybe_set_cache(meta)
        return result.maybe_throw(propagate=propagate, callback=callback)

    def wait_for(self, task_id, timeout=None, interval=0.5, no_ack=True, on_interval=None):
        for _, meta in self.get_many([task_id], timeout, interval, no_ack, None, on_interval):
            return meta

    def get_many(self, task_ids, timeout=None, interval=0.5, no_ack=True, on_message=None, on_interval=None, **kwargs):
        """Yields (task id, meta) as tasks come to their end.

        `on_message` is called with each meta on the way, too; `on_interval` without arguments every `interval` seconds.
        Raises Celery's `TimeoutError` after `timeout` seconds without the last one.
        """
        pending = {str(one) for one in task_ids}
        for task_id in [one for one in pending if one in self._cache]:
            pending.discard(task_id)
            yield task_id, self._cache[task_id]
        metas = self._changes(pending, timeout, max(interval or 0, self.LONGEST_NAP), on_interval)
        while pending:
            task_id, meta = next(metas)
            if on_message:
                on_message(meta)
            if meta["status"] in states.READY_STATES and task_id in pending:
                pending.discard(task_id)
                if meta["status"] == states.SUCCESS:
                    self._cache[task_id] = meta
                yield task_id, meta

    def _changes(self, pending, timeout, interval, on_interval):
        """Yields (task id, meta) for ever: first what there is of the ids in `pending`, then what comes."""
        begun = told = time.monotonic()
        nap = self.SHORTEST_NAP
        # Asked for before each look: what is committed during the look changes it again.
        version = self.file.version()
        seen = self.file.read(results.last_number)
        yield from self._present(pending)
        while True:
            seen, found = self.file.read(lambda db: results.changes(db, seen, pending))
            for task_id, document in found:
                yield task_id, self.decode_result(document)
            while True:
                now = time.monotonic()
                left = None if timeout is None else timeout - (now - begun)
                if left is not None and left <= 0:
                    raise TimeoutError("The operation timed out.")
                if on_interval and now - told >= interval:
                    told = now
                    on_interval()
                known, version = version, self.file.version()
                if version != known:
                    nap = self.SHORTEST_NAP
                    break
                time.sleep(nap if left is None else min(nap, left))
                nap = min(nap * 1.5, self.LONGEST_NAP)

    def _present(self, pending):
        ids = sorted(pending)
        for start in range(0, len(ids), self.MOST_IDS):
            some = ids[start:start + self.MOST_IDS]
            for task_id, document in self.file.read(lambda db: results.fetch_all(db, some)):
                yield task_id, self.decode_result(document)
