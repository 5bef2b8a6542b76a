"""The peers in CPython: prints lines "name median p99", in nanoseconds.

    python3 peer.py [NAME...]

One thread runs at a time. An asynchronous exception is raised when the thread runs bytecode again,
so it ends no wait; a second one takes the place of the first.
"""
import ctypes
import sys
import threading
import time

now = time.monotonic_ns


class StopIt(Exception):
    pass


def tell(name, times):
    ordered = sorted(times)
    print(name, *(ordered[int(part * (len(ordered) - 1))] for part in (0.5, 0.99)), flush=True)


def caught_running(count=200):
    noticed = []
    is_ready = threading.Semaphore(0)
    is_noticed = threading.Semaphore(0)
    go_on = threading.Semaphore(0)

    def work():
        for _ in range(count):
            try:
                is_ready.release()  # here: before, an exception would end the thread
                while True:
                    pass
            except StopIt:
                noticed.append(now())
            is_noticed.release()
            go_on.acquire()

    target = threading.Thread(target=work)
    target.start()
    sent = []
    for _ in range(count):
        is_ready.acquire()
        time.sleep(0.001)
        before = now()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(target.ident), ctypes.py_object(StopIt))
        sent.append((before, now()))
        is_noticed.acquire()
        go_on.release()
    target.join()
    tell("caught_running", [at - before for at, (before, _) in zip(noticed, sent)])
    tell("send_running", [after - before for before, after in sent])


def thread():
    times = []
    for _ in range(500):
        start = now()
        one = threading.Thread(target=int)
        one.start()
        one.join()
        times.append(now() - start)
    tell("thread", times)


for what in (caught_running, thread):
    if len(sys.argv) == 1 or what.__name__ in sys.argv[1:]:
        what()
