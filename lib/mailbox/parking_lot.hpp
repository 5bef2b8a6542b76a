// Where threads sleep until something at an address changes: the end of a thread, the fate of an
// interrupt, a mutex that is unlocked.
//
// A thread that waits in a kernel queue for one word cannot be woken through another one, and a
// thread that can be interrupted has to listen to two: what it waits for, and its mailbox. So each
// sleeper has a bell of its own, and the lot keeps who waits at which address (as WebKit's
// WTF::ParkingLot). Whoever changes the address wakes the sleepers there; whoever interrupts a
// sleeper rings its bell and need not know the address. A sleeper leaves the lot under the lock
// that wakers hold, so that it learns for certain whether it was woken.
//
// The lot takes addresses only: what was at one may be gone before its waker returns. Of those at
// an address, who came first is woken first.
//
// Lock order: a bucket's lock is taken last and held for a few instructions. Never in a handler.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>

namespace sigexc::detail {

class parking_lot {
 public:
  struct sleeper {
    const void* address;
    std::atomic<std::uint32_t>* bell;  // of the sleeping thread; it outlives the sleeper
    // Written under the bucket's lock, before the bell is rung. True is final, but only `leave`
    // makes sure that the waker has done with the sleeper.
    std::atomic<bool> is_woken{false};
    sleeper* previous = nullptr;
    sleeper* next = nullptr;
  };

  // Adds `who`, unless `is_done()`. Wakers change what `is_done` reads before they wake, and it is
  // read under the lock: no change can fall between.
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

  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  // Wakes `most` of those at `address`. `decide(has_more)` is called under the lock, hence before
  // any of them can leave and before anyone else can enter: it is the last that may touch what is
  // at the address.
  template <class Decide>
  static void wake(const void* address, std::size_t most, Decide decide) noexcept {
    bells rung;  // wakes after the lock is released, which who is woken takes first
    bucket& at = bucket_of(address);
    const std::lock_guard lock(at.mutex);
    decide(take(at, address, most, rung));
  }

  static void wake_all(const void* address) noexcept {
    wake(address, all, [](bool) {});
  }

  // Around a fork, of which there is one at a time. In the child only the sleepers of the calling
  // thread remain, which may be there: a condition wait stays in while it runs callbacks.
  static void before_fork() noexcept;
  static void after_fork(bool is_child) noexcept;

 private:
  struct bucket {
    std::mutex mutex;
    sleeper* first = nullptr;
    sleeper* last = nullptr;
    bool is_kept = false;  // locked over a fork
  };

  // Bells that were rung, and whose threads are still to be woken. Those threads may be gone by
  // then, and with them the bells: waking takes an address only.
  class bells {
   public:
    bells() = default;
    bells(const bells&) = delete;
    bells& operator=(const bells&) = delete;
    ~bells();
    void ring(std::atomic<std::uint32_t>& bell) noexcept;

   private:
    std::array<const std::atomic<std::uint32_t>*, 16> rung_;
    std::size_t count_ = 0;
  };

  static constinit std::array<bucket, 64> buckets;

  static bucket& bucket_of(const void* address) noexcept;
  static void add(bucket& at, sleeper& who) noexcept;
  static void remove(bucket& at, sleeper& who) noexcept;
  // Takes out and rings the first `most` at `address`. True: there are more.
  static bool take(bucket& at, const void* address, std::size_t most, bells& rung) noexcept;
};

}  // namespace sigexc::detail
