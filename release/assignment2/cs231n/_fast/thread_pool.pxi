"""Threads for compiled loops: the part of `cython_backend.pyx` that divides a batch among them.

Python lets only one thread at a time run Python code, and a thread that waits for its turn sleeps for as long as it takes
to convolve ten small images. The threads here therefore run Python code only once, when they start. After that they run
compiled loops, or sleep until there is a job.

A batch is cut into parts, and each idle thread takes the next part. The cut depends on the sizes of the batch alone, not
on the number of threads or their speed. So sums over a batch are always added in the same order, and the result is the
same to the last bit.
"""

MULTIPLICATIONS_PER_PART = 2**20  # to wake a thread takes about as long as this many multiplications
MAX_PARTS = 16
# How often a thread checks for work, or for the end of it, before it sleeps. This takes about 100 µs.
cdef Py_ssize_t SPIN_COUNT = 200_000


def available_threads():
    """How many threads to use: OMP_NUM_THREADS, which other libraries obey as well, or one for each processor."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    # A process may be confined to some of the processors; not every system can report this.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


THREADS = available_threads()  # may be set to another number


def count_parts(images, multiplications, max_parts=MAX_PARTS):
    """Into how many parts to cut a batch that needs so many multiplications."""
    return max(1, min(images, max_parts, MAX_PARTS, multiplications // MULTIPLICATIONS_PER_PART))


def split_batch(images, multiplications, max_parts=MAX_PARTS):
    """Into how many parts to cut a batch, and how many threads to use for them."""
    parts = count_parts(images, multiplications, max_parts)
    return parts, max(1, min(parts, THREADS))


cdef class Job:
    """Work on a batch. Several threads can do different parts at the same time."""

    cdef void run_images(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """Process images `first` to `end` - 1, which form a part, with the workspace of this thread."""
        pass


cdef class PoolThread:
    """A thread that waits for work. (Number 0 is not started: it is the thread of the program that brings the job.)"""

    cdef ThreadPool pool
    cdef Py_ssize_t number
    cdef volatile bint asleep
    cdef PyThread_type_lock wakeup_lock

    def __init__(self, pool, number):
        self.pool, self.number, self.asleep, self.wakeup_lock = pool, number, True, new_held_lock()

    def run(self):
        """Work each time the wakeup lock is released, for as long as the process lives."""
        cdef Py_ssize_t spins
        with nogil:
            while True:
                spins = SPIN_COUNT
                while self.asleep and spins:
                    spins -= 1
                PyThread_acquire_lock(self.wakeup_lock, WAIT_LOCK)
                self.pool.work(self)


cdef class ThreadPool:
    """All threads, and their current job."""

    cdef PyThread_type_lock lock, finished  # `lock` protects all fields below
    cdef Job job
    cdef Py_ssize_t images, parts, threads, next_part
    cdef volatile Py_ssize_t done
    cdef bint caller_waits
    cdef object in_use
    cdef list pool_threads

    def __init__(self):
        self.lock, self.finished = new_held_lock(), new_held_lock()
        PyThread_release_lock(self.lock)
        self.in_use, self.pool_threads = threading.Lock(), [PoolThread(self, 0)]

    def run(self, Job job, images, parts, threads):
        """Do a job, cut into `parts`, in at most `threads` threads."""
        if threads > 1 and self.in_use.acquire(blocking=False):
            try:
                self.start(threads - 1)
                self.run_on_threads(job, images, parts, threads)
            finally:
                self.in_use.release()
        else:  # one thread is enough, or another thread of the program uses the pool
            run_alone(job, images, parts)

    def start(self, count):
        """Start threads until there are `count`, or until no more can be started."""
        try:
            while len(self.pool_threads) <= count:
                pool_thread = PoolThread(self, len(self.pool_threads))
                threading.Thread(target=pool_thread.run, name="fast_layers", daemon=True).start()
                self.pool_threads.append(pool_thread)
        except RuntimeError:
            pass

    cdef run_on_threads(self, Job job, Py_ssize_t images, Py_ssize_t parts, Py_ssize_t threads):
        cdef PoolThread pool_thread, caller = self.pool_threads[0]
        cdef list others = self.pool_threads[1:threads]
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        self.job, self.images, self.parts, self.threads, self.next_part, self.done = job, images, parts, threads, 0, 0
        for pool_thread in others:
            if pool_thread.asleep:
                pool_thread.asleep = False
                PyThread_release_lock(pool_thread.wakeup_lock)
        PyThread_release_lock(self.lock)
        with nogil:
            self.work(caller)
            self.wait()
        self.job = None

    cdef void work(self, PoolThread pool_thread) noexcept nogil:
        """Do one part after another until none are left."""
        cdef Py_ssize_t part = -1
        while True:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            if part >= 0:
                self.done += 1
                if self.done == self.parts and self.caller_waits:
                    self.caller_waits = False
                    PyThread_release_lock(self.finished)
            part = self.next_part if self.next_part < self.parts and pool_thread.number < self.threads else -1
            if part >= 0:
                self.next_part += 1
            else:
                pool_thread.asleep = True
            PyThread_release_lock(self.lock)  # from here on the next job may begin and wake this thread again
            if part < 0:
                return
            run_part(self.job, pool_thread.number, part, self.images, self.parts)

    cdef void wait(self) noexcept nogil:
        """Wait until other threads finish their last parts. Spin first: a wakeup takes longer than most parts."""
        cdef Py_ssize_t spins = SPIN_COUNT
        while self.done < self.parts and spins:
            spins -= 1
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        self.caller_waits = self.done < self.parts
        cdef bint sleep = self.caller_waits
        PyThread_release_lock(self.lock)
        if sleep:
            PyThread_acquire_lock(self.finished, WAIT_LOCK)


cdef void run_alone(Job job, Py_ssize_t images, Py_ssize_t parts) noexcept:
    cdef Py_ssize_t part
    with nogil:
        for part in range(parts):
            run_part(job, 0, part, images, parts)


cdef void run_part(Job job, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t images, Py_ssize_t parts) noexcept nogil:
    job.run_images(thread, part, part * images // parts, (part + 1) * images // parts)


cdef PyThread_type_lock new_held_lock() except NULL:
    """A new lock that is held already."""
    cdef PyThread_type_lock lock = PyThread_allocate_lock()
    if not lock:
        raise MemoryError("cannot allocate a lock")
    PyThread_acquire_lock(lock, WAIT_LOCK)
    return lock


def new_pool():
    """Make the pool of this process. After a fork the new process has none of the old threads."""
    global pool
    pool = ThreadPool()


new_pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=new_pool)
