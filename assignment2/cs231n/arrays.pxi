"""Where the numbers of NumPy's arrays lie: the part of `fast_cython.pyx` between Python's objects and compiled loops."""


cdef struct steps:  # from one plane, row or column of an image to the next, in numbers
    Py_ssize_t plane, row, column


cdef Py_ssize_t rounded(Py_ssize_t size, Py_ssize_t step) noexcept nogil:
    """The next multiple of a step, since tiles are computed whole."""
    return (size + step - 1) // step * step


cdef class Memory:
    """Numbers that lie in rows."""

    cdef char* first
    cdef Py_ssize_t bytes  # from one row to the next


cdef void* nth(Memory memory, Py_ssize_t i) noexcept nogil:
    """Where row i begins."""
    return memory.first + i * memory.bytes


cdef class Array(Memory):
    """The numbers of an array. Row i is array[i].

    dtype: of the numbers; the array is copied if it has others
    """

    cdef object array  # which is kept, and with it the numbers
    cdef steps step

    def __init__(self, array, dtype):
        array = np.asarray(array, dtype=dtype)
        cdef Py_buffer where
        PyObject_GetBuffer(array, &where, PyBUF_STRIDED_RO)
        if <size_t> where.buf % where.itemsize or any_remainder(&where):
            PyBuffer_Release(&where)
            array = array.copy()
            PyObject_GetBuffer(array, &where, PyBUF_STRIDED_RO)
        self.array, self.first, self.bytes = array, <char*> where.buf, where.strides[0]
        if where.ndim == 4:
            self.step = steps(
                where.strides[1] // where.itemsize, where.strides[2] // where.itemsize, where.strides[3] // where.itemsize
            )
        PyBuffer_Release(&where)


cdef bint any_remainder(const Py_buffer* where) noexcept:
    """Whether numbers do not lie whole numbers apart, as in a field of records."""
    cdef Py_ssize_t axis
    for axis in range(where.ndim):
        if where.strides[axis] % where.itemsize:
            return True
    return False


cdef class Room(Memory):
    """Zeros: rows of `size` bytes, which begin where registers of 64 bytes are read at once."""

    cdef void* memory

    def __cinit__(self, Py_ssize_t count, Py_ssize_t size):
        self.bytes = rounded(size, 64) + 128  # for a processor reads ahead, and not what another one writes
        self.memory = PyMem_Calloc(count * self.bytes + 64, 1)
        if not self.memory:
            raise MemoryError(f"no room for {count} times {size} bytes")
        self.first = <char*> rounded(<Py_ssize_t> self.memory, 64)

    def __dealloc__(self):
        PyMem_Free(self.memory)


cdef void set_all(floating* numbers, Py_ssize_t size, floating value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        numbers[i] = value


cdef void gather(floating* line, const floating* numbers, Py_ssize_t size, Py_ssize_t step) noexcept nogil:
    """Copy every step-th number. What is said thrice is compiled thrice: for a step that is known it is faster."""
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
    floating* to, steps there, const floating* numbers, steps here,
) noexcept nogil:
    """Copy an array (planes, rows, columns); there, columns are neighbours."""
    cdef Py_ssize_t i, j
    for i in range(planes):
        for j in range(rows):
            gather(to + i * there.plane + j * there.row, numbers + i * here.plane + j * here.row, columns, here.column)


cdef void turn(
    Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t columns,
    floating* to, Py_ssize_t line, const floating* numbers, steps here,
) noexcept nogil:
    """Write an array (planes, rows, columns) with its planes last: to is (rows·columns, line), whose ends are left."""
    cdef Py_ssize_t i, j, k
    cdef floating* place
    cdef const floating* number
    for j in range(rows):
        for i in range(0, planes - 3, 4):  # four in one go fill a register
            place, number = to + j * columns * line + i, numbers + i * here.plane + j * here.row
            for k in range(columns):
                place[0], place[1] = number[0], number[here.plane]
                place[2], place[3] = number[2 * here.plane], number[3 * here.plane]
                place += line
                number += here.column
        for i in range(planes // 4 * 4, planes):
            for k in range(columns):
                to[(j * columns + k) * line + i] = numbers[i * here.plane + j * here.row + k * here.column]
