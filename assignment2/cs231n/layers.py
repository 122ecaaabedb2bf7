"""The layers of a network, each a forward function with its backward function right below.

A forward function returns `(out, cache)`. The matching backward function takes `dout`, the gradient of the loss with
respect to `out`, and that `cache`, and returns the gradient with respect to every input. Each layer
chooses what its cache holds. Arguments are never modified, except for the running averages in `bn_param`.

Shapes: `N` examples, `D` features, `M` outputs, `C` classes or channels, `H W` image, `F` filters, `HH WW` filter,
`H' W'` output image. Images are arrays `(N, C, H, W)`.
"""

from typing import Any

import numpy as np

from cs231n.shapes import output_size


def affine_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Any]:
    """Fully connected layer: out = x·w + b, every example flattened to one row of D numbers.

    x: (N, d_1, ..., d_k) with d_1 · ... · d_k = D
    w: (D, M)
    b: (M,)

    Returns out (N, M), in the type of x, and a cache for `affine_backward`.
    """
    ### BEGIN SOLUTION
    rows = x.reshape(x.shape[0], -1)
    out = rows @ w + b
    cache = (x, w)
    ### END SOLUTION
    return out, cache


def affine_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of the fully connected layer.

    dout: (N, M)
    cache: from `affine_forward`

    Returns dx in the shape and type that x had, dw (D, M) and db (M,).
    """
    ### BEGIN SOLUTION
    x, w = cache
    rows = x.reshape(x.shape[0], -1)
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows.T @ dout
    # One b serves all N examples, so their gradients add up.
    db = dout.sum(axis=0)
    ### END SOLUTION
    return dx, dw, db


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, Any]:
    """Rectified linear unit, element by element: out = max(0, x).

    x: any shape

    Returns out in the shape and type of x and a cache for `relu_backward`.
    """
    ### BEGIN SOLUTION
    out = np.maximum(0, x)
    cache = x
    ### END SOLUTION
    return out, cache


def relu_backward(dout: np.ndarray, cache: Any) -> np.ndarray:
    """Gradient of the rectified linear unit.

    dout: the shape of x
    cache: from `relu_forward`

    Returns dx in the shape and type of x. At x = 0 exactly the function has a kink; any value from 0 to dout is right
    there.
    """
    ### BEGIN SOLUTION
    x = cache
    dx = dout * (x > 0)
    ### END SOLUTION
    return dx


def batchnorm_forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict) -> tuple[np.ndarray, Any]:
    """Batch normalization over the examples, feature by feature (Ioffe and Szegedy 2015, Algorithms 1 and 2).

        x_hat = (x - mean) / sqrt(var + eps)
        out = gamma · x_hat + beta

    In mode 'train', mean and var are those of this batch (var divides by N, not N - 1), and the running averages
    move toward them:

        running = momentum · running + (1 - momentum) · batch

    In mode 'test', mean and var are the running averages, which stay as they are.

    x: (N, D)
    gamma, beta: (D,)
    bn_param: dictionary with
        mode: 'train' or 'test'
        eps: keeps the root away from 0, default 1e-5
        momentum: share of the old running average that is kept, default 0.9
        running_mean, running_var: (D,), start at 0; this function writes the new ones back into the dictionary

    Returns out (N, D) and a cache for the two backward functions (in mode 'test' the cache is None).
    Raises ValueError when mode is neither of the two.
    """
    mode = bn_param["mode"]
    if mode not in ("train", "test"):
        raise ValueError(f"batchnorm_forward: bn_param['mode'] is {mode!r}; expected 'train' or 'test'")
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    D = x.shape[1]
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))

    cache = None
    ### BEGIN SOLUTION
    if mode == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean, running_var
    centered = x - mean
    std = np.sqrt(var + eps)
    x_hat = centered / std
    out = gamma * x_hat + beta
    if mode == "train":
        cache = (centered, std, x_hat, gamma)
    ### END SOLUTION

    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def batchnorm_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of batch normalization in mode 'train', by walking its graph backward one node at a time.

    Draw the graph of the forward pass first. Mean and variance depend on every example of the batch, so x affects
    out along several paths, and the gradients of all paths add up.

    dout: (N, D)
    cache: from `batchnorm_forward`

    Returns dx (N, D), dgamma (D,) and dbeta (D,).
    """
    ### BEGIN SOLUTION
    centered, std, x_hat, gamma = cache
    N = dout.shape[0]

    # out = gamma * x_hat + beta
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    dx_hat = dout * gamma

    # x_hat = centered / std: the gradient of the quotient goes to both of its inputs
    dcentered = dx_hat / std
    dstd = -(dx_hat * centered).sum(axis=0) / std**2

    # std = sqrt(var + eps), then var = mean of centered²
    dvar = dstd / (2 * std)
    dcentered = dcentered + dvar * 2 * centered / N

    # centered = x - mean, and the mean hands an equal share to each example
    dmean = -dcentered.sum(axis=0)
    dx = dcentered + dmean / N
    ### END SOLUTION
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same gradients as `batchnorm_backward`, with dx as one simplified expression.

    Apply the chain rule to dx on paper and simplify. The result needs no intermediate gradients and runs faster. It
    reads the same cache.

    dout: (N, D)
    cache: from `batchnorm_forward`

    Returns dx (N, D), dgamma (D,) and dbeta (D,).
    """
    ### BEGIN SOLUTION
    _, std, x_hat, gamma = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    # dout minus its mean, and minus its projection on x_hat: shifting or scaling a feature does not change x_hat.
    dx = gamma / std * (dout - dbeta / N - x_hat * dgamma / N)
    ### END SOLUTION
    return dx, dgamma, dbeta


def layernorm_forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ln_param: dict) -> tuple[np.ndarray, Any]:
    """Layer normalization: every example is normalized over its own features (Ba, Kiros and Hinton 2016).

        x_hat = (x - mean) / sqrt(var + eps)
        out = gamma · x_hat + beta

    mean and var are those of one row of x (var divides by D). No other example takes part, so training and testing are
    the same and there are no running averages.

    x: (N, D)
    gamma, beta: (D,)
    ln_param: dictionary with
        eps: keeps the root away from 0, default 1e-5

    Returns out (N, D) and a cache for `layernorm_backward`.
    """
    eps = ln_param.get("eps", 1e-5)
    ### BEGIN SOLUTION
    centered = x - x.mean(axis=1, keepdims=True)
    std = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat = centered / std
    out = gamma * x_hat + beta
    cache = (x_hat, std, gamma)
    ### END SOLUTION
    return out, cache


def layernorm_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of layer normalization.

    dout: (N, D)
    cache: from `layernorm_forward`

    Returns dx (N, D), dgamma (D,) and dbeta (D,).
    """
    ### BEGIN SOLUTION
    x_hat, std, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    # As in batch normalization, but along a row, where gamma differs from entry to entry and so stays inside the means.
    dx_hat = dout * gamma
    along_x_hat = (dx_hat * x_hat).mean(axis=1, keepdims=True)
    dx = (dx_hat - dx_hat.mean(axis=1, keepdims=True) - x_hat * along_x_hat) / std
    ### END SOLUTION
    return dx, dgamma, dbeta


def dropout_forward(x: np.ndarray, dropout_param: dict) -> tuple[np.ndarray, Any]:
    """Inverted dropout (Srivastava et al. 2014, section 10, describes the scaling at training time).

    ATTENTION: `p` is the probability of KEEPING a unit, not of dropping it. Papers and libraries differ in this.

    In mode 'train' every unit is, independently, kept with probability p and set to 0 otherwise; those that are
    kept are scaled so that the expected value of out is x. In mode 'test' out equals x.

    x: any shape, any number of dimensions
    dropout_param: dictionary with
        p: probability of keeping a unit, 0 < p <= 1
        mode: 'train' or 'test'
        seed: optional; the same seed draws the same mask, which a numeric gradient needs

    Returns out in the shape and type of x and a cache for `dropout_backward`.
    Raises ValueError when p or mode is not one of the above.
    """
    p, mode = dropout_param["p"], dropout_param["mode"]
    if mode not in ("train", "test"):
        raise ValueError(f"dropout_forward: dropout_param['mode'] is {mode!r}; expected 'train' or 'test'")
    if not 0 < p <= 1:
        raise ValueError(f"dropout_forward: p is {p}; expected the probability of keeping a unit, 0 < p <= 1")
    if dropout_param.get("seed") is not None:
        np.random.seed(dropout_param["seed"])

    mask = None
    ### BEGIN SOLUTION
    if mode == "train":
        # The division by p is here, so that mode 'test' returns x unchanged.
        mask = (np.random.random_sample(x.shape) < p) / p
        out = x * mask
    else:
        out = x
    ### END SOLUTION

    cache = (dropout_param, mask)
    return out.astype(x.dtype, copy=False), cache


def dropout_backward(dout: np.ndarray, cache: Any) -> np.ndarray:
    """Gradient of inverted dropout, in the mode of the forward pass.

    dout: the shape of x
    cache: (dropout_param, mask) from `dropout_forward`

    Returns dx in the shape and type of dout.
    """
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    ### BEGIN SOLUTION
    dx = dout * mask if mode == "train" else dout
    ### END SOLUTION
    return dx.astype(dout.dtype, copy=False)


def conv_forward_naive(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: dict) -> tuple[np.ndarray, Any]:
    """Convolution of images with filters. As usual in neural networks, the filters are not flipped.

        out[n, f, i, j] = b[f] + sum over c, p, q of x_pad[n, c, i·stride + p, j·stride + q] · w[f, c, p, q]

    x_pad is x with `pad` rows and columns of zeros around every image. Naive means that loops are welcome and
    speed does not matter. Do not call `fast_layers`, here or in the other naive functions.

    x: (N, C, H, W)
    w: (F, C, HH, WW)
    b: (F,)
    conv_param: dictionary with
        stride: pixels between neighbouring windows, in both directions
        pad: rows and columns of zeros on every side, 0 or more

    Returns out (N, F, H', W') and a cache for `conv_backward_naive`, where
        H' = 1 + (H + 2·pad - HH) / stride
        W' = 1 + (W + 2·pad - WW) / stride
    Raises ValueError if one of these is not a whole number, or the filter is larger than the padded image.
    """
    stride, pad = conv_param["stride"], conv_param["pad"]
    H_out = output_size("conv_forward_naive", "height", x.shape[2] + 2 * pad, w.shape[2], stride)
    W_out = output_size("conv_forward_naive", "width", x.shape[3] + 2 * pad, w.shape[3], stride)
    ### BEGIN SOLUTION
    HH, WW = w.shape[2:]
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((x.shape[0], w.shape[0], H_out, W_out), dtype=np.result_type(x, w))
    for i in range(H_out):
        for j in range(W_out):
            window = x_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            # Sum over channel, row and column of the window: (N, C, HH, WW) with (F, C, HH, WW) gives (N, F).
            out[:, :, i, j] = np.tensordot(window, w, axes=((1, 2, 3), (1, 2, 3))) + b
    cache = (x_pad, w, conv_param)
    ### END SOLUTION
    return out, cache


def conv_backward_naive(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of the convolution.

    Every window of the forward pass is a small affine layer. It gives a gradient to its pixels and to the filters; the
    gradients of all windows add up.

    dout: (N, F, H', W')
    cache: from `conv_forward_naive`

    Returns dx (N, C, H, W), dw (F, C, HH, WW) and db (F,).
    """
    ### BEGIN SOLUTION
    x_pad, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    HH, WW = w.shape[2:]
    dx_pad = np.zeros(x_pad.shape, dtype=dout.dtype)
    dw = np.zeros(w.shape, dtype=dout.dtype)
    db = dout.sum(axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
            here = dout[:, :, i, j]
            dw += np.tensordot(here, x_pad[:, :, rows, columns], axes=(0, 0))
            dx_pad[:, :, rows, columns] += np.tensordot(here, w, axes=(1, 0))
    H, W = x_pad.shape[2] - 2 * pad, x_pad.shape[3] - 2 * pad
    dx = dx_pad[:, :, pad : pad + H, pad : pad + W]
    ### END SOLUTION
    return dx, dw, db


def max_pool_forward_naive(x: np.ndarray, pool_param: dict) -> tuple[np.ndarray, Any]:
    """Max pooling: the largest entry of every window, channel by channel.

    x: (N, C, H, W)
    pool_param: dictionary with
        pool_height, pool_width: size of the windows
        stride: pixels between neighbouring windows, in both directions; if it is less than their size, they overlap

    Returns out (N, C, H', W') and a cache for `max_pool_backward_naive`, where
        H' = 1 + (H - pool_height) / stride
        W' = 1 + (W - pool_width) / stride
    Raises ValueError if one of these is not a whole number, or the window is larger than the image.
    """
    height = pool_param["pool_height"]
    width = pool_param["pool_width"]
    stride = pool_param["stride"]
    H_out = output_size("max_pool_forward_naive", "height", x.shape[2], height, stride)
    W_out = output_size("max_pool_forward_naive", "width", x.shape[3], width, stride)
    ### BEGIN SOLUTION
    out = np.zeros((*x.shape[:2], H_out, W_out), dtype=x.dtype)
    for i in range(H_out):
        for j in range(W_out):
            window = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            out[:, :, i, j] = window.max(axis=(2, 3))
    cache = (x, out, pool_param)
    ### END SOLUTION
    return out, cache


def max_pool_backward_naive(dout: np.ndarray, cache: Any) -> np.ndarray:
    """Gradient of max pooling: each entry of dout goes to the entry of x that was the largest in its window.

    If several entries are equally large, you may share dout among them in any way.

    dout: (N, C, H', W')
    cache: from `max_pool_forward_naive`

    Returns dx (N, C, H, W).
    """
    ### BEGIN SOLUTION
    x, out, pool_param = cache
    height = pool_param["pool_height"]
    width = pool_param["pool_width"]
    stride = pool_param["stride"]
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + height), slice(j * stride, j * stride + width)
            largest = x[:, :, rows, columns] == out[:, :, i, j][:, :, np.newaxis, np.newaxis]
            share = largest / largest.sum(axis=(2, 3), keepdims=True)
            # += because overlapping windows may share their largest entry.
            dx[:, :, rows, columns] += share * dout[:, :, i, j][:, :, np.newaxis, np.newaxis]
    ### END SOLUTION
    return dx


def spatial_batchnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict
) -> tuple[np.ndarray, Any]:
    """Batch normalization of images, channel by channel: the N·H·W pixels of a channel are its examples.

    A convolution treats all places alike. One mean and one variance for each channel preserve this.

    x: (N, C, H, W)
    gamma, beta: (C,)
    bn_param: as for `batchnorm_forward`, with running_mean and running_var of shape (C,)

    Returns out (N, C, H, W) and a cache for `spatial_batchnorm_backward`.
    """
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    # The channel axis has to be moved to the end first: a reshape alone would mix pixels of different channels.
    rows = x.transpose(0, 2, 3, 1).reshape(-1, C)
    normed, cache = batchnorm_forward(rows, gamma, beta, bn_param)
    out = normed.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    ### END SOLUTION
    return out, cache


def spatial_batchnorm_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of spatial batch normalization in mode 'train'.

    dout: (N, C, H, W)
    cache: from `spatial_batchnorm_forward`

    Returns dx (N, C, H, W), dgamma (C,) and dbeta (C,).
    """
    ### BEGIN SOLUTION
    N, C, H, W = dout.shape
    rows = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    drows, dgamma, dbeta = batchnorm_backward(rows, cache)
    dx = drows.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    ### END SOLUTION
    return dx, dgamma, dbeta


def spatial_groupnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, G: int, gn_param: dict
) -> tuple[np.ndarray, Any]:
    """Group normalization: every example normalizes G groups of its channels, each by itself (Wu and He 2018).

    mean and var are taken over the C/G channels and all pixels of one group of one example. G = 1 is layer
    normalization of images; training and testing are the same.

    x: (N, C, H, W)
    gamma, beta: (1, C, 1, 1)
    G: number of groups, a divisor of C
    gn_param: dictionary with
        eps: keeps the root away from 0, default 1e-5

    Returns out (N, C, H, W) and a cache for `spatial_groupnorm_backward`.
    Raises ValueError when G does not divide C.
    """
    if x.shape[1] % G:
        raise ValueError(f"spatial_groupnorm_forward: {x.shape[1]} channels cannot be split into {G} equal groups")
    eps = gn_param.get("eps", 1e-5)
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    groups = x.reshape(N, G, C // G, H, W)
    std = np.sqrt(groups.var(axis=(2, 3, 4), keepdims=True) + eps)
    x_hat = ((groups - groups.mean(axis=(2, 3, 4), keepdims=True)) / std).reshape(x.shape)
    out = gamma * x_hat + beta
    cache = (x_hat, std, gamma, G)
    ### END SOLUTION
    return out, cache


def spatial_groupnorm_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of group normalization.

    dout: (N, C, H, W)
    cache: from `spatial_groupnorm_forward`

    Returns dx (N, C, H, W), dgamma (1, C, 1, 1) and dbeta (1, C, 1, 1).
    """
    ### BEGIN SOLUTION
    x_hat, std, gamma, G = cache
    N, C, H, W = dout.shape
    dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
    dgamma = (dout * x_hat).sum(axis=(0, 2, 3), keepdims=True)
    dgroups = (dout * gamma).reshape(N, G, C // G, H, W)
    hats = x_hat.reshape(N, G, C // G, H, W)
    over_group = {"axis": (2, 3, 4), "keepdims": True}
    dx = (dgroups - dgroups.mean(**over_group) - hats * (dgroups * hats).mean(**over_group)) / std
    dx = dx.reshape(dout.shape)
    ### END SOLUTION
    return dx, dgamma, dbeta


def svm_loss(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Multiclass hinge loss with margin 1 (Weston and Watkins 1999), averaged over the examples.

        loss = 1/N · sum over i, and over classes j other than y_i, of max(0, x_ij - x_iy_i + 1)

    x: (N, C) scores
    y: (N,) the right classes, 0 <= y < C

    Returns the loss, a number, and dx (N, C).
    """
    ### BEGIN SOLUTION
    N = x.shape[0]
    examples = np.arange(N)
    margins = np.maximum(0, x - x[examples, y][:, np.newaxis] + 1)
    margins[examples, y] = 0
    loss = margins.sum() / N

    dx = (margins > 0).astype(x.dtype)
    # The right score appears once, with a minus, in each margin that is open.
    dx[examples, y] = -dx.sum(axis=1)
    dx = dx / N
    ### END SOLUTION
    return loss, dx


def softmax_loss(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Cross-entropy of the softmax of the scores, averaged over the examples.

        p_ij = exp(x_ij) / sum over k of exp(x_ik)
        loss = -1/N · sum over i of log(p_iy_i)

    Stable: scores of 1000 or -1000 neither overflow nor give log(0).

    x: (N, C) scores
    y: (N,) the right classes, 0 <= y < C

    Returns the loss, a number, and dx (N, C).
    """
    ### BEGIN SOLUTION
    N = x.shape[0]
    examples = np.arange(N)
    # Softmax ignores a constant added to a row; with the largest score at 0 no exponential overflows.
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[examples, y].mean()

    dx = np.exp(log_p)
    dx[examples, y] -= 1
    dx = dx / N
    ### END SOLUTION
    return loss, dx
