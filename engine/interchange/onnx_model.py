"""A network as an ONNX model: one step, with the state as inputs and outputs.

The graph is built node by node, so that it does not depend on the version of torch. A caller feeds
each step the outputs `next.*` of the step before, and zeros before the first. What needs a song's
history stays outside: the match memory's `matched` and `match_kind` (zeros: no match), and for a
joint head the keys chosen so far.

N: songs, stepped as a batch; H: hidden units; V: characters; K: keys of a frame; M: kinds of match;
F, U: features and hidden units of the small network that decides keys.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import files
from engine.errors import InputError, missing_extra
from engine.frame_spec import (
    KEY_FEATURES,
    KEYS,
    KEYS_ABOVE,
    KEYS_AROUND,
    NOTE_COUNTS,
)
from engine.inference import models
from engine.inference.models import ModelMeta
from engine.model import position_encoding

OPSET = 17
IR_VERSION = 8  # the file format that goes with it
METADATA_KEY = "rnn_tui"  # of the model's meta.json in the file

Tensors = Mapping[str, NDArray[Any]]


def write(folder: Path, path: Path) -> None:
    """Write the model in a folder as an ONNX file; raises InputError for an n-gram model."""
    meta, tensors = models.read_meta(folder), models.read_tensors(folder)
    models.from_tensors(meta, tensors, path=folder)  # raises InputError for a damaged model
    files.write_atomic(path, encode(meta, tensors))


def encode(meta: ModelMeta, tensors: Tensors) -> bytes:
    """Return the content of an ONNX file; raises InputError without the package onnx."""
    if meta.model.kind != "network":
        raise InputError(
            f"A {meta.model.words} model has no network to export: choose another model."
        )
    try:
        import onnx
    except ImportError:
        raise missing_extra("Writing ONNX files", "onnx") from None
    graph = _Graph(meta, tensors)
    graph.build()
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes, "step", graph.inputs, graph.outputs, graph.initializers
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rnn-tui",
    )
    onnx.helper.set_model_props(
        model, {METADATA_KEY: json.dumps(meta.to_json(), ensure_ascii=False)}
    )
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


class _Graph:
    """The nodes, inputs, outputs and constants of a graph; made by `build`."""

    def __init__(self, meta: ModelMeta, tensors: Tensors) -> None:
        self.config, self.spec = meta.model, meta.codec.spec
        self.tensors = {name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}
        self.has_artists = "condition.weight" in tensors
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.initializers: list[Any] = []

    def build(self) -> None:
        """Add all nodes of one step."""
        hidden = self._cells(self._first_sums())
        characters = self.spec.kind == "characters"
        if characters:
            logits = self._character_logits(hidden)
        elif self.config.head == "independent":
            logits = self._independent_logits(hidden)
        else:
            logits = self._joint_logits(hidden)
        self._output("logits", logits, (self.spec.size,))
        if "head.end.weight" in self.tensors:
            self._output("end", self._linear(hidden, "head.end.weight", "head.end.bias"), (1,))

    # Parts of a graph: each method returns the name of a result.

    def _op(self, operator: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        result = f"{operator.lower()}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [result], **attributes))
        return result

    def _constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant.{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _input(self, name: str, shape: tuple[int, ...], *, integer: bool = False) -> str:
        from onnx import TensorProto, helper

        kind = TensorProto.INT64 if integer else TensorProto.FLOAT
        self.inputs.append(helper.make_tensor_value_info(name, kind, ("N", *shape)))
        return name

    def _output(self, name: str, result: str, shape: tuple[int, ...]) -> None:
        from onnx import TensorProto, helper

        self.nodes.append(helper.make_node("Identity", [result], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", *shape)))

    def _linear(self, x: str, weight: str, bias: str) -> str:
        product = self._op("MatMul", x, self._constant(self.tensors[weight]))
        return self._op("Add", product, self._constant(self.tensors[bias]))

    def _sum(self, *terms: str) -> str:
        result = terms[0]
        for term in terms[1:]:
            result = self._op("Add", result, term)
        return result

    def _frames(self, name: str) -> str:
        characters = self.spec.kind == "characters"
        return self._input(name, self.spec.shape, integer=characters)

    def _table(self, rows: NDArray[np.float32], index: str) -> str:
        return self._op("Gather", self._constant(rows), index, axis=0)

    # The network.

    def _first_sums(self) -> str:
        """The terms of all inputs in the first layer's pre-activations, and its bias."""
        config, tensors = self.config, self.tensors
        rows = tensors["cells.0.input"]  # frame, matched frame, match kind, position, artist
        vectors = tensors["head.embedding" if self.spec.kind == "characters" else "head.input"]
        parts = np.split(rows, np.cumsum(self._input_sizes(vectors.shape[1]))[:-1])
        terms = [self._constant(tensors["cells.0.bias"])]
        terms.append(self._encode(self._frames("frame"), vectors @ parts[0]))
        if config.match_memory:
            terms.append(self._encode(self._frames("matched"), vectors @ parts[1]))
            terms.append(self._table(parts[2], self._input("match_kind", (), integer=True)))
        if config.beat_position:
            period = self._integers(position_encoding.COMMON_PERIOD)
            index = self._op("Mod", self._input("position", (), integer=True), period)
            terms.append(self._table(position_encoding.TABLE @ parts[3], index))
        if self.has_artists:
            table = tensors["condition.weight"] @ parts[4]
            terms.append(self._table(table, self._input("artist", (), integer=True)))
        return self._sum(*terms[1:], terms[0])

    def _input_sizes(self, width: int) -> list[int]:
        config = self.config
        matches = self.spec.match_kinds(config.match_recovery) if config.match_memory else 0
        return [
            width,
            width if config.match_memory else 0,
            matches,
            position_encoding.WIDTH if config.beat_position else 0,
            self.tensors["condition.weight"].shape[1] if self.has_artists else 0,
        ]

    def _encode(self, frames: str, table: NDArray[np.float32]) -> str:
        if self.spec.kind == "characters":
            return self._table(table, frames)
        return self._op("MatMul", frames, self._constant(table))

    def _cells(self, sums: str) -> str:
        """The last layer's output; `sums` lack the term of the first layer's own last output."""
        hidden = sums
        for layer in range(self.config.layers):
            name, size = f"cells.{layer}", self.config.hidden_size
            if layer:
                sums = self._linear(hidden, f"{name}.input", f"{name}.bias")
            h = self._input(f"h.{layer}", (size,))
            from_hidden = self._op("MatMul", h, self._constant(self.tensors[f"{name}.hidden"]))
            hidden = getattr(self, f"_{self.config.cell}")(layer, sums, from_hidden, h)
            self._output(f"next.h.{layer}", hidden, (size,))
        return hidden

    def _split(self, x: str, count: int) -> list[str]:
        from onnx import helper

        results = [f"split.{len(self.nodes)}.{part}" for part in range(count)]
        sizes = self._integers(*[self.config.hidden_size] * count)
        self.nodes.append(helper.make_node("Split", [x, sizes], results, axis=1))
        return results

    def _rnn(self, layer: int, sums: str, from_hidden: str, h: str) -> str:  # noqa: ARG002
        return self._op("Tanh", self._op("Add", sums, from_hidden))

    def _gru(self, layer: int, sums: str, from_hidden: str, h: str) -> str:
        inputs, hidden = self._split(sums, 3), self._split(from_hidden, 3)
        r, z = (self._op("Sigmoid", self._op("Add", inputs[g], hidden[g])) for g in (0, 1))
        bias = self._constant(self.tensors[f"cells.{layer}.hidden_bias"])
        reset = self._op("Mul", r, self._op("Add", hidden[2], bias))
        n = self._op("Tanh", self._op("Add", inputs[2], reset))
        return self._op("Add", n, self._op("Mul", z, self._op("Sub", h, n)))

    def _lstm(self, layer: int, sums: str, from_hidden: str, h: str) -> str:  # noqa: ARG002
        size = self.config.hidden_size
        *gates, candidate = self._split(self._op("Add", sums, from_hidden), 4)
        i, f, o = (self._op("Sigmoid", gate) for gate in gates)
        kept = self._op("Mul", f, self._input(f"c.{layer}", (size,)))
        c = self._op("Add", kept, self._op("Mul", i, self._op("Tanh", candidate)))
        self._output(f"next.c.{layer}", c, (size,))
        return self._op("Mul", o, self._op("Tanh", c))

    # The heads.

    def _character_logits(self, hidden: str) -> str:
        tensors = self.tensors
        if self.config.tied:
            weight = tensors["head.project"] @ tensors["head.embedding"].T
        else:
            weight = tensors["head.weight"].T
        product = self._op("MatMul", hidden, self._constant(weight))
        logits = self._op("Add", product, self._constant(tensors["head.bias"]))
        if not self.config.match_memory:
            return logits
        onehot = self._table(np.eye(self.spec.size, dtype=np.float32), "matched")
        gain = self._table(tensors["head.gain"], "match_kind")  # (N, 1)
        return self._op("Add", logits, self._op("Mul", onehot, gain))

    def _independent_logits(self, hidden: str) -> str:
        logits = self._linear(hidden, "head.weight", "head.bias")
        if not self.config.match_memory:
            return logits
        gain = self.tensors["head.gain"]
        silent, sounding = (self._table(gain[:, [state]], "match_kind") for state in (0, 1))
        matched = self._op("Greater", "matched", self._constant(np.zeros(1, np.float32)))
        return self._op("Add", logits, self._op("Where", matched, sounding, silent))

    def _joint_logits(self, hidden: str) -> str:
        """Each key's logit given the keys above it in the input `chosen` (N, K)."""
        chosen = self._input("chosen", self.spec.shape)
        features = self._linear(hidden, "head.features", "head.bias")
        features = self._op("Reshape", features, self._integers(-1, KEYS, KEY_FEATURES))
        frames = ["frame", "matched"] if self.config.match_memory else ["frame"]
        planes = [plane for frame in frames for plane in self._planes(frame)]
        sounding, *onset = self._planes(chosen)
        logits = self._decide("head.sounding", sounding, features, planes)
        if not onset:
            return logits
        silent_before = self._op("Sub", self._constant(np.ones(1, np.float32)), planes[0])
        known = [sounding, self._op("Mul", sounding, silent_before), *planes[1::2]]
        onset_logits = self._decide("head.onset", onset[0], features, known)
        return self._op("Concat", logits, onset_logits, axis=1)

    def _planes(self, frames: str) -> list[str]:
        """Split frames (N, K) into planes (N, 88)."""
        starts = range(0, self.spec.size, KEYS)
        return [
            self._op(
                "Slice",
                frames,
                self._integers(start),
                self._integers(start + KEYS),
                self._integers(1),
            )
            for start in starts
        ]

    def _windows(self, plane: str, before: int, after: int, first: int) -> str:
        """For each key of a plane (N, 88) the keys from key + first on: (N, 88, size).

        before, after: zeros added on both sides of the plane.
        """
        padded = self._op("Pad", plane, self._integers(0, before, 0, after))
        size = after if first else before + after + 1
        index = np.arange(KEYS)[:, None] + np.arange(size) + first
        return self._op("Gather", padded, self._constant(index.astype(np.int64)), axis=1)

    def _decide(self, name: str, bits: str, features: str, planes: list[str]) -> str:
        """The logits (N, 88) of a plane's keys, each given the bits (N, 88) above it."""
        weight = self.tensors[f"{name}.weight"]
        above, counts, around = np.split(weight, [KEYS_ABOVE, KEYS_ABOVE + NOTE_COUNTS])
        terms = [self._op("MatMul", self._windows(bits, 0, KEYS_ABOVE, 1), self._constant(above))]
        # The number of bits above each key; each of the first NOTE_COUNTS adds a row.
        higher = np.tri(KEYS, k=-1, dtype=np.float32)  # (88, 88): row above column
        notes = self._op("MatMul", bits, self._constant(higher))
        notes = self._op("Unsqueeze", notes, self._integers(2))
        enough = self._op(
            "Greater", notes, self._constant(np.arange(NOTE_COUNTS, dtype=np.float32) + 0.5)
        )
        counted = self._op("Cast", enough, to=1)  # float
        terms.append(self._op("MatMul", counted, self._constant(counts)))
        for plane, weights in zip(planes, np.split(around, len(planes)), strict=True):
            windows = self._windows(plane, KEYS_AROUND, KEYS_AROUND, 0)
            terms.append(self._op("MatMul", windows, self._constant(weights)))
        mix = self._constant(self.tensors[f"{name}.mix"])
        terms.append(self._op("MatMul", features, mix))
        units = self._sum(*terms, self._constant(self.tensors[f"{name}.bias"]))
        logits = self._op(
            "MatMul", self._op("Relu", units), self._constant(self.tensors[f"{name}.out"])
        )
        logits = self._op("Squeeze", logits, self._integers(2))
        return self._op("Add", logits, self._constant(self.tensors[f"{name}.out_bias"]))
