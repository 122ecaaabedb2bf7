# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fast layers in compiled loops, for float32 and float64. `fast_layers.py` calls them, and checks all sizes before.

**A convolution without columns.** im2col writes every window of an image into a column, and one matrix product with the
filters is the convolution. But the columns hold every pixel HH·WW times, and to write a number takes longer than to
multiply it. Look at one ROW of that matrix instead: what tap (c, p, q) of the filters meets in all windows, one after
the other. It is channel c of the image, read from p rows and q pixels further on. So there is nothing to write: row k
of the columns begins tap[k] numbers into the image.

    channel c, padded                        tap (c, p, q) = c·plane + p·columns + q, here with columns = 6

      . . . . . .         tap (c, 1, 1) meets  a b c d (. .) e f g h (. .) i j k l
      . a b c d .         tap (c, 1, 2) meets  b c d . (. e) f g h . (. i) j k l .
      . e f g h .         tap (c, 2, 1) meets  e f g h (. .) i j k l (. .) . . . .
      . i j k l .
      . . . . . .         in windows           0 1 2 3       4 5 6 7       8 9 ...

What stands in brackets belongs to no window: there a window would run over the edge. It is computed, since a loop
without exceptions is faster than one that leaves something out, and then it is dropped. Where a row of windows fills
whole registers, the loop goes on at the next row, and nothing is dropped.

**Strides.** At a stride of 2 neighbouring windows are two pixels apart. The image is then written as four images, of
even and odd rows and columns. In each of these, neighbouring windows are neighbours again, and all of the above holds.

**The bias** is one more tap, which meets a 1 in every window: behind its channels the image has a plane of ones.

**Three products**, with X for the columns that are never written:

    forward    out[f, window] = sum over taps     weights[f, tap] · X[tap, window]      `weigh` in tile.h
    backward   dw[tap, f]    += sum over windows  X[tap, window]  · dout[window, f]     `correlate` in tile.h
               dX[tap, window] = sum over filters weights[f, tap] · dout[f, window]     `weigh` again

dX is not written either: every row is added to the gradient of the image at once, where that row begins. Or, at a
stride of 1, dx is itself a convolution: of dout, with all filters turned around. That is faster if there are enough
channels. Either way the two products of the backward pass take an image while it is in the processor's cache.

Where numbers lie is told in `windows.pxi`, and what is done with registers in `tile.h`. `pooling.pxi` is max pooling.

Images are taken by several threads (`fast_threads.py`), each with space of its own for one image.

Shapes: `N` images, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import functools

import numpy as np

from cs231n.fast_threads import cut, share

cimport cython
from cython cimport floating
from libc.string cimport memcpy, memset


cdef extern from "kernels.h" nogil:
    ctypedef const Py_ssize_t* table "const ptrdiff_t *"
    const int VECTORS
    ctypedef struct kernel:
        const char* name
        Py_ssize_t rows, floats, doubles
        void weigh_floats(
            bint, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const float*, table, table, float*, table, table
        ) noexcept nogil
        void weigh_doubles(
            bint, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, table, table, double*, table, table
        ) noexcept nogil
        void correlate_floats(
            Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, table, Py_ssize_t, const float*, float*
        ) noexcept nogil
        void correlate_doubles(
            Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, table, Py_ssize_t, const double*, double*
        ) noexcept nogil
    const kernel KERNELS[3]
    int count_kernels()


def kernels():
    """The names of the kernels that this processor can run; the last one is the fastest."""
    return [KERNELS[i].name.decode() for i in range(count_kernels())]


*_, KERNEL = kernels()  # may be set to another one
MOST_GRADIENTS = 2**24  # numbers in the gradients of the filters, of which every part of a batch has its own: 128 MB


include "windows.pxi"
include "pooling.pxi"


def conv_forward(x, w, b, stride, pad, outputs, dtype):
    """Convolve x (N, C, H, W) with w (F, C, HH, WW), add b (F,), and return out (N, F, H', W')."""
    plan = convolution(x.shape[1:], w.shape, outputs, stride, (pad, pad), dtype, KERNEL)
    out = np.empty((x.shape[0], w.shape[0], *outputs), dtype=dtype)
    weights = plan.packed(_by_taps(w, b, dtype))
    parts = cut(len(x), len(x) * plan.multiplications)
    share(lambda todo: plan.forward(x, weights, out, todo, plan.space()), parts)
    return out


def conv_backward(dout, x, w, stride, pad, dtype, need_dx):
    """Gradients dx (N, C, H, W) or None, dw (F, C, HH, WW) and db (F,) from dout (N, F, H', W')."""
    (N, C, H, W), (F, _, HH, WW) = x.shape, w.shape
    plan = convolution(x.shape[1:], w.shape, dout.shape[2:], stride, (pad, pad), dtype, KERNEL)
    dx = np.empty(x.shape, dtype=dtype) if need_dx else None
    turnable = stride == 1 and pad < min(HH, WW) and C >= plan.rows_of_tile  # with fewer channels, tiles would be empty
    if need_dx and turnable:
        # At a stride of 1, dx is a convolution as well: of dout, padded, with all filters turned around.
        turned_w = np.flip(w, axis=(2, 3)).swapaxes(0, 1)
        images = convolution(dout.shape[1:], turned_w.shape, (H, W), 1, (HH - 1 - pad, WW - 1 - pad), dtype, KERNEL)
        weights, image_gradient = images.packed(_by_taps(turned_w, 0, dtype)), images.forward
    else:
        images, weights, image_gradient = plan, plan.packed(_by_taps(w, 0, dtype).T), plan.image_gradient

    gradient_size = plan.taps_of_tiles * plan.lanes_of_filters
    parts = cut(N, 2 * N * plan.multiplications, MOST_GRADIENTS // max(1, gradient_size))
    dweights = np.zeros((len(parts), plan.taps_of_tiles, plan.lanes_of_filters), dtype=dtype)

    def work(todo):
        space, space_of_images = plan.space(), images.space()
        for part in todo:  # both products while the images of a part are in the cache
            plan.filter_gradient(dout, x, dweights, [part], space)
            if need_dx:
                image_gradient(dout, weights, dx, [part], space_of_images)

    share(work, parts)
    gradient, bias = dweights.sum(axis=0)[:, :F], plan.taps - 1
    dw = gradient[:bias].reshape(WW, HH, C, F).transpose(3, 2, 1, 0)
    return dx, np.ascontiguousarray(dw), gradient[bias].copy()


def _by_taps(w, b, dtype):
    """The filters and their bias by taps: (F, WW·HH·C + 1). Neighbours in this order lie far apart in an image."""
    F, C, HH, WW = w.shape
    bias = WW * HH * C
    weights = np.empty((F, bias + 1), dtype=dtype)
    weights[:, :bias] = w.transpose(0, 3, 2, 1).reshape(F, bias)
    weights[:, bias] = b
    return weights


cdef class Convolution(Windows):
    """Tables for one kind of convolution, and the work on the images of some parts.

    filters: (F, C, HH, WW)
    """

    cdef const kernel* kernel
    cdef readonly Py_ssize_t taps, taps_of_tiles, lanes_of_filters, multiplications, rows_of_tile
    cdef Py_ssize_t F, pitch  # from one filter to the next
    cdef bint whole  # rows of windows fill whole registers
    cdef Py_ssize_t[::1] block, block_in_row, filter, filter_in_out
    cdef object dtype

    def __init__(self, image, filters, outputs, stride, pad, dtype, kernel):
        self.kernel, self.dtype = &KERNELS[kernels().index(kernel)], dtype
        lanes = self.kernel.floats if dtype == np.float32 else self.kernel.doubles
        super().__init__(image, filters[2:], outputs, stride, pad, VECTORS * lanes)
        self.F = filters[0]
        self.taps = len(self.tap) + 1
        self.taps_of_tiles = rounded(self.taps, self.kernel.rows)
        self.lanes_of_filters = rounded(self.F, VECTORS * lanes)
        self.rows_of_tile = self.kernel.rows
        self.multiplications = self.taps * self.F * self.H_out * self.W_out
        # The bias meets ones; and so do the rows that only fill up a tile, and are dropped.
        self.tap = np.append(self.tap, np.full(self.taps_of_tiles - len(self.tap), self.ones))

        self.whole = self.W_out % lanes == 0 and self.H_out * self.W_out % (VECTORS * lanes) == 0
        if self.whole:
            self.line, self.places = self.W_out, self.H_out * self.W_out
        self.block_in_row = np.arange(0, self.places, lanes)
        row, column = np.divmod(self.block_in_row, self.line)
        self.block = row * self.columns + column
        # Filters that lie a power of 2 apart would share a few places in the processor's cache; so they do not.
        self.pitch = self.places + lanes
        filter = np.minimum(np.arange(rounded(self.F, self.kernel.rows)), self.F - 1)
        self.filter = filter * self.pitch
        self.filter_in_out = filter * (self.places if self.whole else self.pitch)

    def space(self):
        """Room for the numbers of one image, which every thread needs for itself."""
        image = np.zeros(self.image_size, dtype=self.dtype)  # zeros, which stay where the padding is
        image[self.ones :] = 1  # and ones, which the bias meets
        return {
            "image": image,
            "dimage": np.empty(self.image_size, dtype=self.dtype),
            "wide": aligned_zeros((self.F, self.pitch), self.dtype),
            "turned": aligned_zeros((self.H_out * self.W_out, self.lanes_of_filters), self.dtype),
        }

    def packed(self, weights):
        """A matrix of weights as `weigh` reads it: for every tile its first column, its second column, and so on."""
        rows, terms = weights.shape
        tiles = np.zeros((rounded(rows, self.kernel.rows), terms), dtype=weights.dtype)
        tiles[:rows] = weights
        tiles[rows:] = weights[rows - 1 : rows]  # rows that only fill up a tile; they go where the last row goes
        tiles = tiles.reshape(len(tiles) // self.kernel.rows, self.kernel.rows, terms)
        return np.ascontiguousarray(tiles.swapaxes(1, 2)).ravel()

    def forward(self, x, const floating[::1] weights, floating[:, :, :, ::1] out, parts, space):
        """Convolve the images of some parts."""
        cdef floating[::1] image = space["image"]
        cdef floating[:, ::1] wide = space["wide"]
        cdef const floating[:, :, :, ::1] images
        cdef floating* outputs
        cdef Py_ssize_t n, first, last
        for _, first, last in parts:
            images = np.ascontiguousarray(x[first:last], dtype=self.dtype)
            with nogil:
                for n in range(last - first):
                    fill(self, &image[0], images[n])
                    outputs = &out[first + n, 0, 0, 0] if self.whole else &wide[0, 0]
                    weigh(
                        self.kernel, False, len(self.filter), self.taps, len(self.block), &weights[0],
                        &image[0], &self.tap[0], &self.block[0], outputs, &self.filter_in_out[0], &self.block_in_row[0],
                    )
                    if not self.whole:
                        narrow(self, out[first + n], wide)

    def filter_gradient(self, dout, x, floating[:, :, ::1] dweights, parts, space):
        """Add the gradients of the filters to dweights[part] (taps, filters), for the images of some parts."""
        cdef floating[::1] image = space["image"]
        cdef floating[:, ::1] turned = space["turned"]
        cdef const floating[:, :, :, ::1] images, dimages
        cdef Py_ssize_t n, part, first, last
        for part, first, last in parts:
            images = np.ascontiguousarray(x[first:last], dtype=self.dtype)
            dimages = np.ascontiguousarray(dout[first:last], dtype=self.dtype)
            with nogil:
                for n in range(last - first):
                    fill(self, &image[0], images[n])
                    turn(turned, dimages[n])
                    correlate(
                        self.kernel, self.taps_of_tiles, self.H_out, self.W_out, self.lanes_of_filters, &image[0],
                        &self.tap[0], self.columns, &turned[0, 0], &dweights[part, 0, 0],
                    )

    def image_gradient(self, dout, const floating[::1] weights, floating[:, :, :, ::1] dx, parts, space):
        """Compute dx for the images of some parts."""
        cdef floating[::1] dimage = space["dimage"]
        cdef floating[:, ::1] wide = space["wide"]
        cdef const floating[:, :, :, ::1] images
        cdef Py_ssize_t n, first, last
        for _, first, last in parts:
            images = np.ascontiguousarray(dout[first:last], dtype=self.dtype)
            with nogil:
                for n in range(last - first):
                    widen(self, wide, images[n])
                    memset(&dimage[0], 0, self.image_size * sizeof(floating))
                    weigh(
                        self.kernel, True, self.taps_of_tiles, self.F, len(self.block), &weights[0],
                        &wide[0, 0], &self.filter[0], &self.block_in_row[0], &dimage[0], &self.tap[0], &self.block[0],
                    )
                    empty(self, dx[first + n], &dimage[0])


# The tables for one kind of convolution, made once: a network asks for the same few again and again.
convolution = functools.lru_cache(maxsize=64)(Convolution)


def aligned_zeros(shape, dtype):
    """Zeros whose rows begin where registers of 64 bytes are read at once, and not in two halves."""
    size = shape[0] * shape[1] * dtype.itemsize
    memory = np.zeros(size + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


cdef void turn(floating[:, ::1] turned, const floating[:, :, ::1] dout) noexcept nogil:
    """Write dout (F, H', W') window by window: (H'·W', F)."""
    cdef Py_ssize_t f, i, j
    for i in range(dout.shape[1]):
        for j in range(dout.shape[2]):
            for f in range(dout.shape[0]):
                turned[i * dout.shape[2] + j, f] = dout[f, i, j]


cdef void weigh(
    const kernel* kernel, bint add, Py_ssize_t rows, Py_ssize_t terms, Py_ssize_t blocks, const floating* weights,
    const floating* b, table b_term, table b_block, floating* out, table out_row, table out_block,
) noexcept nogil:
    """out[row, block] = (or +=) the sum over terms of weights[row, term] · b[term, block]: see `tile.h`."""
    if floating is float:
        kernel.weigh_floats(add, rows, terms, blocks, weights, b, b_term, b_block, out, out_row, out_block)
    else:
        kernel.weigh_doubles(add, rows, terms, blocks, weights, b, b_term, b_block, out, out_row, out_block)


cdef void correlate(
    const kernel* kernel, Py_ssize_t rows, Py_ssize_t lines, Py_ssize_t length, Py_ssize_t lanes, const floating* a,
    table a_row, Py_ssize_t a_line, const floating* b, floating* out,
) noexcept nogil:
    """out[row, lane] += the sum over terms of a[row, term] · b[term, lane]: see `tile.h`."""
    if floating is float:
        kernel.correlate_floats(rows, lines, length, lanes, a, a_row, a_line, b, out)
    else:
        kernel.correlate_doubles(rows, lines, length, lanes, a, a_row, a_line, b, out)
