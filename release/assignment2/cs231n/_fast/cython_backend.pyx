# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fast layers in compiled loops, for float32 and float64. `fast_layers.py` calls them and checks all sizes before.

**A convolution without columns.** im2col writes every window of an image into a column, and one matrix product with the
filters is the convolution (see `im2col.py`). But the columns hold every pixel HH·WW times, and a write takes longer than
a multiplication. Look at one ROW of that matrix instead: the pixels that tap (c, p, q) of the filters is multiplied with
in all windows, one after the other. That row is channel c of the image, read from an offset of p rows and q pixels. So
there is nothing to write: row k of the columns begins tap[k] numbers into the image.

    channel c, padded                        tap (c, p, q) = c·plane + p·columns + q, here with columns = 6

      . . . . . .         tap (c, 1, 1) reads  a b c d (. .) e f g h (. .) i j k l
      . a b c d .         tap (c, 1, 2) reads  b c d . (. e) f g h . (. i) j k l .
      . e f g h .         tap (c, 2, 1) reads  e f g h (. .) i j k l (. .) . . . .
      . i j k l .
      . . . . . .         in windows           0 1 2 3       4 5 6 7       8 9 ...

The numbers in brackets belong to no window: a window there would cross the edge. They are computed and then dropped,
because a loop without exceptions is faster. If a row of windows fills whole registers, the loop continues at the next
row, and nothing is dropped.

**Strides.** At stride 2, neighbouring windows are two pixels apart. The image is then stored as four images, of even and
odd rows and columns. In each of these, neighbouring windows are neighbours again, and all of the above holds.

**The bias** is one more tap, which reads a 1 in every window: after its channels the image has a plane of ones.

**Three products**, with X for the columns that are never written:

    forward    out[f, window] = sum over taps     weights[f, tap] · X[tap, window]      `gemm` in gemm_tile.h
    backward   dw[tap, f]    += sum over windows  X[tap, window]  · dout[window, f]     `correlate` in gemm_tile.h
               dX[tap, window] = sum over filters weights[f, tap] · dout[f, window]     `gemm` again

dX is not written either: each row is added to the gradient of the image immediately, at the offset of its tap
(`scatter_add`). Or, at stride 1, dx is itself a convolution, of dout with flipped filters. That is faster if there are
enough channels. In both cases the two products of the backward pass use an image while it is in the processor's cache.

**The other files**, from the outside to the inside:

    convolution.pxi       the three products, image by image
    pooling.pxi           max pooling
    sliding_windows.pxi   how an image is stored, and where its windows are
    gemm_tile.h           matrix products in the processor's registers; kernels.h: for several kinds of processors
    thread_pool.pxi       threads, which take images from a batch
    arrays.pxi            NumPy's arrays, memory, and copies

Shapes: `N` images, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import functools
import os
import threading

import numpy as np

cimport cython
from cpython.buffer cimport Py_buffer, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_release_lock, PyThread_type_lock, WAIT_LOCK
)
from cython cimport floating
from libc.string cimport memcpy, memset


cdef extern from "kernels.h" nogil:
    ctypedef const Py_ssize_t* table "const ptrdiff_t *"
    const int VECTORS
    ctypedef struct kernel:
        const char* name
        Py_ssize_t rows, floats, doubles
        void gemm_floats(
            bint, Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const float*, table, table, float*, table, table
        ) noexcept nogil
        void gemm_doubles(
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

include "thread_pool.pxi"
include "arrays.pxi"
include "sliding_windows.pxi"
include "convolution.pxi"
include "pooling.pxi"
