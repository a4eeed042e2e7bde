"""Five ways to tell one label from the other, each as a list of numbers that a file can keep. Cinco modelos.

`improve` is one round of training. A score above zero means label 1. / Mayor que cero: etiqueta 1.
"""
import random
from math import exp, tanh

from tree import SIZE, fit, value

ROUNDS = 20


class Model:
    def __init__(self, numbers=None):
        # The same numbers every time, so that a stage that runs twice comes to the same. Siempre los mismos números.
        self.dice = random.Random(42)
        self.numbers = self.first() if numbers is None else numbers


class Linear(Model):
    """A straight line. Una recta."""

    def first(self):
        return [0.0] * len(self.features(0, 0))

    def features(self, x, y):
        return 1, x, y

    def score(self, x, y):
        return sum(number * feature for number, feature in zip(self.numbers, self.features(x, y)))

    def step(self, score, label, number):
        return 0.1 * label / (1 + exp(label * score))

    def improve(self, samples, number):
        for x, y, label in self.dice.sample(samples, len(samples)):
            size = self.step(self.score(x, y), label, number)
            self.numbers = [one + size * feature for one, feature in zip(self.numbers, self.features(x, y))]


class SupportVectors(Linear):
    """The squares besides. También los cuadrados."""

    def features(self, x, y):
        return 1, x, y, x * x, y * y, x * y

    def step(self, score, label, number):
        return label / (number + 1) if label * score < 1 else 0


class Forest(Model):
    """Trees, each of samples that are drawn anew. Árboles, cada uno de muestras sorteadas."""

    def first(self):
        return []

    def score(self, x, y):
        return sum(value(self.numbers[start:start + SIZE], x, y) for start in range(0, len(self.numbers), SIZE))

    def improve(self, samples, number):
        drawn = self.dice.choices(samples, k=len(samples))
        self.numbers = self.numbers + fit(drawn, [label for _, _, label in drawn])


class Boosting(Forest):
    """Trees, each of what those before it have missed. Árboles, cada uno de lo que les faltó a los anteriores."""

    def improve(self, samples, number):
        missed = [0.5 * label / (1 + exp(label * self.score(x, y))) for x, y, label in samples]
        self.numbers = self.numbers + fit(samples, missed)


class Network(Model):
    """One hidden layer. Una capa oculta."""
    HIDDEN = 8

    def first(self):
        return [self.dice.uniform(-1, 1) for _ in range(4 * self.HIDDEN + 1)]

    def hidden(self, x, y):
        n = self.numbers
        return [tanh(n[3 * unit] + n[3 * unit + 1] * x + n[3 * unit + 2] * y) for unit in range(self.HIDDEN)]

    def score(self, x, y, hidden=None):
        bias, *weights = self.numbers[3 * self.HIDDEN:]
        return bias + sum(weight * one for weight, one in zip(weights, hidden or self.hidden(x, y)))

    def improve(self, samples, number):
        n, out = self.numbers, 3 * self.HIDDEN
        for x, y, label in [one for _ in range(5) for one in self.dice.sample(samples, len(samples))]:
            hidden = self.hidden(x, y)
            push = 0.1 * label / (1 + exp(label * self.score(x, y, hidden)))
            n[out] += push
            for unit, one in enumerate(hidden):
                back = push * n[out + 1 + unit] * (1 - one * one)
                n[out + 1 + unit] += push * one
                n[3 * unit] += back
                n[3 * unit + 1] += back * x
                n[3 * unit + 2] += back * y


MODELS = {"linear": Linear, "svm": SupportVectors, "rf": Forest, "xgboost": Boosting, "neural_net": Network}


def accuracy(model, samples):
    """Part of the samples, unseen so far, that it tells right. Aciertos con muestras que no ha visto."""
    return sum((model.score(x, y) > 0) == (label > 0) for x, y, label in samples) / len(samples)
