// A list under a lock. It is never destroyed: threads may end after the destructors of statics ran.
#include "target/registry.hpp"

#include "target/record.hpp"

#include <mutex>

namespace sigexc {
namespace detail::registry {
namespace {

struct state {
  std::mutex mutex;
  link ends;  // its next is the oldest; each is removed before its last reference goes
};
state& registered() {
  static state& only = *new state;
  return only;
}

void unlink(link& one) noexcept {
  one.next->previous = one.previous;
  one.previous->next = one.next;
  one.next = one.previous = &one;
}

}  // namespace

void prepare() { registered(); }

void add(record& made) noexcept {
  const std::lock_guard lock(registered().mutex);
  link& ends = registered().ends;
  link& added = made;
  unlink(added);
  added.next = &ends;
  added.previous = ends.previous;
  ends.previous->next = &added;
  ends.previous = &added;
}

void remove(record& ended) noexcept {
  const std::lock_guard lock(registered().mutex);
  unlink(ended);
}

std::vector<target> all() {
  std::vector<target> found;
  const std::lock_guard lock(registered().mutex);
  const link& ends = registered().ends;
  for (link* one = ends.next; one != &ends; one = one->next)
    found.emplace_back(reference<record>(static_cast<record&>(*one)));
  return found;
}

void before_fork() noexcept { registered().mutex.lock(); }

void after_fork(bool is_child) noexcept {
  link& ends = registered().ends;
  for (link* one = ends.next; is_child && one != &ends;) {
    link& looked_at = *one;
    one = one->next;
    if (!computation::is_here(static_cast<const record*>(&looked_at))) unlink(looked_at);
  }
  registered().mutex.unlock();
}

}  // namespace detail::registry

std::vector<target> targets() { return detail::registry::all(); }

}  // namespace sigexc
