// Tells sanitizers which stack is in use. AddressSanitizer must know where the stack is, and keeps
// the frames of functions elsewhere; ThreadSanitizer takes what it calls a fiber for a thread, with
// each switch an order between what came before and what comes after.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SIGEXC_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIGEXC_HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SIGEXC_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIGEXC_HAS_TSAN 1
#endif
#endif

#if defined(SIGEXC_HAS_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(SIGEXC_HAS_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace sigexc::detail {

class fiber_annotation {
 public:
  fiber_annotation() = default;
  fiber_annotation(const fiber_annotation&) = delete;
  fiber_annotation& operator=(const fiber_annotation&) = delete;
  ~fiber_annotation() {
#if defined(SIGEXC_HAS_TSAN)
    if (inside_ != nullptr) __tsan_destroy_fiber(inside_);
#endif
  }

  void before_switch_in([[maybe_unused]] const void* low, [[maybe_unused]] std::size_t size) {
#if defined(SIGEXC_HAS_ASAN)
    __sanitizer_start_switch_fiber(&frames_outside_, low, size);
#endif
#if defined(SIGEXC_HAS_TSAN)
    if (inside_ == nullptr) inside_ = __tsan_create_fiber(0);
    outside_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(inside_, 0);
#endif
  }
  void after_switch_in() {  // on the computation's stack
#if defined(SIGEXC_HAS_ASAN)
    __sanitizer_finish_switch_fiber(frames_inside_, &low_outside_, &size_outside_);
#endif
  }
  void before_switch_out([[maybe_unused]] bool is_end) {
#if defined(SIGEXC_HAS_ASAN)
    __sanitizer_start_switch_fiber(is_end ? nullptr : &frames_inside_, low_outside_, size_outside_);
#endif
#if defined(SIGEXC_HAS_TSAN)
    __tsan_switch_to_fiber(outside_, 0);
#endif
  }
  void after_switch_out() {  // on the other stack
#if defined(SIGEXC_HAS_ASAN)
    __sanitizer_finish_switch_fiber(frames_outside_, nullptr, nullptr);
#endif
  }

 private:
#if defined(SIGEXC_HAS_ASAN)
  void* frames_inside_ = nullptr;
  void* frames_outside_ = nullptr;
  const void* low_outside_ = nullptr;
  std::size_t size_outside_ = 0;
#endif
#if defined(SIGEXC_HAS_TSAN)
  void* inside_ = nullptr;
  void* outside_ = nullptr;
#endif
};

}  // namespace sigexc::detail
