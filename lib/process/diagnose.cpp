// Why an interrupt is pending: what the thread said of itself, judged here.
//
// The oldest interrupt decides. If the thread has taken it from the mailbox, the thread tells its
// type, else the mailbox does. Then, in this order: a scope that governs the type; a frame that a
// delivery has found in the way and that is still on the stack; the kernel, for a thread that
// sleeps; and else the thread has just not come to a safe point.
#include "process/diagnose.hpp"

#include "process/inspection.hpp"
#include "process/kernel_view.hpp"
#include "unwind/function_entry.hpp"

#include <sigexc/configure.hpp>

#include <algorithm>
#include <utility>

namespace sigexc {
namespace detail {

namespace {

using std::chrono::steady_clock;

bool is_governed(const std::type_info* type, type_list governed) noexcept {
  if (governed[0] == nullptr) return true;
  for (; type != nullptr && *governed != nullptr; ++governed) {
    void* object = nullptr;
    if ((*governed)->__do_catch(type, &object, 1)) return true;
  }
  return false;
}

// As scope::lookup, in copies. The scope that decides for `type`; null if there is none.
const scope::view* find_governing(const inspection& seen, const std::type_info* type) noexcept {
  const auto end = seen.scopes.begin() + static_cast<std::ptrdiff_t>(seen.scope_count);
  const auto find = [&](const scope* one) {
    return std::find_if(seen.scopes.begin(), end,
                        [&](const auto& view) { return view.self == one; });
  };
  const scope::view* limit = nullptr;
  auto one = seen.scopes.begin();
  while (one != end) {
    if (!is_governed(type, one->types)) {
      one = find(one->outer);
    } else if (one->restores) {
      one = find(one->base);
    } else if (one->limits) {
      if (limit == nullptr) limit = &*one;
      one = find(one->outer);
    } else {
      return limit != nullptr && one->what < limit->what ? limit : &*one;
    }
  }
  return limit;
}

std::string name_of(const std::type_info* type) {
  return type != nullptr ? demangle(type->name()) : "of a foreign language";
}

std::string text_of(const scope::view& one) {
  std::string types;
  for (auto governed = one.types; *governed != nullptr; ++governed)
    types += (types.empty() ? "" : ", ") + name_of(*governed);
  return std::string(one.what == policy::never ? "policy::never" : "policy::on_blocking") +
         " for " + (types.empty() ? "every interrupt" : types);
}

std::string place_of(std::uintptr_t address, const symbols& names) {
  const backtrace::frame frame = names.at(address);
  const std::string name = frame.symbol.empty() ? "a function without a name" : frame.symbol;
  return frame.source.empty() ? name : name + " (" + frame.source + ")";
}

// What is known of the oldest interrupt.
struct oldest {
  bool exists = false;
  const std::type_info* type = nullptr;
  steady_clock::time_point queued;
};

oldest find_oldest(const record& who, const inspection& seen, bool is_answered) noexcept {
  if (who.pending() == 0) return {};
  if (is_answered && seen.has_held) return {true, seen.type, seen.queued};
  if (who.is_empty() || who.is_closed()) return {};  // in the thread's hands, or not known
  return {true, who.oldest_type(), who.oldest_queued()};
}

// Why there is no stack; ends with "; ".
std::string text_of(answer given) {
  const std::string signal = "signal " + std::to_string(inspection_signal());
  switch (given) {
    case answer::given:
    case answer::ended:
      break;
    case answer::no_signal:
      return "it could not be asked, as no real-time signal is free; ";
    case answer::blocked:
      return "it could not be asked, as it blocks " + signal + "; ";
    case answer::not_sent:
      return "it could not be asked, as the kernel's queue of signals is full; ";
    case answer::not_in_time:
      return "it did not answer " + signal + " within a second; ";
  }
  return {};
}

bool is_in_function_of(std::uintptr_t counter, const inspection& seen) noexcept {
  function_entry function;
  if (!find_function(counter, function)) return false;  // the examination would not have come here
  const auto end = seen.stack.begin() + static_cast<std::ptrdiff_t>(seen.depth);
  return std::any_of(seen.stack.begin(), end, [&function](std::uintptr_t one) {
    return function.begin <= one && one < function.end;
  });
}

struct judgement {
  hold why;
  std::string reason;
};

judgement judge(const record& who, const oldest& one, const inspection& seen, bool is_answered,
                const kernel_view& kernel, const symbols& names) {
  if (who.pending() == 0) return {hold::nothing_pending, "nothing is pending"};
  if (is_answered && !one.exists)
    return {hold::no_safe_point, "an interrupt is just being sent, or delivered"};
  const std::string what =
      one.exists ? "an interrupt of type " + name_of(one.type) : std::string("an interrupt");
  if (is_answered) {
    const auto* const governing = find_governing(seen, one.type);
    if (governing != nullptr && governing->what != policy::immediate)
      return {hold::blocked_by_scope, what + " is held by a scope: " + text_of(*governing)};
    // The examination has a return address. The thread has come back there, perhaps, and is
    // elsewhere in that function.
    if (seen.has_held && seen.unraised_at != 0 && is_in_function_of(seen.unraised_at - 1, seen))
      return {hold::blocked_by_noexcept, what + " cannot be raised: it would end the process in " +
                                             place_of(seen.unraised_at - 1, names)};
  }
  const std::string where =
      is_answered && seen.depth > 0 ? ", in " + place_of(seen.stack[0], names) : std::string();
  if (kernel.is_asleep())
    return {hold::not_running,
            what + " waits for a safe point, but the thread is in none of our waits" + where};
  return {hold::no_safe_point,
          what + " waits for a safe point, to which the thread has not come" + where};
}

// What there is to say of who runs nowhere.
const char* words_for_idle(const record& who) noexcept {
  if (who.of == nullptr)
    return who.is_closed() ? "the thread has ended" : "the thread has not begun yet";
  return who.is_closed() ? "the computation has ended"
                         : "the computation is paused, or has not begun yet: nobody runs it";
}

// Stands for a sender that was no target.
target no_target() {
  // Not made by the compiler's way for statics: half made, it would stay so in a child of fork().
  static constinit std::atomic<record*> only{nullptr};
  if (only.load(std::memory_order_acquire) == nullptr) {
    auto made = make_record("no target", std::stop_source(std::nostopstate));
    made->abandon();
    record* expected = nullptr;
    if (only.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel))
      made.detach();
  }
  return target(reference<record>(*only.load(std::memory_order_acquire)));
}

}  // namespace

report diagnose(const target& who, const symbols& names) {
  record& asked = who.record();
  report made{who};
  const kernel_view kernel(asked.tid);  // before the signal wakes it
  inspection seen{};
  const bool has_begun = asked.runner() != nullptr;
  const answer given = has_begun ? inspect(asked, seen) : answer::ended;
  if (asked.is_closed() || given == answer::ended) {
    made.why = hold::not_running;
    made.reason = words_for_idle(asked);
    const oldest one = find_oldest(asked, seen, false);
    if (one.exists) made.oldest = steady_clock::now() - one.queued;
    return made;
  }
  const bool is_answered = given == answer::given;
  const oldest one = find_oldest(asked, seen, is_answered);
  if (one.exists) made.oldest = steady_clock::now() - one.queued;
  judgement found = judge(asked, one, seen, is_answered, kernel, names);
  made.why = found.why;
  made.reason = std::move(found.reason) + "; " + text_of(given) + "the thread " +
                (computation::is_here(&asked) ? "asks this itself" : kernel.text());
  if (is_answered && seen.runs[0] != '\0')
    made.reason += std::string(", and runs ") + seen.runs.data() + ", whose stack this is";
  // Not while SIGEXC's or another handler runs for a moment: who is asked has been waited for.
  if (kernel.blocks(signal_number()) && (given == answer::blocked || kernel.is_asleep()))
    made.reason +=
        ", and blocks SIGEXC (signal " + std::to_string(signal_number()) + ") in its kernel mask";
  if (is_answered) made.stack = backtrace({seen.stack.data(), seen.stack.data() + seen.depth});
  return made;
}

}  // namespace detail

report diagnose(const target& who) { return detail::diagnose(who, detail::symbols()); }

std::optional<interrupt_info> last_interrupt() {
  if (detail::current.self == nullptr || detail::current.self->last == nullptr) return std::nullopt;
  const detail::last_delivery& noted = *detail::current.self->last;
  return interrupt_info{.sender = noted.sender ? target(noted.sender) : detail::no_target(),
                        .queued = noted.queued,
                        .raised = noted.raised,
                        .where = backtrace({noted.where, noted.where + noted.depth})};
}

}  // namespace sigexc
