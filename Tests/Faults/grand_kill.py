"""Carries out a schedule of kills while two hosts work, and gathers the evidence."""
import os
import random
import signal
import time

import evidence
import schedule
from lab import processes
from lab.wait import until
from lab.worker import Worker

SLOTS = 4
QUIET = 60  # seconds without any progress after which the rest is taken for lost
NANO = 1_000_000_000


class GrandKill:
    def __init__(self, laboratory, folder, plugin, seed, targets, count):
        self.laboratory = laboratory
        path = os.path.join(folder, "record")
        self.record = evidence.Record(path)
        dice = random.Random(seed)
        self.tasks = [(f"task-{seed}-{number:05d}", (path, f"task-{seed}-{number:05d}", dice.randint(0, 50)))
                      for number in range(count)]
        self.keys = [key for key, _ in self.tasks]
        self.strikes = schedule.draw(seed, targets, count)
        self.evidence = evidence.Evidence(tasks=set(self.keys))
        self.zygotes_seen = set()
        self.folder = folder
        self.plugin = plugin
        self.hosts = []

    def begin(self):
        """Sends everything, then starts the hosts: the kills begin with a full queue."""
        self.laboratory.send(self.tasks)
        for number in range(2):
            self.hosts.append(Worker(os.path.join(self.folder, f"host-{number}"), self.laboratory.broker,
                                     self.laboratory.backend, self.laboratory.queue, [self.plugin], slots=SLOTS))

    def runs(self):
        return self.record.read()

    def carry_out(self):
        for strike in self.strikes:
            until(f"{strike.after_starts} starts before killing a {strike.target}; a host's last lines:\n"
                  + self.hosts[0].tail(), lambda: len(self.runs()) >= strike.after_starts, QUIET + 30)
            time.sleep(strike.delay)  # part of the schedule: the moment within a task
            kill = getattr(self, f"kill_{strike.target}")(strike.choice)
            self.evidence.kills.append(kill)
            self.zygotes_seen |= kill.zygotes

    def zygotes(self):
        return [pid for host in self.hosts for pid in processes.zygotes(host.pid)]

    def busy(self):
        """Children that run a task now, and of a living zygote."""
        below = {child for zygote in self.zygotes() for child in processes.children(zygote)}
        return sorted({run.pid for run in self.runs() if run.ended is None} & below)

    def kill_child(self, choice):
        children = until("a busy child to kill", self.busy, QUIET)
        pid = children[choice % len(children)]
        return self.end([pid], evidence.Kill("child", time.monotonic_ns(), 0, pids=frozenset({pid})))

    def kill_zygote(self, choice):
        zygotes = until("a zygote to kill", self.zygotes, QUIET)
        pid = zygotes[choice % len(zygotes)]
        return self.end([pid], evidence.Kill("zygote", time.monotonic_ns(), 0, zygotes=frozenset({pid})))

    def end(self, pids, kill):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended by itself just now: nothing was interrupted
        until("the killed process to be gone", lambda: not any(processes.alive(pid) for pid in pids), 10)
        kill.over = time.monotonic_ns()
        return kill

    def kill_host(self, choice):
        host = self.hosts[choice % len(self.hosts)]
        kill = evidence.Kill("host", time.monotonic_ns(), 0, zygotes=frozenset(processes.zygotes(host.pid)))
        host.kill()
        kill.over = time.monotonic_ns()
        host.start(wait=False)
        return kill

    def kill_broker(self, choice):
        kill = evidence.Kill("broker", time.monotonic_ns(), 0)
        self.laboratory.kill_broker()
        kill.over = time.monotonic_ns() + NANO // 4  # until the hosts have noticed
        self.laboratory.restart_broker()
        return kill

    def finish(self):
        """Waits until all is done or nothing moves any more, stops the hosts, and returns the evidence."""
        done, moved = -1, time.monotonic()
        sample = random.Random(0).sample(self.keys, min(50, len(self.keys)))  # asking may cost a process each
        while time.monotonic() < moved + QUIET:
            now = len({run.key for run in self.runs() if run.ended is not None})
            if now > done:
                done, moved = now, time.monotonic()
            if (now == len(self.keys) and len(self.laboratory.results(sample)) == len(sample)
                    and self.laboratory.unsettled() == 0):
                break
            time.sleep(0.2)
        family = {pid for host in self.hosts for pid in processes.descendants(host.pid)}
        for host in self.hosts:
            if host.running:
                host.stop()
        found = self.evidence
        found.forgets_acks = self.laboratory.forgets_acks
        found.runs = self.runs()
        found.results = self.laboratory.results(self.keys)
        found.dead = self.laboratory.dead()
        found.waiting = self.laboratory.waiting()
        suspects = family | self.zygotes_seen | {run.pid for run in found.runs}
        found.left_processes = sorted(pid for pid in suspects if processes.alive(pid))
        return found

    def close(self):
        for host in self.hosts:
            host.close()
