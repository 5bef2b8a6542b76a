// A library that knows nothing of sigexc and does what libraries do to signals beside it: it has
// handlers of its own, also for real-time signals, and sends these to the threads that have come to
// it; it blocks all signals for a while; it forks; it leaves its handlers by siglongjmp.
#pragma once

extern "C" {
// Its handlers, and the thread that sends, which lasts until the end. 0, or an error.
int foreign_start();
void foreign_stop();

// The calling thread gets signals from it from now on, and until.
void foreign_enter();
void foreign_leave();

// Each returns how often it has failed: 0.
int foreign_blocks_all_signals();  // and sleeps in a system call meanwhile
int foreign_jumps();               // out of a handler, and out of a few frames
int foreign_forks(int by_exec);    // a child that ends at once, or is another program at once

// How many of its signals were handled.
long foreign_handled();
}
