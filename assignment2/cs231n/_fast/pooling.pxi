"""Max pooling: the part of `cython_backend.pyx` that compares numbers.

In the image that `write_padded` writes, pixel (p, q) of all windows is one run of neighbours. Each pixel is compared in all
windows at once, in a loop without a branch, which compilers translate to vector instructions.
"""


COST_PER_PIXEL = 16  # in multiplications of a convolution, which loads fewer numbers from memory


def max_pool_forward(x, window, stride, outputs):
    """The largest entry of every window of x (N, C, H, W), as out (N, C, H', W')."""
    (N, C, H, W), dtype = x.shape, computation_type(x.dtype)
    plan = WindowLayout((1, H, W), window, outputs, stride, (0, 0), dtype, 1)
    out = np.empty((N, C, *outputs), dtype=dtype)
    parts, threads = split_batch(N, COST_PER_PIXEL * x.size)
    pool.run(PoolForward(plan, threads, x, out), N, parts, threads)
    return out.astype(x.dtype, copy=False)


def max_pool_backward(dout, x, out, window, stride):
    """Gradient dx (N, C, H, W) from dout (N, C, H', W'), equally large entries of a window share dout equally."""
    (N, C, H, W), dtype = x.shape, computation_type(np.result_type(x, dout))
    plan = WindowLayout((1, H, W), window, out.shape[2:], stride, (0, 0), dtype, 1)
    dx = np.empty(x.shape, dtype=dtype)
    parts, threads = split_batch(N, 2 * COST_PER_PIXEL * x.size)
    pool.run(PoolBackward(plan, threads, x, out, dout, dx), N, parts, threads)
    return dx.astype(dout.dtype, copy=False)


def computation_type(dtype):
    """float32 if it can represent all numbers of a type, else float64."""
    return np.dtype(np.float32 if np.result_type(dtype, np.float32) == np.float32 else np.float64)


cdef class PoolForward(Job):
    """Compares each tap in all windows of a channel at once."""

    cdef WindowLayout plan
    cdef Py_ssize_t C
    cdef Array x, out
    cdef Workspace image, largest

    def __init__(self, plan, threads, x, out):
        self.plan, self.C = plan, x.shape[1]
        self.x, self.out = Array(x, plan.dtype), Array(out, plan.dtype)
        self.image, self.largest = plan.image_workspace(threads), plan.window_workspace(threads)

    cdef void run_images(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            pool_forward(self.plan, self, <float*> row_pointer(self.image, thread), thread, first, end)
        else:
            pool_forward(self.plan, self, <double*> row_pointer(self.image, thread), thread, first, end)


cdef void pool_forward(
    WindowLayout layout, PoolForward job, floating* image, Py_ssize_t thread, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    cdef floating* largest = <floating*> row_pointer(job.largest, thread)
    cdef const floating* x
    cdef floating* out
    cdef Py_ssize_t n, c, k
    for n in range(first, end):
        for c in range(job.C):
            x = <const floating*> row_pointer(job.x, n) + c * job.x.step.plane
            out = <floating*> row_pointer(job.out, n) + c * job.out.step.plane
            write_padded(layout, image, x, job.x.step)
            memcpy(largest, image + layout.tap[0], layout.positions * sizeof(floating))
            for k in range(1, len(layout.tap)):
                update_max(largest, image + layout.tap[k], layout.positions)
            copy(1, layout.H_out, layout.W_out, out, job.out.step, largest, layout.windows)


cdef class PoolBackward(Job):
    """Divides the gradient of a window equally among the taps that equal its largest entry."""

    cdef WindowLayout plan
    cdef Py_ssize_t C
    cdef Array x, out, dout, dx
    cdef Workspace image, dimage, largest, count, dout_share

    def __init__(self, plan, threads, x, out, dout, dx):
        self.plan, self.C = plan, x.shape[1]
        self.x, self.out, self.dout, self.dx = (Array(array, plan.dtype) for array in (x, out, dout, dx))
        self.image, self.dimage = plan.image_workspace(threads), plan.image_workspace(threads)
        self.largest, self.count, self.dout_share = (plan.window_workspace(threads) for _ in range(3))

    cdef void run_images(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            pool_backward(self.plan, self, <float*> row_pointer(self.image, thread), thread, first, end)
        else:
            pool_backward(self.plan, self, <double*> row_pointer(self.image, thread), thread, first, end)


cdef void pool_backward(
    WindowLayout layout, PoolBackward job, floating* image, Py_ssize_t thread, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    cdef floating* dimage = <floating*> row_pointer(job.dimage, thread)
    cdef floating* largest = <floating*> row_pointer(job.largest, thread)
    cdef floating* count = <floating*> row_pointer(job.count, thread)
    cdef floating* dout_share = <floating*> row_pointer(job.dout_share, thread)
    cdef const floating* x
    cdef const floating* out
    cdef const floating* dout
    cdef floating* dx
    cdef Py_ssize_t n, c, k
    for n in range(first, end):
        for c in range(job.C):
            x = <const floating*> row_pointer(job.x, n) + c * job.x.step.plane
            out = <const floating*> row_pointer(job.out, n) + c * job.out.step.plane
            dout = <const floating*> row_pointer(job.dout, n) + c * job.dout.step.plane
            dx = <floating*> row_pointer(job.dx, n) + c * job.dx.step.plane
            write_padded(layout, image, x, job.x.step)
            copy(1, layout.H_out, layout.W_out, largest, layout.windows, out, job.out.step)
            copy(1, layout.H_out, layout.W_out, dout_share, layout.windows, dout, job.dout.step)
            memset(count, 0, layout.positions * sizeof(floating))
            for k in range(layout.H_out):  # positions between windows: avoid 0 / 0
                set_all(count + k * layout.row_pitch + layout.W_out, layout.row_pitch - layout.W_out, 1)
            for k in range(len(layout.tap)):
                count_equal(count, image + layout.tap[k], largest, layout.positions)
            divide(dout_share, count, layout.positions)
            memset(dimage, 0, layout.image_size * sizeof(floating))
            for k in range(len(layout.tap)):
                add_where_equal(dimage + layout.tap[k], dout_share, image + layout.tap[k], largest, layout.positions)
            read_padded(layout, dx, dimage)


cdef void update_max(floating* largest, const floating* pixels, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):  # nan counts as largest
        largest[i] = pixels[i] if (pixels[i] > largest[i]) | (pixels[i] != pixels[i]) else largest[i]


cdef void count_equal(floating* count, const floating* pixels, const floating* largest, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        count[i] += 1 if pixels[i] == largest[i] else 0


cdef void divide(floating* dout_share, const floating* count, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        dout_share[i] = dout_share[i] / count[i]


cdef void add_where_equal(
    floating* dpixels, const floating* dout_share, const floating* pixels, const floating* largest, Py_ssize_t size
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):  # a product, not a choice: 0 * inf makes all pixels of a window with nan nan
        dpixels[i] += dout_share[i] * (1 if pixels[i] == largest[i] else 0)
