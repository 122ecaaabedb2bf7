"""Convolution: the part of `fast_cython.pyx` that multiplies matrices. Nearly all time is spent in `tile.h`."""


MOST_GRADIENTS = 2**24  # numbers in the gradients of the filters, of which every part of a batch has its own: 128 MB
SHARING = 4096  # bytes


def conv_forward(x, w, b, stride, pad, outputs, dtype):
    """Convolve x (N, C, H, W) with w (F, C, HH, WW), add b (F,), and return out (N, F, H', W')."""
    plan = convolution(x.shape[1:], w.shape, outputs, stride, (pad, pad), dtype, KERNEL)
    out = np.empty((x.shape[0], w.shape[0], *outputs), dtype=dtype)
    weights = plan.packed(by_taps(w, b, dtype))
    parts, threads = divided(len(x), len(x) * plan.multiplications)
    crew.share(Forward(plan, threads, x, weights, out), len(x), parts, threads)
    return out


def conv_backward(dout, x, w, stride, pad, dtype, need_dx):
    """Gradients dx (N, C, H, W) or None, dw (F, C, HH, WW) and db (F,) from dout (N, F, H', W')."""
    (N, C, H, W), (F, _, HH, WW) = x.shape, w.shape
    plan = convolution(x.shape[1:], w.shape, dout.shape[2:], stride, (pad, pad), dtype, KERNEL)
    most_parts = MOST_GRADIENTS // max(1, plan.taps * plan.lanes_of_filters)
    parts, threads = divided(N, 2 * N * plan.multiplications, most_parts)
    dweights = np.zeros((parts, plan.taps * plan.lanes_of_filters), dtype=dtype)
    dx = np.empty(x.shape, dtype=dtype) if need_dx else None
    turned, weights = None, None
    if need_dx and stride == 1 and pad < min(HH, WW) and C >= plan.rows_of_tile:  # with fewer channels, tiles are low
        # At a stride of 1, dx is a convolution as well: of dout, padded, with all filters turned around.
        turned_w = np.flip(w, axis=(2, 3)).swapaxes(0, 1)
        turned = convolution(dout.shape[1:], turned_w.shape, (H, W), 1, (HH - 1 - pad, WW - 1 - pad), dtype, KERNEL)
        weights = turned.packed(by_taps(turned_w, 0, dtype))
    elif need_dx:
        weights = plan.packed(by_taps(w, 0, dtype)[:, :-1].T)
    crew.share(Backward(plan, turned, threads, x, dout, dweights, weights, dx), N, parts, threads)
    gradient, bias = dweights.sum(axis=0).reshape(plan.taps, plan.lanes_of_filters)[:, :F], plan.taps - 1
    dw = gradient[:bias].reshape(WW, HH, C, F).transpose(3, 2, 1, 0)
    return dx, np.ascontiguousarray(dw), gradient[bias].copy()


def by_taps(w, b, dtype):
    """The filters and their bias by taps: (F, WW·HH·C + 1). Neighbours in this order lie far apart in an image."""
    F, C, HH, WW = w.shape
    bias = WW * HH * C
    weights = np.empty((F, bias + 1), dtype=dtype)
    weights[:, :bias] = w.transpose(0, 3, 2, 1).reshape(F, bias)
    weights[:, bias] = b
    return weights


cdef class Convolution(Windows):
    """Tables for one kind of convolution.

    filters: (F, C, HH, WW)
    kernel: its name
    """

    cdef const kernel* kernel
    cdef readonly Py_ssize_t F, taps, lanes_of_filters, multiplications, rows_of_tile
    cdef bint whole  # rows of windows fill whole registers
    cdef Py_ssize_t[::1] block, block_in_row, filter, filter_in_out

    def __init__(self, image, filters, outputs, stride, pad, dtype, kernel):
        self.kernel = &KERNELS[kernels().index(kernel)]
        lanes = self.kernel.floats if dtype == np.float32 else self.kernel.doubles
        super().__init__(image, filters[2:], outputs, stride, pad, dtype, VECTORS * lanes)
        self.F = filters[0]
        self.tap = np.append(self.tap, self.ones)  # which the bias meets
        self.taps = len(self.tap)
        self.lanes_of_filters = rounded(self.F, VECTORS * lanes)
        self.rows_of_tile = self.kernel.rows
        self.multiplications = self.taps * self.F * self.H_out * self.W_out

        self.whole = self.W_out % lanes == 0 and self.H_out * self.W_out % (VECTORS * lanes) == 0
        if self.whole:
            self.line, self.places = self.W_out, self.H_out * self.W_out
        self.block_in_row = np.arange(0, self.places, lanes, dtype=np.intp)
        row, column = np.divmod(self.block_in_row, self.line)
        self.block = row * self.columns + column
        # Filters that lie `SHARING` bytes apart would share a few places in the processor's cache; so they do not.
        pitch = max(self.places, self.H_out * self.line) + lanes
        self.windows = steps(pitch, self.line, 1)
        self.filter = np.arange(self.F, dtype=np.intp) * pitch
        self.filter_in_out = np.arange(self.F, dtype=np.intp) * (self.places if self.whole else pitch)

    def by_window(self, threads):
        """Room for a number for every filter and window, window by window."""
        return Room(threads, self.H_out * self.W_out * self.lanes_of_filters * self.dtype.itemsize)

    cdef bint readable(self, steps step):
        """Whether `weigh` can read an array (F, H', W') as it is."""
        cdef Py_ssize_t size = self.H_out * self.W_out
        dense = step.plane == size and step.row == self.W_out and step.column == 1
        return self.whole and dense and size * self.dtype.itemsize % SHARING != 0

    def packed(self, const floating[:, :] weights):
        """A matrix of weights as `weigh` reads it: for every tile its first column, its second column, and so on."""
        cdef Py_ssize_t rows = weights.shape[0], terms = weights.shape[1], tile, term, row, i = 0
        cdef Py_ssize_t tiles = rounded(rows, self.kernel.rows) // self.kernel.rows
        packed = np.empty(rows * terms, dtype=self.dtype)
        cdef floating[::1] numbers = packed
        for tile in range(tiles):
            for term in range(terms):
                for row in range(tile * rows // tiles, (tile + 1) * rows // tiles):
                    numbers[i] = weights[row, term]
                    i += 1
        return packed


# The tables for one kind of convolution, made once: a network asks for the same few again and again.
convolution = functools.lru_cache(maxsize=64)(Convolution)


cdef class Forward(Job):
    """Convolve images with filters, packed by taps: out = weights · X."""

    cdef Convolution plan
    cdef Array x, weights, out
    cdef Room image, wide

    def __init__(self, plan, threads, x, weights, out):
        self.plan = plan
        self.x, self.weights, self.out = (Array(array, plan.dtype) for array in (x, weights, out))
        self.image, self.wide = plan.image(threads), plan.wide(threads, plan.F)

    cdef void do(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            forward(self, <float*> nth(self.image, thread), thread, first, end)
        else:
            forward(self, <double*> nth(self.image, thread), thread, first, end)


cdef void forward(Forward job, floating* image, Py_ssize_t thread, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef floating* wide = <floating*> nth(job.wide, thread)
    cdef Py_ssize_t n
    prepare(job.plan, image)
    for n in range(first, end):
        fill(job.plan, image, <const floating*> nth(job.x, n), job.x.step)
        convolve(job.plan, <const floating*> job.weights.first, image, <floating*> nth(job.out, n), wide)


cdef class Backward(Job):
    """Gradients of the filters, which are added to dweights (parts, taps · filters), and of the images.

    turned: the convolution that makes dx of dout, or None
    weights: packed, those of `turned`; or else by taps
    dx: None if it is not needed
    """

    cdef Convolution plan, turned
    cdef Array x, dout, dweights, weights, dx
    cdef Room image, by_window, dimage, wide
    cdef bint as_it_is  # dout can be read where it is

    def __init__(self, plan, turned, threads, x, dout, dweights, weights, dx):
        self.plan, self.turned = plan, turned
        self.x, self.dout, self.dweights = (Array(array, plan.dtype) for array in (x, dout, dweights))
        self.image, self.by_window = plan.image(threads), plan.by_window(threads)
        self.as_it_is = self.plan.readable(self.dout.step)
        if dx is not None:
            self.weights, self.dx = Array(weights, plan.dtype), Array(dx, plan.dtype)
            by = turned or plan
            self.dimage, self.wide = by.image(threads), by.wide(threads, by.F)

    cdef void do(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        if self.plan.floats:
            backward(self, <float*> nth(self.image, thread), thread, part, first, end)
        else:
            backward(self, <double*> nth(self.image, thread), thread, part, first, end)


cdef void backward(
    Backward job, floating* image, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    """Both products take an image while it is in the cache."""
    cdef floating* by_window = <floating*> nth(job.by_window, thread)
    cdef floating* dweights = <floating*> nth(job.dweights, part)
    cdef floating* dimage = NULL
    cdef floating* wide = NULL
    cdef const floating* weights = NULL
    cdef const floating* dout
    cdef Py_ssize_t n
    prepare(job.plan, image)
    if job.dx is not None:
        dimage, wide = <floating*> nth(job.dimage, thread), <floating*> nth(job.wide, thread)
        weights = <const floating*> job.weights.first
    if job.turned is not None:
        prepare(job.turned, dimage)
    for n in range(first, end):
        dout = <const floating*> nth(job.dout, n)
        fill(job.plan, image, <const floating*> nth(job.x, n), job.x.step)
        if job.dx is None:
            correlate_windows(job.plan, image, dout, job.dout.step, by_window, dweights)
        elif job.turned is not None:
            fill(job.turned, dimage, dout, job.dout.step)
            correlate_windows(job.plan, image, dimage + job.turned.first_pixel, job.turned.pixels, by_window, dweights)
            convolve(job.turned, weights, dimage, <floating*> nth(job.dx, n), wide)
        elif job.as_it_is:
            correlate_windows(job.plan, image, dout, job.dout.step, by_window, dweights)
            spread(job.plan, weights, dout, &job.plan.filter_in_out[0], dimage, <floating*> nth(job.dx, n))
        else:
            copy(job.plan.F, job.plan.H_out, job.plan.W_out, wide, job.plan.windows, dout, job.dout.step)
            correlate_windows(job.plan, image, wide, job.plan.windows, by_window, dweights)
            spread(job.plan, weights, wide, &job.plan.filter[0], dimage, <floating*> nth(job.dx, n))


cdef void convolve(
    Convolution by, const floating* weights, const floating* image, floating* out, floating* wide
) noexcept nogil:
    """out = weights · X, for one image."""
    weigh(
        by.kernel, False, by.F, by.taps, len(by.block), weights, image, &by.tap[0], &by.block[0],
        out if by.whole else wide, &by.filter_in_out[0], &by.block_in_row[0],
    )
    if not by.whole:
        copy(by.F, by.H_out, by.W_out, out, steps(by.H_out * by.W_out, by.W_out, 1), wide, by.windows)


cdef void correlate_windows(
    Convolution by, const floating* image, const floating* dout, steps step, floating* by_window, floating* dweights
) noexcept nogil:
    """dweights += X · dout, for one image."""
    turn(by.F, by.H_out, by.W_out, by_window, by.lanes_of_filters, dout, step)
    correlate(
        by.kernel, by.taps, by.H_out, by.W_out, by.lanes_of_filters,
        image, &by.tap[0], by.columns, by_window, dweights,
    )


cdef void spread(
    Convolution by, const floating* weights, const floating* dout, table filter, floating* dimage, floating* dx
) noexcept nogil:
    """dX = weights · dout, for one image, where every row is added to dx at its tap."""
    memset(dimage, 0, by.image_size * sizeof(floating))
    weigh(
        by.kernel, True, by.taps - 1, by.F, len(by.block), weights, dout, filter, &by.block_in_row[0],
        dimage, &by.tap[0], &by.block[0],
    )
    empty(by, dx, dimage)


cdef void weigh(
    const kernel* kernel, bint add, Py_ssize_t rows, Py_ssize_t terms, Py_ssize_t blocks, const floating* weights,
    const floating* b, table b_term, table b_block, floating* out, table out_row, table out_block,
) noexcept nogil:
    """out[row, block] = (or +=) the sum over terms of weights[row, term] · b[term, block]: see `tile.h`."""
    if floating is float:
        kernel.weigh_floats(add, rows, terms, blocks, weights, b, b_term, b_block, out, out_row, out_block)
    else:
        kernel.weigh_doubles(add, rows, terms, blocks, weights, b, b_term, b_block, out, out_row, out_block)


cdef void correlate(
    const kernel* kernel, Py_ssize_t rows, Py_ssize_t lines, Py_ssize_t length, Py_ssize_t lanes, const floating* a,
    table a_row, Py_ssize_t a_line, const floating* b, floating* out,
) noexcept nogil:
    """out[row, lane] += the sum over terms of a[row, term] · b[term, lane]: see `tile.h`."""
    if floating is float:
        kernel.correlate_floats(rows, lines, length, lanes, a, a_row, a_line, b, out)
    else:
        kernel.correlate_doubles(rows, lines, length, lanes, a, a_row, a_line, b, out)
