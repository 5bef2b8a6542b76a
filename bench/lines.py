"""What the report consists of: the budgets of the design, and who has what beside ours.

Names of samples are those of measure.py. Nothing here is a measured number, but for explanations of
missed budgets, which say how they were found.
"""
from dataclasses import dataclass


@dataclass
class Budget:
    line: str
    what: str
    ours: str
    limit: float      # a ratio if there is something to compare with, else the most it may be
    to: str = ""      # the sample that it is compared with
    to_what: str = ""
    why: str = ""     # shown where the budget is missed


# Why budgets are missed, where they are: found by strace (which system calls there are), by perf
# (where the time goes), and by other measurements of this run; numbers are those of two virtual
# processors of an AMD EPYC.
CARRYING = """A flag carries nothing. What carries any exception has to be made by the sender
and rethrown by the target: with that alone (`running_exception_ptr`) it takes 1.7 µs instead of
1.1, and the last table sets ours against it. The rest is the sender's queue entry (0.26 µs), a
frame more for the throw to unwind, which is the slow path of the safe point, the look at the
stack before it, and the note of the place for `last_interrupt`: two walks of some 10 ns a
frame."""
SIGNAL = """By strace the target makes the same system calls as its peer, and the sender one
more: `membarrier` (0.5 µs), which keeps the opening of a block free of fences. What comes to it
is what a signal does not do: to make the exception, to queue it, to look at the stack and to
rethrow, 1.3 µs more than a throw (`raise_from/1` against `throw_from/1`). These 1.8 µs are the
same with the processor asleep, where less of the ratio is left of them."""
CONDITION = """By strace there is one futex wait and one wake, which is the floor, and one
`sched_yield` (0.6 µs) where the block begins in which the mutex is locked again: no signal may
come in there (S4). The rest is to make the exception, to queue it, to look at the stack and to
rethrow, 1.3 µs more than a throw (`raise_from/1` against `throw_from/1`)."""
SLEEP = """By strace there is one futex wait and one wake, which is the floor; the rest is to
make the exception, to queue it, to look at the stack and to rethrow, 1.3 µs more than a throw
(`raise_from/1` against `throw_from/1`)."""
BUSY_TARGET = """A target that runs looks within a microsecond, and then no signal is sent. One that
has been put off its processor, as on a busy machine, cannot look: the sender has waited in vain,
and then sends the signal as well."""
SENDER = """Boost sets a flag, which is all that it can send. To make any exception and to hand
it over takes a sender 0.19 µs, by `running_exception_ptr` (see the last table)."""
STORM = """By perf an eighth of the time is malloc and free, of what one thread has allocated
and another one frees, and another eighth the counting of references. The same by hand, with a
vector and a mutex, stands in the table of peers."""
READ = """Where the kernel spoils what the processor foresees of returns ("Safe RET", AMD), the gate
repairs it, and is faster than glibc by 110 of some 360 ns. Elsewhere it costs 10 ns more: a second
return behind the system call, the mark that the thread is in it, and the coarse clock, 3 ns, by
which a socket's own timeout is waited for after a signal (O4)."""
THREAD = """By strace a target's thread makes four system calls more, of some 0.2 to 0.6 µs
each: `gettid`, `rt_sigprocmask` (M2), `sched_yield` where it first opens a block (S4), and a
futex for who waits for the result."""
SWITCH = """Eleven of the nanoseconds are the switch itself. What is left when parts are left out
tells of the rest: 2 ns are to exchange what the C and the C++ runtime keep for a thread, 1 ns the
two locked instructions by which senders on other threads are kept from a computation that has just
moved; all else is some 120 instructions, none of which takes longer than others, by which the thread
becomes the computation and is itself again, and looks who has sent meanwhile. (With a `ret`
instead of a jump behind each switch it is 18 ns more, as the processor does not foresee it: so with
clang.)"""

BUDGETS = [
    Budget("P1", "idle safe point", "poll_sigexc", 1.2, "poll_flag", "a thread-local flag"),
    Budget("P2", "block scope, in and out", "mask_sigexc", 2, "mask_counter",
           "a thread-local counter"),
    Budget("P3", "sent → caught, target running", "running_sigexc", 1.2, "running_flag",
           "store, poll and throw", CARRYING),
    Budget("P4", "… in a read, awake", "interrupt_read_sigexc.awake", 1.1,
           "interrupt_read_pthread_kill.awake", "pthread_kill, EINTR and throw", SIGNAL),
    Budget("P4", "… in a read, asleep", "interrupt_read_sigexc", 1.1,
           "interrupt_read_pthread_kill", "pthread_kill, EINTR and throw", SIGNAL),
    Budget("P5", "… in a condition wait, awake", "interrupt_condition_sigexc.awake", 1.1,
           "interrupt_condition_stop_token.awake", "condition_variable_any, stop_token", CONDITION),
    Budget("P5", "… in a condition wait, asleep", "interrupt_condition_sigexc", 1.1,
           "interrupt_condition_stop_token", "condition_variable_any, stop_token", CONDITION),
    Budget("P5", "… in a sleep, awake", "interrupt_sleep_sigexc.awake", 1.1,
           "interrupt_sleep_stop_token.awake", "condition_variable_any, stop_token", SLEEP),
    Budget("P5", "… in a sleep, asleep", "interrupt_sleep_sigexc", 1.1,
           "interrupt_sleep_stop_token", "condition_variable_any, stop_token", SLEEP),
    Budget("P6", "the sender, target running", "running_sigexc:send", 1.1,
           "running_pthread_kill:send", "pthread_kill", BUSY_TARGET),
    Budget("P6", "the sender, `when_waiting`", "running_sigexc.when_waiting:send", 1,
           "running_boost:send", "Boost.Thread", SENDER),
    Budget("P6b", "four senders, each interrupt", "storm_sigexc/4", 1e9 / 3e6, why=STORM),
    Budget("P7", "one-byte read, nothing pending", "read_sigexc", 1, "read_glibc", "glibc's read",
           READ),
    Budget("P8", "timeout that does not expire", "timeout_sigexc", 150),
    Budget("P9", "check before a raise, 10 frames", "check_from/10", 0.25, "throw_from/10",
           "the throw itself"),
    Budget("P9", "check before a raise, 100 frames", "check_from/100", 0.25, "throw_from/100",
           "the throw itself"),
    Budget("P9", "held safe point, 10 frames", "held_at_depth/10", 50),
    Budget("P9", "held safe point, 10,000 frames", "held_at_depth/10000", 50),
    Budget("P10", "memory of a target", "memory_of_target:bytes", 512),
    Budget("P10", "thread, start and join", "start_and_join_sigexc", 1.1, "start_and_join_std",
           "std::thread", THREAD),
    Budget("P11", "resume and pause of a computation", "resume_and_pause", 3, "boost_fiber",
           "Boost.Context's fiber", SWITCH),
]

# Of the table of peers.
COLUMNS = ["sigexc", "floor", "signal", "stop_token", "pthread", "Boost", "GHC", "Java", "Ruby",
           "Racket", "CPython"]

NOTES = {
    "a": "by a pipe's channel, which the interrupt closes",
    "b": "an asynchronous exception waits until the call has returned",
    "c": "checked by the runtime where it sees fit: there is no such point to be measured",
    "d": "what it has keeps one at a time: others sent meanwhile are lost",
    "e": "nothing holds interrupts back",
    "f": "a scheduled executor is told, and the task cancelled",
    "g": "green threads: the sender has to give way before the target can run",
    "h": "POSIX timers: set and unset",
    "i": "`allowInterrupt`, masked",
    "j": "sends breaks only",
}


def caught(kind, suffix=""):
    """Sent to caught by a thread that is blocked in `kind`."""
    ours = f"interrupt_{kind}"
    cells = {
        "sigexc": f"{ours}_sigexc{suffix}",
        "pthread": f"{ours}_pthread_cancel{suffix}",
        "GHC": f"ghc.caught_{kind}{suffix} g",
        "Java": f"java.caught_{kind}{suffix}" + (" a" if kind == "read" else ""),
        "Ruby": f"ruby.caught_{kind}{suffix}",
        "Racket": f"racket.caught_{kind}{suffix} gj",
        "CPython": "– b",
    }
    if kind == "read":
        cells["signal"] = f"{ours}_pthread_kill{suffix}"
    else:
        cells["stop_token"] = f"{ours}_stop_token{suffix}"
        cells["Boost"] = f"{ours}_boost{suffix}"
    return cells


# Each row: the budget's line, what, and in which column which sample stands, with its notes.
PEERS = [
    ("P1", "idle poll", {
        "sigexc": "poll_sigexc", "floor": "poll_flag", "stop_token": "poll_stop_token",
        "pthread": "poll_pthread", "Boost": "poll_boost", "GHC": "ghc.poll i", "Java": "java.poll",
        "Ruby": "– c", "Racket": "– c", "CPython": "– c"}),
    ("P2", "block, in and out", {
        "sigexc": "mask_sigexc", "floor": "mask_counter", "signal": "mask_sigmask",
        "pthread": "mask_setcancelstate", "Boost": "mask_boost", "GHC": "ghc.mask", "Java": "– e",
        "Ruby": "ruby.mask", "Racket": "racket.mask", "CPython": "– e"}),
    ("P3", "caught, running", {
        "sigexc": "running_sigexc", "floor": "running_flag", "signal": "running_pthread_kill",
        "stop_token": "running_stop_token", "pthread": "running_pthread_cancel",
        "Boost": "running_boost", "GHC": "ghc.caught_running", "Java": "java.caught_running",
        "Ruby": "ruby.caught_running g", "Racket": "racket.caught_running gj",
        "CPython": "cpython.caught_running g"}),
    ("P4", "caught in a read, awake", caught("read", ".awake")),
    ("P4", "… asleep", caught("read")),
    ("P5", "caught in a condition wait, awake", caught("condition", ".awake")),
    ("P5", "… asleep", caught("condition")),
    ("P5", "caught in a sleep, awake", caught("sleep", ".awake")),
    ("P5", "… asleep", caught("sleep")),
    ("P6", "sender, target running", {
        "sigexc": "running_sigexc:send", "floor": "running_flag:send",
        "signal": "running_pthread_kill:send", "stop_token": "running_stop_token:send",
        "pthread": "running_pthread_cancel:send", "Boost": "running_boost:send",
        "GHC": "ghc.send_running", "Java": "java.send_running", "Ruby": "ruby.send_running",
        "Racket": "racket.send_running", "CPython": "cpython.send_running"}),
    ("P6", "… `when_waiting`", {"sigexc": "running_sigexc.when_waiting:send"}),
    ("P6b", "four senders, each", {
        "sigexc": "storm_sigexc/4", "floor": "storm_by_hand/4", "stop_token": "– d",
        "pthread": "– d", "Boost": "– d", "signal": "– d", "GHC": "ghc.storm", "Java": "– d",
        "Ruby": "ruby.storm", "Racket": "– d", "CPython": "– d"}),
    ("P8", "timeout, not expired", {
        "sigexc": "timeout_sigexc", "floor": "clock_gettime_twice",
        "signal": "timer_settime_twice h", "GHC": "ghc.timeout", "Java": "java.timeout f",
        "Ruby": "ruby.timeout"}),
    ("P10", "thread, start and join", {
        "sigexc": "start_and_join_sigexc", "floor": "start_and_join_std",
        "Boost": "start_and_join_boost", "GHC": "ghc.thread g", "Java": "java.thread",
        "Ruby": "ruby.thread", "Racket": "racket.thread g", "CPython": "cpython.thread"}),
]

# Whole programs: what, with safe points, without.
WORK = [
    ("SQLite query, asked every 100 instructions of its machine", "query_with_safe_points",
     "query_plain"),
    ("SQLite query, called off by `with_wake`", "query_with_wake", "query_plain"),
    ("A* on a grid, a safe point for each neighbour", "planner_with_safe_points", "planner_plain"),
    ("merge join in memory, a safe point for each row", "join_with_safe_points", "join_plain"),
]

# Other measurements that have no budget: what, ours, what it is compared with, its name.
OTHERS = [
    ("sent → caught, target running", "running_sigexc", "running_exception_ptr",
     "an exception_ptr handed over"),
    ("the sender's part of that", "running_sigexc:send", "running_exception_ptr:send",
     "an exception_ptr handed over"),
    ("four senders, handled by a callback", "storm_sigexc_callback/4", "storm_sigexc/4",
     "caught, in groups"),
    ("notification to another thread and back", "condition_sigexc", "condition_std_any",
     "std::condition_variable_any"),
    ("the same", "condition_sigexc", "condition_boost_any", "Boost.Thread"),
    ("timeout among 5,000 others", "timeout_sigexc_among_others", "timeout_sigexc",
     "timeout alone"),
    ("race of two", "race_of_two_sigexc", "race_of_two_jthread", "std::jthread"),
    ("the same", "race_of_two_sigexc", "java.race", "Java"),
    ("a hundred tasks that end", "group_of_100_sigexc", "group_of_100_jthread", "std::jthread"),
    ("the same", "group_of_100_sigexc", "java.group", "Java"),
    ("a hundred tasks that are ended", "end_of_100_sigexc", "end_of_100_jthread", "std::jthread"),
    ("the same", "end_of_100_sigexc", "java.end", "Java"),
    ("raise, 10 frames: sent, checked, thrown", "raise_from/10", "throw_from/10", "a throw"),
    ("raise, 100 frames", "raise_from/100", "throw_from/100", "a throw"),
    ("resume and pause", "resume_and_pause", "boost_fiber_in_functions",
     "the fiber, a function on each side"),
    ("resume and pause, by a target", "resume_and_pause_by_target", "boost_fiber",
     "Boost.Context's fiber"),
    ("resume and pause, 10,000 in turn", "resume_and_pause_many_in_turn",
     "boost_fiber_many_in_turn", "Boost.Context's fiber"),
    ("resume and pause", "resume_and_pause", "ucontext_switch", "ucontext"),
    ("resume and pause", "resume_and_pause", "threads_with_semaphores", "threads, semaphores"),
    ("paused by another thread", "pause_by_another_thread", "flag_polled_by_boost_fiber",
     "a flag that a fiber polls"),
    ("computation, made and run", "make_and_run", "make_and_run_boost_fiber",
     "Boost.Context's fiber"),
    ("computation, made and unwound", "make_and_unwind", "make_and_unwind_boost_fiber",
     "Boost.Context's fiber"),
    ("thread enrolled and left", "enroll_and_leave", "", ""),
    ("memory of a target that was interrupted", "memory_of_interrupted_target:bytes",
     "memory_of_target:bytes", "one that was not"),
]

# The charts. Latencies: who, and the column of the table.
LATENCIES = [
    ("running", 2), ("in a read, awake", 3), ("in a read, asleep", 4),
    ("in a condition wait, awake", 5), ("in a condition wait, asleep", 6),
    ("in a sleep, awake", 7), ("in a sleep, asleep", 8),
]

# Costs: the panel's title, its axes, and of each curve its label, the sample and where it is.
COSTS = [
    ("Senders to one target", "senders", "ns an interrupt", [1, 2, 4, 8, 16], [
        ("sigexc, caught", "storm_sigexc"),
        ("sigexc, handled by a callback", "storm_sigexc_callback"),
        ("vector, mutex, flag by hand", "storm_by_hand")]),
    ("Sleeping targets, all interrupted", "targets", "ns a target", [1, 10, 100, 1000, 10000], [
        ("sigexc", "targets_sigexc"),
        ("stop_token", "targets_stop_token"),
        ("Boost.Thread", "targets_boost"),
        ("pthread_kill, EINTR, throw", "targets_pthread_kill")]),
    ("Depth of the stack", "frames", "ns", [1, 10, 100, 1000, 10000], [
        ("throw", "throw_from"),
        ("sigexc: send, check, throw", "raise_from"),
        ("sigexc: check alone", "check_from"),
        ("sigexc: held safe point", "held_at_depth")]),
]
