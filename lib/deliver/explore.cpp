// Runs a body with a probe at each of its safe points. How they are found: see explorer.hpp.
#include "deliver/explorer.hpp"
#include "target/record.hpp"
#include "unwind/function_entry.hpp"

#include <sigexc/exceptions.hpp>
#include <sigexc/mask.hpp>
#include <sigexc/testing.hpp>
#include <sigexc/thread.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace sigexc {

probe::~probe() = default;
const char* probe::what() const noexcept { return "probe"; }

namespace detail {

constinit thread_local explorer* exploring __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

std::string demangled(const char* name) {
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, nullptr), std::free);
  return text != nullptr ? text.get() : name;
}

std::string describe(std::uintptr_t counter) {
  Dl_info found{};
  std::ostringstream text;
  text << std::hex;
  if (::dladdr(reinterpret_cast<void*>(counter - 1), &found) == 0) {
    text << "0x" << counter;
    return text.str();
  }
  const std::string path = found.dli_fname != nullptr ? found.dli_fname : "";
  const std::string file = path.substr(path.rfind('/') + 1);
  const auto offset_from = [&](const void* start) {
    return counter - reinterpret_cast<std::uintptr_t>(start);
  };
  if (found.dli_sname != nullptr)
    text << demangled(found.dli_sname) << "+0x" << offset_from(found.dli_saddr) << " (" << file
         << ")";
  else
    text << file << "+0x" << offset_from(found.dli_fbase);
  return text.str();
}

const void* object_of(std::uintptr_t address) noexcept {
  dl_find_object found;
  return _dl_find_object(reinterpret_cast<void*>(address), &found) == 0 ? found.dlfo_link_map
                                                                        : nullptr;
}

// The frames from the code that has called the library outward.
std::vector<std::string> stack_from(stack_position at) {
  constexpr std::size_t most_shown = 8;
  constexpr int most = 64;
  const void* const ours = object_of(reinterpret_cast<std::uintptr_t>(&describe));
  std::vector<std::string> shown;
  for (int frames = 0; frames < most && shown.size() < most_shown; ++frames) {
    const bool is_ours = object_of(at.counter - 1) == ours;
    if (is_ours && !shown.empty()) break;  // it is `explore`
    if (!is_ours) shown.push_back(describe(at.counter));
    function_entry function;
    if (!find_function(at.counter - 1, function)) break;
    const frame_rule rule = find_rule(function, at.counter - 1);
    if (rule.how == frame_rule::kind::unknown || rule.how == frame_rule::kind::outermost ||
        !step(rule, at))
      break;
  }
  // Where the library is a part of the program there is no telling them apart.
  if (shown.empty()) shown.push_back(describe(at.counter));
  return shown;
}

bool is_probe(const std::exception_ptr& thrown) {
  const void* found = nullptr;
  if (matches(thrown, typeid(probe))) return true;
  return matches(thrown, typeid(exception_group), &found) &&
         static_cast<const exception_group*>(found)->subgroup<probe>().has_value();
}

std::string words(const std::exception_ptr& thrown) {
  const std::type_info* const type = thrown.__cxa_exception_type();
  std::string text = type != nullptr ? demangled(type->name()) : "a foreign exception";
  const void* object = nullptr;
  if (matches(thrown, typeid(std::exception), &object))
    text += std::string(": ") + static_cast<const std::exception*>(object)->what();
  return text;
}

// What `call` throws; null if it returns. Not inlined, as run_body in thread/thread.cpp.
// (A forced unwinding, which passes, has no object for the catch clause to refer to.)
template <class Call>
[[gnu::noinline]] __attribute__((no_sanitize("null"))) std::exception_ptr thrown_by(Call& call) {
  try {
    call();
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    std::exception_ptr thrown = caught_exception();
    return thrown != nullptr ? thrown
                             : std::make_exception_ptr(std::runtime_error("a foreign exception"));
  }
  return nullptr;
}

// The time of one run, at whose end the thread is as before.
class exploring_run {
 public:
  explicit exploring_run(explorer& of) : kept_(*current.self) {
    exploring = &of;
    kept_->is_explored = true;
    current.held = 1;
    current.pending_flag.store(1, std::memory_order_relaxed);
  }
  exploring_run(const exploring_run&) = delete;
  exploring_run& operator=(const exploring_run&) = delete;
  ~exploring_run() {
    exploring = nullptr;
    kept_->is_explored = false;
    if (current.self == kept_.get())
      kept_->publish_held();  // the flag stays up: a safe point looks
  }

 private:
  const reference<record> kept_;  // `body` may end the enrollment
};

// Looks whether all is well after a run. @return what is wrong, "" if nothing.
std::string fault_of(const std::exception_ptr& thrown, const std::function<bool()>& check) {
  if (thrown != nullptr && !is_probe(thrown)) return "the body threw " + words(thrown);
  const scope everything_blocked(policy::never, governed_types<>);
  bool is_well = false;
  const auto ask = [&] { is_well = check(); };
  if (const auto wrong = thrown_by(ask)) return "the check threw " + words(wrong);
  return is_well ? "" : "the check failed";
}

}  // namespace

void explorer::begin(std::size_t due) {
  due_ = due;
  points_ = further_ = 0;
  sent_.reset();
  stack_.clear();
}

bool explorer::counts_waits() noexcept {
  return policy_of(governed_types<probe>) == policy::on_blocking;
}

void explorer::before_delivery(place where, const stack_position& from) {
  const policy here = policy_of(governed_types<probe>);
  if (here == policy::never || (here == policy::on_blocking && where != place::wait)) return;
  if (sent_ && ++further_ <= limit_) return;
  if (!sent_ && ++points_ != due_) return;
  if (!sent_) stack_ = stack_from(from);
  sent_ = target(reference<record>(*current.self)).interrupt(probe());
}

void explorer::after_delivery(place where, bool is_raised) noexcept {
  // Not raised, though the scopes let it through: it would not have been survived.
  if (sent_ && sent_->state() == delivery::pending) sent_->withdraw();
  if (where == place::safe_point || is_raised)
    current.pending_flag.store(1, std::memory_order_relaxed);
}

std::optional<delivery> explorer::outcome() const noexcept {
  return sent_ ? std::optional(sent_->state()) : std::nullopt;
}

exploration explore(const std::function<void()>& body, const std::function<bool()>& check,
                    std::size_t limit) {
  if (exploring != nullptr)
    throw std::logic_error("sigexc: explore: this thread is being explored already");
  std::optional<enrollment> enrolled;
  if (current.self == nullptr) enrolled.emplace("explored");
  exploration found;
  explorer explores(limit);
  for (std::size_t due = 1; due <= limit && !found.is_complete; ++due) {
    explores.begin(due);
    std::exception_ptr thrown;
    {
      const exploring_run run(explores);
      thrown = thrown_by(body);
    }
    const auto outcome = explores.outcome();
    if (outcome == delivery::withdrawn) found.held_at.push_back(due);
    if (outcome == delivery::handled) found.handled_at.push_back(due);
    if (outcome == delivery::raised && thrown == nullptr) found.swallowed_at.push_back(due);
    found.points = std::max(found.points, explores.points());
    if (std::string fault = fault_of(thrown, check); !fault.empty()) {
      found.failed_at = outcome ? due : 0;
      found.failure = std::move(fault);
      found.stack = explores.stack();
      return found;
    }
    found.is_complete = !outcome;
  }
  return found;
}

}  // namespace detail

std::string exploration::to_string() const {
  std::ostringstream text;
  const auto list = [&text](const char* what, const std::vector<std::size_t>& which) {
    if (which.empty()) return;
    text << "; " << what << " at";
    for (const std::size_t point : which) text << ' ' << point;
  };
  text << points << (points == 1 ? " point" : " points");
  if (!is_complete && !failed_at) text << ", the limit, and the body has not ended by itself";
  list("swallowed", swallowed_at);
  list("held", held_at);
  list("handled", handled_at);
  if (failed_at) {
    text << "; " << failure;
    if (*failed_at == 0)
      text << ", without a probe";
    else
      text << ", after a probe at point " << *failed_at;
    for (const std::string& frame : stack) text << "\n  " << frame;
  }
  return text.str();
}

}  // namespace sigexc
