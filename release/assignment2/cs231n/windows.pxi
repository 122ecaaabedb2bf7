"""Windows of images without columns: the part of `fast_cython.pyx` that convolution and pooling share.

What fast_cython.pyx calls tap (c, p, q) is pixel (p, q) of all windows in channel c: the image itself, read from an
offset on. This file says where an image is written so that this is true at any stride, and which offset belongs to
which tap. Windows that follow one another in a row lie side by side; between rows of windows lie places that belong to
none.
"""


cdef class Windows:
    """Windows of images: where the numbers of an image are written, and where those of its windows are.

    image: (C, H, W)
    window: (HH, WW)
    outputs: (H', W')
    pad: rows above and below, columns left and right
    dtype: of the numbers
    lanes: numbers in a register
    """

    cdef Py_ssize_t C, H, W, H_out, W_out, stride, top, left
    cdef Py_ssize_t rows, columns, plane, ones, image_size  # of the image as `fill` writes it
    cdef Py_ssize_t line, places  # from one row of windows to the next, and in all
    cdef Py_ssize_t[::1] tap
    cdef Py_ssize_t first_pixel
    cdef steps pixels, windows  # where pixels of an image lie (at a stride of 1), and numbers of windows
    cdef readonly object dtype
    cdef bint floats  # or else doubles

    def __init__(self, image, window, outputs, stride, pad, dtype, lanes):
        (self.C, self.H, self.W), (HH, WW), (self.H_out, self.W_out) = image, window, outputs
        self.stride, (self.top, self.left) = stride, pad
        self.dtype, self.floats = dtype, dtype == np.float32
        self.rows = rounded(self.H + 2 * self.top, stride) // stride
        self.columns = rounded(self.W + 2 * self.left, stride) // stride
        self.plane = self.rows * self.columns
        self.ones = self.C * stride * stride * self.plane
        self.line = self.columns
        self.places = rounded((self.H_out - 1) * self.columns + self.W_out, lanes)
        self.image_size = self.ones + self.plane + self.places + lanes  # what lies behind the last plane does not count

        self.first_pixel, self.pixels = self.top * self.columns + self.left, steps(self.plane, self.columns, 1)
        self.windows = steps(max(self.places, self.H_out * self.line), self.line, 1)

        q, p, c = np.meshgrid(*(np.arange(size, dtype=np.intp) for size in (WW, HH, self.C)), indexing="ij")
        image_of_tap = (c * stride + p % stride) * stride + q % stride
        self.tap = (image_of_tap * self.plane + p // stride * self.columns + q // stride).ravel()

    def image(self, threads):
        """Room for an image as `fill` writes it: zeros, which stay where the padding is."""
        return Room(threads, self.image_size * self.dtype.itemsize)

    def wide(self, threads, planes=1):
        """Room for one number for every window, and for the places between windows, in some planes: zeros."""
        return Room(threads, planes * self.windows.plane * self.dtype.itemsize)


cdef void prepare(Windows at, floating* image) noexcept nogil:
    """Write the plane of ones behind the channels of an image."""
    set_all(image + at.ones, at.image_size - at.ones, 1)


cdef void fill(Windows at, floating* image, const floating* x, steps step) noexcept nogil:
    """Write x (C, H, W) as stride² padded images a channel, one for each remainder of row and column."""
    cdef Py_ssize_t c, p, q, row, first, end
    cdef const floating* pixels
    for c in range(at.C):
        for p in range(at.stride):
            for q in range(at.stride):
                first, end = having(at.left, at.stride, q), having(at.left + at.W, at.stride, q)
                pixels = x + c * step.plane + (p - at.top) * step.row + (first * at.stride + q - at.left) * step.column
                for row in range(having(at.top, at.stride, p), having(at.top + at.H, at.stride, p)):
                    gather(
                        image + row * at.columns + first, pixels + row * at.stride * step.row,
                        end - first, at.stride * step.column,
                    )
                image += at.plane


cdef void empty(Windows at, floating* dx, const floating* dimage) noexcept nogil:
    """Read dx (C, H, W) from its stride² padded images: `fill` backward."""
    cdef Py_ssize_t c, p, q, row, first, end
    cdef floating* pixels
    for c in range(at.C):
        for p in range(at.stride):
            for q in range(at.stride):
                first, end = having(at.left, at.stride, q), having(at.left + at.W, at.stride, q)
                pixels = dx + (c * at.H + p - at.top) * at.W + first * at.stride + q - at.left
                for row in range(having(at.top, at.stride, p), having(at.top + at.H, at.stride, p)):
                    scatter(pixels + row * at.stride * at.W, dimage + row * at.columns + first, end - first, at.stride)
                dimage += at.plane


cdef Py_ssize_t having(Py_ssize_t size, Py_ssize_t stride, Py_ssize_t remainder) noexcept nogil:
    """How many of the first `size` rows (or columns) have a number with this remainder."""
    return rounded(max(0, size - remainder), stride) // stride
