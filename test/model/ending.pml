/* The end of a target against its senders (lib/target/traffic.hpp; `send` and `record::end` in
   lib/target/record.cpp): who is counted in may touch the thread's storage and signal its id; the
   thread closes its mailbox, waits for those who were counted then, and goes.

   Checked: nobody touches what is gone (S6, S8); the owner does not sleep for good; and when a wait
   is over, also one in the midst of its life (`await_signals`), all who were counted when it began
   have left, and it has waited for no others, who may come without end.

   Spin runs the steps one at a time. That is what sequentially consistent atomics give, and all
   that are modelled are. */

#define SENDERS 2
#define EACH 2

bool is_alive = true;                      /* the storage, and the id */
bool is_closed = false;
bool has_block = true;
byte count[2];
bit turn = 0;
byte waiters = 0;
byte drained = 0;
byte entered[SENDERS];                     /* which visit of this sender is counted; 0: none */

proctype sender(byte me) {
  byte k;
  bit mine;
  bool is_queued, is_last;
  for (k : 1 .. EACH) {
    atomic { mine = turn; count[mine]++; entered[me] = k };
    is_queued = !is_closed;                /* the push */
#ifdef LEAVE_BEFORE_SIGNAL
    atomic { count[mine]--; entered[me] = 0; is_last = (waiters > 0 && count[mine] == 0) };
    if
    :: is_last -> drained++
    :: else
    fi;
#endif
    if
    :: is_queued && has_block ->
       assert(is_alive);                   /* sets the flag */
       assert(is_alive)                    /* sends the signal */
    :: else
    fi;
#ifndef LEAVE_BEFORE_SIGNAL
    atomic { count[mine]--; entered[me] = 0; is_last = (waiters > 0 && count[mine] == 0) };
    if
    :: is_last -> drained++
    :: else
    fi
#endif
  }
}

/* Whether the sender is still in the visit in which it was when the wait began. */
#define is_counted(who) (was[who] != 0 && entered[who] == was[who])

inline await() {
#ifdef WAITER_TELLS_TOO_LATE
  skip;
#else
  waiters++;
#endif
  d_step {
    before = turn;
#ifndef NO_TURN
    turn = 1 - turn;
#endif
    was[0] = entered[0];
    was[1] = entered[1]
  };
  do
  ::
     d_step { assert(is_counted(0) || is_counted(1) || count[before] == 0) };
#ifdef LOOK_BEFORE_DRAINED
     if
     :: count[before] == 0 -> break
     :: else
     fi;
     seen = drained;
#else
     seen = drained;
     if
     :: count[before] == 0 -> break
     :: else
     fi;
#endif
#ifdef WAITER_TELLS_TOO_LATE
     waiters = 1;
#endif
     drained != seen                       /* the futex */
  od;
  waiters = 0;
  d_step { assert(!is_counted(0) && !is_counted(1)) }
}

active proctype owner() {
  byte seen;
  byte was[SENDERS];
  bit before;
  run sender(0);
  run sender(1);
  await();                                 /* a block of everything is opened */
#ifdef AWAIT_BEFORE_CLOSE
  await();
  is_closed = true;
#else
  is_closed = true;
#ifndef NO_AWAIT
  await();
#endif
#endif
  has_block = false;
  is_alive = false
}
