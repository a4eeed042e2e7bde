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
HELD = 12  # tasks for each strike, held back until it finds nothing that runs: a slow harness loses no strike
PIECE = 5000  # tasks sent at a time, so that progress can be told
QUIET = 60  # seconds without any progress after which the rest is taken for lost
NANO = 1_000_000_000


class GrandKill:
    def __init__(self, laboratory, folder, plugin, seed, targets, count, linked=False):
        """`linked`: every second task is a link of the one before."""
        self.laboratory = laboratory
        self.send = laboratory.send_linked if linked else laboratory.send
        path = os.path.join(folder, "record")
        self.record = evidence.Record(path)
        dice = random.Random(seed)
        first = self.first = (count - min(HELD * sum(targets.values()), count // 2)) // 2 * 2
        self.sent = 0
        # Those held back last longer: a strike waits for them.
        self.tasks = [(f"task-{seed}-{number:05d}", (path, f"task-{seed}-{number:05d}",
                                                     dice.randint(0, 50) if number < first else dice.randint(200, 500)))
                      for number in range(count)]
        self.keys = [key for key, _ in self.tasks]
        self.strikes = schedule.draw(seed, targets, first)
        self.evidence = evidence.Evidence(
            tasks=set(self.keys), follows=dict(zip(self.keys[1::2], self.keys[::2])) if linked else {})
        self.zygotes_seen = []
        self.folder = folder
        self.plugin = plugin
        self.hosts = []
        self.missed = 0  # strikes that came when everything was done, held back tasks too

    def begin(self):
        """Sends all that is not held back, then starts the hosts: the kills begin with a full queue."""
        while self.sent < self.first:
            self.send_more(min(PIECE, self.first - self.sent))
        for number in range(2):
            name = f"host-{number}"
            self.hosts.append(Worker(os.path.join(self.folder, name), self.laboratory.broker, self.laboratory.backend,
                                     self.laboratory.queue, [self.plugin], slots=SLOTS,
                                     options=["--hostname", f"{name}@grand-kill"]))

    def runs(self):
        return self.record.read()

    def progress(self):
        """A line for whoever waits. Reads only: another thread asks."""
        return (f"{self.sent} of {len(self.tasks)} tasks sent, {len(self.record.runs)} starts, "
                f"{len(self.evidence.kills)} of {len(self.strikes)} strikes")

    def carry_out(self):
        for strike in self.strikes:
            until(f"{strike.after_starts} starts before killing a {strike.target}; a host's last lines:\n"
                  + self.hosts[0].tail(), lambda: len(self.runs()) >= strike.after_starts, QUIET + 30)
            time.sleep(strike.delay)  # part of the schedule: the moment within a task
            kill = getattr(self, f"kill_{strike.target}")(strike.choice)
            if kill is None:
                self.missed += 1
                continue
            self.evidence.kills.append(kill)
            # Beside the record, for who has to find a cause.
            with open(os.path.join(self.folder, "kills"), "a") as file:
                print(kill, file=file)
            self.zygotes_seen += kill.zygotes

    def zygotes(self):
        return [pid for host in self.hosts for pid in processes.zygotes(host.pid)]

    def busy(self):
        """Children that run a task now, and of a living zygote."""
        below = {child for zygote in self.zygotes() for child in processes.children(zygote)}
        return sorted({run.pid for run in self.runs() if run.ended is None and run.pid in below
                       and processes.alive_since(run.pid, run.started)})

    def all_ended(self):
        """All that was sent."""
        return len({run.key for run in self.runs() if run.ended is not None}) == self.sent

    def send_more(self, count):
        """Sends so many of those not yet sent; false: there are none left."""
        more = self.tasks[self.sent:self.sent + count]
        self.send(more)
        self.sent += len(more)
        return bool(more)

    def kill_child(self, choice):
        """None: nothing runs any more, as all is done."""
        while True:
            until("a busy child to kill", lambda: self.busy() or self.all_ended(), QUIET)
            if children := self.busy():
                pid = children[choice % len(children)]
                return self.end([pid], evidence.Kill("child", time.monotonic_ns(), 0, pids=frozenset({pid})))
            if self.all_ended() and not self.send_more(HELD):
                return None

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
        at = time.monotonic_ns()
        # So that it starts no zygote between the look at them and the kill.
        host.send(signal.SIGSTOP)
        until("a host to stand still", lambda: processes.status(host.pid)[1] == "T", 10)
        kill = evidence.Kill("host", at, 0, zygotes=frozenset(processes.zygotes(host.pid)))
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

    def kill_store(self, choice):
        """The results' server alone: no run is excused by it, whatever was owed has to be recorded afterwards."""
        kill = evidence.Kill("store", time.monotonic_ns(), 0)
        self.laboratory.kill_store()
        kill.over = time.monotonic_ns()
        self.laboratory.restart_store()
        return kill

    def kill_term(self, choice):
        """Asks a host to end, and starts it anew: it waits for what runs, settles it and gives back the rest."""
        host = self.hosts[choice % len(self.hosts)]
        host.wait_until_ready(QUIET)
        kill = evidence.Kill("term", time.monotonic_ns(), 0)
        status = host.stop()
        assert status == 0, f"a host that got TERM ended with status {status}:\n{host.tail()}"
        kill.over = time.monotonic_ns()
        host.start(wait=False)
        return kill

    def finish(self):
        """Waits until all is done or nothing moves any more, stops the hosts, and returns the evidence."""
        self.send_more(len(self.tasks))
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
        family = [pid for host in self.hosts for pid in processes.descendants(host.pid)]
        for host in self.hosts:
            if host.running:
                host.stop()
        found = self.evidence
        found.forgets_acks = self.laboratory.forgets_acks
        found.runs = self.runs()
        found.results = self.laboratory.results(self.keys)
        found.dead = self.laboratory.dead()
        found.waiting = self.laboratory.waiting()
        found.left_processes = sorted({pid for pid in family + self.zygotes_seen if processes.alive(pid)} | {
            run.pid for run in found.runs if processes.alive_since(run.pid, run.started)})
        return found

    def close(self):
        for host in self.hosts:
            host.close()
        self.laboratory.close()
