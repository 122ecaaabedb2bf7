# cython: language_level=3, boundscheck=False, wraparound=False
"""im2col and col2im in compiled loops: the same functions as in `im2col.py`, for float32 and float64.

Built by `python setup.py build_ext --inplace`. The loops run without Python's lock. They trust their indices, so all
sizes are checked before.
"""

import numpy as np

from cython cimport floating

from cs231n.im2col import output_size


def im2col(const floating[:, :, :, :] x, Py_ssize_t HH, Py_ssize_t WW, Py_ssize_t stride):
    """Every window of the images x (N, C, H, W) as a column: returns (C·HH·WW, N·H'·W').

    Raises ValueError where the windows do not fit the images.
    """
    cdef Py_ssize_t N = x.shape[0], C = x.shape[1]
    cdef Py_ssize_t H_out = output_size("im2col", "height", x.shape[2], HH, stride)
    cdef Py_ssize_t W_out = output_size("im2col", "width", x.shape[3], WW, stride)
    array = np.empty((C * HH * WW, N * H_out * W_out), dtype=np.float32 if floating is float else np.float64)
    cdef floating[:, ::1] columns = array
    cdef Py_ssize_t c, p, q, n, i, j, row = 0, column
    with nogil:
        for c in range(C):
            for p in range(HH):
                for q in range(WW):
                    column = 0
                    for n in range(N):
                        for i in range(H_out):
                            for j in range(W_out):
                                columns[row, column + j] = x[n, c, i * stride + p, j * stride + q]
                            column = column + W_out
                    row = row + 1
    return array


def col2im(const floating[:, :] columns, shape, Py_ssize_t HH, Py_ssize_t WW, Py_ssize_t stride):
    """Add every column to the window it belongs to: images of the given shape (N, C, H, W), 0 where no window lies.

    columns: (C·HH·WW, N·H'·W')

    Raises ValueError where the windows do not fit the images, or the columns not the windows.
    """
    cdef Py_ssize_t N = shape[0], C = shape[1]
    cdef Py_ssize_t H_out = output_size("col2im", "height", shape[2], HH, stride)
    cdef Py_ssize_t W_out = output_size("col2im", "width", shape[3], WW, stride)
    given, expected = (columns.shape[0], columns.shape[1]), (C * HH * WW, N * H_out * W_out)
    if given != expected:
        raise ValueError(f"col2im: columns have shape {given}; expected {expected} for images of {shape}")
    array = np.zeros(shape, dtype=np.float32 if floating is float else np.float64)
    cdef floating[:, :, :, ::1] x = array
    cdef Py_ssize_t c, p, q, n, i, j, row = 0, column
    with nogil:
        for c in range(C):
            for p in range(HH):
                for q in range(WW):
                    column = 0
                    for n in range(N):
                        for i in range(H_out):
                            for j in range(W_out):
                                x[n, c, i * stride + p, j * stride + q] += columns[row, column + j]
                            column = column + W_out
                    row = row + 1
    return array
