"""Makes an exported model int8: weights once per output channel, activations per token as they come.

ONNX Runtime's own dynamic quantization takes one range for a whole batch, so a text's vector would
depend on the texts it is batched with. One range a token costs the same time, keeps more of the
vector, and makes it independent of the batch. Runs in the exporting child only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGE_TABLE = 1_000_000
"""Embedding tables with more values than this are stored as int8 too, one scale a row."""
ZERO_POINT = 128
SMALLEST = 1e-12


def quantize(source: Path, target: Path, levels: int) -> None:
    """Write the int8 form of an fp32 model; weights take the values -levels to levels.

    `levels` is 127, or 63 for processors that add pairs of int8 products in 16 bits.
    """
    import onnx

    model = onnx.load(str(source))
    _Quantizer(model.graph, levels).run()
    if not any(imported.domain == "com.microsoft" for imported in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(target))


class _Quantizer:
    """Rewrites one graph: every product with a constant matrix, and every large table."""

    def __init__(self, graph: Any, levels: int) -> None:
        from onnx import numpy_helper

        self.graph = graph
        self.levels = levels
        self.weights = {item.name: item for item in graph.initializer}
        self.nodes: list[Any] = []
        self.scales: dict[str, str] = {}
        self.added: dict[str, Any] = {}
        self.to_array = numpy_helper.to_array
        self.from_array = numpy_helper.from_array

    def run(self) -> None:
        """Rewrite the graph in place; weights that nothing uses any more are dropped."""
        for node in self.graph.node:
            if node.op_type == "MatMul" and self._matrix(node.input[1]) is not None:
                self._product(node)
            elif node.op_type == "Gather" and self._large(node.input[0]):
                self._table(node)
            else:
                self.nodes.append(node)
        used = {name for node in self.nodes for name in node.input}
        kept = [item for item in self.graph.initializer if item.name in used]
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(self.nodes)
        self.graph.initializer.extend([*kept, *self.added.values()])

    def _matrix(self, name: str) -> NDArray[np.float32] | None:
        if name not in self.weights:
            return None
        matrix: NDArray[np.float32] = self.to_array(self.weights[name])
        return matrix if matrix.ndim == 2 and matrix.dtype == "float32" else None

    def _large(self, name: str) -> bool:
        matrix = self._matrix(name)
        return matrix is not None and matrix.size > LARGE_TABLE

    def _product(self, node: Any) -> None:
        import numpy as np

        source, weight = node.input
        scale = self._activation(source)
        small, scales = self._weight(weight, axis=0)
        raw = f"{node.output[0]}/int8"
        inputs = [f"{source}/int8", small, self._constant("one", np.float32(1)), scales]
        zero = self._constant("weight_zero", np.int8(0))
        middle = self._constant("zero_point", np.uint8(ZERO_POINT))
        self._add("MatMulIntegerToFloat", [*inputs, middle, zero], raw, domain="com.microsoft")
        self._add("Mul", [raw, scale], node.output[0])

    def _activation(self, name: str) -> str:
        """Quantize an activation to uint8 around 128, one scale a token; shared by its products."""
        import numpy as np

        if name in self.scales:
            return self.scales[name]
        low, high, scale = f"{name}/low", f"{name}/high", f"{name}/scale"
        self._add("ReduceMax", [name], high, axes=[-1], keepdims=1)
        self._add("ReduceMin", [name], low, axes=[-1], keepdims=1)
        self._add("Neg", [low], f"{low}/negated")
        smallest = self._constant("smallest", np.float32(SMALLEST))
        self._add("Max", [high, f"{low}/negated", smallest], f"{name}/range")
        step = self._constant("step", np.float32(1 / 127))
        self._add("Mul", [f"{name}/range", step], scale)
        self._add("Div", [name, scale], f"{name}/scaled")
        one = self._constant("one", np.float32(1))
        middle = self._constant("zero_point", np.uint8(ZERO_POINT))
        self._add("QuantizeLinear", [f"{name}/scaled", one, middle], f"{name}/int8")
        self.scales[name] = scale
        return scale

    def _table(self, node: Any) -> None:
        from onnx import TensorProto

        table, rows = node.input
        small, scales = self._weight(table, axis=1)
        output = node.output[0]
        self._add("Gather", [small, rows], f"{output}/int8")
        self._add("Cast", [f"{output}/int8"], f"{output}/float", to=TensorProto.FLOAT)
        self._add("Gather", [scales, rows], f"{output}/scale")
        self._add("Mul", [f"{output}/float", f"{output}/scale"], output)

    def _weight(self, name: str, axis: int) -> tuple[str, str]:
        """The int8 form of a matrix and its scales, one for each line along `axis`."""
        import numpy as np

        small, scales = f"{name}/int8", f"{name}/scale"
        if small not in self.added:
            matrix = self.to_array(self.weights[name])
            scale = np.abs(matrix).max(axis=axis, keepdims=axis == 1) / self.levels
            scale = np.maximum(scale, SMALLEST).astype(np.float32)
            self._constant(small, np.round(matrix / scale).astype(np.int8))
            self._constant(scales, scale)
        return small, scales

    def _constant(self, name: str, value: Any) -> str:
        import numpy as np

        if name not in self.added:
            self.added[name] = self.from_array(np.asarray(value), name)
        return name

    def _add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
