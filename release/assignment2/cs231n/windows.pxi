"""Windows of images without columns: the part of `fast_cython.pyx` that convolution and pooling share.

What fast_cython.pyx calls tap (c, p, q) is pixel (p, q) of all windows in channel c: the image itself, read from an
offset on. This file says where an image is written so that this is true at any stride, and which offset belongs to
which tap. Windows that follow one another in a row lie side by side; between rows of windows lie places that belong to
none.
"""


cdef Py_ssize_t rounded(Py_ssize_t size, Py_ssize_t step) noexcept nogil:
    """The next multiple of a step, since tiles are computed whole."""
    return (size + step - 1) // step * step


cdef class Windows:
    """Windows of images: where the numbers of an image are written, and where those of its windows are.

    image: (C, H, W)
    window: (HH, WW)
    outputs: (H', W')
    pad: rows above and below, columns left and right
    lanes: numbers in a register
    """

    cdef Py_ssize_t C, H, W, H_out, W_out, stride, top, left
    cdef Py_ssize_t rows, columns, plane, ones, image_size  # of the image as `fill` writes it
    cdef Py_ssize_t line, places  # from one row of windows to the next, and in all
    cdef Py_ssize_t[::1] tap

    def __init__(self, image, window, outputs, stride, pad, lanes):
        (self.C, self.H, self.W), (HH, WW), (self.H_out, self.W_out) = image, window, outputs
        self.stride, (self.top, self.left) = stride, pad
        self.rows = rounded(self.H + 2 * self.top, stride) // stride
        self.columns = rounded(self.W + 2 * self.left, stride) // stride
        self.plane = self.rows * self.columns
        self.ones = self.C * stride * stride * self.plane
        self.line = self.columns
        self.places = rounded((self.H_out - 1) * self.columns + self.W_out, lanes)
        self.image_size = self.ones + self.plane + self.places + lanes  # what lies behind the last plane does not count

        q, p, c = np.meshgrid(np.arange(WW), np.arange(HH), np.arange(self.C), indexing="ij")
        image_of_tap = (c * stride + p % stride) * stride + q % stride
        self.tap = (image_of_tap * self.plane + p // stride * self.columns + q // stride).ravel()


cdef void fill(Windows at, floating* image, const floating[:, :, ::1] x) noexcept nogil:
    """Write x (C, H, W) as stride² padded images a channel, one for each remainder of row and column."""
    cdef Py_ssize_t c, p, q, row, first, end
    cdef const floating* pixels
    for c in range(at.C):
        for p in range(at.stride):
            for q in range(at.stride):
                first, end = having(at.left, at.stride, q), having(at.left + at.W, at.stride, q)
                for row in range(having(at.top, at.stride, p), having(at.top + at.H, at.stride, p)):
                    pixels = &x[c, row * at.stride + p - at.top, 0] + first * at.stride + q - at.left
                    gather(image + row * at.columns + first, pixels, end - first, at.stride)
                image += at.plane


cdef void empty(Windows at, floating[:, :, ::1] dx, const floating* dimage) noexcept nogil:
    """Read dx (C, H, W) from its stride² padded images: `fill` backward."""
    cdef Py_ssize_t c, p, q, row, first, end
    cdef floating* pixels
    for c in range(at.C):
        for p in range(at.stride):
            for q in range(at.stride):
                first, end = having(at.left, at.stride, q), having(at.left + at.W, at.stride, q)
                for row in range(having(at.top, at.stride, p), having(at.top + at.H, at.stride, p)):
                    pixels = &dx[c, row * at.stride + p - at.top, 0] + first * at.stride + q - at.left
                    scatter(pixels, dimage + row * at.columns + first, end - first, at.stride)
                dimage += at.plane


cdef void gather(floating* line, const floating* pixels, Py_ssize_t size, Py_ssize_t stride) noexcept nogil:
    """Copy every stride-th pixel. What is said thrice is compiled thrice: for a stride that is known it is faster."""
    cdef Py_ssize_t i
    if stride == 1:
        for i in range(size):
            line[i] = pixels[i]
    elif stride == 2:
        for i in range(size):
            line[i] = pixels[2 * i]
    else:
        for i in range(size):
            line[i] = pixels[stride * i]


cdef void scatter(floating* pixels, const floating* line, Py_ssize_t size, Py_ssize_t stride) noexcept nogil:
    """`gather` backward."""
    cdef Py_ssize_t i
    if stride == 1:
        for i in range(size):
            pixels[i] = line[i]
    elif stride == 2:
        for i in range(size):
            pixels[2 * i] = line[i]
    else:
        for i in range(size):
            pixels[stride * i] = line[i]


cdef Py_ssize_t having(Py_ssize_t size, Py_ssize_t stride, Py_ssize_t remainder) noexcept nogil:
    """How many of the first `size` rows (or columns) have a number with this remainder."""
    return rounded(max(0, size - remainder), stride) // stride


cdef void widen(Windows at, floating[:, ::1] wide, const floating[:, :, ::1] dout) noexcept nogil:
    """Write dout (F, H', W') to its windows; what is no window stays 0."""
    cdef Py_ssize_t f, i
    for f in range(dout.shape[0]):
        for i in range(at.H_out):
            memcpy(&wide[f, i * at.line], &dout[f, i, 0], at.W_out * sizeof(floating))


cdef void narrow(Windows at, floating[:, :, ::1] out, const floating[:, ::1] wide) noexcept nogil:
    """Read out (F, H', W') from its windows."""
    cdef Py_ssize_t f, i
    for f in range(out.shape[0]):
        for i in range(at.H_out):
            memcpy(&out[f, i, 0], &wide[f, i * at.line], at.W_out * sizeof(floating))
