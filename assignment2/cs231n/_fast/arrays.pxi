"""Access to the memory of NumPy's arrays: the part of `cython_backend.pyx` between Python objects and compiled loops."""


cdef struct Strides:  # from one plane, row or column of an image to the next, counted in numbers
    Py_ssize_t plane, row, column


cdef Py_ssize_t round_up(Py_ssize_t size, Py_ssize_t step) noexcept nogil:
    """The next multiple of a step, because a tile is always computed completely."""
    return (size + step - 1) // step * step


cdef class RowBuffer:
    """Memory that is divided into rows of equal length."""

    cdef char* first
    cdef Py_ssize_t bytes  # from one row to the next


cdef void* row_pointer(RowBuffer rows, Py_ssize_t i) noexcept nogil:
    """The address of row i."""
    return rows.first + i * rows.bytes


cdef class Array(RowBuffer):
    """The numbers of an array. Row i is array[i].

    dtype: type of the numbers; an array of another type is copied
    """

    cdef object array  # keeps the memory alive
    cdef Strides step

    def __init__(self, array, dtype):
        array = np.asarray(array, dtype=dtype)
        cdef Py_buffer view
        PyObject_GetBuffer(array, &view, PyBUF_STRIDED_RO)
        if <size_t> view.buf % view.itemsize or is_unaligned(&view):
            PyBuffer_Release(&view)
            array = array.copy()
            PyObject_GetBuffer(array, &view, PyBUF_STRIDED_RO)
        self.array, self.first, self.bytes = array, <char*> view.buf, view.strides[0]
        if view.ndim == 4:
            self.step = Strides(
                view.strides[1] // view.itemsize, view.strides[2] // view.itemsize, view.strides[3] // view.itemsize
            )
        PyBuffer_Release(&view)


cdef bint is_unaligned(const Py_buffer* view) noexcept:
    """Whether some stride is not a whole number of items, as in a field of records."""
    cdef Py_ssize_t axis
    for axis in range(view.ndim):
        if view.strides[axis] % view.itemsize:
            return True
    return False


cdef class Workspace(RowBuffer):
    """Memory for one thread per row: `size` bytes of zeros, aligned to registers of 64 bytes."""

    cdef void* allocation

    def __cinit__(self, Py_ssize_t count, Py_ssize_t size):
        self.bytes = round_up(size, 64) + 128  # so that two processors never use the same cache line
        self.allocation = PyMem_Calloc(count * self.bytes + 64, 1)
        if not self.allocation:
            raise MemoryError(f"cannot allocate {count} times {size} bytes")
        self.first = <char*> round_up(<Py_ssize_t> self.allocation, 64)

    def __dealloc__(self):
        PyMem_Free(self.allocation)


cdef void set_all(floating* numbers, Py_ssize_t size, floating value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        numbers[i] = value


cdef void gather(floating* line, const floating* numbers, Py_ssize_t size, Py_ssize_t step) noexcept nogil:
    """Copy every step-th number. The loop is written three times because it is faster when the step is a constant."""
    cdef Py_ssize_t i
    if step == 1:
        for i in range(size):
            line[i] = numbers[i]
    elif step == 2:
        for i in range(size):
            line[i] = numbers[2 * i]
    else:
        for i in range(size):
            line[i] = numbers[step * i]


cdef void scatter(floating* numbers, const floating* line, Py_ssize_t size, Py_ssize_t step) noexcept nogil:
    """`gather` backward."""
    cdef Py_ssize_t i
    if step == 1:
        for i in range(size):
            numbers[i] = line[i]
    elif step == 2:
        for i in range(size):
            numbers[2 * i] = line[i]
    else:
        for i in range(size):
            numbers[step * i] = line[i]


cdef void copy(
    Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t columns,
    floating* to, Strides there, const floating* numbers, Strides here,
) noexcept nogil:
    """Copy an array (planes, rows, columns); in the target, columns are neighbours."""
    cdef Py_ssize_t i, j
    for i in range(planes):
        for j in range(rows):
            gather(to + i * there.plane + j * there.row, numbers + i * here.plane + j * here.row, columns, here.column)


cdef void transpose_planes(
    Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t columns,
    floating* to, Py_ssize_t pitch, const floating* numbers, Strides here,
) noexcept nogil:
    """Write an array (planes, rows, columns) with its planes last, into rows of `pitch` numbers: (rows·columns, pitch)."""
    cdef Py_ssize_t i, j, k
    cdef floating* place
    cdef const floating* number
    for j in range(rows):
        for i in range(0, planes - 3, 4):  # four at a time fill a register
            place, number = to + j * columns * pitch + i, numbers + i * here.plane + j * here.row
            for k in range(columns):
                place[0], place[1] = number[0], number[here.plane]
                place[2], place[3] = number[2 * here.plane], number[3 * here.plane]
                place += pitch
                number += here.column
        for i in range(planes // 4 * 4, planes):
            for k in range(columns):
                to[(j * columns + k) * pitch + i] = numbers[i * here.plane + j * here.row + k * here.column]
