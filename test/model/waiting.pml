/* The handshake of a target that waits with its senders (`announce` in lib/target/record.cpp; `sleep`
   in lib/wait/await.cpp; the gate and the handler in lib/signal): with wake::when_waiting, so that
   only who waits is signalled, or with wake::always (ALWAYS).

   The target waits COUNT times, in a sleep of ours and in a system call in turns, until an interrupt
   comes; a byte may come for the system call too. A signal from outside comes once, at any time.

   Checked: no wake-up is lost (else the target waits for good, an invalid end); the system call is
   left with its effect or by the interrupt, and never with neither or both (O2).

   Spin runs the steps one at a time. For the sleep that is what sequentially consistent atomics give.
   The gate has no fence between its mark and its look: senders issue a barrier on every processor
   for it, or send a signal in any case. */

#define SENDERS 2
#define EACH 1
#define COUNT 2

byte mail = 0;
bool flag = false;
byte bell = 0;
bool asleep = false;
bool in_gate = false;
bool in_futex = false;
byte signals = 0;
bool has_byte = false;
mtype = { outside, before_call, in_call, after_call, cancelled };
mtype counter = outside;

proctype sender() {
  byte k;
  bool was_set, is_asleep, is_in_gate;
  for (k : 1 .. EACH) {
    mail++;                                /* the push */
#ifdef LOOK_BEFORE_FLAG
    is_asleep = asleep;
    is_in_gate = in_gate;
#endif
    atomic { was_set = flag; flag = true };
    if
    :: was_set                             /* who set it does the rest */
    :: else ->
#ifndef LOOK_BEFORE_FLAG
       is_asleep = asleep;
#endif
       if
       :: is_asleep -> bell++; in_futex = false
       :: else ->
#ifndef LOOK_BEFORE_FLAG
          is_in_gate = in_gate;
#endif
#ifdef ALWAYS
          signals++
#else
          if
          :: is_in_gate -> signals++
          :: else
          fi
#endif
       fi
    fi
  }
}

proctype stranger() { signals++ }
proctype writer() { has_byte = true }

/* The handler runs on the target's thread, between any two of its steps. Its two steps on the bell
   are not one: a sender may ring between them. */
inline handle() {
  signals--;
  flag = true;
#ifndef HANDLER_DOES_NOT_RING
  heard = bell;
  bell = heard + 1;
#endif
  d_step {
    if
#ifdef HANDLER_LEAVES_THE_COUNTER
    :: false
#elif defined(HANDLER_CANCELS_WHAT_IS_DONE)
    :: in_gate && counter != outside -> counter = cancelled
#else
    :: in_gate && (counter == before_call || counter == in_call) -> counter = cancelled
#endif
    :: else
    fi
  }
}

inline signal_here() {
  do
  :: signals > 0 -> handle()
  :: break
  od
}

inline wait_asleep() {
#ifndef PUBLISH_AFTER_LOOK
  asleep = true;
#endif
  do
  :: signal_here();
#ifndef BELL_AFTER_LOOK
     rings = bell;
#endif
     signal_here();
     if
     :: flag -> break
     :: else
     fi;
#ifdef BELL_AFTER_LOOK
     rings = bell;
#endif
#ifdef PUBLISH_AFTER_LOOK
     asleep = true;
#endif
     signal_here();
     do                                    /* the kernel restarts it after a handler */
     :: atomic { bell == rings -> in_futex = true };
        if
        :: !in_futex -> break
        :: signals > 0 -> in_futex = false; handle()
        fi
     :: bell != rings -> break
     od
  od;
  asleep = false
}

inline call_through_gate() {
#ifndef MARK_AFTER_LOOK
  in_gate = true;
#endif
  signal_here();
  counter = before_call;
  if
  :: flag -> counter = cancelled
  :: else
  fi;
#ifdef MARK_AFTER_LOOK
  in_gate = true;
#endif
  signal_here();
  do
  :: atomic { counter == before_call -> counter = in_call }
  :: atomic { counter == in_call && has_byte -> has_byte = false; got = true; counter = after_call }
  :: counter == in_call && signals > 0 -> handle()
  :: counter == after_call || counter == cancelled -> break
  od;
  signal_here();
  assert((counter == after_call) == got);
  in_gate = false;
  counter = outside
}

active proctype target() {
  byte rings, heard, seen = 0;
  bool got = false;
  run sender();
  run sender();
  run stranger();
  run writer();
  do
  :: seen == COUNT -> break
  :: else ->
     if
     :: wait_asleep()
     :: got = false; call_through_gate()
     fi;
     if                                    /* the safe point */
     :: flag ->
        flag = false;
        atomic { seen = seen + mail; mail = 0 }
     :: else
     fi
  od
}
