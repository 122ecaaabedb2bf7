"""The sandbox: the confined process that runs a student's code.

Theory of operation. Every question of every submission gets a new worker process. It is isolated as well as the
machine allows: by bubblewrap (bubblewrap.py), else by Landlock (landlock.py), else as a plain child process that can
do everything that the grader can do; the report then says so. In all three cases the worker limits itself before it
loads any of the student's code: time, memory, files, and a filter on system calls (worker/confine.py). Its environment
is exactly `worker_process.ENVIRONMENT`.

Threat model: the submission is hostile and has taken over its worker completely. It must then still be unable to
learn the answers, reach another submission, the network or the gradebook, outlive its time, or send the judge
anything but arrays that are compared with the right ones. docs/security.md lists the guarantees of each sandbox.
"""
