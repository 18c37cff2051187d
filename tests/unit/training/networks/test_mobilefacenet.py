"""MobileFaceNet read out of operations and built again, on a small network of the same kind."""

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.flatbuffer import Graph, Operation, read_graph
from facesecure_training.export.convert import to_tflite
from facesecure_training.export.operations import require_supported, tpu_problems
from facesecure_training.networks import mobilefacenet as net


def prelu_operations(source: int, result: int, slopes: int) -> list[Operation]:
    """relu(x) + k * (x - |x|), as the published file spells it; uses tensors result + 1 to result + 4."""
    relu, size, difference, product = (result + number for number in range(1, 5))
    return [
        Operation("RELU", (source,), relu),
        Operation("ABS", (source,), size),
        Operation("SUB", (source, size), difference),
        Operation("MUL", (slopes, difference), product),
        Operation("ADD", (relu, product), result),
    ]


@pytest.fixture
def graph() -> Graph:
    """3x3 convolution, PReLU, 1x1, 1x1 (mergeable), a residual round a 1x1, the 56x56 depthwise one, reshape."""
    random = np.random.default_rng(3)

    def some(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32) / 4

    constants = {
        100: some(4, 3, 3, 3), 101: some(4), 102: some(4),
        103: some(6, 1, 1, 4), 104: some(6), 105: some(5, 1, 1, 6), 106: some(5),
        107: some(5, 1, 1, 5), 108: some(5), 109: some(1, 56, 56, 5), 110: some(5),
    }  # fmt: skip
    operations = [
        Operation("CONV_2D", (0, 100, 101), 1, stride=2),
        *prelu_operations(1, 10, 102),
        Operation("CONV_2D", (10, 103, 104), 20),
        Operation("CONV_2D", (20, 105, 106), 21),
        Operation("CONV_2D", (21, 107, 108), 22),
        Operation("ADD", (22, 21), 23),
        Operation("DEPTHWISE_CONV_2D", (23, 109, 110), 24, padding="valid"),
        Operation("RESHAPE", (24,), 25),
    ]
    return Graph(tuple(operations), constants, 0, 25)


def test_five_operations_are_one_prelu_with_twice_their_factor(graph):
    prelus = [layer for layer in net.layers(graph) if isinstance(layer, net.Prelu)]
    assert len(prelus) == 1
    assert (prelus[0].alpha == 2 * graph.constants[102]).all()


def test_two_1x1_convolutions_in_a_row_become_one_but_not_across_a_residual(graph):
    before, after = net.layers(graph), net.merged(net.layers(graph))
    shapes = [layer.kernel.shape for layer in after if isinstance(layer, net.Convolution)]
    assert len(after) == len(before) - 1
    assert shapes == [(3, 3, 3, 4), (1, 1, 4, 5), (1, 1, 5, 5), (56, 56, 5, 1)]


@pytest.mark.parametrize("kind", ["TANH", "RELU"])
def test_an_operation_that_does_not_belong_there_is_refused(graph, kind):
    strange = Graph((*graph.operations[:1], Operation(kind, (1,), 2)), graph.constants, 0, 2)
    with pytest.raises(ModelError, match=f"unexpected {kind}"):
        net.layers(strange)


@pytest.mark.tensorflow
def test_the_built_network_is_the_graph_on_normalised_pixels_and_unit_length(graph):
    tensorflow = pytest.importorskip("tensorflow", reason="needs the [training] extra")
    nn, c = tensorflow.nn, graph.constants
    image = np.random.default_rng(4).integers(0, 256, (1, 112, 112, 3), dtype=np.uint8)
    x = (image.astype(np.float32) - 127.5) / 128
    x = nn.conv2d(x, c[100].transpose(1, 2, 3, 0), 2, "SAME") + c[101]
    x = nn.relu(x) + c[102] * (x - abs(x))
    x = x @ c[103][:, 0, 0].T + c[104]
    x = x @ c[105][:, 0, 0].T + c[106]
    x = x + x @ c[107][:, 0, 0].T + c[108]
    wanted = (np.asarray(x)[0] * c[109][0]).sum((0, 1)) + c[110]
    for network in (net.layers(graph), net.merged(net.layers(graph))):
        found = np.asarray(net.build(network)(image))
        np.testing.assert_allclose(found[0], wanted / np.linalg.norm(wanted), atol=1e-5)
        assert found.shape == (1, 5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["int8", "edgetpu"])
def test_in_whole_numbers_it_asks_for_nothing_that_a_runtime_on_the_pi_lacks(graph, form):
    """A square root in 8 bits is one that tflite-runtime does not have."""
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    random = np.random.default_rng(4)
    content = to_tflite(net.build(net.layers(graph)), form, random.integers(0, 256, (2, 1, 112, 112, 3), np.uint8))
    require_supported(content)
    assert tpu_problems(content) == [] or form == "int8"


@pytest.mark.tensorflow
def test_the_network_that_the_daemon_carries_comes_back_with_its_golden_output_for_any_batch():
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    golden = load_model(net.BUNDLED).card.golden
    model = net.bundled()
    found = np.asarray(model(np.concatenate([golden.input()] * 2)))
    assert found == pytest.approx(np.array([golden.outputs[0]] * 2), abs=1e-4)
    assert model.input_shape == (None, 112, 112, 3)


def test_constants_stored_as_float16_are_read_as_float32_and_need_no_dequantize():
    graph = read_graph(load_model(net.BUNDLED).content)
    assert {operation.kind for operation in graph.operations} >= {"CONV_2D", "PRELU"}
    assert "DEQUANTIZE" not in {operation.kind for operation in graph.operations}
    kernels = [graph.constants[one.inputs[1]] for one in graph.operations if one.kind == "CONV_2D"]
    assert len(kernels) == 33
    assert {kernel.dtype for kernel in kernels} == {np.dtype(np.float32)}


def test_a_file_that_was_not_exported_here_is_not_taken_for_one():
    with pytest.raises(ModelError, match="not MobileFaceNet as exported by"):
        net.exported_layers(read_graph(load_model("pnet").content))
