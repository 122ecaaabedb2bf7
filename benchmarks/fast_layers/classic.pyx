# cython: language_level=3, boundscheck=False, wraparound=False
"""The classic way, to compare with: im2col and col2im of a whole batch in compiled loops, one thread."""

import numpy as np

from cython cimport floating


def im2col(const floating[:, :, :, ::1] x, Py_ssize_t HH, Py_ssize_t WW, Py_ssize_t stride):
    """Every window of padded images x (N, C, H, W) as a column: (C·HH·WW, N·H'·W')."""
    cdef Py_ssize_t N = x.shape[0], C = x.shape[1]
    cdef Py_ssize_t H_out = (x.shape[2] - HH) // stride + 1, W_out = (x.shape[3] - WW) // stride + 1
    array = np.empty((C * HH * WW, N * H_out * W_out), dtype=np.float32 if floating is float else np.float64)
    cdef floating[:, ::1] columns = array
    cdef Py_ssize_t c, p, q, n, i, j, row
    for c in range(C):
        for p in range(HH):
            for q in range(WW):
                row = (c * HH + p) * WW + q
                for n in range(N):
                    for i in range(H_out):
                        for j in range(W_out):
                            columns[row, (n * H_out + i) * W_out + j] = x[n, c, i * stride + p, j * stride + q]
    return array


def col2im(const floating[:, ::1] columns, shape, Py_ssize_t HH, Py_ssize_t WW, Py_ssize_t stride):
    """Add every column to its window: images of a shape (N, C, H, W)."""
    cdef Py_ssize_t N = shape[0], C = shape[1]
    cdef Py_ssize_t H_out = (shape[2] - HH) // stride + 1, W_out = (shape[3] - WW) // stride + 1
    array = np.zeros(shape, dtype=np.float32 if floating is float else np.float64)
    cdef floating[:, :, :, ::1] x = array
    cdef Py_ssize_t c, p, q, n, i, j, row
    for c in range(C):
        for p in range(HH):
            for q in range(WW):
                row = (c * HH + p) * WW + q
                for n in range(N):
                    for i in range(H_out):
                        for j in range(W_out):
                            x[n, c, i * stride + p, j * stride + q] += columns[row, (n * H_out + i) * W_out + j]
    return array
