"""Max pooling: the part of `fast_cython.pyx` that compares numbers.

In the image as `fill` writes it, pixel (p, q) of all windows lies side by side. So each of them is compared in all
windows at once, in a loop over neighbours without a branch, which compilers turn into instructions for whole registers.
"""


WORK_PER_PIXEL = 16  # in multiplications of a convolution, which reads fewer numbers from afar


def max_pool_forward(x, window, stride, outputs):
    """The largest entry of every window of x (N, C, H, W), as out (N, C, H', W')."""
    (N, C, H, W), dtype = x.shape, _number(x.dtype)
    plan = MaxPooling((1, H, W), window, outputs, stride, (0, 0), 1)
    out = np.empty((N, C, *outputs), dtype=dtype)
    share(lambda todo: plan.forward(x, out, todo), cut(N, WORK_PER_PIXEL * x.size))
    return out.astype(x.dtype, copy=False)


def max_pool_backward(dout, x, out, window, stride):
    """Gradient dx (N, C, H, W) from dout (N, C, H', W'), which equally large entries of a window share."""
    (N, C, H, W), dtype = x.shape, _number(np.result_type(x, dout))
    plan = MaxPooling((1, H, W), window, out.shape[2:], stride, (0, 0), 1)
    dx = np.empty(x.shape, dtype=dtype)
    share(lambda todo: plan.backward(dout, x, out, dx, todo), cut(N, 2 * WORK_PER_PIXEL * x.size))
    return dx.astype(dout.dtype, copy=False)


def _number(dtype):
    """float32 if that holds all numbers of a type, else float64."""
    return np.dtype(np.float32 if np.result_type(dtype, np.float32) == np.float32 else np.float64)


cdef class MaxPooling(Windows):
    """Max pooling of the images of some parts, channel by channel: each tap is compared in all windows at once."""

    def forward(self, x, floating[:, :, :, ::1] out, parts):
        dtype = out.base.dtype
        cdef floating[::1] image = np.empty(self.image_size, dtype=dtype)
        cdef floating[:, ::1] wide = np.empty((1, self.places), dtype=dtype)
        cdef const floating[:, :, :, ::1] images
        cdef Py_ssize_t n, c, k, first, last
        for _, first, last in parts:
            images = np.ascontiguousarray(x[first:last], dtype=dtype)
            with nogil:
                for n in range(last - first):
                    for c in range(out.shape[1]):
                        fill(self, &image[0], images[n, c : c + 1])
                        memcpy(&wide[0, 0], &image[self.tap[0]], self.places * sizeof(floating))
                        for k in range(1, len(self.tap)):
                            keep_larger(&wide[0, 0], &image[self.tap[k]], self.places)
                        narrow(self, out[first + n, c : c + 1], wide)

    def backward(self, dout, x, out, floating[:, :, :, ::1] dx, parts):
        dtype = dx.base.dtype
        cdef floating[::1] image = np.empty(self.image_size, dtype=dtype)
        cdef floating[::1] dimage = np.empty(self.image_size, dtype=dtype)
        # Where no window is stays nan, which equals nothing.
        cdef floating[:, ::1] largest = np.full((1, self.places), np.nan, dtype=dtype)
        cdef floating[:, ::1] share_of_one = np.zeros((1, self.places), dtype=dtype)
        cdef floating[::1] count = np.zeros(self.places, dtype=dtype)
        cdef const floating[:, :, :, ::1] images, outputs, doutputs
        cdef Py_ssize_t n, c, k, first, last
        for _, first, last in parts:
            images, outputs, doutputs = (np.ascontiguousarray(a[first:last], dtype=dtype) for a in (x, out, dout))
            with nogil:
                for n in range(last - first):
                    for c in range(dx.shape[1]):
                        fill(self, &image[0], images[n, c : c + 1])
                        widen(self, largest, outputs[n, c : c + 1])
                        widen(self, share_of_one, doutputs[n, c : c + 1])
                        memset(&count[0], 0, self.places * sizeof(floating))
                        for k in range(len(self.tap)):
                            count_equal(&count[0], &image[self.tap[k]], &largest[0, 0], self.places)
                        divide(&share_of_one[0, 0], &count[0], self.places)
                        memset(&dimage[0], 0, self.image_size * sizeof(floating))
                        for k in range(len(self.tap)):
                            add_where_equal(
                                &dimage[self.tap[k]], &share_of_one[0, 0],
                                &image[self.tap[k]], &largest[0, 0], self.places,
                            )
                        empty(self, dx[first + n, c : c + 1], &dimage[0])


cdef void keep_larger(floating* largest, const floating* pixels, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):  # what is not a number counts as largest
        largest[i] = pixels[i] if (pixels[i] > largest[i]) | (pixels[i] != pixels[i]) else largest[i]


cdef void count_equal(floating* count, const floating* pixels, const floating* largest, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        count[i] += 1 if pixels[i] == largest[i] else 0


cdef void divide(floating* share_of_one, const floating* count, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        share_of_one[i] = share_of_one[i] / count[i]


cdef void add_where_equal(
    floating* dpixels, const floating* share_of_one, const floating* pixels, const floating* largest, Py_ssize_t size
) noexcept nogil:
    cdef Py_ssize_t i
    cdef floating one
    for i in range(size):
        one = share_of_one[i]  # read whether it is needed or not: then the compiler needs no branch
        dpixels[i] += one if pixels[i] == largest[i] else 0
