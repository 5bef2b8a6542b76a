// A set under a lock. It is never destroyed: threads may end after the destructors of statics ran.
#include "target/registry.hpp"

#include "target/record.hpp"

#include <mutex>
#include <unordered_set>

namespace sigexc {
namespace detail::registry {
namespace {

struct state {
  std::mutex mutex;
  std::unordered_set<record*> alive;  // each is removed before its last reference goes
};
state& registered() {
  static state& only = *new state;
  return only;
}

}  // namespace

void prepare() { registered(); }

void add(record& made) {
  const std::lock_guard lock(registered().mutex);
  registered().alive.insert(&made);
}

void remove(record& ended) noexcept {
  const std::lock_guard lock(registered().mutex);
  registered().alive.erase(&ended);
}

std::vector<target> all() {
  std::vector<target> found;
  const std::lock_guard lock(registered().mutex);
  found.reserve(registered().alive.size());
  for (record* one : registered().alive) found.emplace_back(reference<record>(*one));
  return found;
}

void before_fork() noexcept { registered().mutex.lock(); }

void after_fork(bool is_child) noexcept {
  if (is_child)
    std::erase_if(registered().alive, [](const record* one) { return !computation::is_here(one); });
  registered().mutex.unlock();
}

}  // namespace detail::registry

std::vector<target> targets() { return detail::registry::all(); }

}  // namespace sigexc
