// The public class `backtrace`, and how names are written.
#include "unwind/symbols.hpp"
#include "unwind/walk.hpp"

#include <cxxabi.h>
#include <unwind.h>

#include <cstdio>
#include <cstdlib>

namespace sigexc {
namespace detail {

std::string demangle(const char* name) {
  int failure = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &failure), std::free);
  return failure == 0 ? text.get() : name;
}

std::string symbols::text(const backtrace& stack, const char* indent) const {
  std::string all;
  std::size_t number = 0;
  for (const auto address : stack.addresses()) {
    const backtrace::frame frame = at(address);
    char start[64];
    std::snprintf(start, sizeof start, "#%-2zu 0x%016zx ", number++, frame.address);
    all += indent;
    all += start;
    if (frame.symbol.empty()) {
      all += "??";
    } else {
      char offset[24];
      std::snprintf(offset, sizeof offset, "+0x%zx", frame.offset);
      all += frame.symbol + offset;
    }
    if (!frame.object.empty()) all += " (" + frame.object + ")";
    if (!frame.source.empty()) all += " at " + frame.source;
    all += '\n';
  }
  return all;
}

namespace {

struct collector {
  std::uintptr_t* addresses;
  std::size_t most;
  std::size_t skipped;
  std::size_t count = 0;
};

_Unwind_Reason_Code collect(_Unwind_Context* frame, void* argument) {
  auto& all = *static_cast<collector*>(argument);
  int is_exact = 0;  // the counter of an interrupted frame; else a return address
  const std::uintptr_t counter = _Unwind_GetIPInfo(frame, &is_exact);
  if (counter == 0 || all.count == all.most) return _URC_END_OF_STACK;
  if (all.skipped > 0) {
    --all.skipped;
  } else {
    all.addresses[all.count++] = is_exact != 0 ? counter : counter - 1;
  }
  return _URC_NO_REASON;
}

}  // namespace

[[gnu::noinline]] std::size_t unwind(std::uintptr_t* addresses, std::size_t most) noexcept {
  collector all{addresses, most, 1};  // without this function
  _Unwind_Backtrace(collect, &all);
  return all.count;
}

}  // namespace detail

backtrace backtrace::current() {
  constexpr std::size_t most = 256;
  std::uintptr_t addresses[most];
  const std::size_t count = detail::unwind(addresses, most);
  return backtrace({addresses + (count > 0 ? 1 : 0), addresses + count});  // without this function
}

std::vector<backtrace::frame> backtrace::frames() const {
  const detail::symbols names;
  std::vector<frame> all;
  all.reserve(addresses_.size());
  for (const auto address : addresses_) all.push_back(names.at(address));
  return all;
}

std::string backtrace::to_string() const { return detail::symbols().text(*this); }

}  // namespace sigexc
