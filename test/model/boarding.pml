/* A computation that goes from thread to thread, with those who send to it and to a thread
   (`record::try_board`, `disembark`, `collect` and `send` in lib/target/record.cpp; `enter`, `land`
   and `is_wanted_outside` in lib/deliver/computation.cpp). It shares the pending flag of the thread
   that it is on.

   The computation pauses itself PAUSES times, and else runs until its flag brings it to a safe point,
   or all have got theirs.
   Thread 1 is a target; thread 2 is none before it runs the computation, and may end as soon as that
   has left it.

   Checked: each gets what was sent to it (else something waits for good, an invalid end); nobody
   touches a thread that does not know itself yet, or is gone, on account of the computation (C1).

   Spin runs the steps one at a time. That is what sequentially consistent atomics give, and all that
   are modelled are, or are the thread's own. How `traffic` counts is in ending.pml. */

#define SENDERS 2
#define EACH 1
#define COUNT 2
#define TO_THREAD 1
#define PAUSES 1
#define COMPUTATION 0
#define NOBODY 0
#define LEAVING 3

byte mail[3];                              /* of the computation, thread 1, thread 2 */
byte held[3];
byte got[3];
byte block = NOBODY;                       /* of the computation's record */
bool flag[3];
bool knows_itself[3];
bool is_alive[3];
bool is_counted[SENDERS];
byte pauses = 0;

proctype sender(byte me) {
  byte k, found;
  for (k : 1 .. EACH) {
    is_counted[me] = true;
    mail[COMPUTATION]++;                   /* the push */
    found = block;
    if
    :: found != NOBODY && found != LEAVING ->
       assert(is_alive[found]);
       assert(knows_itself[found]);
       flag[found] = true
    :: else
    fi;
    is_counted[me] = false
  }
}

proctype sender_to_thread() {
  byte k;
  for (k : 1 .. TO_THREAD) {
    mail[1]++;
    flag[1] = true
  }
}

#define is_all_done (got[COMPUTATION] == COUNT && got[1] == TO_THREAD)

inline take(from, into) {
  d_step { into = into + mail[from]; mail[from] = 0 }
}

inline run_aboard() {
#ifndef LOOK_BEFORE_BOARDING
  is_news = mail[COMPUTATION] > 0;
#endif
  if
  :: is_news -> flag[me] = true
  :: else
  fi;
  do                                       /* safe points of the computation */
  :: flag[me] ->
     if                                    /* is_wanted_outside */
     :: mail[me] > 0 -> take(me, held[me])
     :: else
     fi;
     if
     :: held[me] > 0 -> break
     :: else
     fi;
#ifdef TAKE_BEFORE_CLEARING
     take(COMPUTATION, got[COMPUTATION]);
     flag[me] = false;
#else
     flag[me] = false;                     /* collect */
     take(COMPUTATION, got[COMPUTATION]);
#endif
#ifndef FORGET_THE_THREAD
     if
     :: mail[me] > 0 -> take(me, held[me]); flag[me] = true
     :: else
     fi
#endif
  :: atomic { pauses < PAUSES && !flag[me] && mail[COMPUTATION] == 0 -> pauses++ };
     flag[me] = true;                      /* it pauses itself, and takes it */
     flag[me] = false;
     break
  :: is_all_done -> break
  od;
#ifndef LEAVE_WITHOUT_AWAIT
  block = LEAVING;
  was[0] = is_counted[0];
  !was[0] || !is_counted[0];
  was[1] = is_counted[1];
  !was[1] || !is_counted[1];
#endif
  block = NOBODY;
#ifndef LEAVE_WITHOUT_LOOK
  if
  :: mail[me] > 0 || held[me] > 0 -> flag[me] = true
  :: else
  fi
#endif
}

inline run_computation() {
#ifdef LOOK_BEFORE_BOARDING
  is_news = mail[COMPUTATION] > 0;
#endif
#ifndef PREPARE_AFTER_BOARDING
  knows_itself[me] = true;
#endif
  is_aboard = false;
  atomic {
    if
    :: block == NOBODY -> block = me; is_aboard = true
    :: else                                /* refused */
    fi
  };
  knows_itself[me] = true;
  if
  :: is_aboard -> run_aboard()
  :: else
  fi
}

proctype thread(byte me) {
  bool is_news, is_aboard;
  bool was[SENDERS];
  do
  :: block == NOBODY && !is_all_done -> run_computation()
  :: flag[me] ->                           /* a safe point of the thread's own */
     flag[me] = false;
     take(me, held[me]);
     d_step { got[me] = got[me] + held[me]; held[me] = 0 }
  :: is_all_done -> break
  :: me == 2 -> break                      /* it has better things to do */
  od;
  is_alive[me] = false
}

init {
  atomic {
    is_alive[1] = true;
    is_alive[2] = true;
    knows_itself[1] = true;
    run thread(1);
    run thread(2);
    run sender(0);
    run sender(1);
    run sender_to_thread()
  }
}
