// The handler by which a thread looks at itself. Compiled without sanitizers, as the handler of
// SIGEXC: they may have been interrupted in the midst of their own bookkeeping.
#include "mailbox/futex.hpp"
#include "process/inspection.hpp"
#include "unwind/walk.hpp"

#include <ucontext.h>

#include <algorithm>

namespace sigexc::detail {

constinit inspection_place inspected;

void look(record& self, inspection& found) noexcept {
  found.scope_count = 0;
  const scope* innermost = current.innermost;
  found.runs[0] = '\0';
  for (const record* one = current.self; one != nullptr && one != &self && one->of != nullptr;) {
    // A resumption is whole while its record is the thread's (deliver/computation.cpp).
    if (found.runs[0] == '\0') {
      const std::size_t length = std::min(one->name.size(), found.runs.size() - 1);
      for (std::size_t i = 0; i < length; ++i) {
        found.runs[i] = one->name[i];
        asm volatile("");  // no call of memcpy, which sanitizers have replaced
      }
      found.runs[length] = '\0';
    }
    innermost = one->of->scope_outside();
    one = one->of->resumer();
  }
  for (const scope* one = innermost; one != nullptr && found.scope_count < found.scopes.size();) {
    const scope::view seen = one->look();
    found.scopes[found.scope_count++] = seen;
    one = seen.outer;
  }
  found.has_held = false;
  for (const interrupt* one = self.held.first(); one != nullptr && !found.has_held;
       one = one->next.load(std::memory_order_relaxed)) {
    if (one->is_withdrawn()) continue;
    found.has_held = true;
    // A read of the exception's header.
    found.type = one->exception.__cxa_exception_type();
    found.queued = one->queued;
  }
  found.unraised_at = self.unraised_at.load(std::memory_order_relaxed);
}

// Async-signal-safe: atomics without locks, reads of what is argued about in inspection.hpp,
// `walk`, and a futex's system call. It keeps errno.
void sigexc_inspect(int, siginfo_t*, void* context) {
  record* const self = current.self;
  if (self == nullptr) return;
  record* wanted = self;
  for (;;) {  // it, or somebody further out, if it is a computation
    record* expected = wanted;
    if (inspected.wanted.compare_exchange_strong(expected, nullptr, std::memory_order_acquire))
      break;
    wanted = wanted->of != nullptr ? wanted->of->resumer() : nullptr;
    if (wanted == nullptr) return;
  }
  const kept_errno kept;
  inspection& found = inspected.found;
  found.depth = walk(*static_cast<ucontext_t*>(context), found.stack.data(), found.stack.size());
  look(*wanted, found);
  inspected.answers.fetch_add(1, std::memory_order_release);
  futex_wake(&inspected.answers);
}

}  // namespace sigexc::detail
