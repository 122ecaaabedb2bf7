"""Threads for compiled loops: the part of `fast_cython.pyx` that shares out a batch.

Python lets only one thread at a time run Python code, and whoever must wait for that sleeps for as long as it takes to
convolve ten small images. So the threads here run Python code once, when they are started. From then on they run
compiled loops, or sleep until there is a job.

A batch is cut into parts, and whoever is free takes the next one. How it is cut depends on its sizes alone, and never on
how many threads there are or which of them is faster. Sums over a batch are therefore always added up in the same order,
and come out the same to the last bit.
"""


# How often a thread looks for work, or for the end of it, before it falls asleep: this takes some 100 µs.
cdef Py_ssize_t PATIENCE = 200_000


def divided(images, multiplications, most_parts=MOST_PARTS):
    """Into how many parts a batch is cut, and how many threads are to work on them."""
    parts = len(cut(images, multiplications, most_parts))
    return parts, max(1, min(parts, fast_threads.THREADS))


cdef class Job:
    """Work on a batch, of which several threads can do parts at the same time."""

    cdef void do(self, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """Work on images `first` to `end` - 1, which are a part, in the memory that a thread has for itself."""
        pass


cdef class Helper:
    """A thread that waits for work. (Number 0 is none: it is whichever thread of the program has the job.)"""

    cdef Crew crew
    cdef Py_ssize_t number
    cdef volatile bint asleep
    cdef PyThread_type_lock bell

    def __init__(self, crew, number):
        self.crew, self.number, self.asleep, self.bell = crew, number, True, locked()

    def run(self):
        """Work whenever the bell rings, for ever."""
        cdef Py_ssize_t moments
        with nogil:
            while True:
                moments = PATIENCE
                while self.asleep and moments:
                    moments -= 1
                PyThread_acquire_lock(self.bell, WAIT_LOCK)
                self.crew.work(self)


cdef class Crew:
    """All threads, and the job they are at."""

    cdef PyThread_type_lock lock, finished  # all that stands here is read and written by whoever has the lock
    cdef Job job
    cdef Py_ssize_t images, parts, threads, taken
    cdef volatile Py_ssize_t done
    cdef bint somebody_waits
    cdef object busy
    cdef list helpers

    def __init__(self):
        self.lock, self.finished = locked(), locked()
        PyThread_release_lock(self.lock)
        self.busy, self.helpers = threading.Lock(), [Helper(self, 0)]

    def share(self, Job job, images, parts, threads):
        """Do a job, cut into so many parts, in at most so many threads."""
        if threads > 1 and self.busy.acquire(blocking=False):
            try:
                self.start(threads - 1)
                self.share_with_all(job, images, parts, threads)
            finally:
                self.busy.release()
        else:  # nothing to share, or all threads are at a job of another thread of the program
            alone(job, images, parts)

    def start(self, count):
        """Start threads until there are enough, or as many as can be started."""
        try:
            while len(self.helpers) <= count:
                helper = Helper(self, len(self.helpers))
                threading.Thread(target=helper.run, name="fast_layers", daemon=True).start()
                self.helpers.append(helper)
        except RuntimeError:
            pass

    cdef share_with_all(self, Job job, Py_ssize_t images, Py_ssize_t parts, Py_ssize_t threads):
        cdef Helper helper, me = self.helpers[0]
        cdef list helpers = self.helpers[1:threads]
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        self.job, self.images, self.parts, self.threads, self.taken, self.done = job, images, parts, threads, 0, 0
        for helper in helpers:
            if helper.asleep:
                helper.asleep = False
                PyThread_release_lock(helper.bell)
        PyThread_release_lock(self.lock)
        with nogil:
            self.work(me)
            self.wait()
        self.job = None

    cdef void work(self, Helper helper) noexcept nogil:
        """Do one part after another until none are left."""
        cdef Py_ssize_t part = -1
        while True:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            if part >= 0:
                self.done += 1
                if self.done == self.parts and self.somebody_waits:
                    self.somebody_waits = False
                    PyThread_release_lock(self.finished)
            part = self.taken if self.taken < self.parts and helper.number < self.threads else -1
            if part >= 0:
                self.taken += 1
            else:
                helper.asleep = True
            PyThread_release_lock(self.lock)  # after which the next job may begin, and wake this thread once more
            if part < 0:
                return
            do_part(self.job, helper.number, part, self.images, self.parts)

    cdef void wait(self) noexcept nogil:
        """Wait until others have done their last parts: awake at first, since to be woken takes longer than most."""
        cdef Py_ssize_t moments = PATIENCE
        while self.done < self.parts and moments:
            moments -= 1
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        self.somebody_waits = self.done < self.parts
        cdef bint sleep = self.somebody_waits
        PyThread_release_lock(self.lock)
        if sleep:
            PyThread_acquire_lock(self.finished, WAIT_LOCK)


cdef void alone(Job job, Py_ssize_t images, Py_ssize_t parts) noexcept:
    cdef Py_ssize_t part
    with nogil:
        for part in range(parts):
            do_part(job, 0, part, images, parts)


cdef void do_part(Job job, Py_ssize_t thread, Py_ssize_t part, Py_ssize_t images, Py_ssize_t parts) noexcept nogil:
    job.do(thread, part, part * images // parts, (part + 1) * images // parts)


cdef PyThread_type_lock locked() except NULL:
    """A lock that is locked."""
    cdef PyThread_type_lock lock = PyThread_allocate_lock()
    if not lock:
        raise MemoryError("a lock")
    PyThread_acquire_lock(lock, WAIT_LOCK)
    return lock


def new_crew():
    """Threads for this process. After a fork the new process has none of the old ones."""
    global crew
    crew = Crew()


new_crew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=new_crew)
