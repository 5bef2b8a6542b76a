// Where threads sleep until something at an address changes: the end of a thread, the fate of an
// interrupt.
//
// A thread that waits in a kernel queue for one word cannot be woken through another one, and a
// thread that can be interrupted has to listen to two: what it waits for, and its mailbox. So each
// sleeper has a bell of its own, and the lot keeps who waits at which address (as WebKit's
// WTF::ParkingLot). Whoever changes the address wakes the sleepers there; whoever interrupts a
// sleeper rings its bell and need not know the address. A sleeper leaves the lot under the lock
// that wakers hold, so that it learns for certain whether it was woken.
//
// Lock order: a bucket's lock is taken last and held for a few instructions. Never in a handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace sigexc::detail {

class parking_lot {
 public:
  struct sleeper {
    const void* address;
    std::atomic<std::uint32_t>* bell;  // of the sleeping thread; it outlives the sleeper
    bool is_woken = false;             // guarded by the bucket's lock
    sleeper* previous = nullptr;
    sleeper* next = nullptr;
  };

  // Adds `who`, unless `is_done()`. Wakers change what `is_done` reads before they call
  // `wake_all`, and it is read under the lock: no change can fall between.
  template <class Done>
  static bool enter(sleeper& who, Done is_done) {
    bucket& at = bucket_of(who.address);
    const std::lock_guard lock(at.mutex);
    if (is_done()) return false;
    add(at, who);
    return true;
  }

  // Takes `who` out. True: it had been woken.
  static bool leave(sleeper& who) noexcept;

  static void wake_all(const void* address) noexcept;

 private:
  struct bucket {
    std::mutex mutex;
    sleeper* first = nullptr;
  };
  static bucket& bucket_of(const void* address) noexcept;
  static void add(bucket& at, sleeper& who) noexcept;
  static void remove(bucket& at, sleeper& who) noexcept;
};

}  // namespace sigexc::detail
