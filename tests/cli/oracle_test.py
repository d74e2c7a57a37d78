#!/usr/bin/python3
"""Compares `evaluate` with an independent implementation in extended precision.

The gradient comes from reverse accumulation that works for complex numbers as well, so that a
complex step gives the Hessian-vector product: H v = Im g(theta + i h v)/h (Squire and Trapp 1998).
"""

import csv
import json
import math
import unittest

import numpy as np

from program import NO_PICTURES, SMALL_DATA, ProgramTest, ini_values

REAL, COMPLEX = np.longdouble, np.clongdouble
ERFC = np.vectorize(math.erfc, otypes=[float])
# Double precision has 2e-16; sums over some hundred samples and layers lose a digit or two, and
# means of terms that cancel another one.
TOLERANCE = 1e-12
# Its square vanishes beside 1 in any precision, and its product with a derivative never underflows.
STEP = REAL(1e-100)


def normal_mass(z):
    """Phi(z), to first order in the imaginary part."""
    mass = REAL(0.5) * ERFC(-z.real.astype(float) / math.sqrt(2)).astype(REAL)
    return mass + 1j * normal_density(z.real) * z.imag


def normal_density(z):
    """The standard normal density."""
    return np.exp(-z * z / 2) / np.sqrt(2 * REAL(np.pi))


def sigmoid(z):
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


# Value and slope.
ACTIVATIONS = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: z * (z.real > 0), lambda z: (z.real > 0).astype(z.dtype)),
    "gelu": (lambda z: z * normal_mass(z), lambda z: normal_mass(z) + z * normal_density(z)),
    "softplus": (lambda z: np.log(1 + np.exp(z)), sigmoid),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "sin": (np.sin, np.cos),
    "identity": (lambda z: z, np.ones_like),
}


def logistic(f, y):
    """ln(1 + exp(-s f)), s = +-1, and its slope."""
    s = 2 * y[:, None] - 1
    return np.log(1 + np.exp(-s * f))[:, 0], -s * sigmoid(-s * f)


def softmax(f, y):
    """ln sum_c exp f_c - f_y and its slope."""
    mass = np.exp(f)
    total = mass.sum(axis=1, keepdims=True)
    hot = np.eye(f.shape[1])[y]
    return np.log(total[:, 0]) - (f * hot).sum(axis=1), mass / total - hot


def mse(f, y):
    """|f - target|^2/2 and its slope."""
    target = y[:, None] if f.shape[1] == 1 else np.eye(f.shape[1])[y]
    return ((f - target) ** 2).sum(axis=1) / 2, f - target


LOSSES = {"logistic": logistic, "softmax": softmax, "mse": mse}


class Network:
    """The network and the risk that a run's files describe."""

    def __init__(self, directory, split):
        self.keys = ini_values((directory / "run.ini").read_text())
        layers = self.read_weights(directory / "weights.csv")
        self.shapes = [w.shape for w, _ in layers]
        self.theta = np.concatenate([part for w, b in layers for part in (w.ravel(order="F"), b)])
        self.x, self.clean, self.label = self.read_data(directory / "data.csv", split)

    @staticmethod
    def read_weights(file):
        """[(W, b)], by the indices of every row."""
        entries = {}
        with open(file, newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                place = tuple(int(row[name]) for name in ("layer", "row", "column"))
                entries[(row["kind"], *place)] = REAL(row["value"])
        layers = []
        for k in range(1 + max(place[1] for place in entries)):
            w, b = ({place[2:]: value for place, value in entries.items() if place[:2] == (kind, k)}
                    for kind in ("weight", "bias"))
            shape = [1 + max(place[axis] for place in w) for axis in (0, 1)]
            layers.append((np.array([[w[i, j] for j in range(shape[1])] for i in range(shape[0])]),
                           np.array([b[i, 0] for i in range(shape[0])])))
        return layers

    @staticmethod
    def read_data(file, split):
        """Features, clean classes and labels of a split."""
        with open(file, newline="", encoding="utf-8") as rows:
            chosen = [row for row in csv.DictReader(rows) if split in ("all", row["split"])]
        features = [name for name in chosen[0] if name.startswith("x")]
        return (np.array([[REAL(row[name]) for name in features] for row in chosen]),
                *(np.array([int(row[name]) for row in chosen]) for name in ("clean", "label")))

    def layers(self, theta):
        """(W, b, scale) of every layer."""
        start = 0
        for k, (rows, columns) in enumerate(self.shapes):
            w = theta[start:start + rows * columns].reshape((rows, columns), order="F")
            start += rows * columns
            scaling = self.keys["model.scaling"]
            scale = {"standard": REAL(1), "ntk": 1 / np.sqrt(REAL(columns)),
                     "mean-field": 1 / REAL(columns) if k == 1 else REAL(1)}[scaling]
            yield w, theta[start:start + rows], scale
            start += rows

    def forward(self, theta):
        """Logits, and for reverse accumulation the inputs and pre-activations of every layer."""
        act, _ = ACTIVATIONS[self.keys["model.activation"]]
        a, tape = self.x, []
        for k, (w, b, scale) in enumerate(self.layers(theta)):
            z = scale * (a @ w.T) + b
            tape.append((a, z))
            a = act(z) if k + 1 < len(self.shapes) else z
        return a, tape

    def risk(self, theta):
        """Value and gradient."""
        f, tape = self.forward(theta)
        values, adjoint = LOSSES[self.keys["model.loss"]](f, self.label)
        adjoint = adjoint / len(self.label)
        _, slope = ACTIVATIONS[self.keys["model.activation"]]
        parts = []
        for k, (w, _, scale) in reversed(list(enumerate(self.layers(theta)))):
            a, _ = tape[k]
            parts = [(scale * (adjoint.T @ a)).ravel(order="F"), adjoint.sum(axis=0), *parts]
            if k > 0:
                adjoint = scale * (adjoint @ w) * slope(tape[k - 1][1])
        decay = REAL(self.keys["model.weight_decay"])
        return (values.mean() + decay / 2 * (theta ** 2).sum(),
                np.concatenate(parts) + decay * theta)

    def product(self, v):
        """The Hessian times v."""
        return self.risk(self.theta.astype(COMPLEX) + 1j * STEP * v)[1].imag / STEP

    def predicted(self):
        """The class of every sample."""
        f, _ = self.forward(self.theta)
        if f.shape[1] > 1:
            return f.argmax(axis=1)
        return (f[:, 0] > (0.5 if self.keys["model.loss"] == "mse" else 0)).astype(int)


class Door(ProgramTest):
    """evaluate.csv and evaluate.json say what the formulas say."""

    def evaluated(self, directory):
        """evaluate.csv by column, and evaluate.json."""
        file = self.directory / directory / "evaluate.csv"
        with open(file, newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        columns = {name: np.array([REAL(row[name]) for row in rows]) for name in rows[0]}
        return columns, json.loads(self.read(directory, "evaluate.json"))

    def assert_close(self, found, expected, name):
        """Equal to the tolerance, relative to the largest entry."""
        error = np.max(np.abs(found - expected)) / np.max(np.abs(expected))
        self.assertLess(error, TOLERANCE, name)

    def compare(self, run, evaluation, split):
        """All that an evaluation says of a run."""
        network = Network(self.directory / run, split)
        columns, numbers = self.evaluated(evaluation)
        loss, gradient = network.risk(network.theta)
        self.assertEqual(list(columns["index"]), list(range(len(network.theta))))
        self.assertTrue((columns["theta"] == network.theta).all())
        self.assert_close(columns["gradient"], gradient, "gradient")
        self.assert_close(columns["hvp"], network.product(columns["v"]), "hvp")
        self.assert_close(REAL(numbers["loss"]), loss, "loss")
        self.assert_close(REAL(numbers["grad_norm"]), np.sqrt((gradient ** 2).sum()), "grad_norm")
        predicted = network.predicted()
        self.assertEqual(numbers["accuracy"], np.mean(predicted == network.clean))
        self.assertEqual(numbers["label_accuracy"], np.mean(predicted == network.label))
        self.assertEqual((numbers["samples"], numbers["parameters"], numbers["split"]),
                         (len(network.label), len(network.theta), split))
        self.assertEqual(numbers["loss_name"], network.keys["model.loss"])

    def check(self, runs):
        """Trains and evaluates each: name -> (split, keys)."""
        common = ["--data.noise=0.2", *SMALL_DATA, *NO_PICTURES, "--stop.time=1"]
        self.call_all([["train", *common, f"--out.dir={name}", *keys]
                       for name, (_, keys) in runs.items()])
        self.call_all([["evaluate", f"--in.dir={name}", f"--evaluate.split={split}",
                        f"--out.dir={name}-values"] for name, (split, _) in runs.items()])
        for name, (split, _) in runs.items():
            with self.subTest(name):
                self.compare(name, f"{name}-values", split)

    def test_two_classes(self):
        def model(activation, loss, scaling, hidden, *more):
            return [f"--model.activation={activation}", f"--model.loss={loss}",
                    f"--model.scaling={scaling}", f"--model.hidden={hidden}", *more]

        decay = "--model.weight_decay=0.03"
        self.check({
            "tanh": ("train", model("tanh", "logistic", "standard", "9,7", decay)),
            "relu": ("train", model("relu", "mse", "ntk", "8")),
            "gelu": ("test", model("gelu", "logistic", "ntk", "6,5,4", decay)),
            "softplus": ("all", model("softplus", "logistic", "mean-field", "16", decay)),
            "sigmoid": ("validation", model("sigmoid", "softmax", "standard", "7")),
            "sin": ("train", model("sin", "mse", "standard", "5,6,7")),
            "identity": ("train", model("identity", "softmax", "standard", "3,3")),
            "linear": ("all", model("tanh", "logistic", "standard", "none", decay)),
        })

    def test_three_classes(self):
        draw = np.random.default_rng(3)
        lines = [f"{a},{b},{c},{'pqr'[k % 3]}"
                 for k, (a, b, c) in enumerate(draw.normal(size=(60, 3)))]
        self.write("table.csv", "\n".join(lines))
        table = ["--data.kind=csv", "--data.file=table.csv"]
        self.check({
            "softmax": ("train", [*table, "--model.hidden=5", "--model.activation=gelu"]),
            "mse": ("test", [*table, "--model.hidden=6,4", "--model.loss=mse",
                             "--model.scaling=ntk", "--model.weight_decay=0.1"]),
            "linear": ("all", [*table, "--model.hidden=none"]),
        })

    def test_the_direction_follows_from_its_seed(self):
        self.call("train", *SMALL_DATA, *NO_PICTURES, "--stop.time=0.1", "--out.dir=run")
        seeds = {"a": 0, "b": 0, "c": 1}
        self.call_all([["evaluate", "--in.dir=run", f"--evaluate.seed={seed}", f"--out.dir={name}"]
                       for name, seed in seeds.items()])
        self.assert_same_files("a", "b", ["evaluate.csv", "evaluate.json"])
        a, c = (self.evaluated(name)[0] for name in "ac")
        self.assertFalse((a["v"] == c["v"]).any())
        self.assertTrue((a["gradient"] == c["gradient"]).all())
        # Normal numbers: mean and variance within four standard errors.
        n = len(a["v"])
        self.assertLess(abs(a["v"].mean()), 4 / math.sqrt(n))
        self.assertLess(abs(a["v"].var() - 1), 4 * math.sqrt(2 / n))


if __name__ == "__main__":
    unittest.main()
