"""A canvas of exactly so many tasks in many shapes, drawn by a seed, and what it must come to."""
import random

from celery import Signature, chain, chord, group

MILLISECONDS = 150


class MixedCanvas:
    """`signature`: a chord whose header has plain tasks, chains, groups, chords and chords of chords, and whose body
    passes their values on; `values`: what that is."""

    def __init__(self, app, seed, tasks):
        self.app = app
        self.dice = random.Random(seed)
        shapes = [self.chain, self.chord, self.chord_of_chords, self.chord_of_chains, self.group_within_a_chain]
        members, self.values, left = [], [], tasks - 1
        while left > 0:
            shape = shapes[len(members) % len(shapes)] if left >= 30 else self.single
            member, value, size = shape()
            members.append(member)
            self.values.append(value)
            left -= size
        self.signature = chord(members, self.task("identity"), app=app)

    def task(self, name, *args, **kwargs):
        return Signature(f"fleet.{name}", args, kwargs, app=self.app)

    def add(self, *numbers):
        return self.task("add", *numbers, milliseconds=self.dice.randint(1, 2 * MILLISECONDS))

    def number(self):
        return self.dice.randint(-1000, 1000)

    def single(self):
        x, y = self.number(), self.number()
        return self.add(x, y), x + y, 1

    def chain(self):
        numbers = [self.number() for _ in range(5)]
        return chain(self.add(*numbers[:2]), *map(self.add, numbers[2:])), sum(numbers), 4

    def chord(self):
        return self.joined([self.single() for _ in range(7)])

    def chord_of_chords(self):
        return self.joined([self.joined([self.single() for _ in range(3)]) for _ in range(4)])

    def chord_of_chains(self):
        return self.joined([self.chain() for _ in range(3)])

    def joined(self, parts):
        members, values, sizes = zip(*parts)
        return chord(members, self.task("total"), app=self.app), sum(values), sum(sizes) + 1

    def group_within_a_chain(self):
        """add, then a group that adds to its result, then the sum of these, and one more: a chord by upgrade."""
        x, y, last = (self.number() for _ in range(3))
        more = [self.number() for _ in range(5)]
        whole = chain(self.add(x, y), group(map(self.add, more), app=self.app), self.task("total"), self.add(last))
        return whole, sum(x + y + one for one in more) + last, 8
