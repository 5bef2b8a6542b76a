/* The mailbox and its pending flag (lib/mailbox/mailbox.cpp; `announce` and `record::collect` in
   lib/target/record.cpp): senders push, and perhaps withdraw; the owner takes at safe points, to
   which only the flag brings it.

   Checked: every interrupt ends once (S8), none lies in the mailbox with the flag clear for good
   (it would be an invalid end: the owner waits), one sender's keep their order (S5). With CLOSES the
   owner ends at any time, and what is left is discarded.

   Spin runs the steps one at a time. That is what sequentially consistent atomics give, and all
   that are modelled are. */

#define SENDERS 2
#define EACH 2
#define COUNT 4
#define NONE 255
#define CLOSED 254

mtype = { unsent, pending, delivered, withdrawn, discarded };

mtype state[COUNT] = unsent;
byte next[COUNT];
byte newest = NONE;
bool flag = false;
byte settled = 0;

inline settle(which, from, to, is_mine) {
  d_step {
    is_mine = (state[which] == from);
    if
    :: is_mine -> state[which] = to; settled++
    :: else
    fi
  }
}

proctype sender(byte me) {
  byte k, one, head, older;
  bool is_queued, is_mine;
  for (k : 0 .. EACH - 1) {
    one = me * EACH + k;
    state[one] = pending;
#ifdef FLAG_BEFORE_PUSH
    flag = true;
#endif
    do
    :: head = newest;
       if
       :: head == CLOSED ->
            settle(one, pending, discarded, is_mine);
            is_queued = false;
            break
       :: else
       fi;
       next[one] = head;
#ifdef PUSH_IN_TWO_STEPS
       newest = one;
       is_queued = true;
       break
#else
       atomic {
         if
         :: newest == head -> newest = one; is_queued = true; break
         :: else
         fi
       }
#endif
    od;
#ifndef FLAG_BEFORE_PUSH
    if
    :: is_queued -> flag = true
    :: else
    fi;
#endif
    if
    :: is_queued ->                        /* withdraw(), and forget() */
       settle(one, pending, withdrawn, is_mine);
       if
       :: is_mine && newest == one ->
          older = next[one];
#ifdef FORGET_BLINDLY
          newest = older
#else
          atomic {
            if
            :: newest == one -> newest = older
            :: else
            fi
          }
#endif
       :: else
       fi
    :: true
    fi
  }
}

byte last[SENDERS] = NONE;

/* The owner turns the stack round: the oldest first. */
inline work_off(newest_taken, outcome) {
  oldest = NONE;
  do
  :: newest_taken == NONE -> break
  :: else ->
     d_step {
       older = next[newest_taken];
       next[newest_taken] = oldest;
       oldest = newest_taken;
       newest_taken = older
     }
  od;
  do
  :: oldest == NONE -> break
  :: else ->
     settle(oldest, pending, outcome, is_mine);
     d_step {
       if
       :: is_mine && outcome == delivered ->
          assert(last[oldest / EACH] == NONE || last[oldest / EACH] < oldest);
          last[oldest / EACH] = oldest
       :: else
       fi;
       oldest = next[oldest]
     }
  od
}

active proctype owner() {
  byte taken, oldest, older;
  bool is_mine;
  run sender(0);
  run sender(1);
  do
  :: flag ->
#ifdef TAKE_BEFORE_CLEARING
     atomic { taken = newest; newest = NONE };
     flag = false;
#else
     flag = false;
     atomic { taken = newest; newest = NONE };
#endif
     work_off(taken, delivered)
  :: settled == COUNT -> break
#ifdef CLOSES
  :: true ->
#ifdef CLOSE_WITHOUT_MARK
     atomic { taken = newest; newest = NONE };
#else
     atomic { taken = newest; newest = CLOSED };
#endif
     work_off(taken, discarded);
     break
#endif
  od;
  settled == COUNT                         /* else it waits here for good */
}
