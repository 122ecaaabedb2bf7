"""A module in place of the student's code: each function reads or tries one thing inside the sandbox."""

from autograder.assignment.manifest import Limits

CODE = """
import os, resource, signal, socket, subprocess, time
import numpy as np

def environment(): return dict(os.environ)
def listed(path): return sorted(os.listdir(path))
def read(path): return open(path).read()
def write(path): open(path, "w").write("x"); return True
def write_much(path, mb):
    with open(path, "wb") as file:
        for _ in range(mb): file.write(bytes(1 << 20))
def open_many(): return len([open("/dev/null") for _ in range(100)])
def identity(): return [os.getpid(), os.getuid(), os.getcwd()]
def capabilities(): return [line for line in open("/proc/self/status") if line.startswith("Cap")]
def processes(): return [int(name) for name in os.listdir("/proc") if name.isdigit()]
def interfaces(): return [line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line]
def fork(): return os.fork()
def run(): return subprocess.run(["/bin/true"]).returncode
def execute(): os.execv("/bin/true", ["true"])
def connect(): return socket.create_connection(("127.0.0.1", 9)) and None
def pair(): return socket.socketpair() and None
def kill_parent(): os.kill(os.getppid(), signal.SIGKILL)
def kill_all(): os.kill(-1, signal.SIGTERM)
def allocate(mb): return float(np.ones(mb << 17).sum())
def burn():
    while True: pass
def descriptors():
    numbers = sorted(map(int, os.listdir("/proc/self/fd")))[:-1]  # the last one lists the folder itself
    return {str(number): os.readlink(f"/proc/self/fd/{number}") for number in numbers}
def mounts(): return [line.split()[4:6] for line in open("/proc/self/mountinfo")]
def status(name): return [line.split()[1] for line in open("/proc/self/status") if line.startswith(name + ":")][0]
def make_unseen_file(): os.close(os.open(".", os.O_TMPFILE | os.O_RDWR))
def writable_settings():
    found = []
    for top, folders, names in os.walk("/proc/sys"):
        for name in names:
            try:
                os.close(os.open(os.path.join(top, name), os.O_WRONLY))
                found.append(name)
            except OSError:
                pass
    return found
def make_folder(): os.mkdir("nested")
def remove_file():
    open("to_be_removed", "w").close()
    os.unlink("to_be_removed")
def make_files(number):
    for name in range(number): open(f"file{name}", "w").close()
def write_and(then, *faults):
    for name, *arguments in faults:
        try: globals()[name](*arguments)
        except Exception as error: kept = error
    if then == "loop": burn()
    if then == "sleep": time.sleep(1000)
    if then == "exit": os._exit(0)
    if then == "raise": raise kept
def write_sparse(path): open(path, "wb").truncate(1 << 40)
def save_array(path, mb): np.ones(mb << 17).tofile(path)
def save_arrays(path, mb): np.savez(path, a=np.ones(mb << 17), b=np.ones(mb << 17))
def write_files(mb, number):
    for name in range(number): write_much(f"part{name}", mb)
def draw():
    import matplotlib.pyplot as plt
    return len(plt.figure().axes)
def system_call(number, *arguments):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    return [libc.syscall(number, *arguments), ctypes.get_errno()]
def change_mode(): os.chmod(__file__, 0o777)
def change_times(): os.utime(__file__, (0, 0))
def truncate(): os.truncate(__file__, 0)
def renice(): os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
def limit_parent(): resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))
def pin_parent(): os.sched_setaffinity(os.getppid(), {0})
def thread():
    import threading
    done = []
    threading.Thread(target=lambda: done.append(1)).start()
    while not done: time.sleep(0.001)
    return len(done)
"""
# A limit that no slow or busy machine reaches; tests that must reach a limit set their own.
LIMITS = Limits(cpu_seconds=30, wall_seconds=120, memory_mb=768)
