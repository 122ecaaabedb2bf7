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

**Where to read on**, from the outside to the inside:

    convolution.pxi   the three products, image by image
    pooling.pxi       max pooling
    windows.pxi       where an image is written, and where its windows are then
    tile.h            matrix products in the processor's registers; kernels.h: for several kinds of processors
    crew.pxi          threads, which take images from a batch
    arrays.pxi        NumPy's arrays, memory, and copying

Shapes: `N` images, `C` channels, `H W` image, `F` filters, `HH WW` filter, `H' W'` output image.
"""

import functools
import os
import threading

import numpy as np

from cs231n import fast_threads
from cs231n.fast_threads import MOST_PARTS, cut

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

include "crew.pxi"
include "arrays.pxi"
include "windows.pxi"
include "convolution.pxi"
include "pooling.pxi"
