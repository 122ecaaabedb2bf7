"""Max pooling: the part of `fast_cython.pyx` that compares numbers.

In the image as `fill` writes it, pixel (p, q) of all windows lies side by side. So each of them is compared in all
windows at once, in a loop over neighbours without a branch, which compilers turn into instructions for whole registers.
"""


WORK_PER_PIXEL = 16  # in multiplications of a convolution, which reads fewer numbers from afar


def max_pool_forward(x, window, stride, outputs):
    """The largest entry of every window of x (N, C, H, W), as out (N, C, H', W')."""
    (N, C, H, W), dtype = x.shape, number(x.dtype)
    plan, out = Windows((1, H, W), window, outputs, stride, (0, 0), dtype, 1), np.empty((N, C, *outputs), dtype=dtype)
    parts, threads = divided(N, WORK_PER_PIXEL * x.size)
    crew.share(PoolForward(plan, threads, x, out), N, parts, threads)
    return out.astype(x.dtype, copy=False)


def max_pool_backward(dout, x, out, window, stride):
    """Gradient dx (N, C, H, W) from dout (N, C, H', W'), which equally large entries of a window share."""
    (N, C, H, W), dtype = x.shape, number(np.result_type(x, dout))
    plan, dx = Windows((1, H, W), window, out.shape[2:], stride, (0, 0), dtype, 1), np.empty(x.shape, dtype=dtype)
    parts, threads = divided(N, 2 * WORK_PER_PIXEL * x.size)
    crew.share(PoolBackward(plan, threads, x, out, dout, dx), N, parts, threads)
    return dx.astype(dout.dtype, copy=False)


def number(dtype):
    """float32 if that holds all numbers of a type, else float64."""
    return np.dtype(np.float32 if np.result_type(dtype, np.float32) == np.float32 else np.float64)


cdef class PoolForward(Job):
    """Every tap is compared in all windows of a channel at once."""

    cdef Windows plan
    cdef Py_ssize_t C
    cdef Array x, out
    cdef Room image, largest

    def __init__(self, plan, threads, x, out):
        self.plan, self.C = plan, x.shape[1]
        self.x, self.out = Array(x, plan.dtype), Array(out, plan.dtype)
        self.image, self.largest = plan.image(threads), plan.wide(threads)

    cdef void do(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            pool_forward(self.plan, self, <float*> nth(self.image, thread), thread, first, end)
        else:
            pool_forward(self.plan, self, <double*> nth(self.image, thread), thread, first, end)


cdef void pool_forward(
    Windows at, PoolForward job, floating* image, Py_ssize_t thread, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    cdef floating* largest = <floating*> nth(job.largest, thread)
    cdef const floating* x
    cdef floating* out
    cdef Py_ssize_t n, c, k
    for n in range(first, end):
        for c in range(job.C):
            x = <const floating*> nth(job.x, n) + c * job.x.step.plane
            out = <floating*> nth(job.out, n) + c * job.out.step.plane
            fill(at, image, x, job.x.step)
            memcpy(largest, image + at.tap[0], at.places * sizeof(floating))
            for k in range(1, len(at.tap)):
                keep_larger(largest, image + at.tap[k], at.places)
            copy(1, at.H_out, at.W_out, out, job.out.step, largest, at.windows)


cdef class PoolBackward(Job):
    """The gradient of a window goes to all taps that are as large as the largest, in equal shares."""

    cdef Windows plan
    cdef Py_ssize_t C
    cdef Array x, out, dout, dx
    cdef Room image, dimage, largest, count, one_share

    def __init__(self, plan, threads, x, out, dout, dx):
        self.plan, self.C = plan, x.shape[1]
        self.x, self.out, self.dout, self.dx = (Array(array, plan.dtype) for array in (x, out, dout, dx))
        self.image, self.dimage = plan.image(threads), plan.image(threads)
        self.largest, self.count, self.one_share = (plan.wide(threads) for _ in range(3))

    cdef void do(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            pool_backward(self.plan, self, <float*> nth(self.image, thread), thread, first, end)
        else:
            pool_backward(self.plan, self, <double*> nth(self.image, thread), thread, first, end)


cdef void pool_backward(
    Windows at, PoolBackward job, floating* image, Py_ssize_t thread, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    cdef floating* dimage = <floating*> nth(job.dimage, thread)
    cdef floating* largest = <floating*> nth(job.largest, thread)
    cdef floating* count = <floating*> nth(job.count, thread)
    cdef floating* one_share = <floating*> nth(job.one_share, thread)
    cdef const floating* x
    cdef const floating* out
    cdef const floating* dout
    cdef floating* dx
    cdef Py_ssize_t n, c, k
    for n in range(first, end):
        for c in range(job.C):
            x = <const floating*> nth(job.x, n) + c * job.x.step.plane
            out = <const floating*> nth(job.out, n) + c * job.out.step.plane
            dout = <const floating*> nth(job.dout, n) + c * job.dout.step.plane
            dx = <floating*> nth(job.dx, n) + c * job.dx.step.plane
            fill(at, image, x, job.x.step)
            copy(1, at.H_out, at.W_out, largest, at.windows, out, job.out.step)
            copy(1, at.H_out, at.W_out, one_share, at.windows, dout, job.dout.step)
            memset(count, 0, at.places * sizeof(floating))
            for k in range(at.H_out):  # a place of no window has no share of anything; it counts one, to divide by
                set_all(count + k * at.line + at.W_out, at.line - at.W_out, 1)
            for k in range(len(at.tap)):
                count_equal(count, image + at.tap[k], largest, at.places)
            divide(one_share, count, at.places)
            memset(dimage, 0, at.image_size * sizeof(floating))
            for k in range(len(at.tap)):
                add_where_equal(dimage + at.tap[k], one_share, image + at.tap[k], largest, at.places)
            empty(at, dx, dimage)


cdef void keep_larger(floating* largest, const floating* pixels, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):  # what is not a number counts as largest
        largest[i] = pixels[i] if (pixels[i] > largest[i]) | (pixels[i] != pixels[i]) else largest[i]


cdef void count_equal(floating* count, const floating* pixels, const floating* largest, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        count[i] += 1 if pixels[i] == largest[i] else 0


cdef void divide(floating* one_share, const floating* count, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        one_share[i] = one_share[i] / count[i]


cdef void add_where_equal(
    floating* dpixels, const floating* one_share, const floating* pixels, const floating* largest, Py_ssize_t size
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):  # a product and no choice: with nan among its pixels a window has a share of 1 / 0
        dpixels[i] += one_share[i] * (1 if pixels[i] == largest[i] else 0)
