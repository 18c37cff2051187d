"""Rewrites a network so that int8 keeps more of it; what it computes remains the same.

In int8 all channels of a tensor share one scale. Where the maps of many layers are concatenated, as in a DenseNet, a
channel of small values gets few of the 256 steps, and the batch normalisation that follows makes the error large. So
each of these channels is divided by its range where it is computed, and multiplied by it where it is normalised. The
ranges are those that batch normalisation has learnt, as in Nagel, van Baalen, Blankevoort and Welling, "Data-Free
Quantization Through Weight Equalization and Bias Correction", ICCV 2019, https://arxiv.org/abs/1906.04721.

A batch normalisation becomes a part of the linear convolution before it. Where there is none, the converter leaves a
product and a sum, and each rounds to 8 bits. As a depthwise convolution of one pixel it rounds once, and every channel
has a scale of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.common.optional_dependencies import tensorflow

Channels = NDArray[np.float32]
_DEVIATIONS = 4
"""The range of a channel: its mean, and this many standard deviations."""
_LEAST = 1e-3
"""Of the largest range among a layer's channels; a channel that is always the same has none."""


def equalised(network: Any, image: Any, clone: Callable[[Any], Any]) -> Any:
    """Return a network that computes what ``network`` does of the Keras input ``image``.

    Its layers are made by ``clone`` from those of ``network``, none of which may be in another model. Functional
    networks within it are rewritten too if they have one input.
    """
    keras = tensorflow().keras
    plan = _Plan(network)

    def layer(one: Any) -> Any:
        if _is_network(one):
            within = keras.Input(batch_shape=one.inputs[0].shape, dtype="float32", name="maps")
            return equalised(one, within, clone)
        return _one_pixel(one.name) if one.name in plan.convolved else clone(one)

    inputs = keras.tree.map_structure(lambda _: image, network.input)
    copy = keras.models.clone_model(network, inputs, clone_function=layer)
    for one, new in zip(network.layers, copy.layers, strict=True):
        if one.weights and not _is_network(one):
            new.set_weights(plan.weights(one))
    return copy


def _one_pixel(name: str) -> Any:
    keras = tensorflow().keras

    class OnePixel(keras.layers.DepthwiseConv2D):  # type: ignore[misc,name-defined]
        def call(self, inputs: Any, **_: Any) -> Any:  # what the layer that it replaces was called with, as a mask
            return super().call(inputs)

    return OnePixel(1, name=name)


class _Plan:
    """By what the channels of each layer of ``network`` are divided and multiplied, and which layers change.

    ``convolved`` has the names of the batch normalisations that become convolutions.
    """

    def __init__(self, network: Any) -> None:
        self._graph = _Graph(network)
        self._divided: dict[str, Channels] = {}
        normalisations = [one for one in network.layers if _is_normalisation(one)]
        for one in normalisations:
            self._measure(one)
        self._multiplied = {one.name: self._factors(_inputs_of(one)[0]) for one in normalisations}
        self.convolved = {one.name for one in normalisations if self._is_convolved(one)}

    def weights(self, layer: Any) -> list[NDArray[Any]]:
        """Return the weights of what takes the place of ``layer``."""
        weights: list[NDArray[Any]] = layer.get_weights()
        by = self._divided.get(layer.name, np.float32(1))
        if layer.name in self.convolved:
            slope, offset = _slope_and_offset(layer)
            return [(slope * self._multiplied[layer.name] / by).reshape(1, 1, -1, 1), offset / by]
        if layer.name not in self._divided:
            return weights
        return [one / by for one in weights[:2]] + weights[2:]  # kernel and bias, or gamma and beta

    def _measure(self, normalisation: Any) -> None:
        mean, variance = (one.numpy() for one in (normalisation.moving_mean, normalisation.moving_variance))
        reach = np.abs(mean) + _DEVIATIONS * np.sqrt(variance)
        begin = 0
        for layer, channels in self._graph.parts(_inputs_of(normalisation)[0]):
            part = reach[begin : begin + channels]
            begin += channels
            if layer is not None and layer.name not in self._divided and part.max() > 0:
                self._divided[layer.name] = np.maximum(part, _LEAST * part.max()).astype(np.float32)

    def _factors(self, tensor: Any) -> Channels:
        parts = self._graph.parts(tensor)
        ones = ((self._divided.get(layer.name) if layer else None, channels) for layer, channels in parts)
        return np.concatenate([np.ones(channels, np.float32) if one is None else one for one, channels in ones])

    def _is_convolved(self, normalisation: Any) -> bool:
        scaled = bool((self._multiplied[normalisation.name] != 1).any())
        return scaled or not self._graph.is_of_convolution(_inputs_of(normalisation)[0])


class _Graph:
    """Which layers compute the channels of a tensor of ``network``, and what reads them."""

    def __init__(self, network: Any) -> None:
        self._readers: dict[Any, list[Any]] = defaultdict(list)
        for operation in network.operations:
            for node in operation._inbound_nodes:
                for tensor in node.input_tensors:
                    self._readers[_place(tensor)].append(operation)
        self._outputs = {_place(tensor) for tensor in network.outputs}

    def is_of_convolution(self, tensor: Any) -> bool:
        """Return whether a linear convolution computes ``tensor`` for one reader, which can become a part of it."""
        layers = tensorflow().keras.layers
        while type(_producer(tensor)) is layers.Dropout and self._has_one_reader(tensor):
            (tensor,) = _inputs_of(_producer(tensor))
        operation = _producer(tensor)
        kinds = layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D
        return isinstance(operation, kinds) and _is_activated_by(operation, "linear") and self._has_one_reader(tensor)

    def parts(self, tensor: Any) -> Iterator[tuple[Any, int]]:
        """Yield the layers whose channels are side by side in ``tensor``, and how many they are.

        None for a layer: its channels cannot be scaled.
        """
        operation = _producer(tensor)
        if _is_concatenation(operation):
            for one in _inputs_of(operation):
                yield from self.parts(one)
        else:
            yield self._scalable(tensor), int(tensor.shape[-1])

    def _scalable(self, tensor: Any) -> Any:
        """Return the layer that computes ``tensor``, if a scale of its channels can be taken back by all readers.

        None as well if no concatenation reads it.
        """
        if not self._is_normalised_only(tensor) or not any(map(_is_concatenation, self._readers[_place(tensor)])):
            return None
        operation = _producer(tensor)
        while _keeps_scale(operation):
            (tensor,) = _inputs_of(operation)
            operation = _producer(tensor)
            if not self._has_one_reader(tensor):
                return None
        return operation if _is_linear(operation) else None

    def _has_one_reader(self, tensor: Any) -> bool:
        return len(self._readers[_place(tensor)]) == 1 and _place(tensor) not in self._outputs

    def _is_normalised_only(self, tensor: Any) -> bool:
        readers = self._readers[_place(tensor)]
        return _place(tensor) not in self._outputs and all(
            _is_normalisation(one) or (_is_concatenation(one) and self._is_normalised_only(one.output))
            for one in readers
        )


def _place(tensor: Any) -> tuple[int, int, int]:
    history = tensor._keras_history
    return id(history.operation), history.node_index, history.tensor_index


def _producer(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _inputs_of(operation: Any) -> list[Any]:
    tensors: list[Any] = operation._inbound_nodes[0].input_tensors
    return tensors


def _is_network(operation: Any) -> bool:
    """Return whether ``operation`` is a functional network that gets the one input that it was made for, as it is."""
    if not isinstance(operation, tensorflow().keras.Model) or not hasattr(operation, "operations"):
        return False
    wanted = [tensor.dtype for tensor in operation.inputs]
    given = [[tensor.dtype for tensor in node.input_tensors] for node in operation._inbound_nodes]
    return len(wanted) == 1 and all(one == wanted for one in given) and not _is_training(operation)


def _is_training(operation: Any) -> bool:
    """Return whether ``operation`` computes in use what it does in training: it normalises by the batch itself."""
    return any(node.arguments.kwargs.get("training") for node in operation._inbound_nodes)


def _is_any(operation: Any, *kinds: Any) -> bool:
    """Return whether ``operation`` is of one of ``kinds``, is used once, and has its channels last.

    Whatever is derived from them may compute something else.
    """
    if type(operation) not in kinds or len(operation._inbound_nodes) != 1:
        return False
    last = getattr(operation, "axis", -1) in (-1, 3) and len(operation.output.shape) == 4
    return last and getattr(operation, "data_format", None) != "channels_first"


def _is_normalisation(operation: Any) -> bool:
    from facesecure_training.networks.normalisation import FusedBatchNormalization

    kinds = tensorflow().keras.layers.BatchNormalization, FusedBatchNormalization
    return _is_any(operation, *kinds) and len(_inputs_of(operation)) == 1 and not _is_training(operation)


def _is_concatenation(operation: Any) -> bool:
    return _is_any(operation, tensorflow().keras.layers.Concatenate)


def _keeps_scale(operation: Any) -> bool:
    """Return whether the output for channels that are scaled by positive numbers is scaled in the same way."""
    layers = tensorflow().keras.layers
    if _is_any(operation, layers.ReLU):
        return operation.max_value is None and not operation.threshold
    return _is_any(operation, layers.MaxPooling2D, layers.AveragePooling2D, layers.Dropout)


def _is_linear(operation: Any) -> bool:
    """Return whether ``operation`` has weights that scale each channel of its output, and no others do."""
    if _is_any(operation, tensorflow().keras.layers.Conv2D):
        adapted = len(operation.weights) != 1 + operation.use_bias  # by LoRA
        return not adapted and _is_activated_by(operation, "linear", "relu")
    return _is_normalisation(operation) and operation.scale and operation.center


def _is_activated_by(operation: Any, *names: str) -> bool:
    return any(operation.activation is getattr(tensorflow().keras.activations, name) for name in names)


def _slope_and_offset(normalisation: Any) -> tuple[Channels, Channels]:
    mean, variance = (one.numpy() for one in (normalisation.moving_mean, normalisation.moving_variance))
    slope = 1 / np.sqrt(variance + normalisation.epsilon)
    slope = slope * normalisation.gamma.numpy() if normalisation.scale else slope
    offset = -mean * slope
    return slope, offset + normalisation.beta.numpy() if normalisation.center else offset
