"""Windows of images without columns: the part of `cython_backend.pyx` that convolution and pooling share.

Tap (c, p, q), in the words of cython_backend.pyx, is pixel (p, q) of every window in channel c: the image itself, read
from some offset. This file defines how to store an image so that this holds at any stride, and the offset of each tap.
Windows that follow one another in a row are neighbours in memory. Between two rows of windows there are positions that
belong to no window.
"""


cdef class WindowLayout:
    """Where the numbers of an image are stored, and where those of its windows are.

    image: (C, H, W)
    window: (HH, WW)
    outputs: (H', W')
    pad: rows above and below, columns left and right
    dtype: of the numbers
    lanes: numbers in a register
    """

    cdef Py_ssize_t C, H, W, H_out, W_out, stride, top, left
    cdef Py_ssize_t rows, columns, plane, ones, image_size  # of the image that `write_padded` writes
    cdef Py_ssize_t row_pitch, positions  # from one row of windows to the next, and in total
    cdef Py_ssize_t[::1] tap
    cdef Py_ssize_t first_pixel
    cdef Strides pixels, windows  # of the pixels of an image (at stride 1), and of one number for each window
    cdef readonly object dtype
    cdef bint floats  # or else doubles

    def __init__(self, image, window, outputs, stride, pad, dtype, lanes):
        (self.C, self.H, self.W), (HH, WW), (self.H_out, self.W_out) = image, window, outputs
        self.stride, (self.top, self.left) = stride, pad
        self.dtype, self.floats = dtype, dtype == np.float32
        self.rows = round_up(self.H + 2 * self.top, stride) // stride
        self.columns = round_up(self.W + 2 * self.left, stride) // stride
        self.plane = self.rows * self.columns
        self.ones = self.C * stride * stride * self.plane
        self.row_pitch = self.columns
        self.positions = round_up((self.H_out - 1) * self.columns + self.W_out, lanes)
        self.image_size = self.ones + self.plane + self.positions + lanes  # the end is read, but its values are not used

        self.first_pixel, self.pixels = self.top * self.columns + self.left, Strides(self.plane, self.columns, 1)
        self.windows = Strides(max(self.positions, self.H_out * self.row_pitch), self.row_pitch, 1)

        q, p, c = np.meshgrid(*(np.arange(size, dtype=np.intp) for size in (WW, HH, self.C)), indexing="ij")
        image_of_tap = (c * stride + p % stride) * stride + q % stride
        self.tap = (image_of_tap * self.plane + p // stride * self.columns + q // stride).ravel()

    def image_workspace(self, threads):
        """Workspace for the image that `write_padded` writes: zeros, which remain where the padding is."""
        return Workspace(threads, self.image_size * self.dtype.itemsize)

    def window_workspace(self, threads, planes=1):
        """Workspace for one number for every window and every position between windows, in some planes: zeros."""
        return Workspace(threads, planes * self.windows.plane * self.dtype.itemsize)


cdef void write_ones(WindowLayout layout, floating* image) noexcept nogil:
    """Write the plane of ones after the channels of an image."""
    set_all(image + layout.ones, layout.image_size - layout.ones, 1)


cdef void write_padded(WindowLayout layout, floating* image, const floating* x, Strides step) noexcept nogil:
    """Write x (C, H, W) as stride² padded images per channel, one for each remainder of row and column."""
    cdef Py_ssize_t c, p, q, row, first, end, top, bottom
    cdef const floating* pixels
    for c in range(layout.C):
        for p in range(layout.stride):
            for q in range(layout.stride):
                first = count_remainder(layout.left, layout.stride, q)
                end = count_remainder(layout.left + layout.W, layout.stride, q)
                top = count_remainder(layout.top, layout.stride, p)
                bottom = count_remainder(layout.top + layout.H, layout.stride, p)
                pixels = x + c * step.plane + (p - layout.top) * step.row
                pixels += (first * layout.stride + q - layout.left) * step.column
                for row in range(top, bottom):
                    gather(
                        image + row * layout.columns + first, pixels + row * layout.stride * step.row,
                        end - first, layout.stride * step.column,
                    )
                image += layout.plane


cdef void read_padded(WindowLayout layout, floating* dx, const floating* dimage) noexcept nogil:
    """Read dx (C, H, W) from its stride² padded images: `write_padded` backward."""
    cdef Py_ssize_t c, p, q, row, first, end, top, bottom
    cdef floating* pixels
    for c in range(layout.C):
        for p in range(layout.stride):
            for q in range(layout.stride):
                first = count_remainder(layout.left, layout.stride, q)
                end = count_remainder(layout.left + layout.W, layout.stride, q)
                top = count_remainder(layout.top, layout.stride, p)
                bottom = count_remainder(layout.top + layout.H, layout.stride, p)
                pixels = dx + (c * layout.H + p - layout.top) * layout.W + first * layout.stride + q - layout.left
                for row in range(top, bottom):
                    scatter(
                        pixels + row * layout.stride * layout.W, dimage + row * layout.columns + first,
                        end - first, layout.stride,
                    )
                dimage += layout.plane


cdef Py_ssize_t count_remainder(Py_ssize_t size, Py_ssize_t stride, Py_ssize_t remainder) noexcept nogil:
    """How many of the first `size` rows (or columns) have an index with this remainder."""
    return round_up(max(0, size - remainder), stride) // stride
