// The switches, and the outermost function of a computation.
//
// That function lets nothing out, and the check before a raise finds its `catch (...)`. A fiber of
// Boost.Context that is destroyed in the middle unwinds by an exception of its own,
// `forced_unwind`, which must not be caught. Ours never are: a computation is run to its end before
// its fiber goes.
#include "context/context.hpp"

#include "mailbox/error_in_place.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/mask.hpp>

#include <boost/context/preallocated.hpp>

#include <cxxabi.h>

#include <memory>
#include <utility>

namespace sigexc::detail {

namespace {

// The stack is not the fiber's to free.
struct lent_stack {
  void deallocate(boost::context::stack_context&) noexcept {}
};

}  // namespace

// Not inlined: so the landing pad of its caller leads to the handler there and to nothing else, and
// the check before a raise can read it however the library is compiled.
[[gnu::noinline]] void context::run_body(stacked_computation& self) {
  {
    // S7: a termination keeps the body from running; all else waits for its first safe point.
    const scope everything_blocked(policy::never, governed_types<>);
    const unblock_scope<terminated> but_for_termination;
  }
  self.call();
}

// What is foreign to C++ has no object, and UndefinedBehaviorSanitizer objects to a catch clause
// that refers to it.
[[gnu::noinline]] __attribute__((no_sanitize("null"))) void context::run(
    stacked_computation& self) {
  try {
    run_body(self);
  } catch (...) {
    self.failure_ = std::current_exception();
    if (self.failure_ == nullptr)  // not a C++ exception
      self.failure_ = error_in_place("sigexc: the computation was ended by a foreign exception");
  }
  const scope nothing_more(policy::never, governed_types<>);
  self.drop_body();
}

void context::begin(stacked_computation& self) {
  has_begun_ = true;
  boost::context::stack_context place;
  place.size = stack.size();
  place.sp = stack.top();
  inside_ = boost::context::fiber(std::allocator_arg,
                                  boost::context::preallocated(stack.top(), stack.size(), place),
                                  lent_stack(), [this, &self](boost::context::fiber&& caller) {
                                    outside_ = std::move(caller);
                                    annotation_.after_switch_in();
                                    run(self);
                                    self.note_end();
                                    annotation_.before_switch_out(true);
                                    return std::move(outside_);
                                  });
}

}  // namespace sigexc::detail
