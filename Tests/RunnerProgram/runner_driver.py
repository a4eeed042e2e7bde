"""Speaks the runner's protocol (Sources/Runner/CRunnerProtocol/include/runner_protocol.h) to one zygote, as the host does."""

import json
import mmap
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import time

LANE_OPEN, LANE_CLOSE, FORK, KILL, SOFT, RETIRE, SIGNAL, PING, SWEEP = range(1, 10)
LOADING, MANIFEST_PART, READY, REFUSED, FORKED, FORK_FAILED, EXITED, CRASH, LOG, PONG, LANE_FAILED = range(64, 75)
FRAME_TASK, FRAME_EXIT, FRAME_RESULT, FRAME_STATE, FRAME_LOG, FRAME_SEND = 1, 2, 16, 17, 18, 19
SUCCESS, FAILURE, RETRY, IGNORE, REJECT, REPLACE = range(6)
CHILD_EXITS = 1
IDLE, RUNNING, FILLED = range(3)
REDELIVERED, LAST_IN_CHILD = 1, 2

RECORD = struct.Struct("=IIiiQQQQIIQ")
HEADER = struct.Struct("=IHHQ")
REQUEST = struct.Struct("=IIIIdddiIIIIIIIIIII")
USAGE = struct.Struct("=QQQQII")
PAGE = struct.Struct("=IIQiiQQ64Q")


class Record:
    def __init__(self, raw, text=b""):
        (self.type, self.lane, self.pid, self.status, self.sequence, self.user_us, self.system_us, self.max_rss_kib,
         self.swept, self.text_length, _) = RECORD.unpack(raw)
        self.text = text.decode("utf-8", "replace")

    def __repr__(self):
        return f"<{self.type} lane {self.lane} pid {self.pid} status {self.status} {self.text!r}>"


class Frame:
    def __init__(self, type, code, sequence, payload):
        self.type, self.code, self.sequence = type, code, sequence
        self.usage = self.value = None
        if type == FRAME_RESULT:
            self.usage = USAGE.unpack_from(payload)
            self.text = payload[USAGE.size:].decode()
            self.value = json.loads(self.text)
        elif type in (FRAME_STATE, FRAME_SEND):
            self.value = json.loads(payload)
        else:
            self.text = payload.decode()

    def __repr__(self):
        return f"<frame {self.type} code {self.code} sequence {self.sequence} {self.value!r}>"

    @property
    def child_exits(self):
        return bool(self.usage[4] & CHILD_EXITS)


class Timeout(Exception):
    pass


class Lane:
    def __init__(self, zygote, number):
        self.zygote, self.number = zygote, number
        self.data, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.output_fd, output = os.pipe()
        os.set_blocking(self.output_fd, False)
        self.page_fd = os.memfd_create("crash-page", os.MFD_CLOEXEC)
        os.ftruncate(self.page_fd, 4096)
        self.page = mmap.mmap(self.page_fd, 4096)
        self.received = b""
        self.output = b""
        zygote.send(LANE_OPEN, lane=number, fds=[far.fileno(), output, self.page_fd])
        far.close()
        os.close(output)

    def fork(self, sequence=0):
        self.zygote.send(FORK, lane=self.number, sequence=sequence)
        record = self.zygote.expect(FORKED, FORK_FAILED, lane=self.number)
        assert record.type == FORKED, record
        self.pid = record.pid
        return record.pid

    def send_task(self, name, args=(), kwargs=None, sequence=None, flags=0, soft=0.0, hard=0.0, id="an-id",
                  root="", parent="", group="", queue="celery", headers="{}", properties="{}", body=None, retries=0, starts=1,
                  max_retries=3, index=None):
        sequence = self.zygote.next_sequence() if sequence is None else sequence
        self.send_frame(FRAME_TASK, sequence, self.request(
            self.zygote.index(name) if index is None else index,
            json.dumps([list(args), kwargs or {}, {}]) if body is None else body, flags, soft, hard,
            [id, root, parent, group, queue, headers, properties], retries, starts, max_retries))
        return sequence

    @staticmethod
    def request(index, body, flags, soft, hard, texts, retries, starts, max_retries):
        texts = [text.encode() for text in texts] + [body if isinstance(body, bytes) else body.encode()]
        return REQUEST.pack(index, flags, retries, starts, soft, hard, 0.0, max_retries,
                            *map(len, texts), 0, 0, 0) + b"".join(texts)

    def send_frame(self, type, sequence=0, payload=b"", code=0):
        self.data.sendall(HEADER.pack(len(payload), type, code, sequence) + payload)

    def frame(self, timeout=5.0):
        deadline = time.monotonic() + timeout
        while True:
            if len(self.received) >= HEADER.size:
                length, type, code, sequence = HEADER.unpack_from(self.received)
                if len(self.received) >= HEADER.size + length:
                    payload = self.received[HEADER.size:HEADER.size + length]
                    self.received = self.received[HEADER.size + length:]
                    return Frame(type, code, sequence, payload)
            ready, _, _ = select.select([self.data, self.output_fd], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                self.zygote.poll()
                raise Timeout(f"no frame; on the control socket {self.zygote.records}, output {self.drain()!r}")
            if self.output_fd in ready:
                self.drain()
            if self.data in ready:
                self.received += self.data.recv(1 << 20)

    def result(self, timeout=10.0):
        while True:
            frame = self.frame(timeout)
            if frame.type == FRAME_RESULT:
                return frame

    def run(self, name, *args, timeout=10.0, flags=0, soft=0.0, hard=0.0, **kwargs):
        """Sends a task to the lane's child (forked if there is none) and waits for its result."""
        self.send_task(name, args, kwargs, flags=flags, soft=soft, hard=hard)
        return self.result(timeout)

    def drain(self):
        while True:
            try:
                more = os.read(self.output_fd, 1 << 16)
            except BlockingIOError:
                return self.output
            if not more:
                return self.output
            self.output += more

    def kill(self):
        self.zygote.send(KILL, lane=self.number, pid=self.pid)

    def soft(self, sequence):
        self.zygote.send(SOFT, lane=self.number, sequence=sequence)

    def exited(self, timeout=10.0):
        """Waits for RUNNER_EXITED, draining output meanwhile."""
        record = self.zygote.expect(EXITED, lane=self.number, timeout=timeout, meanwhile=self)
        self.drain()
        return record

    def crash(self):
        """(state, sequence, signal, frames)"""
        state, count, sequence, number, code, address, ip, *frames = PAGE.unpack_from(self.page)
        return state, sequence, number, frames[:count]

    def close(self):
        self.data.close()
        os.close(self.output_fd)
        self.page.close()
        os.close(self.page_fd)


# As a worker with its own settings confines its zygotes.
LAW = ["debuggable=0", "privileges=0", "signals=0", "umask=77", "oom=500"]
# The same, but for tests that look into it as its own user.
OPEN = ["debuggable=1", *LAW[1:]]


class Zygote:
    def __init__(self, runner, path, shown=None, environment=None, nofile=None, bundle=None, confine=LAW, user=None):
        """nofile: its limit of descriptors. bundle: a descriptor that it gets as number 4."""
        self.control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LD_BIND_NOW": "1", **(environment or {})}

        def move():
            source = os.dup(bundle) if bundle is not None else None
            os.dup2(far.fileno(), 3)
            if source is not None:
                os.dup2(source, 4)
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)

        words = [str(shown or path), *confine] if shown or confine else []
        self.process = subprocess.Popen([runner, "zygote", str(path)] + words,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=move,
                                        pass_fds=[3] if bundle is None else [3, 4], env=environment)
        far.close()
        self.records, self.sequence, self.lanes, self.manifest, self.logs = [], 100, 0, None, []

    def next_sequence(self):
        self.sequence += 1
        return self.sequence

    def send(self, type, lane=0, pid=0, status=0, sequence=0, fds=()):
        raw = RECORD.pack(type, lane, pid, status, sequence, 0, 0, 0, 0, 0, 0)
        socket.send_fds(self.control, [raw], fds) if fds else self.control.send(raw)

    def send_many(self, *raw):
        self.control.send(b"".join(raw))

    def receive(self, timeout, meanwhile=None):
        """More records, or False at the end of the connection."""
        deadline = time.monotonic() + timeout
        while True:
            watched = [self.control] + ([meanwhile.output_fd] if meanwhile else [])
            ready, _, _ = select.select(watched, [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Timeout(f"nothing on the control socket; had {self.records}")
            if meanwhile and meanwhile.output_fd in ready and not self.drained(meanwhile):
                meanwhile = None
            if self.control in ready:
                break
        datagram = self.control.recv(1 << 17)
        if not datagram:
            return False
        first = Record(datagram[:RECORD.size])
        if first.text_length:
            self.records.append(Record(datagram[:RECORD.size], datagram[RECORD.size:]))
        else:
            self.records += [Record(datagram[at:at + RECORD.size]) for at in range(0, len(datagram), RECORD.size)]
        return True

    def poll(self):
        try:
            self.receive(0)
        except Timeout:
            pass

    @staticmethod
    def drained(lane):
        before = len(lane.output)
        return len(lane.drain()) > before

    def expect(self, *types, lane=None, timeout=10.0, meanwhile=None):
        deadline = time.monotonic() + timeout
        while True:
            for index, record in enumerate(self.records):
                if record.type in types and (lane is None or record.lane == lane):
                    return self.records.pop(index)
            if not self.receive(max(0, deadline - time.monotonic()), meanwhile):
                raise EOFError(f"the zygote is gone; had {self.records}, stderr {self.process.stderr.read()!r}")

    def load(self, timeout=10.0):
        """The manifest, or the sentence of the refusal as ValueError."""
        assert self.expect(LOADING, timeout=timeout)
        text = ""
        while True:
            record = self.expect(MANIFEST_PART, READY, REFUSED, timeout=timeout)
            if record.type == REFUSED:
                raise ValueError(record.text)
            if record.type == READY:
                self.manifest = json.loads(text)
                return self.manifest
            text += record.text

    def index(self, name):
        return next(task["index"] for task in self.manifest["tasks"] if task["name"] == name)

    def lane(self, fork=True):
        self.lanes += 1
        lane = Lane(self, self.lanes)
        if fork:
            lane.fork()
        return lane

    def close(self):
        """Host gone: everything must end. The exit status."""
        self.control.close()
        status = self.process.wait(timeout=15)
        self.process.stderr.close()
        return status
