"""Convolution: the part of `cython_backend.pyx` that multiplies matrices. Nearly all time is spent in `gemm_tile.h`."""


# Each part of a batch has its own sum for dw. All of them together hold at most this many numbers (128 MB).
MAX_PARTIAL_GRADIENTS = 2**24
# Rows whose addresses differ by a multiple of this compete for the same few lines of the processor's cache.
CACHE_ALIAS_BYTES = 4096


def conv_forward(x, w, b, stride, pad, outputs, dtype):
    """Convolve x (N, C, H, W) with w (F, C, HH, WW), add b (F,), and return out (N, F, H', W')."""
    plan = plan_convolution(x.shape[1:], w.shape, outputs, stride, (pad, pad), dtype, KERNEL)
    out = np.empty((x.shape[0], w.shape[0], *outputs), dtype=dtype)
    weights = plan.pack_weights(order_by_taps(w, b, dtype))
    parts, threads = split_batch(len(x), len(x) * plan.multiplications)
    pool.run(Forward(plan, threads, x, weights, out), len(x), parts, threads)
    return out


def conv_backward(dout, x, w, stride, pad, dtype):
    """Gradients dx (N, C, H, W), dw (F, C, HH, WW) and db (F,) from dout (N, F, H', W')."""
    (N, C, H, W), (F, _, HH, WW) = x.shape, w.shape
    plan = plan_convolution(x.shape[1:], w.shape, dout.shape[2:], stride, (pad, pad), dtype, KERNEL)
    max_parts = MAX_PARTIAL_GRADIENTS // max(1, plan.taps * plan.lanes_of_filters)
    parts, threads = split_batch(N, 2 * N * plan.multiplications, max_parts)
    dweights = np.zeros((parts, plan.taps * plan.lanes_of_filters), dtype=dtype)
    dx = np.empty(x.shape, dtype=dtype)
    if stride == 1 and pad < min(HH, WW) and C >= plan.rows_of_tile:  # with fewer channels, tiles would not be full
        # At stride 1, dx is itself a convolution: of the padded dout with flipped filters.
        flipped_w = np.flip(w, axis=(2, 3)).swapaxes(0, 1)
        padding = HH - 1 - pad, WW - 1 - pad
        flipped = plan_convolution(dout.shape[1:], flipped_w.shape, (H, W), 1, padding, dtype, KERNEL)
        weights = flipped.pack_weights(order_by_taps(flipped_w, 0, dtype))
    else:
        flipped = None
        weights = plan.pack_weights(order_by_taps(w, 0, dtype)[:, :-1].T)
    pool.run(Backward(plan, flipped, threads, x, dout, dweights, weights, dx), N, parts, threads)
    gradient, bias = dweights.sum(axis=0).reshape(plan.taps, plan.lanes_of_filters)[:, :F], plan.taps - 1
    dw = gradient[:bias].reshape(WW, HH, C, F).transpose(3, 2, 1, 0)
    return dx, np.ascontiguousarray(dw), gradient[bias].copy()


def order_by_taps(w, b, dtype):
    """Filters and bias in the order of the taps: (F, WW·HH·C + 1). Neighbours in this order are far apart in an image."""
    F, C, HH, WW = w.shape
    bias = WW * HH * C
    weights = np.empty((F, bias + 1), dtype=dtype)
    weights[:, :bias] = w.transpose(0, 3, 2, 1).reshape(F, bias)
    weights[:, bias] = b
    return weights


cdef class ConvolutionPlan(WindowLayout):
    """Tables for all convolutions of the same sizes.

    filters: (F, C, HH, WW)
    kernel: its name
    """

    cdef const kernel* kernel
    cdef readonly Py_ssize_t F, taps, lanes_of_filters, multiplications, rows_of_tile
    cdef bint full_registers  # each row of windows fills a whole number of registers
    cdef Py_ssize_t[::1] block, block_in_row, filter, filter_in_out

    def __init__(self, image, filters, outputs, stride, pad, dtype, kernel):
        self.kernel = &KERNELS[kernels().index(kernel)]
        lanes = self.kernel.floats if dtype == np.float32 else self.kernel.doubles
        super().__init__(image, filters[2:], outputs, stride, pad, dtype, VECTORS * lanes)
        self.F = filters[0]
        self.tap = np.append(self.tap, self.ones)  # the tap of the bias
        self.taps = len(self.tap)
        self.lanes_of_filters = round_up(self.F, VECTORS * lanes)
        self.rows_of_tile = self.kernel.rows
        self.multiplications = self.taps * self.F * self.H_out * self.W_out

        self.full_registers = self.W_out % lanes == 0 and self.H_out * self.W_out % (VECTORS * lanes) == 0
        if self.full_registers:
            self.row_pitch, self.positions = self.W_out, self.H_out * self.W_out
        self.block_in_row = np.arange(0, self.positions, lanes, dtype=np.intp)
        row, column = np.divmod(self.block_in_row, self.row_pitch)
        self.block = row * self.columns + column
        # One register more than needed, so that filters are not CACHE_ALIAS_BYTES apart.
        pitch = max(self.positions, self.H_out * self.row_pitch) + lanes
        self.windows = Strides(pitch, self.row_pitch, 1)
        self.filter = np.arange(self.F, dtype=np.intp) * pitch
        self.filter_in_out = np.arange(self.F, dtype=np.intp) * (self.positions if self.full_registers else pitch)

    def by_window_workspace(self, threads):
        """Workspace for one number for every filter and window, ordered by window."""
        return Workspace(threads, self.H_out * self.W_out * self.lanes_of_filters * self.dtype.itemsize)

    cdef bint can_read_directly(self, Strides step):
        """Whether `gemm` can read an array (F, H', W') without a copy."""
        cdef Py_ssize_t size = self.H_out * self.W_out
        dense = step.plane == size and step.row == self.W_out and step.column == 1
        return self.full_registers and dense and size * self.dtype.itemsize % CACHE_ALIAS_BYTES != 0

    def pack_weights(self, const floating[:, :] weights):
        """A matrix of weights in the order in which `gemm` reads it: for each tile its first column, its second, and so on."""
        cdef Py_ssize_t rows = weights.shape[0], terms = weights.shape[1], tile, term, row, i = 0
        cdef Py_ssize_t tiles = round_up(rows, self.kernel.rows) // self.kernel.rows
        packed = np.empty(rows * terms, dtype=self.dtype)
        cdef floating[::1] numbers = packed
        for tile in range(tiles):
            for term in range(terms):
                for row in range(tile * rows // tiles, (tile + 1) * rows // tiles):
                    numbers[i] = weights[row, term]
                    i += 1
        return packed


# Plans are made once: a network needs the same few again and again.
plan_convolution = functools.lru_cache(maxsize=64)(ConvolutionPlan)


cdef class Forward(Job):
    """Convolve images with packed filters: out = weights · X."""

    cdef ConvolutionPlan plan
    cdef Array x, weights, out
    cdef Workspace image, window_buffer

    def __init__(self, plan, threads, x, weights, out):
        self.plan = plan
        self.x, self.weights, self.out = (Array(array, plan.dtype) for array in (x, weights, out))
        self.image, self.window_buffer = plan.image_workspace(threads), plan.window_workspace(threads, plan.F)

    cdef void run_images(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            forward(self, <float*> row_pointer(self.image, thread), thread, first, end)
        else:
            forward(self, <double*> row_pointer(self.image, thread), thread, first, end)


cdef void forward(Forward job, floating* image, Py_ssize_t thread, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef floating* window_buffer = <floating*> row_pointer(job.window_buffer, thread)
    cdef const floating* weights = <const floating*> job.weights.first
    cdef Py_ssize_t n
    write_ones(job.plan, image)
    for n in range(first, end):
        write_padded(job.plan, image, <const floating*> row_pointer(job.x, n), job.x.step)
        convolve(job.plan, weights, image, <floating*> row_pointer(job.out, n), window_buffer)


cdef class Backward(Job):
    """Gradients of the filters, added to dweights (parts, taps · filters), and of the images.

    flipped: the plan of the convolution that computes dx from dout, or None for `scatter_add`
    weights: packed, for `flipped` or for `scatter_add`
    """

    cdef ConvolutionPlan plan, flipped
    cdef Array x, dout, dweights, weights, dx
    cdef Workspace image, by_window, dimage, window_buffer
    cdef bint read_in_place  # dout can be read without a copy

    def __init__(self, plan, flipped, threads, x, dout, dweights, weights, dx):
        self.plan, self.flipped = plan, flipped
        self.x, self.dout, self.dweights = (Array(array, plan.dtype) for array in (x, dout, dweights))
        self.image, self.by_window = plan.image_workspace(threads), plan.by_window_workspace(threads)
        self.read_in_place = self.plan.can_read_directly(self.dout.step)
        self.weights, self.dx = Array(weights, plan.dtype), Array(dx, plan.dtype)
        plan_of_dx = flipped or plan
        self.dimage = plan_of_dx.image_workspace(threads)
        self.window_buffer = plan_of_dx.window_workspace(threads, plan_of_dx.F)

    cdef void run_images(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            backward(self, <float*> row_pointer(self.image, thread), thread, part, first, end)
        else:
            backward(self, <double*> row_pointer(self.image, thread), thread, part, first, end)


cdef void backward(
    Backward job, floating* image, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    """Compute both products for one image while it is in the cache, then for the next."""
    cdef floating* by_window = <floating*> row_pointer(job.by_window, thread)
    cdef floating* dweights = <floating*> row_pointer(job.dweights, part)
    cdef floating* dimage = <floating*> row_pointer(job.dimage, thread)
    cdef floating* window_buffer = <floating*> row_pointer(job.window_buffer, thread)
    cdef const floating* weights = <const floating*> job.weights.first
    cdef const floating* dout
    cdef floating* dx
    cdef Py_ssize_t n
    write_ones(job.plan, image)
    if job.flipped is not None:
        write_ones(job.flipped, dimage)
    for n in range(first, end):
        dout, dx = <const floating*> row_pointer(job.dout, n), <floating*> row_pointer(job.dx, n)
        write_padded(job.plan, image, <const floating*> row_pointer(job.x, n), job.x.step)
        if job.flipped is not None:
            write_padded(job.flipped, dimage, dout, job.dout.step)
            correlate_windows(job.plan, image, dimage + job.flipped.first_pixel, job.flipped.pixels, by_window, dweights)
            convolve(job.flipped, weights, dimage, dx, window_buffer)
        elif job.read_in_place:
            correlate_windows(job.plan, image, dout, job.dout.step, by_window, dweights)
            scatter_add(job.plan, weights, dout, &job.plan.filter_in_out[0], dimage, dx)
        else:
            copy(job.plan.F, job.plan.H_out, job.plan.W_out, window_buffer, job.plan.windows, dout, job.dout.step)
            correlate_windows(job.plan, image, window_buffer, job.plan.windows, by_window, dweights)
            scatter_add(job.plan, weights, window_buffer, &job.plan.filter[0], dimage, dx)


cdef void convolve(
    ConvolutionPlan plan, const floating* weights, const floating* image, floating* out, floating* window_buffer
) noexcept nogil:
    """out = weights · X, for one image."""
    cdef Strides dense = Strides(plan.H_out * plan.W_out, plan.W_out, 1)
    gemm(
        plan.kernel, False, plan.F, plan.taps, len(plan.block), weights, image, &plan.tap[0], &plan.block[0],
        out if plan.full_registers else window_buffer, &plan.filter_in_out[0], &plan.block_in_row[0],
    )
    if not plan.full_registers:
        copy(plan.F, plan.H_out, plan.W_out, out, dense, window_buffer, plan.windows)


cdef void correlate_windows(
    ConvolutionPlan plan, const floating* image, const floating* dout, Strides step, floating* by_window, floating* dweights
) noexcept nogil:
    """dweights += X · dout, for one image."""
    transpose_planes(plan.F, plan.H_out, plan.W_out, by_window, plan.lanes_of_filters, dout, step)
    correlate(
        plan.kernel, plan.taps, plan.H_out, plan.W_out, plan.lanes_of_filters,
        image, &plan.tap[0], plan.columns, by_window, dweights,
    )


cdef void scatter_add(
    ConvolutionPlan plan, const floating* weights, const floating* dout, table filter, floating* dimage, floating* dx
) noexcept nogil:
    """dX = weights · dout, for one image. Each row of dX is added to the image at the offset of its tap."""
    memset(dimage, 0, plan.image_size * sizeof(floating))
    gemm(
        plan.kernel, True, plan.taps - 1, plan.F, len(plan.block), weights, dout, filter, &plan.block_in_row[0],
        dimage, &plan.tap[0], &plan.block[0],
    )
    read_padded(plan, dx, dimage)


cdef void gemm(
    const kernel* kernel, bint add, Py_ssize_t rows, Py_ssize_t terms, Py_ssize_t blocks, const floating* weights,
    const floating* b, table b_term, table b_block, floating* out, table out_row, table out_block,
) noexcept nogil:
    """out[row, block] = (or +=) the sum over terms of weights[row, term] · b[term, block]: see `gemm_tile.h`."""
    if floating is float:
        kernel.gemm_floats(add, rows, terms, blocks, weights, b, b_term, b_block, out, out_row, out_block)
    else:
        kernel.gemm_doubles(add, rows, terms, blocks, weights, b, b_term, b_block, out, out_row, out_block)


cdef void correlate(
    const kernel* kernel, Py_ssize_t rows, Py_ssize_t lines, Py_ssize_t length, Py_ssize_t lanes, const floating* a,
    table a_row, Py_ssize_t a_line, const floating* b, floating* out,
) noexcept nogil:
    """out[row, lane] += the sum over terms of a[row, term] · b[term, lane]: see `gemm_tile.h`."""
    if floating is float:
        kernel.correlate_floats(rows, lines, length, lanes, a, a_row, a_line, b, out)
    else:
        kernel.correlate_doubles(rows, lines, length, lanes, a, a_row, a_line, b, out)
