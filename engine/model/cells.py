"""Recurrent layers over a whole window of steps, each with its own backward pass.

A layer over T steps is one autograd operation instead of some ten operations per step. The forward
pass multiplies the inputs of all steps by the input weights at once, and runs the recurrence in
place in the resulting buffer. The backward pass turns that buffer into the gradients of the gates,
step by step so that the work stays in the processor's cache, and then computes the gradient of each
weight as one product over all steps. Where a new song begins in a stream, the state is reset within
the window, which fused kernels cannot do.

Shapes: T steps, L streams (the batch size), I inputs, H hidden units, G gates; products are x @ W.
The backward pass overwrites the buffer, so it can run only once per graph; the second time autograd
raises an error.

Under `torch.autocast` products are computed in its type, bfloat16, which can be twice as fast on a
CPU. What is saved for the backward pass has that type too, except the cell states of the LSTM.
Sums, gates, states and their gradients are computed in the type of the weights, one step at a time
in the buffer `scratch`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

State = tuple[Tensor, ...]  # (h,), for an LSTM (h, c), each (L, H); h is the layer's output
# keep (T, L, 1): 0 where a song begins, else 1; and for each step whether any song begins at it.
Resets = tuple[Tensor, list[bool]]

_sigmoid_gradient = torch.ops.aten.sigmoid_backward  # (gradient, output) → gradient · y(1 − y)
_tanh_gradient = torch.ops.aten.tanh_backward  # (gradient, output) → gradient · (1 − y²)


def prepare_resets(reset: Tensor, dtype: torch.dtype, device: torch.device | None = None) -> Resets:
    """Convert `reset` (T, L), true where a song begins, to the form that the layers need.

    device: that of the layers; None: the one of `reset`.
    """
    return (~reset).to(device, dtype).unsqueeze(2), reset.any(1).tolist()


def _to_product_type(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors in the type of products: that of autocast if enabled, else their own."""
    kind = tensors[0].device.type
    if not torch.is_autocast_enabled(kind):
        return tensors
    return tuple(tensor.to(torch.get_autocast_dtype(kind)) for tensor in tensors)


def _scratch(gates: Tensor, dtype: torch.dtype) -> Tensor | None:
    """Return a buffer (L, G·H) for one step's gates, or None if `gates` has the type already."""
    return None if gates.dtype == dtype else torch.empty_like(gates[0], dtype=dtype)


def _input_products(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return what the input adds to the gates' sums, (T, L, G·H), in a new buffer.

    The bias is included if it has the type of the products; otherwise each step adds it.
    """
    flat = x.flatten(0, 1)
    products = torch.addmm(bias, flat, weight) if x.dtype == bias.dtype else flat @ weight
    return products.view(*x.shape[:2], -1)


def _add_recurrent(
    part: Tensor, bias: Tensor, h: Tensor, w: Tensor, scratch: Tensor | None
) -> Tensor:
    """Return a step's gate sums (L, G·H): `part` of the input + h @ w, in place or in `scratch`."""
    if scratch is None:
        return part.addmm_(h, w)
    return torch.add(part, bias, out=scratch).add_(h.to(w.dtype) @ w)


def _states_before(first: Tensor, states: Tensor, keep: Tensor) -> Tensor:
    """Return the state before each step, (T, L, H), with zeros where it is reset."""
    return torch.cat((first.to(states.dtype).unsqueeze(0), states[:-1])).mul_(keep)


def _weight_gradient(inputs: Tensor, gates: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a weight's gradient from its inputs (T, L, I) and the gates' gradients."""
    return (inputs.flatten(0, 1).t() @ gates.flatten(0, 1)).to(dtype)


def _input_gradients(
    gates: Tensor, x: Tensor, weight: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of x, its weight and the bias, from those of the gates (T, L, G·H).

    dtype: the type of the weights.
    """
    dx = (gates.flatten(0, 1) @ weight.t()).view_as(x)
    return dx, _weight_gradient(x, gates, dtype), gates.sum((0, 1), dtype=dtype)


class _Rnn(Function):
    """The simple RNN of Elman 1990: h' = tanh(x @ w_in + bias + h @ w)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w_in: Tensor, bias: Tensor, w: Tensor, reset: Resets, h: Tensor
    ) -> Any:
        keep, any_reset = reset
        ctx.dtype, ctx.reset = bias.dtype, reset
        x, w_in, w = _to_product_type(x, w_in, w)
        outputs = _input_products(x, w_in, bias)  # (T, L, H)
        scratch = _scratch(outputs, bias.dtype)
        first = h
        for t in range(len(x)):
            if any_reset[t]:
                h = h * keep[t]
            h = _add_recurrent(outputs[t], bias, h, w, scratch).tanh_()
            if scratch is not None:
                h = outputs[t].copy_(scratch)
        ctx.save_for_backward(x, w_in, w, outputs, first)
        return outputs, h.to(bias.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        d_outputs, dh = gradients
        x, w_in, w, outputs, first = ctx.saved_tensors
        keep, any_reset = ctx.reset
        gates = torch.empty_like(outputs)
        w_t = w.t().contiguous()
        for t in reversed(range(len(x))):
            dh = dh.to(ctx.dtype).add(d_outputs[t])
            torch.mul(dh, 1 - outputs[t].to(ctx.dtype).square(), out=gates[t])
            dh = gates[t] @ w_t
            if any_reset[t]:
                dh.mul_(keep[t])
        dw = _weight_gradient(_states_before(first, outputs, keep), gates, ctx.dtype)
        return *_input_gradients(gates, x, w_in, ctx.dtype), dw, None, dh.to(ctx.dtype)


class _Gru(Function):
    """The GRU of Cho et al. 2014, with the reset gate applied after the product as in cuDNN."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w_in: Tensor,
        bias: Tensor,
        w: Tensor,
        hidden_bias: Tensor,
        reset: Resets,
        h: Tensor,
    ) -> Any:
        keep, any_reset = reset
        size = w.shape[0]
        ctx.dtype, ctx.reset = bias.dtype, reset
        x, w_in, w = _to_product_type(x, w_in, w)
        gates = _input_products(x, w_in, bias)  # (T, L, 3H): r, z, n
        scratch = _scratch(gates, bias.dtype)
        candidate = gates.new_empty(*x.shape[:2], size)  # h Wₙ + hidden bias, before the reset gate
        outputs = torch.empty_like(candidate)
        first = h
        for t in range(len(x)):
            if any_reset[t]:
                h = h * keep[t]
            product = h.to(w.dtype) @ w
            step = gates[t] if scratch is None else torch.add(gates[t], bias, out=scratch)
            step[:, : 2 * size].add_(product[:, : 2 * size]).sigmoid_()
            torch.add(product[:, 2 * size :], hidden_bias, out=candidate[t])
            r, z, n = step.chunk(3, 1)
            n.addcmul_(r, candidate[t].to(n.dtype)).tanh_()
            h = torch.lerp(n, h, z)
            outputs[t] = h
            if scratch is not None:
                gates[t] = scratch
        ctx.save_for_backward(x, w_in, w, gates, candidate, outputs, first)
        return outputs, h

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        d_outputs, dh = gradients
        x, w_in, w, gates, candidate, outputs, first = ctx.saved_tensors
        keep, any_reset = ctx.reset
        size = w.shape[0]
        scratch = _scratch(gates, ctx.dtype)
        before = _states_before(first, outputs, keep)
        # The gradient of h @ w: that of the gates, with the candidate's multiplied by r.
        d_product = torch.empty_like(gates)
        w_t = w.t().contiguous()
        for t in reversed(range(len(x))):
            step = gates[t] if scratch is None else scratch.copy_(gates[t])
            r, z, n = step.chunk(3, 1)
            dh = dh.add(d_outputs[t])
            d_n = _tanh_gradient(torch.addcmul(dh, dh, z, value=-1), n)
            d_z = _sigmoid_gradient((before[t] - n).mul_(dh), z)
            dh = dh.mul_(z)
            torch.mul(d_n, r, out=d_product[t, :, 2 * size :])
            r.copy_(_sigmoid_gradient(candidate[t].mul(d_n), r))
            z.copy_(d_z)
            n.copy_(d_n)
            if scratch is not None:
                gates[t] = scratch
            d_product[t, :, : 2 * size] = gates[t, :, : 2 * size]
            dh.add_(d_product[t] @ w_t)
            if any_reset[t]:
                dh.mul_(keep[t])
        dw = _weight_gradient(before, d_product, ctx.dtype)
        d_hidden_bias = d_product[:, :, 2 * size :].sum((0, 1), dtype=ctx.dtype)
        return *_input_gradients(gates, x, w_in, ctx.dtype), dw, d_hidden_bias, None, dh


class _Lstm(Function):
    """The LSTM of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w_in: Tensor,
        bias: Tensor,
        w: Tensor,
        reset: Resets,
        h: Tensor,
        c: Tensor,
    ) -> Any:
        keep, any_reset = reset
        size = w.shape[0]
        ctx.dtype, ctx.reset = bias.dtype, reset
        x, w_in, w = _to_product_type(x, w_in, w)
        gates = _input_products(x, w_in, bias)  # (T, L, 4H): i, f, o, g
        scratch = _scratch(gates, bias.dtype)
        cells = bias.new_empty(*x.shape[:2], size)
        outputs = gates.new_empty(*x.shape[:2], size)
        first = h, c
        for t in range(len(x)):
            if any_reset[t]:
                h, c = h * keep[t], c * keep[t]
            step = _add_recurrent(gates[t], bias, h, w, scratch)
            step[:, : 3 * size].sigmoid_()
            step[:, 3 * size :].tanh_()
            i, f, o, g = step.chunk(4, 1)
            c = torch.mul(i, g, out=cells[t]).addcmul_(f, c)
            h = torch.mul(o, c.tanh(), out=outputs[t])
            if scratch is not None:
                gates[t] = scratch
        ctx.save_for_backward(x, w_in, w, gates, cells, outputs, *first)
        return outputs, h.to(bias.dtype, copy=True), c.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        d_outputs, dh, dc = gradients
        x, w_in, w, gates, cells, outputs, first_h, first_c = ctx.saved_tensors
        keep, any_reset = ctx.reset
        scratch = _scratch(gates, ctx.dtype)
        w_t = w.t().contiguous()
        for t in reversed(range(len(x))):
            step = gates[t] if scratch is None else scratch.copy_(gates[t])
            i, f, o, g = step.chunk(4, 1)
            c = cells[t - 1] if t else first_c  # the cell state before the step
            if any_reset[t]:
                c = c * keep[t]
            tanh_c = cells[t].tanh()
            dh = dh.to(ctx.dtype).add(d_outputs[t])
            dc = dc.add(_tanh_gradient(dh * o, tanh_c))
            d_g = _tanh_gradient(dc * i, g)
            i.copy_(_sigmoid_gradient(g.mul_(dc), i))  # gradients replace the gates
            g.copy_(d_g)
            o.copy_(_sigmoid_gradient(tanh_c.mul_(dh), o))
            d_f = _sigmoid_gradient(dc * c, f)
            dc.mul_(f)
            f.copy_(d_f)
            if scratch is not None:
                gates[t] = scratch
            dh = gates[t] @ w_t
            if any_reset[t]:
                dh.mul_(keep[t])
                dc.mul_(keep[t])
        dw = _weight_gradient(_states_before(first_h, outputs, keep), gates, ctx.dtype)
        return *_input_gradients(gates, x, w_in, ctx.dtype), dw, None, dh.to(ctx.dtype), dc


# For each cell a function that runs a layer:
# scan(x (T, L, I), input (I, G·H), bias (G·H), hidden (H, G·H)[, hidden_bias (H)], resets, *state)
# returns the outputs (T, L, H), then the tensors of the state after the last step.
SCANS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "rnn": _Rnn.apply,
    "gru": _Gru.apply,
    "lstm": _Lstm.apply,
}
