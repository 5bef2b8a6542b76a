// The handler for unobserved exceptions, and the default one.
#include "thread/unobserved.hpp"

#include "target/record.hpp"

#include <sigexc/bracket.hpp>
#include <sigexc/exceptions.hpp>
#include <sigexc/thread.hpp>

#include <cxxabi.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace sigexc {
namespace detail {
namespace {

bool is_termination(const std::exception_ptr& exception) noexcept {
  if (matches(exception, typeid(terminated))) return true;
  const void* found = nullptr;
  if (!matches(exception, typeid(exception_group), &found)) return false;
  const auto& members = static_cast<const exception_group*>(found)->exceptions();
  return std::all_of(members.begin(), members.end(), is_termination);
}

// Takes no memory that it cannot do without: an exception would end the process here.
void print_unobserved(const target& ended, std::exception_ptr exception) noexcept {
  const std::type_info* const type = exception.__cxa_exception_type();
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, nullptr), std::free);
  const void* object = nullptr;
  const char* what = "";
  if (matches(exception, typeid(std::exception), &object))
    what = static_cast<const std::exception*>(object)->what();
  else if (matches(exception, typeid(interruption), &object))
    what = static_cast<const interruption*>(object)->what();
  std::fprintf(stderr, "sigexc: thread '%s' ended by an exception that nobody waited for: %s%s%s\n",
               ended.record().name.c_str(), demangled ? demangled.get() : type->name(),
               *what != '\0' ? ": " : "", what);
}

constinit std::atomic<unobserved_handler> handler{print_unobserved};

}  // namespace

void report_unobserved(const target& ended, const std::exception_ptr& exception) noexcept {
  if (!is_termination(exception)) handler.load(std::memory_order_acquire)(ended, exception);
}

void report_suppressed(const std::exception_ptr& exception) noexcept {
  try {
    if (current.self != nullptr)
      return report_unobserved(target(reference<record>(*current.self)), exception);
    const enrollment for_its_name("no target");
    report_unobserved(for_its_name.get_target(), exception);
  } catch (...) {  // no memory, or no signal for us: then nobody has a handler that knows targets
    std::fputs("sigexc: the release of a bracket threw while another exception was on its way\n",
               stderr);
  }
}

}  // namespace detail

unobserved_handler set_unobserved_handler(unobserved_handler handler) noexcept {
  return detail::handler.exchange(handler != nullptr ? handler : detail::print_unobserved,
                                  std::memory_order_acq_rel);
}

}  // namespace sigexc
